package query

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"tributary/infra/local/files"
	"tributary/infra/local/glue"
)

// lake is what can be asked: the tables of the catalog and their files.
type lake struct {
	roots  []string // folders of the buckets that tables lie in
	tables []*table
}

// table is a table or a view of the catalog.
type table struct {
	glue.Table
	types []glue.Type // of its columns
	fault error       // why it cannot be asked here

	days    glue.Days
	prefix  string // of the object's key in its location: s3://BUCKET/
	root    string // folder of the bucket
	files   []file // of the days that are looked at
	outside int    // files of other days

	view glue.Definition
}

// file is an object below a table's location.
type file struct{ path, key, day string }

// openLake reads the catalog of a folder and finds the files of its tables.
func openLake(dir string, now time.Time) (*lake, error) {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return nil, fmt.Errorf("find folder: %w", err)
	}
	catalog, err := files.Catalog(dir)
	if err != nil {
		return nil, err
	}
	l := &lake{}
	for i := range catalog.Tables {
		t := &table{Table: catalog.Tables[i]}
		if err := t.open(dir, catalog.Buckets, now); err != nil {
			t.fault = err
		}
		if t.root != "" && !slices.Contains(l.roots, t.root) {
			l.roots = append(l.roots, t.root)
		}
		l.tables = append(l.tables, t)
	}
	return l, nil
}

func (t *table) open(dir string, buckets map[string]string, now time.Time) error {
	for _, c := range t.Columns() {
		typ, err := glue.ParseType(c.Type)
		if err != nil {
			return fmt.Errorf("column %s: %w", c.Name, err)
		}
		t.types = append(t.types, typ)
	}
	var err error
	if t.View() {
		t.view, err = glue.ParseView(t.ViewOriginalText)
		return err
	}
	if t.days, err = t.Days(now); err != nil {
		return err
	}
	bucket, prefix, ok := strings.Cut(strings.TrimPrefix(t.Storage.Location, "s3://"), "/")
	role := buckets[bucket]
	if !ok || role == "" {
		return fmt.Errorf("location %s lies in no bucket that is kept here", t.Storage.Location)
	}
	t.prefix, t.root = "s3://"+bucket+"/", files.ObjectPath(dir, role, "")
	return t.find(prefix)
}

// find lists the files of the table: below its location, in a folder of a day, and not hidden.
func (t *table) find(prefix string) error {
	err := filepath.WalkDir(filepath.Join(t.root, filepath.FromSlash(prefix)), func(at string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		relative, err := filepath.Rel(t.root, at)
		if err != nil {
			return err
		}
		key := filepath.ToSlash(relative)
		if hidden(path.Base(key)) && at != t.root {
			if d.IsDir() {
				return fs.SkipDir
			}
			return nil
		}
		folder, _, below := strings.Cut(strings.TrimPrefix(key, prefix), "/")
		day, isDay := strings.CutPrefix(folder, t.days.Key+"=")
		switch {
		case d.IsDir() || !below || !isDay:
		case !t.days.Has(day):
			t.outside++
		default:
			t.files = append(t.files, file{path: at, key: key, day: day})
		}
		return nil
	})
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("list files: %w", err)
	}
	return nil
}

// hidden files are not read by Athena.
func hidden(name string) bool { return strings.HasPrefix(name, "_") || strings.HasPrefix(name, ".") }

// find is the table of a name.
func (l *lake) find(name string) *table {
	i := slices.IndexFunc(l.tables, func(t *table) bool { return strings.EqualFold(t.Name, name) })
	if i < 0 {
		return nil
	}
	return l.tables[i]
}

func (l *lake) names() []string {
	names := make([]string, len(l.tables))
	for i, t := range l.tables {
		names[i] = t.Name
	}
	return names
}

// relative shows a path as seen from the working directory, where that is shorter.
func relative(name string) string {
	dir, err := os.Getwd()
	if err != nil {
		return name
	}
	if short, err := filepath.Rel(dir, name); err == nil && len(short) < len(name) {
		return short
	}
	return name
}
