package describe

import (
	"encoding/json"
	"fmt"
	"math/big"
	"slices"
	"time"

	"tributary/shared/contract"
)

// Schema writes a JSON Schema of the records that the source sends.
func Schema(c *contract.Contract) ([]byte, error) {
	root := object{"$schema": "https://json-schema.org/draft/2020-12/schema", "title": c.Dataset, "type": "object"}
	if c.Description != "" {
		root["description"] = c.Description
	}
	for i := range c.Columns {
		if col := &c.Columns[i]; col.Derived == nil {
			root.put(col.Path, col)
		}
	}
	text, err := json.MarshalIndent(root, "", "  ")
	if err != nil {
		return nil, fmt.Errorf("write JSON Schema of %s: %w", c.Dataset, err)
	}
	return append(text, '\n'), nil
}

// object is a schema.
type object map[string]any

// put describes a column where its value is, and what lies on the way.
func (o object) put(path []string, col *contract.Column) {
	if len(path) == 0 {
		return
	}
	properties, ok := o["properties"].(object)
	if !ok {
		properties = object{}
		o["properties"] = properties
	}
	if len(path) == 1 {
		if _, taken := properties[path[0]]; !taken { // of several columns of one value the first describes it
			properties[path[0]] = describe(col)
		}
		if col.Required {
			o.require(path[0])
		}
		return
	}
	inner, ok := properties[path[0]].(object)
	if !ok || inner["type"] == nil {
		inner = object{"type": []string{"object", "null"}}
		properties[path[0]] = inner
	}
	inner.put(path[1:], col)
}

func (o object) require(name string) {
	names, _ := o["required"].([]string)
	if !slices.Contains(names, name) {
		o["required"] = append(names, name)
	}
}

// describe is the schema of a column's value. Missing equals null, so what is not required may be null too.
func describe(col *contract.Column) object {
	o := object{}
	if col.Description != "" {
		o["description"] = col.Description
	}
	types := typesOf(col, o)
	if types != nil {
		if !col.Required {
			types = append(types, "null")
		}
		if len(types) == 1 {
			o["type"] = types[0]
		} else {
			o["type"] = types
		}
	}
	limit(col, o)
	return o
}

// typesOf names the JSON types of a column's values; nil where any will do.
func typesOf(col *contract.Column, o object) []string {
	switch col.Type.Kind {
	case contract.String:
		return []string{"string"}
	case contract.Boolean:
		return []string{"boolean"}
	case contract.Integer:
		return numeric(col, "integer")
	case contract.Double, contract.Decimal:
		return numeric(col, "number")
	case contract.Timestamp, contract.Date:
		if col.Type.Time.Epoch != 0 {
			return numeric(col, "number")
		}
		switch {
		case col.Type.Time.Pattern != "":
			o["$comment"] = "written " + col.Type.Time.Pattern
		case col.Type.Kind == contract.Date:
			o["format"] = "date"
		default:
			o["format"] = "date-time"
		}
		return []string{"string"}
	case contract.List:
		o["items"] = describe(col.Type.Elem)
		return []string{"array"}
	case contract.Struct:
		for i := range col.Type.Fields {
			f := &col.Type.Fields[i]
			o.put([]string{f.Member}, f)
		}
		return []string{"object"}
	default: // JSON text of anything
		return nil
	}
}

// numeric adds texts that are numbers, unless the column is strict.
func numeric(col *contract.Column, name string) []string {
	if col.Strict {
		return []string{name}
	}
	return []string{name, "string"}
}

// limit writes the constraints that JSON Schema knows. It ignores those of numbers on texts, as we do not.
func limit(col *contract.Column, o object) {
	k := &col.Constraints
	timed := col.Type.Kind == contract.Timestamp || col.Type.Kind == contract.Date
	for name, b := range map[string]*big.Rat{
		"minimum": k.Minimum, "maximum": k.Maximum, "exclusiveMinimum": k.ExclusiveMinimum, "exclusiveMaximum": k.ExclusiveMaximum, "multipleOf": k.MultipleOf,
	} {
		switch {
		case b == nil:
		case !timed:
			o[name] = json.Number(plain(b))
		case col.Type.Kind == contract.Timestamp && col.Type.Time.Epoch != 0: // bounds are in milliseconds
			o[name] = json.Number(plain(new(big.Rat).Quo(b, big.NewRat(int64(col.Type.Time.Epoch/time.Millisecond), 1))))
		}
	}
	for name, n := range map[string]*int{"minLength": k.MinLength, "maxLength": k.MaxLength, "minItems": k.MinItems, "maxItems": k.MaxItems} {
		if n != nil {
			o[name] = *n
		}
	}
	if k.Pattern != nil {
		o["pattern"] = k.Pattern.String()
	}
	if k.Format != "" {
		o["format"] = k.Format
	}
	if k.UniqueItems {
		o["uniqueItems"] = true
	}
	if len(k.Enum) > 0 {
		o["enum"] = enum(col)
	}
	if len(k.Missing) > 0 {
		o["not"] = object{"enum": k.Missing}
	}
}

// enum are the values allowed, as JSON; null is one where the column need not be there.
func enum(col *contract.Column) []any {
	var values []any
	for _, text := range col.Constraints.Enum {
		if col.Type.Kind == contract.Integer {
			values = append(values, json.Number(text))
		} else {
			values = append(values, text)
		}
	}
	if !col.Required {
		values = append(values, nil)
	}
	return values
}
