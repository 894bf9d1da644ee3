// Package files keeps the state of the local environment as plain files in a folder (.local), for people, for SQL and
// for the next run: what lies in the buckets as it is, below raw, state, lake and rejects; each table as a JSON array;
// the alerts; what waits in failure queues; secrets that were set by hand; the logs of each function, and the metrics of
// the last day. Beside them lies the Glue catalog as it was deployed last, for who reads the lake by SQL.
//
// A run loads what the runs before it left and saves what it left itself, so that runs accumulate as they do in an
// account. What files cannot say (versions, ETags, metadata) lies beside them in an index, because a run that was done
// is known by the version of its manifest. Each file is replaced as a whole, a file that would not change is not
// touched, and files that this package did not write are left alone. A folder serves one environment at a time: Open
// refuses another.
package files

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"tributary/infra/input"
	"tributary/infra/local/cloudwatch"
	"tributary/infra/local/glue"
	"tributary/infra/lock"
)

// State is what outlives a run.
type State struct {
	Objects []Object
	Tables  map[string][]Item
	Alerts  []Alert
	Queued  []Queued
	Secrets map[string]string // set by hand, by name
	Metrics []cloudwatch.Datum
	Catalog glue.Catalog
}

// Object is an object of a bucket with all that a reader of the bucket may see of it.
type Object struct {
	Bucket   string            `json:"bucket"` // its role: raw, lake, rejects, …
	Key      string            `json:"key"`
	Version  string            `json:"version,omitempty"`
	ETag     string            `json:"etag"`
	Modified time.Time         `json:"modified"`
	Headers  map[string]string `json:"headers,omitempty"` // Content-Type, X-Amz-Meta-…
	SHA256   string            `json:"sha256"`            // of the file; set by Save
	Body     []byte            `json:"-"`
}

// Item is an item of a table in plain JSON; its numbers are json.Number.
type Item map[string]any

// Alert is a message that was published on a topic.
type Alert struct {
	At      time.Time `json:"at"`
	Topic   string    `json:"topic"`
	Subject string    `json:"subject"`
	Message string    `json:"message"`
}

// Queued is a message that waits in a queue.
type Queued struct {
	Queue string    `json:"queue"`
	Sent  time.Time `json:"sent"`
	Body  string    `json:"body"`
}

const (
	indexName   = ".index.json"
	alertsName  = "alerts.json"
	queuedName  = "queued.json"
	secretsName = "secrets.json"
	metricsName = "logs/metrics.json"
	catalogName = "catalog.json"
	lockName    = ".lock"
	tablesDir   = "tables"
	logsDir     = "logs"

	indexFormat = 1
)

// index is what files cannot say of themselves.
type index struct {
	Format  int      `json:"format"`
	Objects []Object `json:"objects"`
	Tables  []string `json:"tables"`
	Logs    []string `json:"logs"`
}

// Folder is an open folder.
type Folder struct {
	dir  string
	lock *os.File
	last index // as loaded or saved last

	broken error // why it could not be read
}

// Open makes the folder where it is missing and keeps other environments out until Close.
func Open(dir string) (*Folder, error) {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, fmt.Errorf("open folder %s: %w", dir, input.Plain(err))
	}
	held, err := lock.Try(filepath.Join(dir, lockName))
	if errors.Is(err, lock.ErrTaken) {
		err = errors.New("another local run is at work in it")
	}
	if err != nil {
		return nil, fmt.Errorf("open folder %s: %w", dir, err)
	}
	f := &Folder{dir: dir, lock: held}
	data, err := os.ReadFile(filepath.Join(dir, indexName))
	switch {
	case errors.Is(err, fs.ErrNotExist):
	case err != nil:
		err = errors.Join(err, f.Close())
		return nil, fmt.Errorf("open folder %s: %w", dir, err)
	default:
		f.last, f.broken = readIndex(data)
	}
	return f, nil
}

// readIndex reads an index. One of another format is that of another release, whose state is not ours to continue.
func readIndex(data []byte) (index, error) {
	var head struct {
		Format int `json:"format"`
	}
	if err := input.JSON(data, &head); err != nil {
		return index{}, err
	}
	if head.Format != indexFormat {
		return index{}, nil
	}
	var i index
	if err := input.JSON(data, &i); err != nil {
		return index{}, err
	}
	for _, name := range i.files() {
		if name == "." || !filepath.IsLocal(name) { // what is saved next removes what it names
			return index{}, fmt.Errorf("it names %q, which is no file of the folder", name)
		}
	}
	return i, nil
}

// Close lets others in.
func (f *Folder) Close() error {
	if err := f.lock.Close(); err != nil {
		return fmt.Errorf("close folder: %w", err)
	}
	return nil
}

// Path is the path of something in the folder.
func (f *Folder) Path(elem ...string) string {
	return filepath.Join(append([]string{f.dir}, elem...)...)
}

// ObjectPath is where an object of a bucket lies. The keys of the raw bucket name its two parts themselves.
func (f *Folder) ObjectPath(bucket, key string) string { return ObjectPath(f.dir, bucket, key) }

// ObjectPath is where an object of a bucket lies below a folder.
func ObjectPath(dir, bucket, key string) string { return filepath.Join(dir, objectPath(bucket, key)) }

func objectPath(bucket, key string) string {
	if bucket == "raw" {
		return filepath.FromSlash(key)
	}
	return filepath.FromSlash(path.Join(bucket, key))
}

// Clear removes everything that was saved, so that the next run begins with empty stores.
func (f *Folder) Clear() error {
	if err := f.write(index{Format: indexFormat}, nil); err != nil {
		return fmt.Errorf("clear %s: %w", f.dir, err)
	}
	return nil
}

// Load reads what was saved last. An object whose file is gone is gone, and one whose file was changed by hand is read
// as it now is, under another ETag.
func (f *Folder) Load() (State, error) {
	state := State{Tables: map[string][]Item{}}
	if f.broken != nil {
		return State{}, fmt.Errorf("load %s: %w", f.Path(indexName), f.broken)
	}
	for _, o := range f.last.Objects {
		body, err := os.ReadFile(f.ObjectPath(o.Bucket, o.Key))
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return State{}, fmt.Errorf("load %s: %w", f.ObjectPath(o.Bucket, o.Key), input.Plain(err))
		}
		o.Body = body
		if sum := digest(body); sum != o.SHA256 {
			o.ETag, o.SHA256 = `"`+sum[:32]+`"`, sum
		}
		state.Objects = append(state.Objects, o)
	}
	for _, table := range f.last.Tables {
		var items []Item
		if err := f.readJSON(&items, tablesDir, table+".json"); err != nil {
			return State{}, err
		}
		state.Tables[table] = items
	}
	for _, list := range []struct {
		name string
		into any
	}{
		{alertsName, &state.Alerts}, {queuedName, &state.Queued}, {secretsName, &state.Secrets}, {metricsName, &state.Metrics}, {catalogName, &state.Catalog},
	} {
		if err := f.readJSON(list.into, list.name); err != nil {
			return State{}, err
		}
	}
	return state, nil
}

func (f *Folder) readJSON(into any, elem ...string) error {
	data, err := os.ReadFile(f.Path(elem...))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err == nil {
		err = input.JSON(data, into) // a float would round what DynamoDB keeps exactly
	}
	if err != nil {
		return fmt.Errorf("load %s: %w", f.Path(elem...), input.Plain(err))
	}
	return nil
}

// Save replaces what was saved by the state and by the logs of each function, and removes the files that no longer
// belong to it.
func (f *Folder) Save(state State, logs map[string][]byte) error {
	next := index{Format: indexFormat}
	contents := map[string][]byte{}
	for _, o := range state.Objects {
		name := objectPath(o.Bucket, o.Key)
		if !filepath.IsLocal(name) {
			return fmt.Errorf("save bucket %s: key %q is no path inside the folder", o.Bucket, o.Key)
		}
		o.SHA256 = digest(o.Body)
		contents[name] = o.Body
		next.Objects = append(next.Objects, o)
	}
	slices.SortFunc(next.Objects, func(a, b Object) int {
		return strings.Compare(a.Bucket+"\x00"+a.Key, b.Bucket+"\x00"+b.Key)
	})
	for table, items := range state.Tables {
		body, err := lines(items)
		if err != nil {
			return fmt.Errorf("save table %s: %w", table, err)
		}
		contents[filepath.Join(tablesDir, table+".json")] = body
		next.Tables = append(next.Tables, table)
	}
	slices.Sort(next.Tables)
	for function, log := range logs {
		contents[filepath.Join(logsDir, function+".log")] = log
		next.Logs = append(next.Logs, function)
	}
	slices.Sort(next.Logs)
	for _, list := range []struct {
		name  string
		holds any
		empty bool
	}{
		{alertsName, state.Alerts, len(state.Alerts) == 0},
		{queuedName, state.Queued, len(state.Queued) == 0},
		{secretsName, state.Secrets, len(state.Secrets) == 0},
		{metricsName, state.Metrics, len(state.Metrics) == 0},
		{catalogName, state.Catalog, len(state.Catalog.Tables) == 0},
	} {
		if list.empty {
			continue
		}
		body, err := json.MarshalIndent(list.holds, "", "  ")
		if err != nil {
			return fmt.Errorf("save %s: %w", list.name, err)
		}
		contents[list.name] = append(body, '\n')
	}
	if err := f.write(next, contents); err != nil {
		return fmt.Errorf("save to %s: %w", f.dir, err)
	}
	return nil
}

// write makes the folder hold the contents, by path, and nothing else of ours. The index comes last: until then the
// files are those of a state that was, changed by hand.
func (f *Folder) write(next index, contents map[string][]byte) error {
	for name, body := range contents {
		if err := replace(f.Path(name), body); err != nil {
			return err
		}
	}
	for _, name := range f.last.files() {
		if _, stays := contents[name]; stays {
			continue
		}
		if err := f.remove(name); err != nil {
			return err
		}
	}
	body, err := json.MarshalIndent(next, "", " ")
	if err != nil {
		return fmt.Errorf("encode index: %w", err)
	}
	if err := replace(f.Path(indexName), append(body, '\n')); err != nil {
		return err
	}
	f.last = next
	return nil
}

// files lists the files that an index tells of.
func (x index) files() []string {
	names := []string{alertsName, queuedName, secretsName, metricsName, catalogName}
	for _, o := range x.Objects {
		names = append(names, objectPath(o.Bucket, o.Key))
	}
	for _, table := range x.Tables {
		names = append(names, filepath.Join(tablesDir, table+".json"))
	}
	for _, function := range x.Logs {
		names = append(names, filepath.Join(logsDir, function+".log"))
	}
	return names
}

// remove removes a file and the folders that it leaves empty.
func (f *Folder) remove(name string) error {
	if !filepath.IsLocal(name) {
		return fmt.Errorf("remove %q: the index names a file outside the folder", name)
	}
	if err := os.Remove(f.Path(name)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("remove old file: %w", err)
	}
	// The way up ends at a folder that holds something else: it cannot be removed.
	dir := filepath.Dir(name)
	for dir != "." && os.Remove(f.Path(dir)) == nil {
		dir = filepath.Dir(dir)
	}
	return nil
}

// replace gives a file its content as a whole, and leaves it alone where it has it already.
func replace(name string, body []byte) error {
	if old, readErr := os.ReadFile(name); readErr == nil && bytes.Equal(old, body) {
		return nil
	}
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		return fmt.Errorf("make folder: %w", err)
	}
	t, err := os.CreateTemp(filepath.Dir(name), ".new-*")
	if err != nil {
		return fmt.Errorf("write file: %w", err)
	}
	mode := fs.FileMode(0o644)
	if filepath.Base(name) == secretsName {
		mode = 0o600
	}
	if err := errors.Join(fill(t, body, mode), t.Close()); err != nil {
		return fmt.Errorf("write file: %w", errors.Join(err, os.Remove(t.Name())))
	}
	if err := os.Rename(t.Name(), name); err != nil {
		return fmt.Errorf("write file: %w", errors.Join(err, os.Remove(t.Name())))
	}
	return nil
}

func fill(t *os.File, body []byte, mode fs.FileMode) error {
	if _, err := t.Write(body); err != nil {
		return err
	}
	return t.Chmod(mode)
}

// lines writes items as a JSON array with one item a line.
func lines(items []Item) ([]byte, error) {
	var b bytes.Buffer
	b.WriteString("[")
	for i, item := range items {
		if i > 0 {
			b.WriteString(",")
		}
		b.WriteString("\n  ")
		e := json.NewEncoder(&b)
		e.SetEscapeHTML(false)
		if err := e.Encode(item); err != nil {
			return nil, err
		}
		b.Truncate(b.Len() - 1)
	}
	b.WriteString("\n]\n")
	return b.Bytes(), nil
}

func digest(body []byte) string {
	sum := sha256.Sum256(body)
	return hex.EncodeToString(sum[:])
}
