// Package collect reads what a run left in the stores and puts it together for the screen: audit row, manifest, lake
// files, rejects, items and alerts. It reads what anybody could read in an account, and believes none of it alone: what
// does not add up (records that are neither clean nor rejected, a file that is not there or has other rows than the
// audit says) comes back as a fault. Values of classified columns are masked here, before anything is shown.
package collect

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"slices"

	"tributary/infra/lakefile"
	"tributary/infra/local/screen"
	"tributary/shared/contract"
	"tributary/shared/mask"
	"tributary/shared/zone"
)

// Run names a run and the stores to look into.
type Run struct {
	Contract *contract.Contract
	Run      zone.Run

	File string // what the contract's file is called where its lines are quoted

	// Raw, Lake and Rejects read an object of a bucket; false: there is none.
	Raw, Lake, Rejects func(key string) ([]byte, bool)
	// Path is where an object of a bucket (raw, lake, rejects) will lie as a file.
	Path func(bucket, key string) string

	Table string           // serving table; empty when the dataset is not served
	Items []map[string]any // all its items
}

const (
	// sampleRows is how many rows of the lake are shown.
	sampleRows = 5
	// failingRows is how many rejected records are kept to be shown.
	failingRows = 30
)

// Dataset collects the outcome of a run, and what is wrong with it.
func Dataset(r Run) (screen.Dataset, []string, error) {
	c := &collector{Run: r, mask: mask.Of(r.Contract)}
	d := screen.Dataset{
		Name: r.Contract.Dataset, Run: r.Run.ID(), At: r.Run.At, Threshold: r.Contract.RejectThresholdPercent,
		Table: r.Table, Held: int64(len(r.Items)),
	}
	steps := []func(*screen.Dataset) error{c.audit, c.raw, c.lake, c.rejects, c.item}
	for _, step := range steps {
		if err := step(&d); err != nil {
			return screen.Dataset{}, nil, fmt.Errorf("collect run %s of %s: %w", r.Run.ID(), r.Contract.Dataset, err)
		}
	}
	return d, c.faults, nil
}

type collector struct {
	Run
	mask   mask.Mask
	row    zone.AuditRow
	faults []string
}

func (c *collector) fault(format string, args ...any) {
	c.faults = append(c.faults, c.Contract.Dataset+" "+c.Run.Run.ID()+": "+fmt.Sprintf(format, args...))
}

// Audit reads the audit row of a run; it is empty where there is none.
func Audit(lake func(key string) ([]byte, bool), run zone.Run) (row zone.AuditRow, err error) {
	body, ok := lake(run.AuditKey())
	if !ok {
		return row, nil
	}
	if err := json.Unmarshal(body, &row); err != nil {
		return row, fmt.Errorf("read audit row %s: %w", run.AuditKey(), err)
	}
	return row, nil
}

func (c *collector) audit(d *screen.Dataset) error {
	var err error
	if c.row, err = Audit(c.Lake, c.Run.Run); err != nil {
		return err
	}
	if c.row.RunID == "" {
		if _, brought := c.Raw(c.Run.Run.ManifestKey()); brought {
			c.fault("it was not processed: there is no audit row %s", c.Run.Run.AuditKey())
		}
		return nil
	}
	a := &c.row
	d.Verdict, d.Reason = a.Outcome, a.Reason
	d.Pages, d.Records, d.Clean, d.Rejected = a.Pages, a.Records, a.Clean, a.Rejected
	d.Warnings, d.Unknown, d.Items = rules(a.WarningsByRule), rules(a.UnknownMembers), a.Items
	for i := range d.Warnings {
		w := &d.Warnings[i]
		w.OfRun = slices.ContainsFunc(c.Contract.Metrics, func(m contract.Metric) bool { return m.ID == w.Name })
	}
	d.Rejects = rules(a.RejectsByRule)
	if a.State != zone.StateDone {
		c.fault("processing ended in state %q instead of %q", a.State, zone.StateDone)
	}
	if a.Outcome != zone.OutcomeLoaded {
		c.fault("it is %s: %s", a.Outcome, a.Reason)
	}
	if a.Records != a.Clean+a.Rejected {
		c.fault("%d records came in, but %d clean and %d rejected make %d", a.Records, a.Clean, a.Rejected, a.Clean+a.Rejected)
	}
	return nil
}

func rules(counts []zone.RuleCount) []screen.Rule {
	var all []screen.Rule
	for _, n := range counts {
		all = append(all, screen.Rule{Records: n.Records, Name: n.Rule, Pointer: n.Pointer})
	}
	return all
}

// raw lists the raw files and holds the audit's count against the manifest's.
func (c *collector) raw(d *screen.Dataset) error {
	key := c.Run.Run.ManifestKey()
	body, ok := c.Raw(key)
	if !ok {
		c.fault("ingest stored no manifest %s", key)
		return nil
	}
	var m zone.Manifest
	if err := json.Unmarshal(body, &m); err != nil {
		return fmt.Errorf("read manifest %s: %w", key, err)
	}
	for _, p := range m.Pages {
		if _, ok := c.Raw(p.Key); !ok {
			c.fault("page %s of the manifest is not in the bucket", p.Key)
		}
		d.Files = append(d.Files, screen.File{Zone: "raw", Path: c.Path("raw", p.Key), Rows: max(p.Records, 0), Bytes: p.Bytes})
	}
	if c.row.Outcome == zone.OutcomeLoaded && m.Records != c.row.Records {
		c.fault("the manifest counts %d records, the audit %d", m.Records, c.row.Records)
	}
	return nil
}

// rejects reads the rejected records: an example for each rule, and the record with the most reasons in full.
func (c *collector) rejects(d *screen.Dataset) error {
	var rows int64
	most := 0
	for _, f := range c.row.RejectFiles {
		body, ok := c.Rejects(f.Key)
		if !ok {
			c.fault("rejects file %s of the audit is not in the bucket", f.Key)
			continue
		}
		d.Files = append(d.Files, screen.File{Zone: "rejects", Path: c.Path("rejects", f.Key), Rows: f.Rows, Bytes: int64(len(body))})
		number := 0
		for line := range bytes.Lines(body) {
			number++
			var r zone.RejectRow
			if err := json.Unmarshal(line, &r); err != nil {
				return fmt.Errorf("read rejects file %s: %w", f.Key, err)
			}
			rows++
			c.examples(d, r)
			if len(r.Violations) <= most && len(d.Rows) == failingRows {
				continue
			}
			row := c.failing(r)
			row.Where = c.where(r, f.Key, number)
			if len(r.Violations) > most {
				most, d.Row = len(r.Violations), row
			}
			if len(d.Rows) < failingRows {
				d.Rows = append(d.Rows, *row)
			}
		}
	}
	if c.row.Outcome == zone.OutcomeLoaded && rows != c.row.Rejected {
		c.fault("the audit counts %d rejected records, the rejects files hold %d", c.row.Rejected, rows)
	}
	return nil
}

// where says in which line of the rejects file a record lies; of one that is too long for it also where the rest is.
func (c *collector) where(r zone.RejectRow, key string, number int) string {
	text := fmt.Sprintf("line %d of %s", number, c.Path("rejects", key))
	if r.Truncated {
		text += fmt.Sprintf(", which holds the beginning; all %s of it are in %s, unpacked, from byte %d on",
			screen.Bytes(r.Bytes), c.Path("raw", r.RawKey), r.Offset)
	}
	return text
}

func (c *collector) examples(d *screen.Dataset, r zone.RejectRow) {
	for _, v := range r.Violations {
		for i := range d.Rejects {
			if rule := &d.Rejects[i]; rule.Example == "" && rule.Name == v.Rule && rule.Pointer == v.Pointer {
				rule.Example = c.reason(v).Message
			}
		}
	}
}

// lake counts the rows of the Parquet files with a reader that is not the writer, and samples the first.
func (c *collector) lake(d *screen.Dataset) error {
	var rows int64
	for _, f := range c.row.LakeFiles {
		body, ok := c.Lake(f.Key)
		if !ok {
			c.fault("lake file %s of the audit is not in the bucket", f.Key)
			continue
		}
		file, err := lakefile.Open(bytes.NewReader(body), int64(len(body)))
		if err != nil {
			return fmt.Errorf("read lake file %s: %w", f.Key, err)
		}
		d.Files = append(d.Files, screen.File{Zone: "lake", Path: c.Path("lake", f.Key), Rows: file.NumRows(), Bytes: int64(len(body))})
		rows += file.NumRows()
		if d.Sample == nil {
			if d.Sample, err = sample(file, c.Contract, c.mask, sampleRows); err != nil {
				return fmt.Errorf("read lake file %s: %w", f.Key, err)
			}
		}
	}
	if d.Sample != nil {
		d.Sample.Of = rows
	}
	if c.row.Outcome == zone.OutcomeLoaded && rows != c.row.Clean {
		c.fault("the audit counts %d clean records, the lake files hold %d rows", c.row.Clean, rows)
	}
	return nil
}

// item shows one item as it is in the table.
func (c *collector) item(d *screen.Dataset) error {
	if s := c.Contract.Serving; s != nil {
		d.Expiry = s.TTL
	}
	if len(c.Items) == 0 {
		if c.row.Items > 0 {
			c.fault("the audit says that %d items were offered to table %s, which is empty", c.row.Items, c.Table)
		}
		return nil
	}
	for _, name := range slices.Sorted(maps.Keys(c.Items[0])) {
		value, err := json.Marshal(c.Items[0][name])
		if err != nil {
			return fmt.Errorf("read table %s: %w", c.Table, err)
		}
		if c.mask.Column(name) {
			value = []byte(mask.Hidden)
		}
		d.Item = append(d.Item, screen.Member{Name: name, Value: string(value)})
	}
	return nil
}
