package parquet

import (
	"crypto/sha256"
	"encoding/hex"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	reader "github.com/parquet-go/parquet-go"

	"tributary/shared/contract"
)

var update = flag.Bool("update", false, "rewrite the golden files")

func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s differs (-want +got):\n%s", path, diff)
	}
}

func TestSchemaText(t *testing.T) {
	text, err := SchemaText(everything())
	if err != nil {
		t.Fatal(err)
	}
	golden(t, "everything.schema", text)
}

// The uncompressed file is the same on every machine, so all of its bytes are held fast. What the footer says is spelled
// out as another reader understands it, so that a change shows what it changes.
func TestFooter(t *testing.T) {
	columns := everything()
	file, _ := encode(t, columns, Options{
		Codec: Uncompressed, RowGroupRows: 300, CreatedBy: "tributary version 1.2.3",
		Metadata: []KeyValue{{"dataset", "everything"}, {"contract", "1.0.0"}, {"empty", ""}},
	}, batches(columns, someRows(500), 150)...)
	golden(t, "everything.footer", footerText(open(t, file), file))
}

func footerText(f *reader.File, file []byte) string {
	var b strings.Builder
	m := f.Metadata()
	sum := sha256.Sum256(file)
	fmt.Fprintf(&b, "sha256 %s\nversion %d, %d rows, created by %q\n", hex.EncodeToString(sum[:]), m.Version, m.NumRows, m.CreatedBy)
	for _, kv := range m.KeyValueMetadata {
		fmt.Fprintf(&b, "metadata %q = %q\n", kv.Key, kv.Value)
	}
	for i, e := range m.Schema {
		fmt.Fprintf(&b, "element %d: %s %v converted=%v logical=%v\n", i, e.Name, e.Type, e.ConvertedType, e.LogicalType)
	}
	fmt.Fprintf(&b, "%d column orders\n", len(m.ColumnOrders))
	for i, g := range m.RowGroups {
		fmt.Fprintf(&b, "row group %d: %d rows at %d, %d bytes, %d compressed\n", i, g.NumRows, g.FileOffset, g.TotalByteSize, g.TotalCompressedSize)
		for _, c := range g.Columns {
			d := c.MetaData
			fmt.Fprintf(&b, "  %s: %s %s %v, %d values, dictionary %d, data %d, %d bytes, %d compressed, nulls %v, min %x, max %x, deprecated %x %x\n",
				strings.Join(d.PathInSchema, "."), d.Type, d.Codec, d.Encoding, d.NumValues, d.DictionaryPageOffset, d.DataPageOffset,
				d.TotalUncompressedSize, d.TotalCompressedSize, d.Statistics.NullCount,
				d.Statistics.MinValue, d.Statistics.MaxValue, d.Statistics.Min, d.Statistics.Max)
			for _, s := range d.EncodingStats {
				fmt.Fprintf(&b, "    %d %s %s\n", s.Count, s.PageType, s.Encoding)
			}
		}
	}
	return b.String()
}

func TestNewWriter_refuses(t *testing.T) {
	text := kind(contract.String)
	for _, test := range []struct {
		name    string
		columns []contract.Column
		opts    Options
		want    string
	}{
		{name: "no columns", want: "build parquet schema: schema has no columns"},
		{name: "no name", columns: []contract.Column{col("", text)}, want: "column [0]: has no name"},
		{name: "a name twice", columns: []contract.Column{col("a", text), col("a", text)}, want: "column a: occurs twice"},
		{name: "names that Athena takes for one", columns: []contract.Column{col("a", text), col("A", text)}, want: "column A: occurs twice"},
		{name: "a field twice", columns: []contract.Column{col("s", structOf(col("a", text), col("a", text)))}, want: "column s.a: occurs twice"},
		{name: "an empty struct", columns: []contract.Column{col("s", structOf())}, want: "column s: struct has no fields"},
		{name: "a list of nothing", columns: []contract.Column{col("l", kind(contract.List))}, want: "column l: list has no element type"},
		{name: "no kind", columns: []contract.Column{col("k", contract.Type{})}, want: "column k: kind 0 is not known"},
		{name: "too many digits", columns: []contract.Column{col("d", decimal(39, 0))}, want: "column d: decimal(39,0): precision must lie in 1…38"},
		{name: "no digits", columns: []contract.Column{col("d", decimal(0, 0))}, want: "column d: decimal(0,0): precision"},
		{name: "more places than digits", columns: []contract.Column{col("l", listOf(decimal(3, 4)))}, want: "column l.element: decimal(3,4): scale"},
		{name: "all faults at once", columns: []contract.Column{col("", text), col("d", decimal(40, 0)), col("s", structOf())}, want: "has no name\ncolumn d: decimal(40,0): precision must lie in 1…38\ncolumn s: struct has no fields"},
		{name: "negative row group", columns: []contract.Column{col("a", text)}, opts: Options{RowGroupRows: -1, RowGroupBytes: -2}, want: "check parquet options: RowGroupRows -1 is negative\nRowGroupBytes -2 is negative"},
		{name: "metadata twice", columns: []contract.Column{col("a", text)}, opts: Options{Metadata: []KeyValue{{"k", "1"}, {"k", "2"}}}, want: `metadata names "k" twice`},
		{name: "an unknown codec", columns: []contract.Column{col("a", text)}, opts: Options{Codec: 9}, want: "choose parquet codec: codec(9) is not known"},
	} {
		t.Run(test.name, func(t *testing.T) {
			var out untouched
			_, err := NewWriter(&out, test.columns, test.opts)
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("got error %v, want one that has %q", err, test.want)
			}
			if out.calls > 0 {
				t.Errorf("%d writes before the schema was known to be right", out.calls)
			}
		})
	}
}

type untouched struct{ calls int }

func (u *untouched) Write(p []byte) (int, error) {
	u.calls++
	return len(p), nil
}

func TestParseCodec(t *testing.T) {
	for _, want := range []Codec{Snappy, Zstd, Uncompressed} {
		if got, err := ParseCodec(want.String()); err != nil || got != want {
			t.Errorf("ParseCodec(%q) = %v, %v", want, got, err)
		}
	}
	if _, err := ParseCodec("lzo"); err == nil {
		t.Error("ParseCodec(lzo) succeeded")
	}
}
