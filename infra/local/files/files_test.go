package files_test

import (
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"tributary/infra/local/files"
	"tributary/infra/local/glue"
)

var at = time.Date(2025, 3, 4, 14, 45, 0, 0, time.UTC)

func state() files.State {
	return files.State{
		Objects: []files.Object{
			{Bucket: "lake", Key: "coins/dt=2025-03-04/r-00001.parquet", Version: "v3", ETag: `"c"`, Modified: at, Body: []byte("PAR1")},
			{Bucket: "raw", Key: "raw/coins/manifest.json", Version: "v1", ETag: `"a"`, Modified: at,
				Headers: map[string]string{"Content-Type": "application/json", "X-Amz-Meta-Next": "2"}, Body: []byte("{}")},
			{Bucket: "raw", Key: "state/coins.json", Version: "v2", ETag: `"b"`, Modified: at, Body: []byte("{}")},
			{Bucket: "rejects", Key: "coins_rejects/r-00001.ndjson", ETag: `"d"`, Modified: at, Body: []byte("{}\n")},
		},
		Tables: map[string][]files.Item{"serving": {
			{"id": "a&b", "price": json.Number("79847.10"), "big": json.Number("12345678901234567890.5"), "tags": []any{"x", nil, true}},
			{"id": "b"},
		}},
		Alerts:  []files.Alert{{At: at, Topic: "alerts", Subject: "20 rejected", Message: "line\nline"}},
		Queued:  []files.Queued{{Queue: "failures", Sent: at, Body: `{"requestPayload":{}}`}},
		Secrets: map[string]string{"dev/key": "abc"},
		Catalog: glue.Catalog{Buckets: map[string]string{"dev-lake": "lake"}, Tables: []glue.Table{{
			Database: "dev", Name: "coins", Kind: "EXTERNAL_TABLE", Parameters: map[string]string{"projection.enabled": "true"},
			Storage: glue.Storage{Location: "s3://dev-lake/coins/", Columns: []glue.Column{{Name: "id", Type: "string", Comment: "Which"}}},
		}}},
	}
}

func open(t *testing.T, dir string) *files.Folder {
	t.Helper()
	f, err := files.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// tree lists the files of a folder with their content and time.
func tree(t *testing.T, dir string) map[string]string {
	t.Helper()
	all := map[string]string{}
	err := filepath.WalkDir(dir, func(p string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		body, err := os.ReadFile(p)
		if err != nil {
			return err
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		name, err := filepath.Rel(dir, p)
		all[filepath.ToSlash(name)] = info.ModTime().Format(time.RFC3339Nano) + " " + string(body)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func names(tree map[string]string) map[string]bool {
	all := map[string]bool{}
	for name := range tree {
		all[name] = true
	}
	return all
}

func TestWhatIsSavedIsLoaded(t *testing.T) {
	dir := filepath.Join(t.TempDir(), ".local")
	f := open(t, dir)
	if err := f.Save(state(), map[string][]byte{"ingest": []byte("log\n")}); err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	want := map[string]bool{
		".index.json": true, ".lock": true, "alerts.json": true, "catalog.json": true, "logs/ingest.log": true, "tables/serving.json": true,
		"lake/coins/dt=2025-03-04/r-00001.parquet": true, "raw/coins/manifest.json": true, "state/coins.json": true,
		"rejects/coins_rejects/r-00001.ndjson": true,
		"queued.json":                          true, "secrets.json": true,
	}
	if info, err := os.Stat(filepath.Join(dir, "secrets.json")); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("secrets are for their owner alone: %v, %v", info, err)
	}
	if diff := cmp.Diff(want, names(tree(t, dir))); diff != "" {
		t.Errorf("files (-want +got):\n%s", diff)
	}

	f = open(t, dir)
	defer f.Close()
	got, err := f.Load()
	if err != nil {
		t.Fatal(err)
	}
	ignore := cmp.FilterPath(func(p cmp.Path) bool { return p.Last().String() == ".SHA256" }, cmp.Ignore())
	if diff := cmp.Diff(state(), got, ignore); diff != "" {
		t.Errorf("state (-saved +loaded):\n%s", diff)
	}

	before := tree(t, dir)
	if err := f.Save(got, map[string][]byte{"ingest": []byte("log\n")}); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(before, tree(t, dir)); diff != "" {
		t.Errorf("saving the same state touched files:\n%s", diff)
	}
}

func TestOldFilesAreRemovedAndForeignOnesKept(t *testing.T) {
	dir := t.TempDir()
	f := open(t, dir)
	defer f.Close()
	if err := f.Save(state(), map[string][]byte{"ingest": nil}); err != nil {
		t.Fatal(err)
	}
	mine := filepath.Join(dir, "lake", "mine.txt")
	if err := os.WriteFile(mine, []byte("mine"), 0o600); err != nil {
		t.Fatal(err)
	}
	next := state()
	next.Objects = next.Objects[1:2]
	next.Tables, next.Alerts, next.Queued, next.Secrets, next.Catalog = nil, nil, nil, nil, glue.Catalog{}
	if err := f.Save(next, nil); err != nil {
		t.Fatal(err)
	}
	want := map[string]bool{".index.json": true, ".lock": true, "raw/coins/manifest.json": true, "lake/mine.txt": true}
	if diff := cmp.Diff(want, names(tree(t, dir))); diff != "" {
		t.Errorf("files after the second save (-want +got):\n%s", diff)
	}
	if _, err := os.Stat(filepath.Join(dir, "tables")); !os.IsNotExist(err) {
		t.Errorf("an empty folder is left: %v", err)
	}
	if err := f.Clear(); err != nil {
		t.Fatal(err)
	}
	want = map[string]bool{".index.json": true, ".lock": true, "lake/mine.txt": true}
	if diff := cmp.Diff(want, names(tree(t, dir))); diff != "" {
		t.Errorf("files after Clear (-want +got):\n%s", diff)
	}
	got, err := f.Load()
	if err != nil || len(got.Objects)+len(got.Tables)+len(got.Alerts)+len(got.Queued)+len(got.Secrets) > 0 {
		t.Errorf("Load after Clear = %v, %v", got, err)
	}
}

func TestFilesChangedByHand(t *testing.T) {
	dir := t.TempDir()
	f := open(t, dir)
	defer f.Close()
	if err := f.Save(state(), nil); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(f.ObjectPath("raw", "state/coins.json"), []byte("changed"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(f.ObjectPath("lake", "coins/dt=2025-03-04/r-00001.parquet")); err != nil {
		t.Fatal(err)
	}
	got, err := f.Load()
	if err != nil {
		t.Fatal(err)
	}
	if len(got.Objects) != 3 {
		t.Fatalf("%d objects, want 3: the removed one is gone", len(got.Objects))
	}
	for _, o := range got.Objects {
		if changed := o.Key == "state/coins.json"; changed != (len(o.ETag) != 3) {
			t.Errorf("%s has ETag %s", o.Key, o.ETag)
		}
	}
}

func TestRefusals(t *testing.T) {
	dir := t.TempDir()
	f := open(t, dir)
	defer f.Close()
	if _, err := files.Open(dir); err == nil || !strings.Contains(err.Error(), "another local run is at work in it") {
		t.Errorf("second Open: %v", err)
	}
	err := f.Save(files.State{Objects: []files.Object{{Bucket: "lake", Key: "../../x"}}}, nil)
	if err == nil || !strings.Contains(err.Error(), `key "../../x" is no path inside the folder`) {
		t.Errorf("Save of a key that leads outside: %v", err)
	}
	if err := os.WriteFile(filepath.Join(dir, "alerts.json"), []byte("{"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := f.Load(); err == nil || err.Error() != "load "+filepath.Join(dir, "alerts.json")+": it is no JSON: it ends within a value" {
		t.Errorf("Load of a broken file: %v", err)
	}
}

// An index that is no index is not taken for an empty one, and names no files to remove that are not the folder's.
func TestBrokenIndex(t *testing.T) {
	for _, tt := range []struct{ index, want string }{
		{"", "it is empty, and no JSON"},
		{"\x00\x01", "it is no JSON"},
		{"[]", "it is JSON of another shape"},
		{`{"format":1,"objects":{}}`, "its member objects has an object, which does not belong there"},
		{`{"format":1,"objects":[{"bucket":"lake","key":"../../kept"}]}`, `it names "../kept", which is no file of the folder`},
		{`{"format":1,"objects":[{}]}`, "it names"},
		{`{"format":1,"tables":["../../kept"]}`, "it names"},
		{`{"format":1,"logs":["../../kept"]}`, "it names"},
		{`{"format":99,"objects":[{"bucket":"lake","key":"x"}]}`, ""}, // of another release
	} {
		root := t.TempDir()
		dir := filepath.Join(root, "a", "b")
		kept := filepath.Join(root, "kept")
		if err := os.MkdirAll(dir, 0o755); err != nil {
			t.Fatal(err)
		}
		for name, text := range map[string]string{kept: "kept", kept + ".json": "kept", kept + ".log": "kept", filepath.Join(dir, ".index.json"): tt.index} {
			if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		f := open(t, dir)
		state, err := f.Load()
		if (err == nil) != (tt.want == "") || err != nil && (!strings.Contains(err.Error(), tt.want) || !strings.HasPrefix(err.Error(), "load "+filepath.Join(dir, ".index.json")+": ")) {
			t.Errorf("%s: %v, want %q", tt.index, err, tt.want)
		}
		if len(state.Objects) > 0 {
			t.Errorf("%s: objects %v", tt.index, state.Objects)
		}
		if err := f.Clear(); err != nil {
			t.Errorf("%s: clear: %v", tt.index, err)
		}
		if err := f.Close(); err != nil {
			t.Error(err)
		}
		for _, name := range []string{kept, kept + ".json", kept + ".log"} {
			if _, err := os.Stat(name); err != nil {
				t.Errorf("%s: %v", tt.index, err)
			}
		}
		f = open(t, dir) // which is whole again
		if _, err := f.Load(); err != nil {
			t.Errorf("%s: after it was cleared: %v", tt.index, err)
		}
		if err := f.Close(); err != nil {
			t.Error(err)
		}
	}
}

// The catalog is read by others too, whoever has the folder open.
func TestCatalogOfAFolderInUse(t *testing.T) {
	dir := filepath.Join(t.TempDir(), ".local")
	if _, err := files.Catalog(dir); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the catalog of no folder: %v", err)
	}
	f := open(t, dir)
	defer f.Close()
	if err := f.Save(state(), nil); err != nil {
		t.Fatal(err)
	}
	got, err := files.Catalog(dir)
	if diff := cmp.Diff(state().Catalog, got); err != nil || diff != "" {
		t.Errorf("%v (-want +got):\n%s", err, diff)
	}
	if err := os.WriteFile(filepath.Join(dir, "catalog.json"), []byte("{"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := files.Catalog(dir); err == nil || errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a broken catalog: %v", err)
	}
}
