package collect_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"tributary/infra/local/collect"
)

func TestProfile(t *testing.T) {
	audit, s := whole(t)
	s.lake[run.AuditKey()] = line(t, audit)
	got, looked, err := collect.Run{Contract: people(), Run: run, Lake: get(s.lake)}.Profile()
	if err != nil {
		t.Fatal(err)
	}
	one := func(label string) []collect.Bar { return []collect.Bar{{Label: label, Count: 1}} }
	want := []collect.Column{
		{Name: "tld", Type: "string", Slots: 2, Nulls: 1, Masked: true},
		{Name: "domain", Type: "string", Slots: 2, Nulls: 1, Masked: true},
		{Name: "seen", Type: "timestamp", Slots: 2, Nulls: 1, Low: "2025-03-04 14:45:50", High: "2025-03-04 14:45:50", Bars: one("2025-03-04 14:45:50"), Scale: "one value"},
		{Name: "born", Type: "date", Slots: 2, Nulls: 1, Low: "2025-03-04", High: "2025-03-04", Bars: one("2025-03-04"), Scale: "one value"},
		{Name: "score", Type: "double", Slots: 2, Low: "7.662e-05", High: "79847", Scale: "equal steps"},
		{Name: "balance", Type: "decimal(10,2)", Slots: 2, Nulls: 1, Low: "-12.05", High: "-12.05", Bars: one("-12.05"), Scale: "one value"},
		{Name: "active", Type: "boolean", Slots: 2, Nulls: 1, Low: "true", High: "true", Distinct: 1, Bars: one("true"), Scale: "the most frequent"},
		{Name: "home.city", Type: "string", Slots: 2, Nulls: 1, Low: "Ålesund", High: "Ålesund", Distinct: 1, Bars: one("Ålesund"), Scale: "the most frequent"},
		{Name: "home.street", Type: "string", Slots: 2, Nulls: 1, Masked: true},
		{Name: "tags", Type: "string", Slots: 3, Nulls: 1, Low: "a", High: "b", Distinct: 2, Bars: []collect.Bar{{Label: "a", Count: 1}, {Label: "b", Count: 1}}, Scale: "the most frequent"},
		{Name: "mail", Type: "string", Slots: 2, Nulls: 1, Masked: true},
		{Name: "code", Type: "string", Slots: 2, Nulls: 1, Masked: true},
		{Name: "id", Type: "bigint", Slots: 2, Low: "7", High: "8", Bars: []collect.Bar{{Label: "7", Count: 1}, {Label: "8", Count: 1}}, Scale: "equal steps"},
	}
	ignoreBars := cmp.FilterPath(func(p cmp.Path) bool {
		return p.String() == "Bars" && p.Index(1).String() == "[4]"
	}, cmp.Ignore())
	if diff := cmp.Diff(want, got, cmpopts.EquateEmpty(), ignoreBars); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
	var score int64
	for _, b := range got[4].Bars {
		score += b.Count
	}
	if looked != 2 || score != 2 || len(got[4].Bars) != 24 {
		t.Errorf("looked at %d rows, score has %d values in %d bars", looked, score, len(got[4].Bars))
	}
}

func TestProfileOfARunWithoutFiles(t *testing.T) {
	if got, looked, err := (collect.Run{Contract: people(), Run: run, Lake: get(nil)}).Profile(); err != nil || looked != 0 || len(got) != 0 {
		t.Errorf("got %v, %d, %v", got, looked, err)
	}
}
