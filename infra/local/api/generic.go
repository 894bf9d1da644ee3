package api

import (
	"fmt"
	"math"
	"math/big"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"time"

	"tributary/shared/contract"
	"tributary/shared/record"
)

const genericCount = 120

// generic draws records for any contract: each column that is read gets values of its type within its constraints.
// Rules across columns cannot be drawn for: a record that breaks one by chance is drawn again, a few times. Where hardly
// any record keeps them, the run will be held, and say why.
func generic(c *contract.Contract, plan *record.Plan, seed uint64, at time.Time) []Record {
	at = at.UTC().Truncate(time.Second)
	d := drawer{r: draws(seed, uint64(at.Unix())), at: at, keys: keyColumns(c), taken: map[string]bool{}}
	var drawn []object
	const tries = 20
	for try := range tries {
		var more []object
		for i := len(drawn); i < genericCount; i++ {
			more = append(more, d.record(c.Columns, i))
		}
		broken := breakRules(c, plan, at, more)
		for i, o := range more {
			if !broken[i] || try == tries-1 {
				drawn = append(drawn, o)
			}
		}
	}
	records := make([]Record, len(drawn))
	for i, o := range drawn {
		records[i] = Record{Text: o.String()}
	}
	kinds := genericDirt(c, len(drawn))
	for n, dirt := range kinds {
		i := 10 + n*(len(drawn)-10)/len(kinds) // spread over the records, the first few left clean
		records[i] = Record{Text: dirt.spoil(drawn[i], drawn[0]).String(), Plant: &Plant{Kind: dirt.kind, Violations: dirt.violations}}
	}
	return records
}

// keyColumns are the columns whose values must differ from record to record: the first of each unique set that the
// record itself brings.
func keyColumns(c *contract.Contract) map[string]bool {
	keys := map[string]bool{}
	for _, set := range c.Uniques {
		for _, name := range set {
			if col := columnByName(c.Columns, name); col != nil && col.Derived == nil {
				keys[name] = true
				break
			}
		}
	}
	return keys
}

func columnByName(columns []contract.Column, name string) *contract.Column {
	for i := range columns {
		if columns[i].Name == name {
			return &columns[i]
		}
	}
	return nil
}

type drawer struct {
	r     *rand.Rand
	at    time.Time
	keys  map[string]bool
	taken map[string]bool
}

// record draws one record. Columns that lie deeper come after those that bring the object around them whole.
func (d *drawer) record(columns []contract.Column, i int) object {
	root := &node{}
	for _, deep := range []bool{false, true} {
		for k := range columns {
			c := &columns[k]
			if c.Derived != nil || len(c.Path) == 0 || (len(c.Path) > 1) != deep {
				continue
			}
			root.put(c.Path, d.column(c, i))
		}
	}
	return root.object()
}

func (d *drawer) column(c *contract.Column, i int) string {
	if d.keys[c.Name] {
		for range 1000 {
			text := d.value(c, i)
			if mark := c.Name + "\x00" + text; !d.taken[mark] {
				d.taken[mark] = true
				return text
			}
		}
	}
	if !c.Required && c.Key == 0 && d.r.Float64() < 0.1 {
		return "null"
	}
	return d.value(c, i)
}

func (d *drawer) value(c *contract.Column, i int) string {
	k := c.Constraints
	if len(k.Enum) > 0 {
		text := k.Enum[d.r.IntN(len(k.Enum))]
		if c.Type.Kind == contract.String {
			return quote(text)
		}
		return text
	}
	switch c.Type.Kind {
	case contract.String:
		return quote(d.text(c, i))
	case contract.Integer:
		return d.number(k, 0)
	case contract.Decimal:
		return d.number(k, c.Type.Scale)
	case contract.Double:
		if d.r.Float64() < 0.2 {
			return d.number(k, 0)
		}
		return d.number(k, 4)
	case contract.Boolean:
		return strconv.FormatBool(d.r.IntN(2) == 0)
	case contract.Timestamp, contract.Date:
		return d.time(c)
	case contract.List:
		items := make([]string, 0, d.between(k.MinItems, k.MaxItems, 1, 3))
		for n := 0; len(items) < cap(items) && n < 100; n++ {
			if item := d.value(c.Type.Elem, i*100+n); !k.UniqueItems || !slices.Contains(items, item) {
				items = append(items, item)
			}
		}
		return "[" + strings.Join(items, ",") + "]"
	case contract.Struct:
		var o object
		for f := range c.Type.Fields {
			field := &c.Type.Fields[f]
			if field.Derived == nil {
				o = append(o, member{field.Member, d.column(field, i)})
			}
		}
		return o.String()
	default:
		return object{{"note", quote(words[d.r.IntN(len(words))])}}.String()
	}
}

var words = strings.Fields("amber birch cedar delta ember fern garnet harbor indigo juniper kelp lagoon meadow nectar orchard prairie quartz reef")

func (d *drawer) text(c *contract.Column, i int) string {
	k := c.Constraints
	if k.Pattern != nil {
		return d.match(k.Pattern)
	}
	switch k.Format {
	case "uuid":
		return fmt.Sprintf("%08x-%04x-4%03x-a%03x-%012x", d.r.Uint32(), d.r.IntN(1<<16), d.r.IntN(1<<12), d.r.IntN(1<<12), d.r.Int64N(1<<48))
	case "uri":
		return fmt.Sprintf("https://example.com/%s/%d", words[d.r.IntN(len(words))], i+1)
	case "email":
		return fmt.Sprintf("%s.%d@example.com", words[d.r.IntN(len(words))], i+1)
	case "hostname":
		return fmt.Sprintf("%s-%d.example.com", words[d.r.IntN(len(words))], i+1)
	case "ipv4":
		return fmt.Sprintf("192.0.2.%d", 1+d.r.IntN(254))
	case "ipv6":
		return fmt.Sprintf("2001:db8::%x", 1+d.r.IntN(1<<16-1))
	}
	text := words[d.r.IntN(len(words))]
	if d.keys[c.Name] {
		text = fmt.Sprintf("%s-%d", text, i+1)
	}
	if k.MinLength != nil && len(text) < *k.MinLength {
		text += strings.Repeat("x", *k.MinLength-len(text))
	}
	if k.MaxLength != nil && len(text) > *k.MaxLength {
		text = text[len(text)-*k.MaxLength:]
	}
	return text
}

// number draws a number with so many decimal places within the bounds; a step (multipleOf) goes before the places.
func (d *drawer) number(k contract.Constraints, places int) string {
	step := new(big.Rat).SetFrac(big.NewInt(1), new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(places)), nil))
	if k.MultipleOf != nil && k.MultipleOf.Sign() > 0 {
		step = k.MultipleOf
	}
	low, high := big.NewRat(0, 1), big.NewRat(1000, 1)
	if bound := firstOf(k.Minimum, k.ExclusiveMinimum); bound != nil {
		low = bound
		high = new(big.Rat).Add(low, big.NewRat(1000, 1))
	}
	if bound := firstOf(k.Maximum, k.ExclusiveMaximum); bound != nil {
		high = bound
		if low.Cmp(high) >= 0 {
			low = new(big.Rat).Sub(high, big.NewRat(1000, 1))
		}
	}
	// Whole steps strictly inside the bounds, or on the lower one where nothing lies between.
	from := new(big.Rat).Quo(low, step)
	first := new(big.Int).Add(floor(from), big.NewInt(1))
	span := new(big.Int).Sub(floor(new(big.Rat).Quo(high, step)), first)
	n := first
	if span.Sign() > 0 {
		within := span.Int64()
		if !span.IsInt64() || within > math.MaxInt32 {
			within = math.MaxInt32
		}
		n = new(big.Int).Add(first, big.NewInt(d.r.Int64N(within)))
	} else if k.Minimum != nil && from.IsInt() {
		n = floor(from)
	}
	v := new(big.Rat).Mul(new(big.Rat).SetInt(n), step)
	if v.IsInt() {
		return v.Num().String()
	}
	return strings.TrimRight(v.FloatString(max(places, 10)), "0")
}

func floor(v *big.Rat) *big.Int { return new(big.Int).Div(v.Num(), v.Denom()) }

func firstOf(bounds ...*big.Rat) *big.Rat {
	for _, b := range bounds {
		if b != nil {
			return b
		}
	}
	return nil
}

func (d *drawer) between(least, most *int, usualLeast, usualMost int) int {
	low, high := usualLeast, usualMost
	if least != nil {
		low, high = *least, max(high, *least)
	}
	if most != nil {
		high, low = min(high, *most), min(low, *most)
	}
	return low + d.r.IntN(high-low+1)
}

func (d *drawer) time(c *contract.Column) string {
	t := d.at.Add(-time.Duration(1+d.r.IntN(86_400_000)) * time.Millisecond)
	f := c.Type.Time
	switch {
	case f.Epoch == time.Second:
		return strconv.FormatInt(t.Unix(), 10)
	case f.Epoch == time.Millisecond:
		return strconv.FormatInt(t.UnixMilli(), 10)
	case f.Layout != "":
		if f.Zone != nil {
			t = t.In(f.Zone)
		}
		return quote(t.Format(f.Layout))
	case c.Type.Kind == contract.Date:
		return quote(t.Format(time.DateOnly))
	default:
		return quote(t.Format(coinTime))
	}
}

// genericDirt is what can be planted into any record of the contract, one of each kind.
func genericDirt(c *contract.Contract, count int) []genericKind {
	var kinds []genericKind
	seen := map[string]bool{}
	add := func(kind string, col *contract.Column, rule, text string) {
		if seen[kind] || len(col.Path) != 1 {
			return
		}
		seen[kind] = true
		name := col.Path[0]
		spoil := func(o, _ object) object { return o.with(name, text) }
		if text == "" {
			spoil = func(o, _ object) object { return o.without(name) }
		}
		kinds = append(kinds, genericKind{kind, spoil, []Violation{{"/" + escapePointer(name), rule}}})
	}
	keys := keyColumns(c)
	for i := range c.Columns {
		col := &c.Columns[i]
		if col.Derived != nil {
			continue
		}
		if col.Required {
			add("missing "+col.Name, col, "required", "")
			seen["missing"] = true
		}
		switch col.Type.Kind {
		case contract.Integer, contract.Double, contract.Decimal:
			add("text in a number", col, "type", `"n/a"`)
			if m := col.Constraints.Minimum; m != nil {
				below := new(big.Rat).Sub(m, big.NewRat(1, 1))
				add("below the minimum", col, "minimum", strings.TrimRight(strings.TrimRight(below.FloatString(6), "0"), "."))
			}
		case contract.Timestamp, contract.Date:
			add("bad timestamp", col, "type", `"yesterday"`)
		case contract.Boolean:
			add("text in a boolean", col, "type", `"maybe"`)
		case contract.List, contract.Struct:
			add("text in "+col.Type.Glue(), col, "type", `"none"`)
		default:
		}
		if keys[col.Name] && len(col.Path) == 1 && !seen["duplicate"] {
			seen["duplicate"] = true
			name := col.Path[0]
			kinds = append(kinds, genericKind{
				"duplicate " + col.Name,
				func(o, first object) object { return o.with(name, first.get(name)) },
				[]Violation{{"/" + escapePointer(name), "unique"}},
			})
		}
	}
	kinds = append(kinds, genericKind{"unknown member", func(o, _ object) object { return o.with("preview_member", "1") }, nil})
	// As much as the contract lets pass, and at most one in thirty.
	most := min(count/30, int(float64(count)*c.RejectThresholdPercent/100))
	rejects := 0
	var kept []genericKind
	for _, k := range kinds {
		if len(k.violations) > 0 {
			if rejects++; rejects > most {
				continue
			}
		}
		kept = append(kept, k)
	}
	return kept
}

type genericKind struct {
	kind       string
	spoil      func(o, first object) object
	violations []Violation
}

func escapePointer(token string) string {
	return strings.ReplaceAll(strings.ReplaceAll(token, "~", "~0"), "/", "~1")
}
