package readback_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/parquet-go/parquet-go"

	"tributary/infra/ops/readback"
	"tributary/shared/contract"
	"tributary/shared/ops"
	"tributary/shared/zone"
)

// object is a bucket with one object, which counts the bytes that are fetched.
type object struct {
	body    []byte
	fetched int64
	err     error
	short   bool
}

func (o *object) GetRange(_ context.Context, _ string, offset, length int64) ([]byte, error) {
	if o.err != nil {
		return nil, o.err
	}
	part := o.body[offset:min(offset+length, int64(len(o.body)))]
	if o.short {
		part = part[:len(part)-1]
	}
	o.fetched += int64(len(part))
	return part, nil
}

type row struct {
	ID      string  `parquet:"id,optional"`
	Seen    int64   `parquet:"seen,optional,timestamp(millisecond)"`
	Born    int32   `parquet:"born,optional,date"`
	Score   float64 `parquet:"score,optional"`
	Balance int64   `parquet:"balance,optional,decimal(2:10)"`
	Count   int64   `parquet:"count,optional"`
	Active  bool    `parquet:"active,optional"`
	Note    *string `parquet:"note,optional"`
	Home    struct {
		City string `parquet:"city,optional"`
	} `parquet:"home,optional"`
}

func people() *contract.Contract {
	column := func(name string, kind contract.Kind) contract.Column {
		return contract.Column{Name: name, Type: contract.Type{Kind: kind, Precision: 10, Scale: 2}}
	}
	home := column("home", contract.Struct)
	home.Type.Fields = []contract.Column{column("city", contract.String)}
	return &contract.Contract{Columns: []contract.Column{
		column("id", contract.String), column("seen", contract.Timestamp), column("born", contract.Date), column("score", contract.Double),
		column("balance", contract.Decimal), column("count", contract.Integer), column("active", contract.Boolean), column("note", contract.String), home,
	}}
}

func write(t *testing.T, groups int, rows ...row) []byte {
	t.Helper()
	var b bytes.Buffer
	w := parquet.NewGenericWriter[row](&b, parquet.KeyValueMetadata("tributary.raw_key", "raw/people/manifest.json"))
	for range groups {
		if _, err := w.Write(rows); err != nil {
			t.Fatal(err)
		}
		if err := w.Flush(); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

var kim = row{ID: "kim", Seen: 1741099550155, Born: 20151, Score: 1.5e-7, Balance: -1205, Count: 7, Active: true}

func TestRead(t *testing.T) {
	body := write(t, 1, kim, row{ID: "other"})
	got, err := readback.Reader{Bucket: &object{body: body}, Contract: people()}.Read(t.Context(), "people/1.parquet", int64(len(body)))
	if err != nil {
		t.Fatal(err)
	}
	want := ops.LakeFile{Rows: 2, Made: map[string]string{"tributary.raw_key": "raw/people/manifest.json"}, First: map[string]zone.Attribute{
		"id": zone.StringAttribute("kim"), "seen": zone.StringAttribute("2025-03-04T14:45:50.155Z"), "born": zone.StringAttribute("2025-03-04"),
		"score": zone.NumberAttribute("1.5e-07"), "balance": zone.NumberAttribute("-12.05"), "count": zone.NumberAttribute("7"),
		"active": {Kind: zone.AttributeBool, Bool: true},
	}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("file (-want +got):\n%s", diff)
	}
}

// Of a file of many row groups the footer and the first group are fetched, and not the rest.
func TestReadOfALargeFile(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	var rows []row
	for range 1000 {
		r := kim
		for range 100 {
			r.ID += fmt.Sprintf("%x", random.Uint64())
		}
		rows = append(rows, r)
	}
	stored := &object{body: write(t, 8, rows...)}
	got, err := readback.Reader{Bucket: stored, Contract: people()}.Read(t.Context(), "people/1.parquet", int64(len(stored.body)))
	if err != nil || got.Rows != 8000 || got.First["balance"].Text != "-12.05" {
		t.Errorf("%d rows, %v", got.Rows, err)
	}
	if size := int64(len(stored.body)); size < 10<<20 || stored.fetched > size/2 {
		t.Errorf("%d bytes of %d were fetched", stored.fetched, size)
	}
}

func TestReadFails(t *testing.T) {
	body := write(t, 1, kim)
	fault := errors.New("access denied")
	other := people()
	other.Columns = other.Columns[1:]
	for _, tt := range []struct {
		name     string
		object   object
		size     int
		contract *contract.Contract
		want     string
	}{
		{"no bytes", object{}, 0, people(), "open Parquet"},
		{"no Parquet", object{body: []byte("<html>not a Parquet file at all</html>")}, 38, people(), "open Parquet"},
		{"a file cut short", object{body: body[:len(body)-9]}, len(body) - 9, people(), "open Parquet"},
		{"fewer bytes than are listed", object{body: body, short: true}, len(body), people(), "bytes came from offset 0, want"},
		{"another contract", object{body: body}, len(body), other, "it has 9 columns, the contract 8"},
		{"no grant", object{err: fault}, len(body), people(), fault.Error()},
		{"no row", object{body: write(t, 0)}, len(write(t, 0)), people(), ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got, err := readback.Reader{Bucket: &tt.object, Contract: tt.contract}.Read(t.Context(), "people/1.parquet", int64(tt.size))
			if tt.want == "" && (err != nil || got.First != nil || got.Rows != 0) {
				t.Errorf("got %+v, %v", got, err)
			}
			if tt.want != "" && (err == nil || !strings.HasPrefix(err.Error(), "read lake file people/1.parquet: ") || !strings.Contains(err.Error(), tt.want)) {
				t.Errorf("error %v, want %q", err, tt.want)
			}
		})
	}
}
