package cli

import (
	"testing"

	"tributary/infra/local/files"
)

func TestObjectsAreCompared(t *testing.T) {
	state := func(objects ...files.Object) files.State { return files.State{Objects: objects} }
	one, other := files.Object{Bucket: "lake", Key: "coins/1", Body: []byte("a")}, files.Object{Bucket: "lake", Key: "coins/1", Body: []byte("b")}
	beside := files.Object{Bucket: "lake", Key: "pipeline_audit/1", Body: []byte(`{"run_id":"x","stored_at":"now"}`)}
	later := files.Object{Bucket: "lake", Key: "pipeline_audit/1", Body: []byte(`{"run_id":"x","stored_at":"later"}`)}
	for _, tc := range []struct {
		name, prefix string
		as           func([]byte) []byte
		got, want    files.State
		diff         string
	}{
		{"the same", "coins/", nil, state(one, beside), state(one), ""},
		{"lost", "coins/", nil, state(beside), state(one), "coins/1 is missing"},
		{"changed", "coins/", nil, state(other), state(one), "coins/1 is another"},
		{"left over", "coins/", nil, state(one), state(beside), "coins/1 should not be there"},
		{"another time", "pipeline_audit/", withoutTime, state(later), state(beside), ""},
		{"another time where it counts", "pipeline_audit/", nil, state(later), state(beside), "pipeline_audit/1 is another"},
	} {
		if _, diff := objects("lake", tc.prefix, tc.as)(tc.got, tc.want); diff != tc.diff {
			t.Errorf("%s: got %q, want %q", tc.name, diff, tc.diff)
		}
	}
}

func TestAlertsAreCompared(t *testing.T) {
	mine, again := files.Alert{Subject: "run 7", Message: "held"}, files.Alert{Subject: "run 7", Message: "held"}
	another := files.Alert{Subject: "run 8", Message: "held"}
	for _, tc := range []struct {
		name      string
		got, want []files.Alert
		diff      string
	}{
		{"the same", []files.Alert{mine, another}, []files.Alert{mine}, ""},
		{"twice", []files.Alert{mine, again}, []files.Alert{mine}, ""},
		{"missing", []files.Alert{another}, []files.Alert{mine}, "0 different ones came, and 1 are due"},
	} {
		if _, diff := sameAlerts(tc.got, tc.want, "run 7"); diff != tc.diff {
			t.Errorf("%s: got %q, want %q", tc.name, diff, tc.diff)
		}
	}
}

func TestItemsAreCompared(t *testing.T) {
	a, b := files.Item{"id": "a", "n": "1"}, files.Item{"id": "a", "n": "2"}
	for _, tc := range []struct {
		got, want []files.Item
		diff      string
	}{
		{[]files.Item{a}, []files.Item{a}, ""},
		{[]files.Item{a, b}, []files.Item{a}, "the table holds 2, and 1 are due"},
		{[]files.Item{b}, []files.Item{a}, "item 1 of the table is another"},
	} {
		if _, diff := sameItems(tc.got, tc.want); diff != tc.diff {
			t.Errorf("got %q, want %q", diff, tc.diff)
		}
	}
}
