package contract

import (
	"regexp"
	"slices"
	"strings"
)

const (
	partitionColumn = "dt"
	maxNesting      = 8       // objects and lists below a column
	maxColumns      = 500     // of a dataset; also members of an object
	maxLeaves       = 2000    // columns, members and items in the files: each costs memory while a file is written
	maxGlueType     = 131_072 // what Glue keeps of a column's type, in bytes
)

var (
	columnName         = regexp.MustCompile(`^[a-z][a-z0-9_]{0,127}$`)
	columnProperties   = []string{"epoch", "strict"}
	contractProperties = []string{"source", "serving", "rejectThresholdPercent", "strict"}
	classifications    = []string{"public", "internal", "confidential", "restricted"}
)

// columnNode is where a column stands in the file.
type columnNode struct {
	object
	unique    bool
	brokenKey bool   // its place in the primary key could not be read
	valid     []node // the values that are listed as valid
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
	}
	for _, item := range items {
		column, at := item.column(scope{strict: strict})
		b.c.Columns = append(b.c.Columns, column)
		b.columns = append(b.columns, at)
	}
	distinct(b.c.Columns, b.columns)
	b.index = map[string]int{}
	for i, c := range b.c.Columns {
		if _, twice := b.index[c.Name]; !twice && c.Name != "" {
			b.index[c.Name] = i
		}
	}
	if b.size(n) {
		b.places()
	}
}

// size refuses what does not fit into the catalog, and more than a file is written with.
func (b *builder) size(n node) bool {
	leaves := 0
	for i := range b.c.Columns {
		t := b.c.Columns[i].Type
		if !complete(t) {
			continue
		}
		if glue := len(t.Glue()); glue > maxGlueType {
			b.columns[i].fault("has a type of %d characters in Glue, which keeps %d: declare fewer members, or keep the value as JSON text", glue, maxGlueType)
		}
		leaves += len(Leaves(b.c.Columns[i : i+1]))
	}
	if leaves > maxLeaves {
		n.fault("have %d members and items in all; want at most %d: keep what is rarely read as JSON text", leaves, maxLeaves)
	}
	return leaves <= maxLeaves
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
			n.d.classified[n.path] = v
			c.Classification = class
		}
	}
	custom := o.customProperties(columnProperties)
	strict, ruled := custom["strict"]
	if ruled {
		c.Strict = strict.boolean()
	}

	o.name(&c, s)
	o.place(&c, s)
	o.key(&c, &at, s)
	o.columnType(&c, s, custom)
	if v, ok := o.get("examples"); ok {
		o.examples(v, &c)
	}
	if ruled && strict.scalar("!!bool") && complete(c.Type) && (o.has("transformLogic") || !numeric(c.Type)) {
		strict.fault("says nothing: strict is about numbers in quotes, and the column reads none; remove it")
	}
	return c, at
}

// numeric reports whether values of the type are read from JSON numbers, somewhere in it.
func numeric(t Type) bool {
	switch t.Kind {
	case Integer, Double, Decimal:
		return true
	case Timestamp:
		return t.Time.Epoch != 0
	case List:
		return numeric(t.Elem.Type)
	case Struct:
		return slices.ContainsFunc(t.Fields, func(f Column) bool { return numeric(f.Type) })
	default:
		return false
	}
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
		at.brokenKey = true
		o.keyFault("primaryKeyPosition", "the column is not in the primary key: add primaryKey: true or remove the position")
	case ok:
		n, ok := position.integer(1, 16)
		c.Key, at.brokenKey = int(n), !ok
	case primary:
		at.brokenKey = true
		o.keyFault("primaryKey", "primaryKeyPosition is missing: number the columns of the key from 1")
	}
}
