package contract

import (
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

var decimalType = regexp.MustCompile(`^decimal\(([0-9]{1,2}),([0-9]{1,2})\)$`)

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
		options.numberOptions(&c.Constraints, t)
	case "number":
		t.Kind = Double
		if v, ok := o.get("physicalType"); ok {
			v.decimal(&t)
		}
		read("multipleOf", "maximum", "exclusiveMaximum", "minimum", "exclusiveMinimum", "format")
		options.numberOptions(&c.Constraints, t)
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

// compared reports whether values of the type are compared with each other. A type that could not be read counts, so
// that its fault is not followed by others.
func (t Type) compared() bool { return t.Kind != List && t.Kind != Struct && t.Kind != JSON }

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
	for i, f := range t.Fields {
		if first := slices.IndexFunc(t.Fields, func(other Column) bool { return other.Member == f.Member }); first < i && f.Member != "" && f.Name != t.Fields[first].Name {
			at[i].members["name"].fault("the member %s is read twice, first in line %d: remove one", f.Member, t.Fields[first].Line)
		}
	}
	if required, ok := options.get("required"); ok {
		items := required.list()
		if len(items) == 0 && required.yaml.Kind == sequenceNode {
			required.fault("is empty: list the members that are required, or leave the key out")
		}
		for _, item := range items {
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
		if k.UniqueItems && !element.Type.compared() {
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
