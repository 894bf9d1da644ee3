package cloudtest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"math/big"
	"strings"
	"testing" //nolint:depguard // the suite is for tests to call; nothing else imports this package

	"github.com/google/go-cmp/cmp"

	"tributary/shared/zone"
)

// Store is what the suite asks of a bucket.
type Store interface {
	Get(ctx context.Context, key, version string) (io.ReadCloser, zone.Object, error)
	GetRange(ctx context.Context, key string, offset, length int64) ([]byte, error)
	Head(ctx context.Context, key string) (zone.Object, error)
	Put(ctx context.Context, key string, body []byte, options zone.PutOptions) (zone.Object, error)
	List(ctx context.Context, prefix, startAfter string) iter.Seq2[zone.Object, error]
	Delete(ctx context.Context, key string, condition zone.Condition) error
	Upload(ctx context.Context, key string, options zone.PutOptions) zone.Upload
}

var (
	ifAbsent = zone.PutOptions{Condition: zone.Condition{IfAbsent: true}}
	_        = Store((*Bucket)(nil))
)

// TestStore holds a versioned bucket to what the use cases rely on, below a prefix that is empty; partSize is where an
// upload begins to send parts.
func TestStore(t *testing.T, store Store, prefix string, partSize int) {
	ctx := t.Context()
	at := func(t *testing.T, name string) string { t.Helper(); return prefix + t.Name() + "/" + name }

	t.Run("get what was put", func(t *testing.T) {
		key := at(t, "a b+c=ü.json")
		options := zone.PutOptions{ContentType: "application/json", Metadata: map[string]string{"next": "page=2"}}
		put := must(store.Put(ctx, key, []byte("one"), options))(t)
		body, object := read(t, store, key, "")
		if body != "one" || object.Size != 3 || object.Metadata["next"] != "page=2" || object.ETag != put.ETag {
			t.Errorf("got %q %+v, put %+v", body, object, put)
		}
		head := must(store.Head(ctx, key))(t)
		if head.ETag != put.ETag || head.Metadata["next"] != "page=2" || head.Size != 3 {
			t.Errorf("head %+v, put %+v", head, put)
		}
	})

	t.Run("get a part", func(t *testing.T) {
		key := at(t, "k")
		must(store.Put(ctx, key, []byte("0123456789"), zone.PutOptions{}))(t)
		for _, part := range []struct {
			offset, length int64
			want           string
		}{{0, 4, "0123"}, {4, 1, "4"}, {8, 2, "89"}, {8, 100, "89"}, {0, 10, "0123456789"}} {
			if got := must(store.GetRange(ctx, key, part.offset, part.length))(t); string(got) != part.want {
				t.Errorf("%d bytes from %d: %q, want %q", part.length, part.offset, got, part.want)
			}
		}
	})

	t.Run("versions are kept", func(t *testing.T) {
		key := at(t, "k")
		first := must(store.Put(ctx, key, []byte("one"), zone.PutOptions{}))(t)
		second := must(store.Put(ctx, key, []byte("two"), zone.PutOptions{}))(t)
		if first.Version == "" || first.Version == second.Version || first.ETag == second.ETag {
			t.Fatalf("versions and etags do not differ: %+v %+v", first, second)
		}
		if body, _ := read(t, store, key, first.Version); body != "one" {
			t.Errorf("version one: %q", body)
		}
		if body, _ := read(t, store, key, ""); body != "two" {
			t.Errorf("newest: %q", body)
		}
	})

	t.Run("missing is ErrNotFound", func(t *testing.T) {
		_, _, err := store.Get(ctx, at(t, "nothing"), "")
		wantError(t, err, zone.ErrNotFound)
		_, err = store.GetRange(ctx, at(t, "nothing"), 0, 1)
		wantError(t, err, zone.ErrNotFound)
		_, err = store.Head(ctx, at(t, "nothing"))
		wantError(t, err, zone.ErrNotFound)
	})

	t.Run("if absent", func(t *testing.T) {
		key := at(t, "k")
		must(store.Put(ctx, key, []byte("one"), ifAbsent))(t)
		_, err := store.Put(ctx, key, []byte("two"), ifAbsent)
		wantError(t, err, zone.ErrCondition)
		if body, _ := read(t, store, key, ""); body != "one" {
			t.Errorf("a refused put changed the object: %q", body)
		}
		if err := store.Delete(ctx, key, zone.Condition{}); err != nil {
			t.Fatal(err)
		}
		must(store.Put(ctx, key, []byte("three"), ifAbsent))(t)
	})

	t.Run("if match", func(t *testing.T) {
		key := at(t, "k")
		first := must(store.Put(ctx, key, []byte("one"), zone.PutOptions{}))(t)
		second := must(store.Put(ctx, key, []byte("two"), match(first.ETag)))(t)
		_, err := store.Put(ctx, key, []byte("three"), match(first.ETag))
		wantError(t, err, zone.ErrCondition)
		_, err = store.Put(ctx, at(t, "absent"), []byte("x"), match(second.ETag))
		wantError(t, err, zone.ErrCondition)
	})

	t.Run("list in order", func(t *testing.T) {
		for i := range 5 {
			must(store.Put(ctx, at(t, fmt.Sprintf("p/%d", i)), []byte(strings.Repeat("x", i)), zone.PutOptions{}))(t)
		}
		must(store.Put(ctx, at(t, "q"), nil, zone.PutOptions{}))(t)
		if err := store.Delete(ctx, at(t, "p/3"), zone.Condition{}); err != nil {
			t.Fatal(err)
		}
		var got []string
		for object, err := range store.List(ctx, at(t, "p/"), at(t, "p/0")) {
			if err != nil {
				t.Fatal(err)
			}
			head := must(store.Head(ctx, object.Key))(t)
			if head.ETag != object.ETag || head.Size != object.Size {
				t.Errorf("listed %+v, head %+v", object, head)
			}
			got = append(got, strings.TrimPrefix(object.Key, at(t, "")))
		}
		if diff := cmp.Diff([]string{"p/1", "p/2", "p/4"}, got); diff != "" {
			t.Error(diff)
		}
		for _, err := range store.List(ctx, at(t, "p/"), "") {
			if err != nil {
				t.Error(err)
			}
			break // the iterator must allow it
		}
	})

	t.Run("delete", func(t *testing.T) {
		key := at(t, "k")
		if err := store.Delete(ctx, key, zone.Condition{}); err != nil {
			t.Errorf("delete of nothing: %v", err)
		}
		first := must(store.Put(ctx, key, []byte("one"), zone.PutOptions{}))(t)
		second := must(store.Put(ctx, key, []byte("two"), zone.PutOptions{}))(t)
		wantError(t, store.Delete(ctx, key, zone.Condition{IfMatch: first.ETag}), zone.ErrCondition)
		must(store.Head(ctx, key))(t)
		if err := store.Delete(ctx, key, zone.Condition{IfMatch: second.ETag}); err != nil {
			t.Fatal(err)
		}
		_, err := store.Head(ctx, key)
		wantError(t, err, zone.ErrNotFound)
	})

	sizes := map[string]int{"empty": 0, "small": 10, "one part": partSize, "several parts": 2*partSize + 1}
	for name, size := range sizes {
		t.Run("upload "+name, func(t *testing.T) {
			key, content := at(t, "k"), bytes.Repeat([]byte("0123456789abcdef"), size/16+1)[:size]
			upload := store.Upload(ctx, key, zone.PutOptions{Metadata: map[string]string{"made-by": "test"}})
			for chunk := range chunks(content, partSize/3+1) {
				if n, err := upload.Write(chunk); err != nil || n != len(chunk) {
					t.Fatal(n, err)
				}
			}
			if _, err := store.Head(ctx, key); !errors.Is(err, zone.ErrNotFound) {
				t.Fatalf("visible before completion: %v", err)
			}
			done := must(upload.Complete(ctx, zone.Condition{IfAbsent: true}))(t)
			if done.Size != int64(size) {
				t.Errorf("size %d, want %d", done.Size, size)
			}
			body, object := read(t, store, key, "")
			if body != string(content) || object.Metadata["made-by"] != "test" {
				t.Errorf("%d bytes read, %d written, metadata %v", len(body), size, object.Metadata)
			}
			if err := upload.Abort(ctx); err != nil {
				t.Errorf("abort after completion: %v", err)
			}
			must(store.Head(ctx, key))(t)
			again := store.Upload(ctx, key, zone.PutOptions{})
			must(again.Write(content))(t)
			_, err := again.Complete(ctx, zone.Condition{IfAbsent: true})
			wantError(t, err, zone.ErrCondition)
			if err := again.Abort(ctx); err != nil {
				t.Errorf("abort after a refused completion: %v", err)
			}
			other := store.Upload(ctx, key, zone.PutOptions{})
			must(other.Write(append(content, 'x')))(t)
			must(other.Complete(ctx, zone.Condition{IfMatch: object.ETag}))(t)
		})
	}

	t.Run("flushed upload", func(t *testing.T) {
		key := at(t, "k")
		upload := store.Upload(ctx, key, zone.PutOptions{})
		must(upload.Write([]byte("little")))(t)
		if err := upload.Flush(); err != nil {
			t.Fatal(err)
		}
		must(upload.Complete(ctx, zone.Condition{}))(t)
		if body, _ := read(t, store, key, ""); body != "little" {
			t.Errorf("got %q", body)
		}
	})

	t.Run("aborted upload", func(t *testing.T) {
		key := at(t, "k")
		upload := store.Upload(ctx, key, zone.PutOptions{})
		must(upload.Write(make([]byte, partSize+1)))(t)
		for range 2 {
			if err := upload.Abort(ctx); err != nil {
				t.Fatal(err)
			}
		}
		if _, err := upload.Complete(ctx, zone.Condition{}); err == nil {
			t.Error("an aborted upload was completed")
		}
		_, err := store.Head(ctx, key)
		wantError(t, err, zone.ErrNotFound)
	})
}

// Items is what the suite asks of a table.
type Items interface {
	Put(ctx context.Context, item zone.Item) (bool, error)
	Get(ctx context.Context, item zone.Item) (zone.Item, error)
}

// sameNumber lets a store write numbers as it likes.
var sameNumber = cmp.FilterValues(func(a, b zone.Attribute) bool {
	return a.Kind == zone.AttributeNumber && b.Kind == zone.AttributeNumber
},
	cmp.Comparer(func(a, b zone.Attribute) bool {
		x, ok := new(big.Rat).SetString(a.Text)
		y, also := new(big.Rat).SetString(b.Text)
		return ok && also && x.Cmp(y) == 0
	}))

// TestTable holds an empty table, with the string key id and the string sort key at, to newest-wins.
func TestTable(t *testing.T, table Items) {
	item := func(key string, version *zone.Attribute, order, value string) zone.Item {
		attributes := map[string]zone.Attribute{
			"id":           zone.StringAttribute(key),
			"at":           zone.StringAttribute("x"),
			zone.ItemOrder: zone.StringAttribute(order),
			"value": {Kind: zone.AttributeMap, Map: map[string]zone.Attribute{
				"text": zone.StringAttribute(value),
				"list": {Kind: zone.AttributeList, List: []zone.Attribute{zone.NumberAttribute("1.5"), {}, {Kind: zone.AttributeBool, Bool: true}}},
			}},
		}
		if version != nil {
			attributes["version"] = *version
		}
		return zone.Item{PartitionKey: "id", SortKey: "at", Version: "version", Attributes: attributes}
	}
	number := func(text string) *zone.Attribute { a := zone.NumberAttribute(text); return &a }
	text := func(text string) *zone.Attribute { a := zone.StringAttribute(text); return &a }
	steps := []struct {
		name          string
		key           string
		version       *zone.Attribute
		order         string
		wantedApplied bool
	}{
		{"first", "numbers", number("9"), "a", true},
		{"greater version, by number", "numbers", number("10"), "a", true},
		{"smaller version, later record", "numbers", number("9.5"), "z", false},
		{"equal version, earlier record", "numbers", number("10.0"), "A", false},
		{"equal version, later record", "numbers", number("10"), "b", true},
		{"the same again", "numbers", number("10"), "b", true},
		{"no version is older", "numbers", nil, "z", false},
		{"first", "texts", text("2025-01-01T00:00:00.000Z"), "a", true},
		{"greater text", "texts", text("2025-01-01T00:00:00.001Z"), "a", true},
		{"smaller text", "texts", text("2024-12-31T23:59:59.999Z"), "b", false},
		{"first", "bare", nil, "b", true},
		{"no version, earlier", "bare", nil, "a", false},
		{"no version, later", "bare", nil, "c", true},
		{"any version is newer", "bare", number("-1"), "a", true},
	}
	stored := map[string]zone.Item{}
	for _, step := range steps {
		offered := item(step.key, step.version, step.order, step.name)
		before, known := stored[step.key]
		if !known {
			_, err := table.Get(t.Context(), offered)
			wantError(t, err, zone.ErrNotFound)
		} else if offered.Replaces(before.Attributes) != step.wantedApplied {
			t.Errorf("%s, %s: by zone.Item it replaces: %t, want %t", step.key, step.name, !step.wantedApplied, step.wantedApplied)
		}
		applied, err := table.Put(t.Context(), offered)
		if err != nil || applied != step.wantedApplied {
			t.Errorf("%s, %s: applied %v, want %v; %v", step.key, step.name, applied, step.wantedApplied, err)
		}
		if step.wantedApplied {
			stored[step.key] = offered
		}
		if diff := cmp.Diff(stored[step.key], must(table.Get(t.Context(), offered))(t), sameNumber); diff != "" {
			t.Errorf("%s, %s: item (-want +got):\n%s", step.key, step.name, diff)
		}
	}
}

func read(t *testing.T, store Store, key, version string) (string, zone.Object) {
	t.Helper()
	body, object, err := store.Get(t.Context(), key, version)
	if err != nil {
		t.Fatal(err)
	}
	data, err := io.ReadAll(body)
	if err := errors.Join(err, body.Close()); err != nil {
		t.Fatal(err)
	}
	return string(data), object
}

func match(etag string) zone.PutOptions {
	return zone.PutOptions{Condition: zone.Condition{IfMatch: etag}}
}

func must[T any](v T, err error) func(t *testing.T) T {
	return func(t *testing.T) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

func wantError(t *testing.T, err, want error) {
	t.Helper()
	if !errors.Is(err, want) {
		t.Errorf("error %v, want %v", err, want)
	}
}

func chunks(b []byte, size int) iter.Seq[[]byte] {
	return func(yield func([]byte) bool) {
		for len(b) > 0 {
			n := min(size, len(b))
			if !yield(b[:n]) {
				return
			}
			b = b[n:]
		}
	}
}
