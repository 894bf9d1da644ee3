package contract

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"math/big"
	"regexp"
	"slices"
	"strconv"
	"time"

	"cel.dev/cel-go/cel"
)

// The canonical form of what changes results, in the order in which its JSON is hashed. Members are only ever added
// with omitempty, so that a new feature changes no digest of a contract that does not use it.
type canonical struct {
	Format    int               `json:"format"`
	Dataset   string            `json:"dataset"`
	Table     string            `json:"table"`
	Records   []string          `json:"records,omitempty"`
	Keyed     bool              `json:"keyed,omitempty"`
	Record    int               `json:"recordLimit"`
	Limit     int64             `json:"recordsLimit"`
	Columns   []canonicalColumn `json:"columns"`
	Uniques   [][]string        `json:"uniques,omitempty"`
	Rules     []canonicalRule   `json:"rules,omitempty"`
	Metrics   []canonicalMetric `json:"metrics,omitempty"`
	Threshold string            `json:"rejectThresholdPercent"`
	Serving   *canonicalServing `json:"serving,omitempty"`
}

type canonicalColumn struct {
	Name     string            `json:"name"`
	Path     []string          `json:"path,omitempty"`
	Derived  string            `json:"derived,omitempty"`
	Type     string            `json:"type"`
	Epoch    time.Duration     `json:"epoch,omitempty"`
	Pattern  string            `json:"timePattern,omitempty"`
	Zone     string            `json:"zone,omitempty"`
	Elem     *canonicalColumn  `json:"element,omitempty"`
	Fields   []canonicalColumn `json:"fields,omitempty"`
	Required bool              `json:"required,omitempty"`
	Strict   bool              `json:"strict,omitempty"`
	Rules    map[string]string `json:"rules,omitempty"`
	Enum     []string          `json:"enum,omitempty"`
	Missing  []string          `json:"missing,omitempty"`
	Masked   bool              `json:"masked,omitempty"` // where a rule or derived column reads it: a reject shows its value or hides it
}

type canonicalRule struct {
	ID       string   `json:"id"`
	Rule     string   `json:"rule"`
	Severity Severity `json:"severity"`
}

type canonicalMetric struct {
	ID       string    `json:"id"`
	Name     string    `json:"name"`
	Columns  []string  `json:"columns,omitempty"`
	Operator string    `json:"operator"`
	Bounds   []float64 `json:"bounds"`
	Percent  bool      `json:"percent,omitempty"`
	Missing  []string  `json:"missing,omitempty"`
	Null     bool      `json:"missingNull,omitempty"`
	Valid    []string  `json:"valid,omitempty"`
	Pattern  string    `json:"pattern,omitempty"`
	Severity Severity  `json:"severity"`
}

type canonicalServing struct {
	PartitionKey string        `json:"partitionKey"`
	SortKey      string        `json:"sortKey,omitempty"`
	Version      string        `json:"version"`
	Attributes   []string      `json:"attributes,omitempty"`
	TTL          time.Duration `json:"ttl,omitempty"`
}

// digest hashes what changes results.
func (c *Contract) digest() string {
	text, err := json.Marshal(c.canonical())
	if err != nil {
		panic("contract: canonical form is no JSON: " + err.Error()) // it holds texts, numbers and finite bounds
	}
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:])
}

// canonical is the contract's canonical form. Expressions count as CEL prints them, so that spaces do not.
func (c *Contract) canonical() canonical {
	form := canonical{
		Format: 1, Dataset: c.Dataset, Table: c.Table,
		Records: c.Source.Records, Keyed: c.Source.Keyed, Record: c.Source.Limits.Record, Limit: c.Source.Limits.Records,
		Columns: canonicalColumns(c.Columns), Uniques: slices.Clone(c.Uniques),
		Threshold: strconv.FormatFloat(c.RejectThresholdPercent, 'g', -1, 64),
	}
	slices.SortFunc(form.Uniques, slices.Compare)
	read := c.readByExpressions()
	for i := range form.Columns {
		form.Columns[i].Masked = c.Columns[i].Masked() && read[c.Columns[i].Name]
	}
	for _, r := range c.Rules {
		form.Rules = append(form.Rules, canonicalRule{ID: r.ID, Rule: r.Expr.normal(), Severity: r.Severity})
	}
	for _, m := range c.Metrics {
		form.Metrics = append(form.Metrics, m.canonical())
	}
	if s := c.Serving; s != nil {
		form.Serving = &canonicalServing{
			PartitionKey: s.PartitionKey, SortKey: s.SortKey, Version: s.Version,
			Attributes: slices.Sorted(slices.Values(s.Attributes)), TTL: s.TTL,
		}
	}
	return form
}

// readByExpressions names the columns that rules and derived columns read.
func (c *Contract) readByExpressions() map[string]bool {
	read := map[string]bool{}
	mark := func(e *Expr) {
		for _, name := range e.Columns {
			read[name] = true
		}
	}
	for i := range c.Rules {
		mark(&c.Rules[i].Expr)
	}
	for i := range c.Columns {
		if e := c.Columns[i].Derived; e != nil {
			mark(e)
		}
	}
	return read
}

func (m *Metric) canonical() canonicalMetric {
	return canonicalMetric{
		ID: m.ID, Name: m.Name, Columns: m.Columns, Operator: m.Operator, Bounds: m.Bounds, Percent: m.Percent,
		Missing: slices.Sorted(slices.Values(m.Missing)), Null: m.MissingNull, Valid: slices.Sorted(slices.Values(m.Valid)), Pattern: patternText(m.Pattern), Severity: m.Severity,
	}
}

func canonicalColumns(columns []Column) []canonicalColumn {
	forms := make([]canonicalColumn, len(columns))
	for i := range columns {
		forms[i] = columns[i].canonical()
	}
	return forms
}

func (c *Column) canonical() canonicalColumn {
	form := canonicalColumn{
		Name: c.Name, Path: c.Path, Type: c.Type.canonical(), Epoch: c.Type.Time.Epoch, Pattern: c.Type.Time.Pattern,
		Fields: canonicalColumns(c.Type.Fields), Required: c.Required, Strict: c.Strict, Rules: c.Constraints.texts(),
		Enum: slices.Sorted(slices.Values(c.Constraints.Enum)), Missing: slices.Sorted(slices.Values(c.Constraints.Missing)),
	}
	if z := c.Type.Time.Zone; z != nil && z != time.UTC {
		form.Zone = z.String()
	}
	if c.Derived != nil {
		form.Derived = c.Derived.normal()
	}
	if c.Type.Elem != nil {
		elem := c.Type.Elem.canonical()
		form.Elem = &elem
	}
	return form
}

// canonical names the type itself; JSON text is not the string that Glue sees.
func (t Type) canonical() string {
	switch t.Kind {
	case JSON:
		return "json"
	case List:
		return "list"
	case Struct:
		return "struct"
	default:
		return t.Glue()
	}
}

// texts names every constraint that is declared, exactly.
func (k *Constraints) texts() map[string]string {
	texts := map[string]string{}
	count := func(name string, n *int) {
		if n != nil {
			texts[name] = strconv.Itoa(*n)
		}
	}
	exact := func(name string, r *big.Rat) {
		if r != nil {
			texts[name] = r.RatString()
		}
	}
	count("minLength", k.MinLength)
	count("maxLength", k.MaxLength)
	count("minItems", k.MinItems)
	count("maxItems", k.MaxItems)
	exact("minimum", k.Minimum)
	exact("maximum", k.Maximum)
	exact("exclusiveMinimum", k.ExclusiveMinimum)
	exact("exclusiveMaximum", k.ExclusiveMaximum)
	exact("multipleOf", k.MultipleOf)
	if k.Pattern != nil {
		texts["pattern"] = k.Pattern.String()
	}
	if k.Format != "" {
		texts["format"] = k.Format
	}
	if k.UniqueItems {
		texts["uniqueItems"] = "true"
	}
	return texts
}

func patternText(re *regexp.Regexp) string {
	if re == nil {
		return ""
	}
	return re.String()
}

// normal is the expression as CEL prints it.
func (e *Expr) normal() string {
	text, err := cel.AstToString(e.AST)
	if err != nil {
		return e.Source // an expression that CEL cannot print counts as it is written
	}
	return text
}
