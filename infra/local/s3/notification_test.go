package s3_test

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"tributary/infra/local/s3"
)

func TestRuleMatches(t *testing.T) {
	rule := s3.Rule{Events: []string{"s3:ObjectCreated:*"}, Prefix: "raw/coins/", Suffix: "/manifest.json"}
	put := s3.Rule{Events: []string{"s3:ObjectCreated:Put"}}
	for _, test := range []struct {
		name  string
		rule  s3.Rule
		event string
		key   string
		want  bool
	}{
		{"prefix and suffix", rule, "Put", "raw/coins/dt=2025-03-04/run=1/manifest.json", true},
		{"multipart", rule, "CompleteMultipartUpload", "raw/coins/a/manifest.json", true},
		{"another dataset with the same beginning", rule, "Put", "raw/coins_2/a/manifest.json", false},
		{"another suffix", rule, "Put", "raw/coins/a/page-1.json", false},
		{"only Put", put, "CompleteMultipartUpload", "a", false},
		{"Put of Put", put, "Put", "a", true},
	} {
		t.Run(test.name, func(t *testing.T) {
			if got := test.rule.Matches(s3.Event{Name: test.event, Object: s3.Object{Key: test.key}}); got != test.want {
				t.Errorf("%v, want %v", got, test.want)
			}
		})
	}
}

func TestCheckRules(t *testing.T) {
	rule := func(id, prefix, suffix string, events ...string) s3.Rule {
		if len(events) == 0 {
			events = []string{"s3:ObjectCreated:*"}
		}
		return s3.Rule{ID: id, Prefix: prefix, Suffix: suffix, Events: events}
	}
	for _, test := range []struct {
		name  string
		rules []s3.Rule
		want  string
	}{
		{"prefixes with the slash", []s3.Rule{rule("a", "raw/a/", "/manifest.json"), rule("b", "raw/ab/", "/manifest.json")}, ""},
		{"prefixes without the slash", []s3.Rule{rule("a", "raw/a", "/manifest.json"), rule("b", "raw/ab", "/manifest.json")}, "overlap"},
		{"suffixes that cannot meet", []s3.Rule{rule("a", "raw/", ".json"), rule("b", "raw/", ".gz")}, ""},
		{"no prefix meets all", []s3.Rule{rule("a", "", ".json"), rule("b", "raw/", "n.json")}, "overlap"},
		{"other events", []s3.Rule{rule("a", "raw/", "", "s3:ObjectCreated:Put"), rule("b", "raw/", "", "s3:ObjectCreated:Copy")}, ""},
		{"an event that is not sent", []s3.Rule{rule("a", "", "", "s3:ObjectRemoved:*")}, "s3:ObjectRemoved:* is not sent here"},
	} {
		t.Run(test.name, func(t *testing.T) {
			err := s3.CheckRules(test.rules)
			if (err == nil) != (test.want == "") || err != nil && !strings.Contains(err.Error(), test.want) {
				t.Errorf("error %v, want %q", err, test.want)
			}
		})
	}
}

func TestMessageOfAnEvent(t *testing.T) {
	e := s3.Event{Name: "Put", Time: time.Date(2025, 3, 4, 14, 45, 0, 123e6, time.UTC), Region: "eu-west-3", Account: "000000000000", Principal: "AROA1:ingest", SourceIP: "127.0.0.1",
		Object: s3.Object{Bucket: "trial-raw", Key: "raw/coins/dt=2025-03-04/red flower+ü.json", Version: "v1", ETag: `"00ff"`, Size: 12}}
	message, err := e.Message(s3.Rule{ID: "coins"})
	if err != nil {
		t.Fatal(err)
	}
	var got any
	if err := json.Unmarshal(message, &got); err != nil {
		t.Fatal(err)
	}
	type m = map[string]any
	want := m{"Records": []any{m{
		"eventVersion": "2.6", "eventSource": "aws:s3", "awsRegion": "eu-west-3", "eventTime": "2025-03-04T14:45:00.123Z", "eventName": "ObjectCreated:Put",
		"userIdentity": m{"principalId": "AWS:AROA1:ingest"}, "requestParameters": m{"sourceIPAddress": "127.0.0.1"},
		"responseElements": m{"x-amz-request-id": "0000000000000000", "x-amz-id-2": "local"},
		"s3": m{"s3SchemaVersion": "1.0", "configurationId": "coins",
			"bucket": m{"name": "trial-raw", "arn": "arn:aws:s3:::trial-raw", "ownerIdentity": m{"principalId": "000000000000"}},
			"object": m{"key": "raw/coins/dt%3D2025-03-04/red+flower%2B%C3%BC.json", "size": 12.0, "eTag": "00ff", "versionId": "v1", "sequencer": "000000000000000000"}},
	}}}
	if diff := cmp.Diff(any(want), got); diff != "" {
		t.Error(diff)
	}
}
