package process

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"tributary/shared/record"
	"tributary/shared/zone"
)

var update = flag.Bool("update", false, "write the golden files anew")

func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(path, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), string(got)); diff != "" {
		t.Errorf("%s (-want +got):\n%s", path, diff)
	}
}

// plain gives an attribute as DynamoDB's own JSON does.
func plain(a zone.Attribute) any {
	switch a.Kind {
	case zone.AttributeString:
		return map[string]any{"S": a.Text}
	case zone.AttributeNumber:
		return map[string]any{"N": a.Text}
	case zone.AttributeBool:
		return map[string]any{"BOOL": a.Bool}
	case zone.AttributeList:
		list := []any{}
		for _, e := range a.List {
			list = append(list, plain(e))
		}
		return map[string]any{"L": list}
	case zone.AttributeMap:
		members := map[string]any{}
		for name, e := range a.Map {
			members[name] = plain(e)
		}
		return map[string]any{"M": members}
	default:
		return map[string]any{"NULL": true}
	}
}

// TestFormats holds everything that a run leaves for others to read: item, reject, audit row, alert.
func TestFormats(t *testing.T) {
	w := newWorld(t)
	full := person("full", "score", "1e21", "balance", "12345678901234.5", "active", "true", "born", `"1999-12-31"`,
		"home", `{"city":"Köln","floor":-3}`, "tags", `["a",null,""]`, "updated_at", `"2025-03-04T14:00:00.1239+01:00"`)
	bare := `{"id":"bare","updated_at":"2025-03-04T14:00:00Z"}`
	broken := person("broken", "score", "-5", "email", `"x"`, "born", `"31 December"`, "nickname", `"<&>  \u2028"`)
	bytesOnly := "{\"id\":\"bytes\",\"email\":\"\xff\xfe\",\"updated_at\":\"2025-03-04T14:00:00Z\"}"
	w.run(w.processor(testContract(t)), w.ingest(scheduled, nil, jsonPage(full, bare, broken, bytesOnly, person("high", "score", "2000"))))

	items := map[string]any{}
	for key, attributes := range w.table.Items() {
		item := map[string]any{}
		for name, a := range attributes {
			item[name] = plain(a)
		}
		items[key] = item
	}
	delete(items, "high")
	text, err := json.MarshalIndent(items, "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	golden(t, "items.golden.json", append(text, '\n'))

	run := zone.NewRun("people", scheduled)
	for name, body := range map[string][]byte{
		"rejects.golden.ndjson": w.rejects.Bodies()[run.RejectsKey(1)],
		"audit.golden.json":     w.lake.Bodies()[run.AuditKey()],
	} {
		// The digest and the size of the Parquet file belong to other packages.
		c := testContract(t)
		body = bytes.ReplaceAll(body, []byte(c.Digest), []byte("DIGEST"))
		for _, f := range w.auditRow(scheduled).LakeFiles {
			body = bytes.ReplaceAll(body, fmt.Appendf(nil, `"bytes":%d`, f.Bytes), []byte(`"bytes":0`))
		}
		body = bytes.ReplaceAll(body, []byte(w.topic.Messages()[0].Attributes["alert_id"]), []byte("ALERT"))
		golden(t, name, body)
	}
	m := w.topic.Messages()[0]
	said := fmt.Sprintf("%s\n\n%s\n", m.Subject, m.Body)
	said = strings.ReplaceAll(strings.ReplaceAll(said, m.Attributes["alert_id"], "ALERT"), testContract(t).Digest[:12], "DIGEST")
	golden(t, "alert.golden.txt", []byte(said))
	delete(m.Attributes, "alert_id")
	want := map[string]string{"environment": "dev", "dataset": "people", "run": "20250304T144500Z", "severity": SeverityWarning, "outcome": zone.OutcomeLoaded}
	if diff := cmp.Diff(want, m.Attributes); diff != "" {
		t.Error(diff)
	}
}

// TestAlerts holds what people are told of runs that are not loaded.
func TestAlerts(t *testing.T) {
	metrics := edit{"      - {id: high-score,", `      - {id: enough, type: library, metric: rowCount, mustBeGreaterOrEqualTo: 4, unit: rows, severity: error}
      - {id: full, type: library, metric: rowCount, mustBeGreaterOrEqualTo: 100, unit: rows, severity: warning}
      - {id: high-score,`}
	for _, test := range []struct {
		name  string
		edits []edit
		page  page
	}{
		{"held-metric", []edit{metrics}, jsonPage(person("high", "score", "2000"))},
		{"held-rejects", nil, jsonPage(person("high", "score", "2000"), person("b", "score", "-1"), person("c", "score", "-1"))},
		{"unreadable", nil, page{body: []byte("<!doctype html><html>"), records: -1}},
		{"too-large", []edit{{`records: ""`, `records: "", limits: {records: 1}`}}, jsonPage(person("a"), person("b"))},
	} {
		t.Run(test.name, func(t *testing.T) {
			w := newWorld(t)
			c := testContract(t, test.edits...)
			w.run(w.processor(c), w.ingest(scheduled, nil, test.page))
			m := w.topic.Messages()[0]
			said := fmt.Sprintf("%s\n\n%s\n", m.Subject, m.Body)
			said = strings.ReplaceAll(strings.ReplaceAll(said, m.Attributes["alert_id"], "ALERT"), c.Digest[:12], "DIGEST")
			golden(t, "alert-"+test.name+".golden.txt", []byte(said))
		})
	}
}

// TestRareFormats holds rows that a run seldom leaves: texts that break lines or are no UTF-8, whole numbers beyond what a
// float64 holds, empty and missing lists.
func TestRareFormats(t *testing.T) {
	const big = 1<<53 + 1
	p := newWorld(t).processor(testContract(t))
	j := &job{Processor: p, run: zone.NewRun("people", scheduled), id: identity{manifest: "v2", contract: "1.0.0", digest: "DIGEST", engine: "engine-1"}}
	page := zone.ManifestPage{Key: j.run.RawPageKey(7), Version: "v1"}
	var rejects bytes.Buffer
	for _, r := range []*record.Reject{
		{
			Page: 7, Index: big, Key: "a \"b\"\n\u2028\xff", Offset: big + 2, Bytes: 22, Record: []byte("{\n\t\"q\": \"\u2028\u2029 \\\" <&>\"\r\n}"),
			Violations: []record.Violation{{Pointer: "/q\u2028", Rule: "pattern", Message: "/q is not \"x\"\n", Value: `"\" "`}, {Rule: "cross"}},
		},
		{Page: 7, Index: 1, Record: []byte("\xff\xfe\n"), Bytes: 3},
		{Page: 7, Index: 2, Record: []byte(`{"a":"ü`)[:7], Truncated: true, SHA256: "ab", Bytes: big},
	} {
		line, err := encodeLine(j.rejectRow(r, page))
		if err != nil {
			t.Fatal(err)
		}
		rejects.Write(line)
	}
	golden(t, "rejects-rare.golden.ndjson", rejects.Bytes())

	row := j.claim(&seen{})
	row.Records, row.Clean, row.WarningsByRule = big, big, nil
	row.Former.Records, row.Replay.Reason = big, "two\nlines\u2028 of \"it\""
	row.LakeFiles = append(row.LakeFiles, zone.FileRow{Key: "a", Rows: big, Bytes: big + 2}, zone.FileRow{Key: "b"})
	line, err := encodeLine(row)
	if err != nil {
		t.Fatal(err)
	}
	golden(t, "audit-rare.golden.json", line)
}
