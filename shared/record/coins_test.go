package record

import (
	"bytes"
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"tributary/shared/contract"
)

// coins makes records of the shape of coin_markets: 26 members, some 800 bytes, numbers in all the forms that the real
// API sends. The same seed gives the same records.
type coins struct {
	*rand.Rand
	n int
}

func newCoins(seed uint64) *coins { return &coins{Rand: rand.New(rand.NewPCG(seed, 1))} }

var coinWords = strings.Fields("bit ether doge solar stable wrapped liquid meta pepe moon chain dao gold omega nova iron zen flux apex rune")

// price prints as prices are: 79847, 2004.13, 0.949312, 1.231e-05.
func price(p float64) string {
	switch {
	case p >= 10_000:
		return strconv.FormatFloat(p, 'f', 0, 64)
	case p >= 1:
		return strconv.FormatFloat(p, 'f', 2, 64)
	case p >= 0.01:
		return strconv.FormatFloat(p, 'f', 6, 64)
	}
	return strconv.FormatFloat(p, 'e', 3, 64)
}

func (c *coins) moment() string {
	return time.UnixMilli(1356998400000 + c.Int64N(383_000_000_000)).UTC().Format("2006-01-02T15:04:05.000Z")
}

// fields are a record's members as JSON text, in the API's order.
func (c *coins) fields() [][2]string {
	i := c.n
	c.n++
	a, b := coinWords[i*7%len(coinWords)], coinWords[i*11%len(coinWords)]
	id := fmt.Sprintf("%s-%s-%d", a, b, i)
	name := a + " " + b
	switch c.IntN(40) {
	case 0:
		name = `Caf\u00e9 \"Coin\"`
	case 1:
		name = "Größe 🐸"
	}
	now := math.Pow(10, 4.5-9*c.Float64())
	low, high := now*(0.9+0.1*c.Float64()), now*(1.001+0.12*c.Float64())
	change := (c.Float64() - 0.6) * 0.2
	supply := math.Pow(10, 5+6*c.Float64())
	total := supply * (1 + c.Float64())
	ath, atl := high*(1+40*c.Float64()), low*c.Float64()
	float := func(f float64) string { return strconv.FormatFloat(f, 'g', -1, 64) }
	whole := func(f float64) string { return strconv.FormatFloat(f, 'f', 0, 64) }
	percent := func(f float64) string { return strconv.FormatFloat(f, 'f', 5, 64) }
	units := func(f float64) string {
		if c.IntN(2) == 0 {
			return whole(f) + ".0"
		}
		return float(f)
	}
	most, roi := "null", "null"
	if c.IntN(2) == 0 {
		most = whole(total*1.5) + ".0"
	}
	if c.IntN(14) == 0 {
		times := math.Pow(10, c.Float64()*4-1)
		roi = fmt.Sprintf(`{"times":%s,"currency":"btc","percentage":%s}`, float(times), float(times*100))
	}
	return [][2]string{
		{"id", strconv.Quote(id)}, {"symbol", strconv.Quote(a[:3] + b[:2])}, {"name", `"` + name + `"`},
		{"image", fmt.Sprintf(`"https://coin-images.coingecko.com/coins/images/%d/large/%s.png?%d"`, i%54000+1, a, 1696501400+i%50_000_000)},
		{"current_price", price(now)}, {"market_cap", whole(now * supply)}, {"market_cap_rank", strconv.Itoa(i + 1)},
		{"fully_diluted_valuation", whole(now * total)}, {"total_volume", whole(now * supply * c.Float64() * 0.3)},
		{"high_24h", price(high)}, {"low_24h", price(low)}, {"price_change_24h", float(now * change)},
		{"price_change_percentage_24h", percent(change * 100)}, {"market_cap_change_24h", float(now * supply * change)},
		{"market_cap_change_percentage_24h", percent(change * 103)}, {"circulating_supply", units(supply)}, {"total_supply", units(total)},
		{"max_supply", most}, {"ath", price(ath)}, {"ath_change_percentage", percent((now/ath - 1) * 100)}, {"ath_date", strconv.Quote(c.moment())},
		{"atl", price(atl)}, {"atl_change_percentage", percent((now/atl - 1) * 100)}, {"atl_date", strconv.Quote(c.moment())},
		{"roi", roi}, {"last_updated", strconv.Quote(fmt.Sprintf("2025-03-04T14:%02d:%02d.%03dZ", 45+i%5, c.IntN(60), c.IntN(1000)))},
	}
}

func writeObject(dst *bytes.Buffer, fields [][2]string) {
	for i, f := range fields {
		dst.WriteByte("{,"[min(i, 1)])
		dst.WriteString(`"` + f[0] + `":` + f[1])
	}
	dst.WriteByte('}')
}

// lines writes n records as NDJSON.
func (c *coins) lines(n int) []byte {
	var b bytes.Buffer
	for range n {
		writeObject(&b, c.fields())
		b.WriteByte('\n')
	}
	return b.Bytes()
}

func coinPlan(t testing.TB) *Plan {
	t.Helper()
	c, err := contract.Load("../datasets/coin_markets.odcs.yaml")
	if err != nil {
		t.Fatal(err)
	}
	p, err := Compile(c)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// discard is a sink that counts, and returns batches at once.
type discard struct {
	rows, rejects int
}

func (d *discard) Batch(b *Batch) error { d.rows += b.Rows; b.Release(); return nil }

func (d *discard) Reject(*Reject) error { d.rejects++; return nil }

// Faults are planted in records spread over many batches and windows; exactly those must be rejected, for their reason,
// whatever the page's form and the size of the reads.
func TestPlantedFaults(t *testing.T) {
	const records = 30_000
	faults := []struct {
		rule, pointer string
		plant         func(f [][2]string, earlier string) [][2]string
	}{
		{RuleRequired, "/id", func(f [][2]string, _ string) [][2]string { return f[1:] }},
		{RuleType, "/market_cap", func(f [][2]string, _ string) [][2]string { f[5][1] = `"1,234.5"`; return f }},
		{RuleMinimum, "/current_price", func(f [][2]string, _ string) [][2]string { f[4][1] = "-" + f[4][1]; return f }},
		{"high-above-low", "", func(f [][2]string, _ string) [][2]string { f[9][1], f[10][1] = "1", "2"; f[4][1] = "1"; return f }},
		{RuleType, "/atl_date", func(f [][2]string, _ string) [][2]string { f[23][1] = `"2025-02-30T10:00:00.000Z"`; return f }},
		{RuleUnique, "/id", func(f [][2]string, earlier string) [][2]string { f[0][1] = earlier; return f }},
		{RuleOverflow, "/total_volume", func(f [][2]string, _ string) [][2]string { f[8][1] = "1e999"; return f }},
		{RuleDuplicateMember, "/symbol", func(f [][2]string, _ string) [][2]string { return slices.Insert(f, 5, f[1]) }},
		{RuleEncoding, "/name", func(f [][2]string, _ string) [][2]string { f[2][1] = `"\ud800"`; return f }},
		{"", "", func(f [][2]string, _ string) [][2]string { return append(f, [2]string{"sentiment", `{"score":[0.5]}`}) }},
		{"", "", func(f [][2]string, _ string) [][2]string { slices.Reverse(f); return f }},
	}
	c := newCoins(7)
	var lines bytes.Buffer
	var want []string
	var ids []string
	for i := range records {
		f := c.fields()
		id := f[0][1]
		if i > 0 && c.IntN(20) == 0 {
			fault := faults[c.IntN(len(faults))]
			f = fault.plant(f, ids[c.IntN(len(ids))])
			if fault.rule != "" {
				want = append(want, strings.TrimSpace(fmt.Sprintf("%d %s %s", i, fault.rule, fault.pointer)))
				id = ""
			}
		}
		if id != "" {
			ids = append(ids, id)
		}
		writeObject(&lines, f)
		lines.WriteByte('\n')
	}
	array := append([]byte{'['}, bytes.ReplaceAll(bytes.TrimSpace(lines.Bytes()), []byte("\n"), []byte(",\n"))...)
	array = append(array, ']')
	p := coinPlan(t)
	var rows []string
	for _, tt := range []struct {
		name string
		page io.Reader
	}{
		{"lines", bytes.NewReader(lines.Bytes())},
		{"array", bytes.NewReader(array)},
		{"array in odd pieces", &pieces{text: array, size: 4099}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got, s, err := run(t, p, tt.page)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(want, got.Rejects); diff != "" {
				t.Fatalf("(-want +got)\n%s", diff)
			}
			if s.Records != records || s.Clean != int64(records-len(want)) {
				t.Fatalf("%d records, %d clean; want %d, %d", s.Records, s.Clean, records, records-len(want))
			}
			if rows == nil {
				rows = got.Rows
			}
			if diff := cmp.Diff(rows, got.Rows); diff != "" {
				t.Fatalf("rows differ from those of the first form (-first +this)\n%s", diff)
			}
		})
	}
}

// pieces reads a text in pieces of one size.
type pieces struct {
	text []byte
	size int
}

func (p *pieces) Read(b []byte) (int, error) {
	if len(p.text) == 0 {
		return 0, io.EOF
	}
	n := copy(b[:min(len(b), p.size)], p.text)
	p.text = p.text[n:]
	return n, nil
}

// A clean record costs no allocation: those that are left are for the run, its window, batches and keys.
func TestAllocations(t *testing.T) {
	p := coinPlan(t)
	small, large := newCoins(1).lines(20_000), newCoins(1).lines(60_000)
	measure := func(text []byte) float64 {
		return testing.AllocsPerRun(3, func() {
			r := p.Start(Run{ScheduledAt: scheduled}, &discard{})
			if err := r.Page(Page{Number: 1, Records: int64(bytes.Count(text, []byte("\n")))}, bytes.NewReader(text)); err != nil {
				t.Fatal(err)
			}
		})
	}
	if a, b := measure(small), measure(large); b-a > 100 {
		t.Fatalf("40,000 more records cost %.0f more allocations than %.0f", b-a, a)
	}
}

// BenchmarkDecode reads, validates and lays out coin_markets records under all rules of the contract, from memory to
// columns that are thrown away. It measures neither decompression nor Parquet.
func BenchmarkDecode(b *testing.B) {
	const records = 100_000
	text := newCoins(1).lines(records)
	p := coinPlan(b)
	b.SetBytes(int64(len(text)))
	b.ReportAllocs()
	for b.Loop() {
		r := p.Start(Run{ScheduledAt: scheduled}, &discard{})
		if err := r.Page(Page{Number: 1, Records: records}, bytes.NewReader(text)); err != nil {
			b.Fatal(err)
		}
		if _, err := r.Close(); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(records*float64(b.N)/b.Elapsed().Seconds(), "rows/s")
}

// BenchmarkCount counts the records of a page, as ingest does for the manifest.
func BenchmarkCount(b *testing.B) {
	text, p := newCoins(1).lines(100_000), coinPlan(b)
	b.SetBytes(int64(len(text)))
	for b.Loop() {
		if n, err := Count(bytes.NewReader(text), &p.contract.Source); n != 100_000 || err != nil {
			b.Fatal(n, err)
		}
	}
}

func itoa(n int64) string { return strconv.FormatInt(n, 10) }

// BenchmarkEach hands out the seven served values of each row.
func BenchmarkEach(b *testing.B) {
	p := coinPlan(b)
	var columns []int
	for _, name := range []string{"id", "symbol", "name", "current_price", "market_cap", "last_updated", "roi"} {
		columns = append(columns, p.index(name))
	}
	s := &keeper{}
	r := p.Start(Run{ScheduledAt: scheduled}, s)
	if err := r.Page(Page{Number: 1, Records: BatchRows}, bytes.NewReader(newCoins(1).lines(BatchRows))); err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		if err := s.batch.Each(columns, func(int, []Value) error { return nil }); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/BatchRows, "ns/row")
}

// keeper keeps the last batch.
type keeper struct {
	discard
	batch *Batch
}

func (k *keeper) Batch(b *Batch) error { k.batch = b; return nil }
