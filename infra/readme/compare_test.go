package readme

import (
	"strings"
	"testing"
)

const printed = `  … functions    compiling for linux/amd64                                                    10.1 s
  ✓ functions    2 packages for linux/amd64, 14.4 MiB                                         10.3 s
  ✓ stack        dev: 118 resources at http://127.0.0.1:43661                                  92 ms
  ✓ process      2 files, 540 items, 1 alert                                                  214 ms

── coin_markets ────────────────────────────────────────

  run         20261126T135028Z
  pages       4
  records     560 in = 540 clean + 20 rejected (3.6 %; above 5 % the run is held)

Rejected, by rule  a record counts under each rule it breaks
        2  high-above-low  (the record)      the record breaks high_24h >= low_24h
        4  minimum         /current_price    /current_price is below the minimum 0
        2  overflow        /ath              /ath is beyond the range of a double
        2  unique          /id               /id has been there before in this run

One failing row, in full  page 1, record 149, counted from 0
    {"id": "hazel-orchard", "symbol": null, "name": "Hazel Orchard",
    "image": "https://images.example.com/coins/150/large/hazel-orchard.png?1725238021",
    "current_price": -0.01, "market_cap": 1956631970,
    "last_updated": "soon"}

Files
  raw        250 rows   47.9 KiB
    .local/raw/coin_markets/dt=2026-11-26/run=20261126T135028Z/page-00001.json.gz
  raw                       27 B
    .local/raw/coin_markets/dt=2026-11-26/run=20261126T135028Z/page-00004.json.gz

Sample of the lake  5 of 540 rows, 6 of 34 columns
  id             symbol  name           current_price     market_cap  last_updated
  ─────────────  ──────  ─────────────  ─────────────  ─────────────  ───────────────────────
  amber-anchor   aman    Amber Anchor         6077020  1712705479216  2026-11-26 13:50:14.964
  amber-spring   amsp    Amber Spring        0.207307   596593132643  2026-11-26 13:49:23.441

Time
  functions 10.3 s · stack 92 ms · total 13.0 s

Try next
  go tool mage query   look at the data
`

const shown = `  ✓ functions    2 packages for darwin/arm64, 14.5 MiB                                         6.01 s
  ✓ stack        dev: 118 resources at http://127.0.0.1:32883                                  38 ms
  ✓ process      2 files, 540 items, 1 alert                                               1 min 20 s

── coin_markets ──────────

  run         20261123T140000Z
  pages       4
  records     560 in = 540 clean + 20 rejected (3.6 %; above 5 % the run is held)

Rejected, by rule  a record counts under each rule it breaks
        2  high-above-low  (the record)      the record breaks high_24h >= low_24h
        …
        2  unique          /id               /id has been there before in this run

One failing row, in full  page 12, record 6, counted from 0
    {"id": "onyx-meadow", "symbol": null, "name": "Onyx Meadow", … "current_price": -0.025, …
    "last_updated": "soon"}

Files
  raw        250 rows    7.85 KiB
    .local/raw/coin_markets/dt=2025-11-23/run=20251123T140000Z/page-00001.json.gz
  …
Sample of the lake  5 of 540 rows, 6 of 34 columns
  id             symbol  name           current_price     market_cap  last_updated
  ─────────────  ──────  ────────────  ──  ──  ──
  amber-anchor   aman    Amber Anchor            5.25    12705479216  2026-11-23 13:59:34
  amber-spring   …                                                    2026-11-23 13:49:23.1
…
Time
  functions 6.01 s · stack 1 min 3 s · total 8.41 s
…`

// What differs by its shape, or is left out, is no difference; whatever else was changed is.
func TestCompare(t *testing.T) {
	if err := Compare(shown, printed); err != nil {
		t.Fatal(err)
	}
	if err := Compare(shown, strings.ReplaceAll(printed, "\n", "\n\n")); err != nil {
		t.Error(err)
	}
	for _, test := range []struct{ old, planted, want string }{
		{"✓ functions", "✗ functions", `"✗ functions    2 packages for darwin/arm64, 14.5 MiB`},
		{"118 resources", "119 resources", `"✓ stack        dev: 119 resources`},
		{"540 items", "54 items", `"✓ process      2 files, 54 items`},
		{"pages       4", "pages       5", `"pages       5"`},
		{"records     560", "rows        560", `"rows        560 in`},
		{"+ 20 rejected", "+ 2 rejected", `+ 2 rejected`},
		{"3.6 %", "3.7 %", "3.7 %"},
		{"high-above-low", "high-over-low", "high-over-low"},
		{"2  unique", "3  unique", "3  unique"},
		{"/id has been", "/key has been", "/key has been"},
		{`"symbol"`, `"ticker"`, `"{\"id\": \"onyx-meadow\", \"ticker\"`},
		{"250 rows", "25 rows", "25 rows"},
		{"page-00001", "page-1", "page-1"},
		{"Amber Anchor", "Amber", `"amber-anchor   aman    Amber `},
		{"· stack", "· pile", "· pile"},
		{"  pages       4\n", "", `"records     560`}, // a line that is not left out is missing
		{"        …\n", "", `"2  unique`},
		{"  pages       4\n", "  pages       4\n  pages       4\n", `"pages       4"`},
		{"\n…\nTime", "\n…\nTimes", `"Times"`},
		{" 8.41 s\n…", " 8.41 s", `there is more behind its last line, "functions`},
		{" 8.41 s\n…", " 8.41 s\n…\nthe end", `"the end"`},
	} {
		if !strings.Contains(shown, test.old) {
			t.Fatalf("the screen has no %q", test.old)
		}
		err := Compare(strings.Replace(shown, test.old, test.planted, 1), printed)
		if err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%q for %q: %v, want %s", test.planted, test.old, err, test.want)
		}
	}
}

// A screen is not what the README shows, either, if what the README says is in another order.
func TestCompareKeepsTheOrder(t *testing.T) {
	if err := Compare("b\n…\na\n…", "a\nb\nc\n"); err == nil {
		t.Error("b before a")
	}
	if err := Compare("…\nb\n…", "a\nb\nc\n"); err != nil {
		t.Error(err)
	}
}
