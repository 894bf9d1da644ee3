package parquet

import (
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"testing"

	"tributary/shared/contract"
	"tributary/shared/record"
)

// coinMarkets are the 28 leaves of the recorded members of coin_markets.
func coinMarkets() []contract.Column {
	var columns []contract.Column
	for _, name := range []string{"id", "symbol", "name", "image"} {
		columns = append(columns, col(name, kind(contract.String)))
	}
	columns = append(columns, col("market_cap_rank", kind(contract.Integer)))
	for i := range 17 {
		columns = append(columns, col(fmt.Sprintf("number_%d", i), kind(contract.Double)))
	}
	for _, name := range []string{"ath_date", "atl_date", "last_updated"} {
		columns = append(columns, col(name, kind(contract.Timestamp)))
	}
	return append(columns, col("roi", structOf(
		col("times", kind(contract.Double)), col("currency", kind(contract.String)), col("percentage", kind(contract.Double)))))
}

// coins are full batches with the spread of forms of the API: unique and repeated text, prices rounded to two places or
// six digits, products with all their digits, a column that is null in half the rows, and a struct that nearly always is.
func coins(count int) []*record.Batch {
	rnd := rand.New(rand.NewPCG(1, 2))
	words := []string{"bit", "ether", "doge", "solar", "lunar", "stable", "wrapped", "staked", "liquid", "bridged", "meta", "hyper"}
	columns := coinMarkets()
	var out []*record.Batch
	for b := range count {
		rows := make([][]any, record.BatchRows)
		for i := range rows {
			n := b*record.BatchRows + i
			first, second := words[n*7%len(words)], words[n/43%len(words)]
			row := []any{
				fmt.Sprintf("%s-%s-%d", first, second, n),
				first[:3] + second[:2],
				first + " " + second,
				fmt.Sprintf("https://coin-images.coingecko.com/coins/images/%d/large/%s.png?%d", n%54000+1, first, 1696501400+n*37%50_000_000),
				int64(n + 1),
			}
			now := math.Pow(10, 4.5-9*rnd.Float64())
			for j := range 17 {
				var v any
				switch j % 4 {
				case 0:
					v = math.Round(now*100*rnd.Float64()) / 100
				case 1:
					v = math.Round(now * 1e6)
				case 2:
					v = now * rnd.Float64()
				case 3:
					v = math.Round(rnd.Float64()*1e7) / 1e5
				}
				if j == 12 && rnd.Float64() < 0.53 {
					v = nil
				}
				row = append(row, v)
			}
			for range 3 {
				row = append(row, 1356998400000+rnd.Int64N(383_000_000_000))
			}
			var roi any
			if rnd.Float64() < 0.07 {
				roi = fields{now, words[n%3], now * 100}
			}
			rows[i] = append(row, roi)
		}
		out = append(out, batch(columns, rows))
	}
	return out
}

// BenchmarkWrite measures the way from full batches in memory to the bytes of a file that is thrown away: levels,
// dictionaries, bounds, compression, headers. Decoding JSON and storing the file are not in it.
func BenchmarkWrite(b *testing.B) {
	columns, batches := coinMarkets(), coins(30)
	for _, codec := range []Codec{Snappy, Zstd, Uncompressed} {
		b.Run(codec.String(), func(b *testing.B) {
			var rows, size int64
			for b.Loop() {
				w, err := NewWriter(io.Discard, columns, Options{Codec: codec})
				if err != nil {
					b.Fatal(err)
				}
				for _, batch := range batches {
					if err := w.Write(batch); err != nil {
						b.Fatal(err)
					}
				}
				info, err := w.Close()
				if err != nil {
					b.Fatal(err)
				}
				rows += info.Rows
				size += info.Bytes
			}
			b.ReportMetric(float64(rows)/b.Elapsed().Seconds(), "rows/s")
			b.ReportMetric(float64(size)/float64(rows), "B/row")
			b.ReportMetric(float64(size)/1e6/b.Elapsed().Seconds(), "MB/s")
		})
	}
}
