package glue

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// Kind is a kind of type.
type Kind int

// The kinds that contracts and the tables of rejects and audit use.
const (
	String Kind = iota + 1
	Int
	BigInt
	Double
	Boolean
	Timestamp // milliseconds, UTC
	Date
	Decimal
	Array
	Struct
)

var simple = map[string]Kind{
	"string": String, "int": Int, "bigint": BigInt, "double": Double, "boolean": Boolean, "timestamp": Timestamp, "date": Date,
}

// Type is a type as Hive, Glue and Athena have it.
type Type struct {
	Kind             Kind
	Precision, Scale int     // of a Decimal
	Elem             *Type   // of an Array
	Fields           []Field // of a Struct
}

// Field is a field of a struct.
type Field struct {
	Name string
	Type Type
}

// String is the type in Hive's spelling.
func (t Type) String() string {
	switch t.Kind {
	case Decimal:
		return fmt.Sprintf("decimal(%d,%d)", t.Precision, t.Scale)
	case Array:
		return "array<" + t.Elem.String() + ">"
	case Struct:
		fields := make([]string, len(t.Fields))
		for i, f := range t.Fields {
			fields[i] = f.Name + ":" + f.Type.String()
		}
		return "struct<" + strings.Join(fields, ",") + ">"
	default:
		for name, kind := range simple {
			if kind == t.Kind {
				return name
			}
		}
		return fmt.Sprintf("Kind(%d)", t.Kind)
	}
}

// ParseType reads a type in Hive's spelling.
func ParseType(text string) (Type, error) {
	p := parser{rest: text}
	t, err := p.typ()
	if err == nil && p.rest != "" {
		err = fmt.Errorf("%q follows it", p.rest)
	}
	if err != nil {
		return Type{}, fmt.Errorf("read Glue type %q: %w", text, err)
	}
	return t, nil
}

type parser struct{ rest string }

func (p *parser) typ() (Type, error) {
	name := p.until("<>(),:")
	switch {
	case simple[name] != 0:
		return Type{Kind: simple[name]}, nil
	case name == "decimal":
		return p.decimal()
	case name == "array":
		if err := p.take("<"); err != nil {
			return Type{}, err
		}
		elem, err := p.typ()
		if err != nil {
			return Type{}, err
		}
		return Type{Kind: Array, Elem: &elem}, p.take(">")
	case name == "struct":
		return p.structure()
	}
	return Type{}, fmt.Errorf("%q is not among the types that are known here: string, int, bigint, double, boolean, timestamp, date, decimal, array, struct", name)
}

func (p *parser) decimal() (Type, error) {
	if err := p.take("("); err != nil {
		return Type{}, err
	}
	precision, err := strconv.Atoi(p.until(",)"))
	if err != nil {
		return Type{}, errors.New("a decimal is written decimal(precision,scale)")
	}
	if err := p.take(","); err != nil {
		return Type{}, err
	}
	scale, err := strconv.Atoi(p.until(")"))
	if err != nil {
		return Type{}, errors.New("a decimal is written decimal(precision,scale)")
	}
	if precision < 1 || precision > 38 || scale < 0 || scale > precision {
		return Type{}, fmt.Errorf("decimal(%d,%d) is beyond 38 digits, or has more of them behind the point than there are", precision, scale)
	}
	return Type{Kind: Decimal, Precision: precision, Scale: scale}, p.take(")")
}

func (p *parser) structure() (Type, error) {
	t := Type{Kind: Struct}
	for separator := "<"; ; separator = "," {
		if err := p.take(separator); err != nil {
			return Type{}, err
		}
		name := p.until(":<>")
		if name == "" {
			return Type{}, errors.New("a struct's fields are written name:type")
		}
		if err := p.take(":"); err != nil {
			return Type{}, err
		}
		field, err := p.typ()
		if err != nil {
			return Type{}, err
		}
		t.Fields = append(t.Fields, Field{name, field})
		if !strings.HasPrefix(p.rest, ",") {
			return t, p.take(">")
		}
	}
}

// until takes everything before the first of the characters.
func (p *parser) until(characters string) string {
	end := strings.IndexAny(p.rest, characters)
	if end < 0 {
		end = len(p.rest)
	}
	text := p.rest[:end]
	p.rest = p.rest[end:]
	return text
}

func (p *parser) take(text string) error {
	if !strings.HasPrefix(p.rest, text) {
		return fmt.Errorf("want %q before %q", text, p.rest)
	}
	p.rest = p.rest[len(text):]
	return nil
}
