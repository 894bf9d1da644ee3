package ingest_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"tributary/shared/cloud/cloudtest"
	"tributary/shared/contract"
	"tributary/shared/ingest"
	"tributary/shared/zone"
)

func uploader(bucket *cloudtest.Bucket, source contract.Source) *ingest.Uploader {
	c := &contract.Contract{Dataset: "orders", Version: contract.Version{Major: 1}, Digest: "d1g357", Source: source}
	return &ingest.Uploader{Contract: c, Bucket: bucket, Now: func() time.Time { return run.At.Add(time.Hour) }}
}

func TestUpload(t *testing.T) {
	below := contract.Source{Records: []string{"data", "rows"}}
	keyed := contract.Source{Keyed: true}
	for _, test := range []struct {
		name   string
		source contract.Source
		body   string
		want   []string // bodies of the pages
		fails  string
	}{
		{name: "an answer of the API", body: `[{"id":1},{"id":2}]`, want: []string{`[{"id":1},{"id":2}]`}},
		{name: "an answer with its records below", source: below, body: `{"data":{"rows":[{"id":1}]}}`, want: []string{`{"data":{"rows":[{"id":1}]}}`}},
		{name: "records, one a line", body: "{\"id\":1}\n\n  {\"id\":2}\r\n", want: []string{"[{\"id\":1},\n{\"id\":2}]"}},
		{name: "records below, one a line", source: below, body: "{\"id\":1}\n{\"id\":2}", want: []string{"{\"data\":{\"rows\":[{\"id\":1},\n{\"id\":2}]}}"}},
		{
			name: "more lines than a page takes", source: contract.Source{Limits: contract.Limits{Body: 22}}, body: "{\"id\":1}\n{\"id\":2}\n{\"id\":3}\n",
			want: []string{"[{\"id\":1},\n{\"id\":2}]", `[{"id":3}]`},
		},
		{name: "no records", body: "[]", want: []string{"[]"}},
		{name: "a page too large", source: contract.Source{Limits: contract.Limits{Body: 5}}, body: `[{"id":1}]`, fails: "the file has 10 bytes, and limits.body of the contract is 5"},
		{name: "a table", body: "id;name\n1;a\n", fails: "line 1 is no JSON object"},
		{name: "broken in the middle", body: "{\"id\":1}\n{\"id\":\n", fails: "line 2 is no JSON object"},
		{name: "an answer with its records under keys", source: keyed, body: `{"a":{"id":1}}`, want: []string{`{"a":{"id":1}}`}},
		{name: "records that lack their keys", source: keyed, body: `[{"id":1}]`, fails: "it is not what the API answers, where the records are the members of an object and have their keys there"},
		{name: "nothing", body: "\n", fails: "it is empty"},
	} {
		t.Run(test.name, func(t *testing.T) {
			bucket := cloudtest.NewBucket("raw", nil)
			result, err := uploader(bucket, test.source).Upload(t.Context(), run, "orders.json", []byte(test.body))
			if test.fails != "" {
				if err == nil || !strings.HasPrefix(err.Error(), "upload orders.json as run 20250304T144500Z of orders: ") || !strings.Contains(err.Error(), test.fails) {
					t.Errorf("error %v, want %s", err, test.fails)
				}
				if len(bucket.Bodies()) > 0 {
					t.Error("something was stored")
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			bodies := bucket.Bodies()
			var m zone.Manifest
			if err := json.Unmarshal(bodies[run.ManifestKey()], &m); err != nil {
				t.Fatal(err)
			}
			var got []string
			for i, page := range m.Pages {
				got = append(got, gunzip(t, bodies[page.Key]))
				if page.Page != i+1 || page.Key != run.RawPageKey(i+1) || page.Version == "" || page.Bytes != int64(len(bodies[page.Key])) {
					t.Errorf("page %+v", page)
				}
			}
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("pages (-want +got):\n%s", diff)
			}
			if m.Source != "file:orders.json" || m.Ended != zone.EndedComplete || m.Records != int64(strings.Count(test.body, `"id"`)) || !result.Stored {
				t.Errorf("manifest %+v", m)
			}
		})
	}
}

// An upload whose manifest was stored though it was told otherwise is its own success, and so is another one's of the same
// file; one of something else is not.
func TestUploadMeetsAManifest(t *testing.T) {
	file := []byte(`[{"id":1}]`)
	for _, test := range []struct {
		name   string
		meet   func(t *testing.T, bucket *cloudtest.Bucket, c cloudtest.Call) error
		stored bool
		want   string
	}{
		{"its own", func(_ *testing.T, _ *cloudtest.Bucket, c cloudtest.Call) error {
			if c.After {
				return fmt.Errorf("put: %w", zone.ErrCondition)
			}
			return nil
		}, true, ""},
		{"of the same file", func(t *testing.T, bucket *cloudtest.Bucket, c cloudtest.Call) error {
			if !c.After {
				if _, err := uploader(bucket.With(nil), contract.Source{}).Upload(t.Context(), run, "f", file); err != nil {
					t.Error(err)
				}
			}
			return nil
		}, false, ""},
		{"of something else", func(t *testing.T, bucket *cloudtest.Bucket, c cloudtest.Call) error {
			if !c.After {
				if _, err := bucket.With(nil).Put(t.Context(), run.ManifestKey(), []byte("{}"), zone.PutOptions{}); err != nil {
					t.Error(err)
				}
			}
			return nil
		}, false, "upload f as run 20250304T144500Z of orders: somebody else has stored the run meanwhile, of something else; take another time"},
	} {
		t.Run(test.name, func(t *testing.T) {
			bucket := cloudtest.NewBucket("raw", nil)
			met := bucket.With(&cloudtest.Faults{Hook: func(c cloudtest.Call) error {
				if c.Method == "Bucket.Put" && strings.HasSuffix(c.Key, zone.ManifestName) {
					return test.meet(t, bucket, c)
				}
				return nil
			}})
			result, err := uploader(met, contract.Source{}).Upload(t.Context(), run, "f", file)
			message := ""
			if err != nil {
				message = err.Error()
			}
			if diff := cmp.Diff(test.want, message); diff != "" || result.Stored != test.stored {
				t.Errorf("stored %t, error (-want +got):\n%s", result.Stored, diff)
			}
		})
	}
}

// An upload that broke off is finished by the same file, and by nothing else.
func TestUploadThatBrokeOff(t *testing.T) {
	bucket := cloudtest.NewBucket("raw", nil)
	lost := errors.New("lost")
	failing := bucket.With(&cloudtest.Faults{Hook: func(c cloudtest.Call) error {
		if strings.HasSuffix(c.Key, "page-00002.json.gz") {
			return lost
		}
		return nil
	}})
	lines := contract.Source{Limits: contract.Limits{Body: 12}}
	file := []byte("{\"id\":1}\n{\"id\":2}\n")
	if _, err := uploader(failing, lines).Upload(t.Context(), run, "f", file); !errors.Is(err, lost) {
		t.Fatal(err)
	}
	a := serve(t, three)
	if _, err := ingester(t, a, bucket, pageNumber()).Run(t.Context(), run); err == nil || !strings.Contains(err.Error(), "it is an upload that was not finished") || len(a.take()) > 0 {
		t.Errorf("ingest goes on with an upload: %v", err)
	}
	if _, err := uploader(bucket, lines).Upload(t.Context(), run, "f", []byte("{\"id\":7}\n{\"id\":2}\n")); err == nil || !strings.Contains(err.Error(), "page 1 of the run stands already, and is of something else") {
		t.Errorf("another file goes on: %v", err)
	}
	if _, err := uploader(bucket, lines).Upload(t.Context(), run, "f", file); err != nil {
		t.Error(err)
	}
	before := fmt.Sprint(bucket.Bodies())
	if _, err := uploader(bucket, lines).Upload(t.Context(), run, "f", file); err == nil || !strings.Contains(err.Error(), "the run stands already") {
		t.Errorf("a run is replaced: %v", err)
	}
	if after := fmt.Sprint(bucket.Bodies()); after != before {
		t.Error("the second upload changed something")
	}
}
