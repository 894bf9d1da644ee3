//go:build cgo

package e2e_test

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"tributary/infra/local/query"
)

// ask calls the query command as a user does and returns its result as CSV, without the heading.
func ask(t *testing.T, dir, sql string) []string {
	t.Helper()
	out, err := os.Create(filepath.Join(t.TempDir(), "result"))
	if err != nil {
		t.Fatal(err)
	}
	defer out.Close()
	var stderr bytes.Buffer
	if status := query.Main(t.Context(), []string{"-dir=" + dir, "-format=csv", sql}, os.Stdin, out, &stderr, os.Getenv); status != 0 {
		t.Fatalf("%s: status %d: %s", sql, status, &stderr)
	}
	text, err := os.ReadFile(out.Name())
	if err != nil {
		t.Fatal(err)
	}
	return strings.Split(strings.TrimSpace(string(text)), "\r\n")[1:]
}

// What runs left is asked with the names and types of the deployed program, and without a word of them here.
func TestQueryCommand(t *testing.T) {
	embedded(t)
	dir := filepath.Join(t.TempDir(), ".local")
	for _, at := range []string{"2025-03-03T10:00:00Z", "2025-03-04T14:45:00Z"} {
		if status, text := command(t, "run", "-dir="+dir, "-at="+at); status != 0 {
			t.Fatalf("status %d:\n%s", status, text)
		}
	}
	for sql, want := range map[string][]string{
		"SELECT dt, count(*) FROM coin_markets GROUP BY dt ORDER BY dt":                                                                              {"2025-03-03,540", "2025-03-04,540"},
		"SELECT count(*), min(run_at), max(dt) FROM coin_markets_latest":                                                                             {"540,2025-03-04T14:45:00Z,2025-03-04"},
		"SELECT count(*) FROM coin_markets_rejects WHERE dt = '2025-03-04'":                                                                          {"20"},
		"SELECT run_id, state, records - clean - rejected FROM pipeline_audit ORDER BY 1":                                                            {"20250303T100000Z,done,0", "20250304T144500Z,done,0"},
		"SELECT count(*) > 0 FROM coin_markets_rejects, UNNEST(violations) AS v(v) WHERE v.v.rule = 'required'":                                      {"true"},
		"SELECT f.f.rows FROM pipeline_audit, UNNEST(lake_files) AS f(f) ORDER BY 1":                                                                 {"540", "540"},
		"SELECT count(*) FROM coin_markets_latest l JOIN coin_markets c ON l.id = c.id AND l.run_at = c.run_at AND l.roi IS NOT DISTINCT FROM c.roi": {"540"},
		"SELECT column_name || ' ' || column_type FROM (DESCRIBE coin_markets_latest) WHERE column_name IN ('id', 'current_price', 'market_cap_rank', 'ath_date', 'roi', 'dt')": {
			"id VARCHAR", "current_price DOUBLE", "market_cap_rank BIGINT", "ath_date TIMESTAMP",
			`"roi STRUCT(times DOUBLE, currency VARCHAR, percentage DOUBLE)"`, "dt VARCHAR",
		},
	} {
		if diff := cmp.Diff(want, ask(t, dir, sql)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", sql, diff)
		}
	}
	for _, name := range ask(t, dir, "SHOW TABLES") {
		if rows := ask(t, dir, "SELECT * FROM "+name+" LIMIT 1"); len(rows) != 1 {
			t.Errorf("%s: %q", name, rows)
		}
	}
}
