//go:build cgo

package e2e_test

import (
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"tributary/infra/call"
)

// An array in an envelope, with names of spaces and other scripts, whole numbers among fractions, and values of two kinds.
const stations = `{"meta":{"total":4,"source":"Städtische Luftmessung"},"data":[
 {"station id":"zh-1","Station Name":"Zürich HB — Gleis 3","Température (°C)":21.5,"PM10 μg/m³":12,"reading":1,"valid":true,"measured at":"2025-03-04T14:45:00Z","place":{"lat":47.378,"long 経度":8.54}},
 {"station id":"zh-2","Station Name":"東京駅","Température (°C)":-3,"PM10 μg/m³":0,"reading":"n/a","valid":false,"measured at":"2025-03-04T14:46:00.25Z","place":{"lat":35.681,"long 経度":139.767}},
 {"station id":"zh-3","Station Name":"Ålesund \"Brygge\", nord","Température (°C)":0.25,"PM10 μg/m³":7,"reading":2.5,"valid":true,"measured at":"2025-03-04T14:47:00Z","place":null},
 {"station id":"zh-4","Station Name":"Nürnberg 🚉","Température (°C)":null,"PM10 μg/m³":9,"reading":{"x":[1]},"valid":true,"measured at":"2025-03-04T14:48:00Z","place":{"lat":49.42,"long 経度":11}}
]}`

// Objects keyed by id, with numbers as text and lists.
const tickers = `{"status":"ok","data":{
 "BTC":{"rank":1,"price":"79847.15","volume":1234567890123,"tags":["pow","store of value"],"updated":"2025-03-04T14:45:00Z"},
 "Ð/USD":{"rank":2,"price":"0.00000123","volume":5,"tags":[],"updated":"2025-03-04T14:45:01Z"},
 "naïve coin":{"rank":3,"price":"-1","volume":0,"tags":["ünïcode"],"updated":"2025-03-04T14:45:02Z"}
}}`

// From samples to tables, by the commands as people give them and with nothing edited in between: two new datasets beside
// those of the project, run, asked, and previewed.
func TestFromSampleToPreview(t *testing.T) {
	embedded(t)
	dir := project(t)
	if err := os.CopyFS(filepath.Join(dir, ".build/local"), os.DirFS(filepath.Join(dir, packages))); err != nil {
		t.Fatal(err)
	}
	state := filepath.Join(dir, ".local")
	// mage gives a command the words that package call has let pass.
	give := func(pkg, verb, target string, words ...string) (int, string) {
		t.Helper()
		var complaint bytes.Buffer
		if status, done := call.Answer(append([]string{target}, words...), dir, &complaint, &complaint); done {
			t.Fatalf("mage does not take %s %q: status %d: %s", target, words, status, &complaint)
		}
		cmd := exec.CommandContext(t.Context(), program(t, pkg), append([]string{verb}, words...)...)
		cmd.Dir = dir
		status, out, complaints := called(t, cmd)
		return status, out + complaints
	}
	for _, d := range []struct {
		name, sample string
		guesses      []string
		screen       []string // of its run
		answers      map[string][]string
	}{
		{
			name: "air_stations", sample: stations,
			guesses: []string{"an array in an envelope at /data", "station_id", "of several kinds", "go tool mage run air_stations"},
			screen:  []string{"4 in = 4 clean + 0 rejected", "4 items offered by this run", "4 of 4 rows"},
			answers: map[string][]string{
				`SELECT station_id, station_name, temperature_c, pm10_g_m, valid, measured_at, run_at = scheduled FROM air_stations, (SELECT max(run_at) AS scheduled FROM air_stations) ORDER BY 1`: {
					"zh-1,Zürich HB — Gleis 3,21.5,12,true,2025-03-04T14:45:00Z,true",
					"zh-2,東京駅,-3,0,false,2025-03-04T14:46:00.25Z,true",
					`zh-3,"Ålesund ""Brygge"", nord",0.25,7,true,2025-03-04T14:47:00Z,true`,
					"zh-4,Nürnberg 🚉,,9,true,2025-03-04T14:48:00Z,true",
				},
				`SELECT station_id, reading FROM air_stations_latest ORDER BY 1`:                            {"zh-1,1", `zh-2,"""n/a"""`, "zh-3,2.5", `zh-4,"{""x"":[1]}"`},
				`SELECT station_id, place.lat, place.long FROM air_stations WHERE place.lat > 0 ORDER BY 1`: {"zh-1,47.378,8.54", "zh-2,35.681,139.767", "zh-4,49.42,11"},
				`SELECT records, clean, rejected, items FROM pipeline_audit WHERE dataset = 'air_stations'`: {"4,4,0,4"},
			},
		},
		{
			name: "tickers", sample: tickers,
			guesses: []string{"an object keyed by id at /data/*", "the name of the member that is the record", "go tool mage run tickers"},
			screen:  []string{"3 in = 3 clean + 0 rejected", "3 items offered by this run", "3 of 3 rows"},
			answers: map[string][]string{
				`SELECT id, rank, price, volume, updated FROM tickers ORDER BY rank`: {
					"BTC,1,79847.15000000,1234567890123,2025-03-04T14:45:00Z", "Ð/USD,2,0.00000123,5,2025-03-04T14:45:01Z", "naïve coin,3,-1.00000000,0,2025-03-04T14:45:02Z",
				},
				`SELECT id, len(tags), array_to_string(tags, '|') FROM tickers_latest ORDER BY rank`:   {"BTC,2,pow|store of value", `Ð/USD,0,""`, "naïve coin,1,ünïcode"},
				`SELECT records, clean, rejected, items FROM pipeline_audit WHERE dataset = 'tickers'`: {"3,3,0,3"},
			},
		},
	} {
		t.Run(d.name, func(t *testing.T) {
			sample := filepath.Join(t.TempDir(), "sample.json")
			if err := os.WriteFile(sample, []byte(d.sample), 0o600); err != nil {
				t.Fatal(err)
			}
			status, out := give("infra/dataset", "new", "dataset:new", d.name, sample)
			if status != 0 {
				t.Fatalf("status %d:\n%s", status, out)
			}
			shows(t, "dataset:new", out, d.guesses...)

			before := data(t, dir)
			status, out = give("infra/dataset", "new", "dataset:new", d.name, sample)
			if status == 0 || !strings.Contains(out, "shared/datasets/"+d.name+".odcs.yaml is there already and is not overwritten: choose another name, or remove it first") {
				t.Errorf("a second time: status %d:\n%s", status, out)
			}
			if diff := cmp.Diff(before, data(t, dir)); diff != "" {
				t.Errorf("the second time changed files:\n%.2000s", diff)
			}
			if status, out := give("infra/contract", "check", "contract:check"); status != 0 {
				t.Errorf("contract:check: status %d:\n%s", status, out)
			}

			status, out = commandIn(t, dir, "run", d.name)
			if status != 0 {
				t.Fatalf("run: status %d:\n%s", status, out)
			}
			shows(t, "run", out, append(d.screen, ".local/samples/"+d.name+".json (the sample that the contract was made of")...)
			if strings.Contains(out, "-alarm-"+dataset+"-") {
				t.Errorf("the run tells of alarms of %s, which never ran here:\n%s", dataset, out)
			}
			for sql, want := range d.answers {
				if diff := cmp.Diff(want, ask(t, state, sql)); diff != "" {
					t.Errorf("%s (-sample +table):\n%s", sql, diff)
				}
			}
		})
	}
	status, out := give("infra/preview", "show", "infra:preview", "dev", "-json")
	if status != 0 {
		t.Fatalf("infra:preview: status %d:\n%s", status, out)
	}
	var preview struct {
		Resources []struct {
			Type   string
			Inputs map[string]any
		}
	}
	if err := json.NewDecoder(strings.NewReader(out[strings.Index(out, "{"):])).Decode(&preview); err != nil {
		t.Fatal(err)
	}
	named := map[string][]string{}
	for _, r := range preview.Resources {
		name, _ := r.Inputs["name"].(string)
		named[r.Type] = append(named[r.Type], name)
	}
	for _, name := range []string{"air_stations", "tickers", dataset} {
		for _, want := range []struct{ kind, name string }{
			{"aws:lambda/function:Function", "tributary-dev-ingest-" + name},
			{"aws:lambda/function:Function", "tributary-dev-process-" + name},
			{"aws:scheduler/schedule:Schedule", "tributary-dev-schedule-" + name},
			{"aws:dynamodb/table:Table", "tributary-dev-" + name},
			{"aws:glue/catalogTable:CatalogTable", name},
			{"aws:glue/catalogTable:CatalogTable", name + "_rejects"},
			{"aws:glue/catalogTable:CatalogTable", name + "_latest"},
		} {
			if !slices.Contains(named[want.kind], want.name) {
				t.Errorf("the preview has no %s %s; it has %q", want.kind, want.name, named[want.kind])
			}
		}
	}
}
