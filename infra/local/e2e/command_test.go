package e2e_test

import (
	"bytes"
	"context"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"tributary/infra/local/cli"
)

// command calls the command of the local environment as a user does, and returns its exit status and its screen.
func command(t *testing.T, args ...string) (int, string) {
	t.Helper()
	return commandIn(t, root, args...)
}

func commandIn(t *testing.T, dir string, args ...string) (int, string) {
	t.Helper()
	return interrupted(t, dir, "", args...)
}

// interrupted interrupts the command once its screen shows a text; "": never.
func interrupted(t *testing.T, dir, shown string, args ...string) (int, string) {
	t.Helper()
	t.Chdir(dir)
	in, out, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	screen := make(chan string)
	go func() {
		var text []byte
		buffer := make([]byte, 4096)
		for {
			n, err := in.Read(buffer)
			if text = append(text, buffer[:n]...); shown != "" && bytes.Contains(text, []byte(shown)) {
				cancel()
			}
			if err != nil {
				screen <- string(text)
				return
			}
		}
	}()
	var stderr bytes.Buffer
	status := cli.Main(ctx, args, out, &stderr, func(string) string { return "" })
	if err := out.Close(); err != nil {
		t.Fatal(err)
	}
	return status, <-screen + stderr.String()
}

// data are the files below a folder, but for logs, index and report, which tell of the last run.
func data(t *testing.T, dir string) map[string]string {
	t.Helper()
	all := map[string]string{}
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		name, _ := filepath.Rel(dir, path)
		if err != nil || d.IsDir() || strings.HasPrefix(name, "logs") || strings.HasPrefix(name, ".") || name == "report.html" {
			return err
		}
		body, err := os.ReadFile(path)
		all[filepath.ToSlash(name)] = string(body)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func TestRunCommand(t *testing.T) {
	embedded(t)
	dir := filepath.Join(t.TempDir(), ".local")
	at := scheduled.Format("2006-01-02T15:04:05Z")
	run := []string{"run", "-dir=" + dir, "-at=" + at}

	status, text := command(t, run...)
	if status != 0 {
		t.Fatalf("status %d:\n%s", status, text)
	}
	for _, want := range []string{
		"4 pages in 6 requests, 1 answered with 429, 1 answered with 503", "2 files, 540 items, 1 alert",
		"✓ loaded, 20 records set aside", "560 in = 540 clean + 20 rejected (3.6 %; above 5 % the run is held)",
		"One failing row, in full", "shared/datasets/coin_markets.odcs.yaml:28", "logicalTypeOptions: {minimum: 0}}", "the table keeps the newest for each key and holds 540", "1 Alert", "5 of 540 rows", "go tool mage run -at=" + at,
	} {
		if !strings.Contains(text, want) {
			t.Errorf("the screen does not say %q:\n%s", want, text)
		}
	}
	first := data(t, dir)
	page, err := os.ReadFile(filepath.Join(dir, "report.html"))
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"540 clean rows", "current_price is below the minimum 0", "dynamodb:PutItem", "540 puts × 1 unit", "market_cap_rank", "required: true, logicalTypeOptions: {minimum: 0}}</code>"} {
		if !strings.Contains(string(page), want) {
			t.Errorf("the report does not say %q", want)
		}
	}

	status, text = command(t, run...)
	if status != 0 || !strings.Contains(text, "this run was done before: nothing was changed") {
		t.Errorf("the same schedule again: status %d:\n%s", status, text)
	}
	if !strings.Contains(text, "not asked: this run was brought before") {
		t.Errorf("the screen does not say that the source was not asked:\n%s", text)
	}
	if diff := cmp.Diff(first, data(t, dir)); diff != "" {
		t.Errorf("the same schedule changed files:\n%.2000s", diff)
	}

	status, text = command(t, "invoke", "-dir="+dir, "process", "functions/process/event.json")
	if status != 0 || !strings.Contains(text, "which is not in") || !strings.Contains(text, `"clean":540`) {
		t.Errorf("invoke: status %d:\n%s", status, text)
	}
	both := data(t, dir)
	for name, body := range first {
		if !strings.HasPrefix(name, "alerts") && both[name] != body {
			t.Errorf("invoke for another run changed %s", name)
		}
	}
	if _, ok := both["lake/coin_markets/dt=2025-03-04/20250304T144500Z-00001.parquet"]; !ok {
		t.Error("the invoked function left no lake file")
	}
}

// Whatever goes wrong between the functions and AWS, what is stored is that of a run without faults.
func TestFaultsOnDemand(t *testing.T) {
	embedded(t)
	dir := filepath.Join(t.TempDir(), ".local")
	status, text := command(t, "run", "-dir="+dir, "-faults=all", "-seed=1")
	if status != 0 {
		t.Fatalf("status %d:\n%s", status, text)
	}
	for _, want := range []string{"throttled", "function killed", "the same raw run, processed without faults, leaves the same:", "✓ lake (", "✓ rejects (", "✓ audit (", "✓ alerts (", "✓ items ("} {
		if !strings.Contains(text, want) {
			t.Errorf("the screen does not say %q:\n%s", want, text)
		}
	}
}

func TestCommandsThatFail(t *testing.T) {
	embedded(t)
	dir := t.TempDir()
	var records []string
	for i := range 30 {
		records = append(records, whole(fmt.Sprintf("coin-%d", i), "current_price", `"n/a"`))
	}
	held := filepath.Join(dir, "held.json")
	if err := os.WriteFile(held, []byte("["+strings.Join(records, ",")+"]"), 0o600); err != nil {
		t.Fatal(err)
	}
	page := filepath.Join(dir, "page.json")
	if err := os.WriteFile(page, []byte(`["just text"]`), 0o600); err != nil {
		t.Fatal(err)
	}
	nothing := filepath.Join(dir, "event.json")
	if err := os.WriteFile(nothing, []byte(`{}`), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, tc := range []struct {
		name string
		args []string
		want []string
	}{
		{"held", []string{"run", "-from=" + held}, []string{
			"✗ held: ", "! tributary-dev-alarm-coin_markets-held: 1 in the last 5 min, alarms from 1",
			"! tributary-dev-alarm-coin_markets-freshness: 0 in the last 3 h, alarms below 1; 36 of", // it is stale: nothing was loaded
		}},
		{"no object", []string{"run", "-from=" + page}, []string{"✗ held: 1 of 1 records are rejected"}},
		{"no file", []string{"run", "-from=nowhere.json"}, []string{"serve coin_markets from nowhere.json: there is no such file"}},
		{"event that the function refuses", []string{"invoke", "ingest", nothing}, []string{"Error  Unhandled"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			args := append([]string{tc.args[0], "-dir=" + filepath.Join(t.TempDir(), ".local")}, tc.args[1:]...)
			status, text := command(t, args...)
			for _, want := range tc.want {
				if status != 1 || !strings.Contains(text, want) {
					t.Errorf("status %d, want 1 and %q:\n%s", status, want, text)
				}
			}
		})
	}
}

func TestUnknownFunction(t *testing.T) {
	embedded(t)
	event := filepath.Join(t.TempDir(), "event.json")
	if err := os.WriteFile(event, []byte(`{}`), 0o600); err != nil {
		t.Fatal(err)
	}
	status, text := command(t, "invoke", "-dir="+filepath.Join(t.TempDir(), ".local"), "nothing", event)
	if status != 2 || !strings.Contains(text, "there is no function nothing; there is ingest or process, or in full tributary-dev-") {
		t.Errorf("status %d:\n%s", status, text)
	}
}
