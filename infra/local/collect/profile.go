package collect

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/parquet-go/parquet-go"

	"tributary/infra/lakefile"
	"tributary/shared/contract"
	"tributary/shared/mask"
)

const (
	// profiledRows is how many rows of a run are looked at: enough to see how values lie, in a moment.
	profiledRows = 100_000
	// distinctTexts is how many different texts of a column are told apart.
	distinctTexts = 10_000
	mostFrequent  = 8
	bars          = 24
	// skewed is how much wider the upper half of positive numbers must be than the lower for equal steps to say nothing.
	skewed    = 50
	shownText = 40 // characters of a text
)

// Column is what a run's rows hold in one column.
type Column struct {
	Name   string
	Type   string // Glue's
	Slots  int64  // values and nulls: one for each row, or for each element of a list
	Nulls  int64
	Masked bool // classified: nothing below is told

	Low, High string // the bounds of what is not null
	Distinct  int64  // different texts; 0 for other kinds
	More      bool   // there are more than Distinct
	Bars      []Bar  // how the values lie
	Scale     string // of the bars: equal steps, factors, or the most frequent
}

// Bar is a group of values.
type Bar struct {
	Label string
	Count int64
}

// Profile looks at the lake files of a run, at as many rows as say enough; looked is how many those were.
func (r Run) Profile() (columns []Column, looked int64, err error) {
	row, err := Audit(r.Lake, r.Run)
	if err != nil || len(row.LakeFiles) == 0 {
		return nil, 0, err
	}
	leaves := contract.Leaves(r.Contract.Columns)
	masked := mask.Of(r.Contract)
	seen := make([]observed, len(leaves))
	for _, f := range row.LakeFiles {
		key := f.Key
		body, ok := r.Lake(key)
		if !ok || looked >= profiledRows {
			continue
		}
		file, err := lakefile.Open(bytes.NewReader(body), int64(len(body)))
		if err != nil {
			return nil, 0, fmt.Errorf("profile lake file %s: %w", key, err)
		}
		for _, group := range file.RowGroups() {
			if looked >= profiledRows {
				break
			}
			looked += group.NumRows()
			for i, chunk := range group.ColumnChunks() {
				if err := seen[i].chunk(chunk, leaves[i]); err != nil {
					return nil, 0, fmt.Errorf("profile column %s of %s: %w", leafName(leaves[i]), key, err)
				}
			}
		}
	}
	for i, leaf := range leaves {
		c := Column{
			Name: leafName(leaf), Type: leaf.Column.Type.Glue(), Slots: seen[i].slots, Nulls: seen[i].nulls,
			Masked: leaf.Column.Masked() || masked.Column(r.Contract.Columns[leaf.Top].Name),
		}
		if !c.Masked {
			seen[i].describe(&c, leaf.Column)
		}
		columns = append(columns, c)
	}
	return columns, looked, nil
}

// observed gathers the values of a leaf.
type observed struct {
	slots, nulls int64
	numbers      []float64
	texts        map[string]int64
	more         bool
}

func (o *observed) chunk(chunk parquet.ColumnChunk, leaf contract.Leaf) (err error) {
	defer lakefile.Guard(&err)
	pages := chunk.Pages()
	for {
		page, err := pages.ReadPage()
		if errors.Is(err, io.EOF) {
			return pages.Close()
		}
		if err != nil {
			return errors.Join(err, pages.Close())
		}
		buffer := make([]parquet.Value, 256)
		values := page.Values()
		for {
			n, err := values.ReadValues(buffer)
			for _, v := range buffer[:n] {
				o.value(v, leaf.Column)
			}
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil {
				return errors.Join(err, pages.Close())
			}
		}
	}
}

func (o *observed) value(v parquet.Value, c *contract.Column) {
	o.slots++
	if v.IsNull() {
		o.nulls++
		return
	}
	switch c.Type.Kind {
	case contract.Integer, contract.Timestamp:
		o.numbers = append(o.numbers, float64(v.Int64()))
	case contract.Double:
		o.numbers = append(o.numbers, v.Double())
	case contract.Date:
		o.numbers = append(o.numbers, float64(v.Int32()))
	case contract.Decimal:
		n, _ := strconv.ParseFloat(lakefile.Decimal(v, c.Type.Scale), 64) // a picture needs no more digits
		o.numbers = append(o.numbers, n)
	default:
		text := format(v, c)
		if o.texts == nil {
			o.texts = map[string]int64{}
		}
		if _, known := o.texts[text]; known || len(o.texts) < distinctTexts {
			o.texts[text]++
		} else {
			o.more = true
		}
	}
}

func (o *observed) describe(c *Column, column *contract.Column) {
	switch {
	case len(o.texts) > 0:
		o.describeTexts(c)
	case len(o.numbers) > 0:
		o.describeNumbers(c, column.Type.Kind)
	}
}

func (o *observed) describeTexts(c *Column) {
	c.Distinct, c.More = int64(len(o.texts)), o.more
	list := make([]Bar, 0, len(o.texts))
	low, high := "", ""
	for text, n := range o.texts {
		if len(list) == 0 || text < low {
			low = text
		}
		high = max(high, text)
		list = append(list, Bar{Label: text, Count: n})
	}
	slices.SortFunc(list, func(a, b Bar) int { return cmp.Or(cmp.Compare(b.Count, a.Count), cmp.Compare(a.Label, b.Label)) })
	c.Low, c.High = shorten(low), shorten(high)
	if len(list) > mostFrequent {
		if list[0].Count == 1 {
			return // every text is there once: the most frequent say nothing
		}
		list = list[:mostFrequent]
	}
	for i := range list {
		list[i].Label = shorten(list[i].Label)
	}
	c.Bars, c.Scale = list, "the most frequent"
}

func shorten(text string) string {
	text = strings.ToValidUTF8(text, "\uFFFD")
	if runes := []rune(text); len(runes) > shownText {
		return string(runes[:shownText-1]) + "…"
	}
	return text
}

func (o *observed) describeNumbers(c *Column, kind contract.Kind) {
	values := slices.Clone(o.numbers)
	slices.Sort(values)
	low, high := values[0], values[len(values)-1]
	c.Low, c.High = tell(low, kind), tell(high, kind)
	if low == high {
		c.Bars, c.Scale = []Bar{{Label: c.Low, Count: int64(len(values))}}, "one value"
		return
	}
	place, bound := func(v float64) float64 { return v }, func(v float64) float64 { return v }
	c.Scale = "equal steps"
	if median := values[len(values)/2]; low > 0 && high-median > skewed*(median-low) && kind != contract.Timestamp && kind != contract.Date {
		place, bound, c.Scale = math.Log, math.Exp, "equal factors"
	}
	from, to := place(low), place(high)
	steps, whole := bars, c.Scale == "equal steps" && (kind == contract.Integer || kind == contract.Date)
	if whole { // a step holds whole numbers
		to = high + 1
		steps = int(min(bars, to-from))
	}
	counts := make([]int64, steps)
	for _, v := range values {
		at := int((place(v) - from) / (to - from) * float64(steps))
		counts[max(0, min(at, steps-1))]++
	}
	for i, n := range counts {
		step := (to - from) / float64(steps)
		first, last := from+float64(i)*step, from+float64(i+1)*step
		if whole {
			first, last = math.Ceil(first), math.Ceil(last)-1
		}
		label := tell(bound(first), kind)
		if end := tell(bound(last), kind); end != label {
			label += " to " + end
		}
		c.Bars = append(c.Bars, Bar{Label: label, Count: n})
	}
}

// tell writes a number as its column's kind has it, in so many digits as a reader of a picture wants.
func tell(v float64, kind contract.Kind) string {
	switch kind {
	case contract.Timestamp:
		return time.UnixMilli(int64(v)).UTC().Format("2006-01-02 15:04:05")
	case contract.Date:
		return time.Unix(int64(v)*86400, 0).UTC().Format(time.DateOnly)
	case contract.Integer:
		return strconv.FormatFloat(math.Round(v), 'f', 0, 64)
	default: // a number with digits behind its point
	}
	if a := math.Abs(v); a != 0 && (a >= 1e15 || a < 1e-4) {
		return strconv.FormatFloat(v, 'g', 4, 64)
	}
	text := strconv.FormatFloat(v, 'f', max(0, 5-int(math.Ceil(math.Log10(math.Abs(v)+1)))), 64)
	if strings.Contains(text, ".") {
		text = strings.TrimRight(strings.TrimRight(text, "0"), ".")
	}
	return text
}
