package record

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"testing"
	"time"

	"tributary/shared/contract"
)

// dataset makes a contract from the YAML of its columns and, where given, rules and source.
type dataset struct {
	columns string // lines of flow mappings, as under properties
	quality string
	records string // JSON Pointer of the records
	custom  string // further custom properties
	limits  string
}

func (d dataset) plan(t testing.TB) *Plan {
	t.Helper()
	var text strings.Builder
	text.WriteString(`apiVersion: v3.1.0
kind: DataContract
id: trial
name: trial
version: 1.0.0
status: active
servers:
  - {server: source, type: api, location: "https://api.example.com/trial"}
schema:
  - name: trial
    physicalName: trial
    logicalType: object
    properties:
`)
	text.WriteString(indent(d.columns, "      "))
	if d.quality != "" {
		text.WriteString("    quality:\n" + indent(d.quality, "      "))
	}
	text.WriteString("slaProperties:\n  - {property: frequency, value: 1, unit: h}\ncustomProperties:\n  - property: source\n    value:\n")
	fmt.Fprintf(&text, "      records: %q\n      pagination: {kind: single_page}\n", d.records)
	if d.limits != "" {
		text.WriteString("      limits: " + d.limits + "\n")
	}
	if d.custom != "" {
		text.WriteString(indent(d.custom, "  "))
	}
	c, err := contract.Parse("trial.odcs.yaml", []byte(text.String()))
	if err != nil {
		t.Fatalf("parse contract: %v", err)
	}
	p, err := Compile(c)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func indent(lines, by string) string {
	var b strings.Builder
	for line := range strings.Lines(strings.TrimSpace(lines)) {
		b.WriteString(by + strings.TrimRight(line, "\n") + "\n")
	}
	return b.String()
}

// outcome is what a run brought, in a form that tests can compare.
type outcome struct {
	Rows    []string // JSON of each row, in the order of the contract
	Rejects []string // page/index pointer rule, one for each violation
}

// collector is a sink that keeps everything.
type collector struct {
	outcome
	rejects []Reject
	places  []string
	plan    *Plan
}

func (c *collector) Batch(b *Batch) error {
	defer b.Release()
	if err := c.whole(b); err != nil {
		return err
	}
	columns := make([]int, len(c.plan.columns))
	for i := range columns {
		columns[i] = i
	}
	var read Batch // what AppendColumns writes is read back as it was
	c.plan.ReadColumns(b.AppendColumns(nil, columns), columns, &read)
	return read.Each(columns, func(row int, values []Value) error {
		var text strings.Builder
		for i, v := range values {
			if i > 0 {
				text.WriteByte(' ')
			}
			fmt.Fprintf(&text, "%s=%s", c.plan.columns[i].Name, show(v))
		}
		c.Rows = append(c.Rows, text.String())
		c.places = append(c.places, fmt.Sprintf("%d/%d", read.Page[row], read.Index[row]))
		return nil
	})
}

// whole says what does not hold together in a batch.
func (c *collector) whole(b *Batch) error {
	for i, leaf := range c.plan.leaves {
		v := &b.Vectors[i]
		slots, nulls := b.Rows, 0
		if v.Def == nil {
			for row := range b.Rows {
				nulls += int(^v.Valid[row>>3] >> (row & 7) & 1)
			}
		} else {
			slots = len(v.Def)
			for _, def := range v.Def {
				if int(def) < leaf.MaxDef {
					nulls++
				}
			}
		}
		rows := slots
		if v.Rep != nil {
			rows = bytes.Count(v.Rep, []byte{0})
		}
		values := v.values()
		if v.Bytes != nil {
			values = 0
			for at := 0; at < len(v.Bytes); at += v.size(at) {
				values++
			}
		}
		if nulls != v.Nulls || values != slots-nulls || rows != b.Rows || v.Rep != nil && len(v.Rep) != slots {
			return fmt.Errorf("leaf %v: %d nulls, %d values in %d slots and %d rows; the vector says %d nulls, the batch %d rows", leaf.Path, nulls, values, slots, rows, v.Nulls, b.Rows)
		}
	}
	return nil
}

func (c *collector) Reject(r *Reject) error {
	kept := *r
	kept.Record = append([]byte(nil), r.Record...)
	kept.Violations = append([]Violation(nil), r.Violations...)
	c.rejects = append(c.rejects, kept)
	for _, v := range r.Violations {
		c.Rejects = append(c.Rejects, strings.TrimSpace(fmt.Sprintf("%d %s %s", r.Index, v.Rule, v.Pointer)))
	}
	return nil
}

// show prints a value as a reader of the test expects it.
func show(v Value) string {
	if v.Null {
		return "null"
	}
	switch v.Kind {
	case contract.Integer:
		return fmt.Sprint(v.Int)
	case contract.Double:
		return fmt.Sprint(v.Float)
	case contract.Boolean:
		return fmt.Sprint(v.Int != 0)
	case contract.Timestamp:
		return string(appendTimestamp(nil, v.Int))
	case contract.Date:
		return string(appendDate(nil, v.Int))
	case contract.List:
		parts := make([]string, len(v.Items))
		for i, item := range v.Items {
			parts[i] = show(item)
		}
		return "[" + strings.Join(parts, " ") + "]"
	case contract.Struct:
		parts := make([]string, len(v.Fields))
		for i, f := range v.Fields {
			parts[i] = f.Name + ":" + show(f.Value)
		}
		return "{" + strings.Join(parts, " ") + "}"
	case contract.String:
		text, _ := json.Marshal(string(v.Text))
		return string(text)
	default:
		return string(v.Text)
	}
}

var scheduled = time.Date(2025, 3, 4, 14, 45, 0, 0, time.UTC)

// run reads pages from one reader each.
func run(t testing.TB, p *Plan, pages ...io.Reader) (*collector, *Summary, error) {
	t.Helper()
	c := &collector{plan: p}
	r := p.Start(Run{ScheduledAt: scheduled}, c)
	for i, page := range pages {
		if err := r.Page(Page{Number: i + 1, FetchedAt: scheduled.Add(time.Duration(i+1) * time.Second), Records: -1}, page); err != nil {
			return c, nil, err
		}
	}
	s, err := r.Close()
	return c, s, err
}

func sha256Hex(text string) string {
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:])
}

func readers(pages []string) []io.Reader {
	list := make([]io.Reader, len(pages))
	for i, page := range pages {
		list[i] = strings.NewReader(page)
	}
	return list
}
