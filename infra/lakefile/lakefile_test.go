package lakefile_test

import (
	"bytes"
	"strings"
	"testing"

	"github.com/parquet-go/parquet-go"

	"tributary/infra/lakefile"
)

// The reader trusts what a file says of its parts: of a damaged one it must make an error, or read it.
func TestDamage(t *testing.T) {
	type row struct {
		ID   string   `parquet:"id,optional"`
		Tags []string `parquet:"tags,list"`
	}
	var b bytes.Buffer
	w := parquet.NewGenericWriter[row](&b)
	if _, err := w.Write([]row{{"kim", []string{"a", "b"}}, {"sam", nil}}); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	damaged := 0
	for i := 0; i < b.Len(); i += 3 {
		broken := bytes.Clone(b.Bytes())
		broken[i] ^= 0x80
		file, err := lakefile.Open(bytes.NewReader(broken), int64(len(broken)))
		if err == nil {
			_, err = lakefile.FirstRows(file, 2)
		}
		if err != nil && strings.HasPrefix(err.Error(), "read Parquet: the file is damaged: ") {
			damaged++
		}
	}
	if damaged == 0 {
		t.Error("no damage made the reader panic: this test tries the wrong damage")
	}
}
