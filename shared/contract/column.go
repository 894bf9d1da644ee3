package contract

import (
	"math"
	"math/big"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

const (
	partitionColumn = "dt"
	maxNesting      = 8   // objects and lists below a column
	maxColumns      = 500 // of a dataset; also members of an object
)

var (
	columnName         = regexp.MustCompile(`^[a-z][a-z0-9_]{0,127}$`)
	columnProperties   = []string{"epoch", "strict"}
	contractProperties = []string{"source", "serving", "rejectThresholdPercent", "strict"}
	classifications    = []string{"public", "internal", "confidential", "restricted"}
	decimalType        = regexp.MustCompile(`^decimal\(([0-9]{1,2}),([0-9]{1,2})\)$`)
)

// columnNode is where a column stands in the file.
type columnNode struct {
	object
	unique bool
}

// scope is what a column has from the place where it stands.
type scope struct {
	path           []string // JSON Pointer tokens of the object around it
	depth          int      // 0 for the columns of the table
	strict         bool
	classification string
	element        bool // the items of an array
}

// readColumns reads the columns of the table.
func (b *builder) readColumns(n node) {
	strict := false
	if v, ok := b.custom["strict"]; ok {
		strict = v.boolean()
	}
	items := n.list()
	if n.yaml.Kind == sequenceNode && len(items) == 0 {
		n.fault("is empty: write at least one column")
	}
	if len(items) > maxColumns {
		n.fault("are %d columns; want at most %d", len(items), maxColumns)
		return
	}
	for _, item := range items {
		column, at := item.column(scope{strict: strict})
		b.c.Columns = append(b.c.Columns, column)
		b.columns = append(b.columns, at)
	}
	distinct(b.c.Columns, b.columns)
}

// distinct refuses two columns of one name. Athena folds case, and the form of the names leaves only lower case.
func distinct(columns []Column, at []columnNode) {
	first := map[string]int{}
	for i, c := range columns {
		if c.Name == "" {
			continue
		}
		key := "name"
		if at[i].has("physicalName") {
			key = "physicalName"
		}
		if line, twice := first[c.Name]; twice {
			at[i].members[key].fault("a second column %s, the first is in line %d: give one another physicalName", c.Name, line)
			continue
		}
		first[c.Name] = c.Line
	}
}

// column reads one column, field of an object, or the items of an array.
func (n node) column(s scope) (Column, columnNode) {
	o := n.object("id", "name", "physicalName", "physicalType", "logicalType", "logicalTypeOptions", "description",
		"businessName", "authoritativeDefinitions", "tags", "customProperties", "primaryKey", "primaryKeyPosition",
		"required", "unique", "partitioned", "partitionKeyPosition", "classification", "encryptedName",
		"transformSourceObjects", "transformLogic", "transformDescription", "examples", "criticalDataElement",
		"relationships", "quality", "items", "properties")
	at := columnNode{object: o}
	c := Column{Line: n.yaml.Line, Strict: s.strict, Classification: s.classification}
	if o.yaml.Kind != mappingNode {
		return c, at
	}
	o.prose("description", "businessName", "transformDescription")
	o.annotations()
	if v, ok := o.get("description"); ok {
		c.Description = v.yaml.Value
	}
	if v, ok := o.get("criticalDataElement"); ok {
		v.boolean()
	}
	if v, ok := o.get("examples"); ok {
		v.list()
	}
	o.refuse("relationships", "relationships to other datasets are not checked: remove them")
	o.refuse("encryptedName", "columns are not encrypted one by one: remove it; classification: restricted masks the values")
	if v, ok := o.get("partitioned"); ok && v.boolean() {
		o.keyFault("partitioned", "the only partition is %s, the day of the run: one raw run fills one partition, so that a replay "+
			"replaces it; remove the key and keep the value as a column", partitionColumn)
	}
	o.refuse("partitionKeyPosition", "the only partition is %s, the day of the run: remove the key", partitionColumn)
	if v, ok := o.get("required"); ok {
		c.Required = v.boolean()
	}
	if v, ok := o.get("classification"); ok {
		if class, ok := v.oneOf(classifications...); ok {
			c.Classification = class
			inner := Column{Classification: class}
			if outer := (Column{Classification: s.classification}); outer.Masked() && !inner.Masked() {
				v.fault("is %s inside an object that is %s: what is masked as a whole is masked in its parts", class, s.classification)
			}
		}
	}
	custom := o.customProperties(columnProperties)
	if v, ok := custom["strict"]; ok {
		c.Strict = v.boolean()
	}

	o.name(&c, s)
	o.place(&c, s)
	o.key(&c, &at, s)
	o.columnType(&c, s, custom)
	return c, at
}

// name reads the JSON member and the column's own name.
func (o object) name(c *Column, s scope) {
	if s.element {
		c.Name = "element"
		if v, ok := o.get("name"); ok {
			v.nonEmpty() // the standard allows one; it names nothing in the data
		}
		o.refuse("physicalName", "the items of an array have no name of their own: remove it")
		return
	}
	const form = "lower-case letters, digits and _, a letter first, 128 at most"
	v, ok := o.need("name", "the JSON member, which is the column's name too where physicalName gives no other")
	if ok {
		c.Member, ok = v.nonEmpty()
	}
	switch physical, given := o.get("physicalName"); {
	case given:
		c.Name, _ = physical.matching(columnName, form)
		v = physical
	case ok && columnName.MatchString(c.Member):
		c.Name = c.Member
	case ok:
		v.fault("the member %q cannot be a column's name (%s): keep it and add physicalName, as in physicalName: %s",
			c.Member, form, exampleName(c.Member))
	}
	if c.Name == partitionColumn && s.depth == 0 {
		v.fault("%s is the table's partition, the day of the run: give the column another physicalName", partitionColumn)
	}
}

var notInName = regexp.MustCompile(`[^a-z0-9]+`)

// exampleName makes a column's name out of a member's.
func exampleName(member string) string {
	name := strings.Trim(notInName.ReplaceAllString(strings.ToLower(member), "_"), "_")
	if len(name) > 40 {
		name = name[:40]
	}
	if name == "" || name[0] < 'a' {
		name = "column_" + name
	}
	return strings.TrimSuffix(name, "_")
}

// place reads where the value comes from: the member, a pointer, or an expression (which derive checks later).
func (o object) place(c *Column, s scope) {
	pointer, logic := o.has("transformSourceObjects"), o.has("transformLogic")
	if s.depth > 0 {
		o.refuse("transformSourceObjects", "only a column of the table can be read from elsewhere: remove it, or make a column of it")
		o.refuse("transformLogic", "only a column of the table can be derived: remove it, or make a column of it")
		pointer, logic = false, false
	}
	switch {
	case logic && pointer:
		o.keyFault("transformSourceObjects", "a derived column is not read: keep transformLogic or transformSourceObjects, not both")
	case pointer:
		v := o.members["transformSourceObjects"]
		items := v.list()
		if v.yaml.Kind == sequenceNode && len(items) != 1 {
			v.fault("are %d places; want one JSON Pointer below the record, as in [/roi/percentage]", len(items))
		}
		if len(items) == 1 {
			c.Path = items[0].pointer(false)
		}
	case logic || s.element:
	default:
		c.Path = append(slices.Clip(s.path), c.Member)
	}
	if !logic {
		o.refuse("transformDescription", "describes a transformLogic that is not there: remove it or add the expression")
	}
}

// key reads unique and the place in the primary key.
func (o object) key(c *Column, at *columnNode, s scope) {
	if s.depth > 0 {
		for _, key := range []string{"unique", "primaryKey", "primaryKeyPosition", "quality"} {
			o.refuse(key, "works on columns of the table only: remove it, or make a column of the member with transformSourceObjects")
		}
		return
	}
	if v, ok := o.get("unique"); ok {
		at.unique = v.boolean()
	}
	primary := false
	if v, ok := o.get("primaryKey"); ok {
		primary = v.boolean()
	}
	position, ok := o.get("primaryKeyPosition")
	switch {
	case ok && !primary:
		o.keyFault("primaryKeyPosition", "the column is not in the primary key: add primaryKey: true or remove the position")
	case ok:
		n, _ := position.integer(1, 16)
		c.Key = int(n)
	case primary:
		o.keyFault("primaryKey", "primaryKeyPosition is missing: number the columns of the key from 1")
	}
}

// columnType reads logicalType, physicalType and the options of the type.
func (o object) columnType(c *Column, s scope, custom map[string]node) {
	v, ok := o.need("logicalType", "string, integer, number, boolean, timestamp, date, object or array")
	if !ok {
		return
	}
	if v.scalar("!!str") && v.yaml.Value == "time" {
		v.fault("Athena has no type for a time of day: use string, with a pattern as in ^([01][0-9]|2[0-3]):[0-5][0-9]$")
		return
	}
	logical, ok := v.oneOf("string", "integer", "number", "boolean", "timestamp", "date", "object", "array")
	if !ok {
		return
	}
	if logical != "object" {
		o.refuse("properties", "belong to logicalType object: remove them or change the type")
	}
	if logical != "array" {
		o.refuse("items", "belong to logicalType array: remove them or change the type")
	}
	if epoch, ok := custom["epoch"]; ok && logical != "timestamp" {
		epoch.fault("belongs to logicalType timestamp: remove it or change the type")
	}
	if s.depth >= maxNesting {
		o.fault("lies deeper than %d levels: write it as object with physicalType: string, which keeps its JSON text", maxNesting)
		return
	}

	options := object{node: o.node, members: map[string]node{}}
	read := func(allowed ...string) {
		if v, ok := o.get("logicalTypeOptions"); ok {
			options = v.object(allowed...)
		}
	}
	// The kind is set last: a column without one is not looked at further, because its fault has been reported.
	before := len(o.d.faults)
	t := Type{}
	switch logical {
	case "string":
		t.Kind = String
		read("minLength", "maxLength", "pattern", "format")
		options.stringOptions(&c.Constraints)
	case "integer":
		t.Kind = Integer
		read("multipleOf", "maximum", "exclusiveMaximum", "minimum", "exclusiveMinimum", "format")
		options.numberOptions(&c.Constraints, Integer)
	case "number":
		t.Kind = Double
		if v, ok := o.get("physicalType"); ok {
			v.decimal(&t)
		}
		read("multipleOf", "maximum", "exclusiveMaximum", "minimum", "exclusiveMinimum", "format")
		options.numberOptions(&c.Constraints, t.Kind)
	case "boolean":
		t.Kind = Boolean
		read()
	case "timestamp":
		t.Kind = Timestamp
		read("format", "exclusiveMaximum", "maximum", "exclusiveMinimum", "minimum", "timezone", "defaultTimezone")
		options.timestampOptions(c, &t, custom)
	case "date":
		t.Kind = Date
		read("format", "exclusiveMaximum", "maximum", "exclusiveMinimum", "minimum")
		options.dateOptions(c, &t)
	case "object":
		t.Kind = JSON
		read("maxProperties", "minProperties", "required")
		o.structType(c, &t, s, options)
	case "array":
		t.Kind = JSON
		read("maxItems", "minItems", "uniqueItems")
		o.listType(c, &t, s, options)
	}
	c.Type = t
	if complete(t) {
		o.physical(t)
	}
	if t.Kind == JSON && !o.has("physicalType") {
		inside := map[string]string{"object": "properties", "array": "items"}[logical]
		v.fault("an %s without %s is kept as its JSON text: add physicalType: string, by which other tools know it too, or declare the %s",
			logical, inside, inside)
	}
	if len(o.d.faults) > before && !complete(t) {
		c.Type.Kind = 0
	}
}

// complete reports whether the type and all types within it could be read.
func complete(t Type) bool {
	switch t.Kind {
	case 0:
		return false
	case List:
		return complete(t.Elem.Type)
	case Struct:
		for _, f := range t.Fields {
			if !complete(f.Type) {
				return false
			}
		}
	default:
	}
	return true
}

// physical checks that physicalType, where given, is what the column becomes in Glue.
func (o object) physical(t Type) {
	v, ok := o.get("physicalType")
	if !ok {
		return
	}
	text, ok := v.nonEmpty()
	if want := t.Glue(); ok && compact(text) != want {
		v.fault("is %q, but the column is %s in Glue and Athena: write that, or leave physicalType out", text, want)
	}
}

// compact takes the spaces and the case out of a type's name.
func compact(text string) string {
	return strings.ToLower(strings.Join(strings.Fields(text), ""))
}

// decimal turns a number with physicalType decimal(p,s) into an exact one.
func (n node) decimal(t *Type) {
	if !n.scalar("!!str") || !strings.HasPrefix(compact(n.yaml.Value), "decimal") {
		return
	}
	m := decimalType.FindStringSubmatch(compact(n.yaml.Value))
	if m == nil {
		n.fault("is %q; want decimal(precision,scale) as in decimal(18,2)", n.yaml.Value)
		t.Kind = 0
		return
	}
	t.Kind = Decimal
	t.Precision, _ = strconv.Atoi(m[1]) // two digits
	t.Scale, _ = strconv.Atoi(m[2])
	if t.Precision < 1 || t.Precision > 38 || t.Scale > t.Precision {
		n.fault("is %q; want a precision from 1 to 38 and a scale not above it", n.yaml.Value)
		t.Kind = 0
	}
}

// structType reads the members of an object; one without properties is kept as its JSON text.
func (o object) structType(c *Column, t *Type, s scope, options object) {
	for _, key := range []string{"minProperties", "maxProperties"} {
		options.refuse(key, "the number of members is not checked: remove it, or declare the members as properties")
	}
	v, ok := o.get("properties")
	if !ok {
		options.refuse("required", "the object's members are not declared: add properties")
		return
	}
	items := v.list()
	switch {
	case len(items) == 0 && v.yaml.Kind == sequenceNode:
		v.fault("is empty: declare members, or leave properties out to keep the object's JSON text")
	case len(items) > maxColumns:
		v.fault("are %d members; want at most %d", len(items), maxColumns)
	}
	if len(items) == 0 || len(items) > maxColumns {
		t.Kind = 0
		return
	}
	t.Kind = Struct
	inner := scope{path: c.Path, depth: s.depth + 1, strict: c.Strict, classification: c.Classification}
	var at []columnNode
	for _, item := range items {
		field, place := item.column(inner)
		t.Fields, at = append(t.Fields, field), append(at, place)
	}
	distinct(t.Fields, at)
	if required, ok := options.get("required"); ok {
		for _, item := range required.list() {
			name, ok := item.nonEmpty()
			i := slices.IndexFunc(t.Fields, func(f Column) bool { return f.Member == name })
			switch {
			case !ok:
			case i < 0:
				item.fault("no property is named %q; %s", name, suggestion(name, members(t.Fields)))
			default:
				t.Fields[i].Required = true
			}
		}
	}
}

func members(columns []Column) []string {
	names := make([]string, len(columns))
	for i, c := range columns {
		names[i] = c.Member
	}
	return names
}

// listType reads the items of an array; one without items is kept as its JSON text.
func (o object) listType(c *Column, t *Type, s scope, options object) {
	v, ok := o.get("items")
	if !ok {
		for _, key := range []string{"minItems", "maxItems", "uniqueItems"} {
			options.refuse(key, "the array's items are not declared, it is kept as JSON text: add items")
		}
		return
	}
	t.Kind = List
	element, _ := v.column(scope{depth: s.depth + 1, strict: c.Strict, classification: c.Classification, element: true})
	t.Elem = &element
	k := &c.Constraints
	k.MinItems = options.count("minItems")
	k.MaxItems = options.count("maxItems")
	if k.MinItems != nil && k.MaxItems != nil && *k.MinItems > *k.MaxItems {
		options.keyFault("minItems", "is above maxItems: no array can have between %d and %d items", *k.MinItems, *k.MaxItems)
	}
	if v, ok := options.get("uniqueItems"); ok {
		k.UniqueItems = v.boolean()
		if kind := element.Type.Kind; k.UniqueItems && (kind == List || kind == Struct || kind == JSON) {
			v.fault("items that are objects or arrays are not compared: remove it")
		}
	}
}

// count reads a length or number of items; nil where there is none.
func (o object) count(key string) *int {
	v, ok := o.get(key)
	if !ok {
		return nil
	}
	n, ok := v.integer(0, math.MaxInt32)
	if !ok {
		return nil
	}
	count := int(n)
	return &count
}

// stringFormats are the formats that are checked, in JSON Schema's names.
var stringFormats = []string{"uuid", "uri", "email", "hostname", "ipv4", "ipv6"}

func (o object) stringOptions(k *Constraints) {
	k.MinLength, k.MaxLength = o.count("minLength"), o.count("maxLength")
	if k.MinLength != nil && k.MaxLength != nil && *k.MinLength > *k.MaxLength {
		o.keyFault("minLength", "is above maxLength: no text has between %d and %d characters", *k.MinLength, *k.MaxLength)
	}
	if v, ok := o.get("pattern"); ok {
		k.Pattern = v.pattern()
	}
	if v, ok := o.get("format"); ok {
		switch v.yaml.Value {
		case "password":
			v.fault("is not checked: remove it, and use classification: restricted to mask the values")
		case "byte", "binary":
			v.fault("is not checked: remove it, and use a pattern where the encoding matters")
		default:
			k.Format, _ = v.oneOf(stringFormats...)
		}
	}
}

// pattern compiles a regular expression. The standard's are ECMA-262's, of which Go's RE2 has all but lookaround and
// backreferences.
func (n node) pattern() *regexp.Regexp {
	text, ok := n.nonEmpty()
	if !ok {
		return nil
	}
	re, err := regexp.Compile(text)
	if err != nil {
		hint := "correct the expression"
		switch {
		case strings.Contains(text, "(?=") || strings.Contains(text, "(?!") || strings.Contains(text, "(?<"):
			hint = "lookaround is not supported (RE2 runs in linear time): say it with a CEL rule"
		case ecmaUnicode.MatchString(text):
			hint = `write a character's number as \x{20AC}, not \u20AC`
		case backreference.MatchString(text):
			hint = "backreferences are not supported (RE2 runs in linear time): say it with a CEL rule"
		}
		n.fault("%v: %s", err, hint)
		return nil
	}
	return re
}

var (
	ecmaUnicode   = regexp.MustCompile(`\\u[0-9A-Fa-f{]`)
	backreference = regexp.MustCompile(`\\[1-9]`)
)

// integerFormats are Rust's integer types, as the standard has them, that fit a bigint.
var integerFormats = map[string][2]int64{
	"i8": {math.MinInt8, math.MaxInt8}, "i16": {math.MinInt16, math.MaxInt16}, "i32": {math.MinInt32, math.MaxInt32},
	"i64": {math.MinInt64, math.MaxInt64}, "u8": {0, math.MaxUint8}, "u16": {0, math.MaxUint16}, "u32": {0, math.MaxUint32},
}

func (o object) numberOptions(k *Constraints, kind Kind) {
	o.bounds(k, func(n node) *big.Rat {
		value, ok := n.number()
		if !ok {
			return nil
		}
		if f, _ := value.Float64(); kind == Double && math.IsInf(f, 0) {
			n.fault("is %s; no double is that large: use another bound, or remove it", n.yaml.Value)
			return nil
		}
		return value
	})
	if v, ok := o.get("multipleOf"); ok {
		if step, ok := v.number(); ok {
			switch {
			case step.Sign() <= 0:
				v.fault("is %s; want a number above 0", v.yaml.Value)
			case kind == Integer && !step.IsInt():
				v.fault("is %s on an integer column; want a whole number", v.yaml.Value)
			default:
				k.MultipleOf = step
			}
		}
	}
	v, ok := o.get("format")
	if !ok {
		return
	}
	if kind != Integer {
		switch format, _ := v.oneOf("f64", "f32"); {
		case format == "f32":
			v.fault("single precision is not supported: write f64, or leave format out")
		case format == "f64" && kind == Decimal:
			v.fault("contradicts physicalType: an exact decimal is no float; remove it")
		}
		return
	}
	switch v.yaml.Value {
	case "u64", "i128", "u128":
		v.fault("%s does not fit a bigint: use logicalType number with physicalType decimal(38,0)", v.yaml.Value)
		return
	}
	format, ok := v.oneOf(sortedKeys(integerFormats)...)
	if !ok || format == "i64" {
		return
	}
	low, high := big.NewRat(integerFormats[format][0], 1), big.NewRat(integerFormats[format][1], 1)
	if k.Minimum == nil || k.Minimum.Cmp(low) < 0 {
		k.Minimum = low
	}
	if k.Maximum == nil || k.Maximum.Cmp(high) > 0 {
		k.Maximum = high
	}
}

// bounds reads minimum, maximum and their exclusive forms in the column's own unit.
func (o object) bounds(k *Constraints, read func(node) *big.Rat) {
	for _, bound := range []struct {
		key string
		to  **big.Rat
	}{
		{"minimum", &k.Minimum}, {"maximum", &k.Maximum},
		{"exclusiveMinimum", &k.ExclusiveMinimum}, {"exclusiveMaximum", &k.ExclusiveMaximum},
	} {
		if v, ok := o.get(bound.key); ok {
			*bound.to = read(v)
		}
	}
	for _, pair := range []struct {
		lowKey, highKey string
		low, high       *big.Rat
		open            bool
	}{
		{"minimum", "maximum", k.Minimum, k.Maximum, false},
		{"minimum", "exclusiveMaximum", k.Minimum, k.ExclusiveMaximum, true},
		{"exclusiveMinimum", "maximum", k.ExclusiveMinimum, k.Maximum, true},
		{"exclusiveMinimum", "exclusiveMaximum", k.ExclusiveMinimum, k.ExclusiveMaximum, true},
	} {
		if pair.low == nil || pair.high == nil {
			continue
		}
		if order := pair.low.Cmp(pair.high); order > 0 || order == 0 && pair.open {
			o.keyFault(pair.lowKey, "leaves no value below %s: correct one of the two", pair.highKey)
		}
	}
}

func (o object) timestampOptions(c *Column, t *Type, custom map[string]node) {
	t.Time.Zone = time.UTC
	if epoch, ok := custom["epoch"]; ok {
		switch unit, _ := epoch.oneOf("seconds", "milliseconds"); unit {
		case "seconds":
			t.Time.Epoch = time.Second
		case "milliseconds":
			t.Time.Epoch = time.Millisecond
		}
		for _, key := range []string{"format", "timezone", "defaultTimezone"} {
			options := "contradicts the property epoch: a number has no text form and is UTC; remove one of the two"
			o.refuse(key, "%s", options)
		}
	}
	offset := true // whether the text itself says its offset from UTC
	if v, ok := o.get("format"); ok {
		offset = false
		if text, ok := v.nonEmpty(); ok {
			p, err := compilePattern(text)
			switch {
			case err != nil:
				v.fault("%v", err)
			case !p.date:
				v.fault("has no year, month and day: a timestamp needs all three")
			default:
				t.Time.Pattern, t.Time.Layout, offset = text, p.layout, p.offset
			}
		}
	}
	if v, ok := o.get("defaultTimezone"); ok {
		if name, ok := v.nonEmpty(); ok {
			zone, err := time.LoadLocation(name)
			switch {
			case err != nil || name == "Local":
				v.fault("is %q; want a name of the IANA time zone database, as in Etc/UTC or Europe/Berlin", name)
			case offset:
				v.fault("contradicts format: every text says its own offset; remove it")
			default:
				t.Time.Zone = zone
			}
		}
	}
	if v, ok := o.get("timezone"); ok && v.scalar("!!bool") {
		switch said := v.boolean(); {
		case said && !offset:
			v.fault("contradicts format, which has no offset (X, XXX, x or Z): add one, or write timezone: false")
		case !said && offset:
			v.fault("contradicts format: every text says its offset; write timezone: true, or a format without one")
		}
	} else if ok {
		v.boolean()
	}
	o.bounds(&c.Constraints, func(n node) *big.Rat {
		at, ok := n.moment(time.RFC3339Nano, "a timestamp as in \"2020-01-31T00:00:00Z\"")
		if !ok {
			return nil
		}
		// Exact, so that a bound finer than a millisecond keeps its meaning.
		return new(big.Rat).Add(
			big.NewRat(at.Unix(), 1).Mul(big.NewRat(at.Unix(), 1), big.NewRat(1000, 1)), big.NewRat(int64(at.Nanosecond()), 1e6))
	})
}

func (o object) dateOptions(c *Column, t *Type) {
	t.Time.Zone = time.UTC
	if v, ok := o.get("format"); ok {
		if text, ok := v.nonEmpty(); ok {
			p, err := compilePattern(text)
			switch {
			case err != nil:
				v.fault("%v", err)
			case !p.date:
				v.fault("has no year, month and day: a date needs all three")
			case text != "yyyy-MM-dd":
				t.Time.Pattern, t.Time.Layout = text, p.layout
			}
		}
	}
	o.bounds(&c.Constraints, func(n node) *big.Rat {
		at, ok := n.moment(time.DateOnly, "a date as in \"2020-01-31\"")
		if !ok {
			return nil
		}
		day := time.Date(at.Year(), at.Month(), at.Day(), 0, 0, 0, 0, time.UTC)
		return big.NewRat(day.Unix()/86400, 1)
	})
}

// moment reads a bound, in the standard form: tools that check the table by the contract know no other.
func (n node) moment(layout, what string) (time.Time, bool) {
	if n.scalar("!!timestamp") {
		n.fault("is %s; want it in quotes, because YAML readers turn it into other things than text", n.describe())
		return time.Time{}, false
	}
	text, ok := n.nonEmpty()
	if !ok {
		return time.Time{}, false
	}
	at, err := time.Parse(layout, text)
	if err != nil {
		n.fault("is %q; want %s", text, what)
	}
	return at, err == nil
}
