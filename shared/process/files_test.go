package process

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"path"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	pq "github.com/parquet-go/parquet-go"

	"tributary/shared/contract"
	"tributary/shared/zone"
)

// placed is a testContract whose rows say where they come from, and which loads a run whatever it rejects.
func placed(t testing.TB, version string, edits ...edit) *contract.Contract {
	t.Helper()
	return testContract(t, slices.Concat([]edit{
		{"version: 1.0.0", "version: " + version},
		{"      - {name: run_at,", "      - {name: page, logicalType: integer, physicalType: bigint, transformLogic: record.page}\n" +
			"      - {name: place, logicalType: integer, physicalType: bigint, transformLogic: record.index}\n      - {name: run_at,"},
		{"value: 50", "value: 100"},
	}, edits)...)
}

// dirtyPage makes a page of people in one of its forms; some of them no contract takes, some a narrow one rejects. The
// records' starts are noted.
func dirtyPage(random *rand.Rand, form string, page, records int) (body string, starts []int64) {
	head, between, tail := "[", ",\n", "]"
	switch form {
	case "below a pointer":
		head, tail = `{"count":1,"data":[`, `],"next":null}`
	case "lines":
		head, between, tail = "", "\n", "\n"
	}
	var b strings.Builder
	b.WriteString(head)
	for i := range records {
		if i > 0 {
			b.WriteString(between)
		}
		starts = append(starts, int64(b.Len()))
		id, score := fmt.Sprintf("p%d-%d", page, i), fmt.Sprint(random.IntN(100))
		text := person(id, "score", score)
		switch random.IntN(12) {
		case 0:
			text = person(fmt.Sprintf("p%d-%d", 1+random.IntN(page), random.IntN(i+1)), "score", score) // a key that was there, perhaps
		case 1:
			text = person(id, "score", `"none"`)
		case 2:
			text = `"` + id + `"`
		case 3:
			text = person(id, "score", "-"+score)
		case 4:
			if form == "lines" && i > 0 {
				text = "{" + id
			}
		case 5:
			text = person(id, "tags", `["`+strings.Repeat("t", 700)+`"]`)
		}
		b.WriteString(text)
	}
	b.WriteString(tail)
	return b.String(), starts
}

// held says which records a run's files hold, by the files' names without their extensions.
func (w *world) held() (all map[string][]string, rows map[string]int) {
	w.t.Helper()
	all, rows = map[string][]string{}, map[string]int{}
	bodies := w.lake.Bodies()
	for key, body := range bodies {
		if !strings.HasSuffix(key, ".parquet") {
			continue
		}
		type row struct {
			Page  *int64 `parquet:"page"`
			Place *int64 `parquet:"place"`
		}
		read, err := pq.Read[row](bytes.NewReader(body), int64(len(body)))
		if err != nil || len(read) == 0 {
			w.t.Fatalf("%s: %d rows, %v", key, len(read), err)
		}
		name := strings.TrimSuffix(path.Base(key), ".parquet")
		for _, r := range read {
			all[name] = append(all[name], fmt.Sprintf("%d/%05d", *r.Page, *r.Place))
		}
		rows[name] = len(read)
	}
	for key, body := range w.rejects.Bodies() {
		lines := decodeRejects(w.t, body)
		if len(lines) == 0 {
			w.t.Fatalf("%s is empty", key)
		}
		name := strings.TrimSuffix(path.Base(key), ".ndjson")
		for _, r := range lines {
			all[name] = append(all[name], fmt.Sprintf("%d/%05d", r.Page, r.Index))
		}
	}
	for _, records := range all {
		slices.Sort(records)
	}
	return all, rows
}

// A file's number stands for the same records of the input under every contract, whatever that rejects; a replay
// replaces each file by that of the same records, and removes those that it does not make.
func TestFilesHoldTheSameRecordsUnderEveryContract(t *testing.T) {
	for _, form := range []string{"array", "lines", "below a pointer"} {
		for _, size := range []Options{
			{FileRecords: 1}, {FileRecords: 7}, {FileRecords: 33}, {FileRecords: 100}, {FileBytes: 1500}, {FileBytes: 9000}, {FileRecords: 20, FileBytes: 4000}, {},
		} {
			t.Run(fmt.Sprintf("%s, %d records, %d bytes", form, size.FileRecords, size.FileBytes), func(t *testing.T) {
				options := size
				options.setDefaults()
				random := rand.New(rand.NewPCG(1, 2))
				w := newWorld(t)
				var pages []page
				want := map[string][]string{}
				var records, bytes int64
				for n, count := range []int{60, 1, 100, 37} {
					body, starts := dirtyPage(random, form, n+1, count)
					for i, start := range starts {
						name := fmt.Sprintf("%s-%05d", zone.NewRun("people", scheduled).ID(), 1+records/options.FileRecords+(bytes+start)/options.FileBytes)
						want[name] = append(want[name], fmt.Sprintf("%d/%05d", n+1, i))
						records++
					}
					bytes += int64(len(body))
					pages = append(pages, page{body: []byte(body), records: int64(count)})
				}
				event := w.ingest(scheduled, nil, pages...)
				for _, step := range []struct {
					version, minimum string
					keysTogether     bool // no metric looks at each row as it comes
					lake             bool
				}{
					{"1.0.1", "-100", true, true},
					{"1.0.2", "0", false, true},
					{"1.0.3", "80", true, true},
					{"1.0.4", "1000", true, false},
					{"1.0.5", "-100", false, true},
				} {
					edits := []edit{{"minimum: 0", "minimum: " + step.minimum}}
					if step.keysTogether {
						edits = append(edits, edit{"metric: duplicateValues, mustBe: 0, unit: rows, arguments: {properties: [id, run_at]}", "metric: rowCount, mustBeLessThan: 1000000"})
					}
					if form == "below a pointer" {
						edits = append(edits, edit{`records: ""`, `records: "/data"`})
					}
					c := placed(t, step.version, edits...)
					p := w.processor(c)
					p.Options.FileRecords, p.Options.FileBytes = size.FileRecords, size.FileBytes
					if got := w.run(p, event); got.Outcome != zone.OutcomeLoaded || got.Records != records {
						t.Fatalf("%s: %+v", c.Version, got)
					}
					all, rows := w.held()
					if diff := cmp.Diff(want, all); diff != "" {
						t.Errorf("%s: records by file (-want +got)\n%s", c.Version, diff)
					}
					row := w.auditRow(scheduled)
					named := map[string]int{}
					for _, f := range row.LakeFiles {
						named[strings.TrimSuffix(path.Base(f.Key), ".parquet")] = int(f.Rows)
					}
					if diff := cmp.Diff(rows, named); diff != "" || len(row.RejectFiles) != len(w.rejects.Bodies()) {
						t.Errorf("%s: %d files of rejects, %d in the audit; rows of lake files (-there +audit)\n%s", c.Version, len(w.rejects.Bodies()), len(row.RejectFiles), diff)
					}
					if (len(rows) > 0) != step.lake {
						t.Errorf("%s: %d lake files", c.Version, len(rows))
					}
				}
			})
		}
	}
}

// A part of the input that brings no row, or no reject, has no file, and the others keep their numbers.
func TestPartsWithoutFile(t *testing.T) {
	w := newWorld(t)
	event := w.ingest(scheduled, nil, jsonPage(
		person("a"), person("b", "score", "-1"), // one of each
		person("c", "score", "-1"), person("d", "score", "-2"), // rejects only
	), jsonPage(
		person("e"), person("f"), // rows only
		person("g", "score", "-1"),
	))
	run := zone.NewRun("people", scheduled)
	keys := func(rows []zone.FileRow) []string {
		list := []string{}
		for _, f := range rows {
			list = append(list, fmt.Sprintf("%s %d", f.Key, f.Rows))
		}
		return list
	}
	lake := func(n, rows int) string { return fmt.Sprintf("%s %d", run.LakeKey("people", n), rows) }
	rejects := func(n, rows int) string { return fmt.Sprintf("%s %d", run.RejectsKey(n), rows) }
	for _, step := range []struct {
		name          string
		contract      *contract.Contract
		lake, rejects []string
	}{
		{
			"some rejected", testContract(t, edit{"value: 50", "value: 100"}),
			[]string{lake(1, 1), lake(3, 2)}, []string{rejects(1, 1), rejects(2, 2), rejects(4, 1)},
		},
		{
			"mended", testContract(t, edit{"value: 50", "value: 100"}, edit{"version: 1.0.0", "version: 1.0.1"}, edit{"minimum: 0", "minimum: -10"}),
			[]string{lake(1, 2), lake(2, 2), lake(3, 2), lake(4, 1)}, []string{},
		},
		{
			"half mended", testContract(t, edit{"value: 50", "value: 100"}, edit{"version: 1.0.0", "version: 1.0.2"}, edit{"minimum: 0", "minimum: -1"}),
			[]string{lake(1, 2), lake(2, 1), lake(3, 2), lake(4, 1)}, []string{rejects(2, 1)},
		},
		{
			"all rejected", testContract(t, edit{"value: 50", "value: 100"}, edit{"version: 1.0.0", "version: 1.0.3"}, edit{"minimum: 0", "minimum: 2000"}, edit{"score <= 1000.0", "score <= 9000.0"}),
			[]string{}, []string{rejects(1, 2), rejects(2, 2), rejects(3, 2), rejects(4, 1)},
		},
	} {
		p := w.processor(step.contract)
		p.Options.FileRecords = 2
		w.run(p, event)
		row := w.auditRow(scheduled)
		if diff := cmp.Diff(step.lake, keys(row.LakeFiles)); diff != "" {
			t.Errorf("%s: lake files (-want +got)\n%s", step.name, diff)
		}
		if diff := cmp.Diff(step.rejects, keys(row.RejectFiles)); diff != "" {
			t.Errorf("%s: files of rejects (-want +got)\n%s", step.name, diff)
		}
		if lake, rejects := len(w.lake.Bodies())-1, len(w.rejects.Bodies()); lake != len(step.lake) || rejects != len(step.rejects) {
			t.Errorf("%s: %d lake files and %d of rejects are there", step.name, lake, rejects)
		}
	}
}
