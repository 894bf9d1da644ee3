package parquet

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	format "github.com/xitongsys/parquet-go/parquet"
	"github.com/xitongsys/parquet-go/schema"

	"tributary/shared/contract"
)

const (
	rootName = "schema"

	// pathSeparator is how the library's schema handler joins the names of a path.
	pathSeparator = "\x01"

	// maxInt64Digits is the widest decimal whose unscaled value always fits an INT64; maxDigits is what Athena takes.
	maxInt64Digits = 18
	maxDigits      = 38
	decimalBytes   = 16

	// maxLevels keeps repetition and definition levels within the byte that record stores them in.
	maxLevels = 255
)

// leaf is one primitive column of the file: what has pages, statistics and a dictionary of its own.
type leaf struct {
	path   []string // external names below the root, as column metadata wants them
	kind   contract.Kind
	typ    format.Type
	width  int // bytes of a value in PLAIN form; 0 for values that carry their length, and for BOOLEAN
	maxDef int
	maxRep int
}

func (l *leaf) name() string { return strings.Join(l.path, ".") }

// flat reports whether every row has exactly one slot in the leaf, so that a bitmap says which are null.
func (l *leaf) flat() bool { return l.maxDef == 1 && l.maxRep == 0 }

// tree is a file's schema: the elements as the footer lists them, and the leaves in the order of a batch's vectors.
type tree struct {
	elements []*format.SchemaElement
	leaves   []leaf
}

// newTree builds the schema of columns. It reports every fault it finds.
func newTree(columns []contract.Column) (*tree, error) {
	b := builder{}
	b.root(columns)
	if len(b.faults) > 0 {
		return nil, errors.Join(b.faults...)
	}
	leaves, err := readLeaves(b.elements, contract.Leaves(columns))
	if err != nil {
		return nil, err
	}
	return &tree{elements: b.elements, leaves: leaves}, nil
}

// readLeaves takes paths, levels and types from the library's reading of the elements, and refuses a schema whose
// leaves are not those that record fills.
func readLeaves(elements []*format.SchemaElement, want []contract.Leaf) ([]leaf, error) {
	handler := schema.NewSchemaHandlerFromSchemaList(elements)
	if len(handler.ValueColumns) != len(want) {
		return nil, fmt.Errorf("schema has %d leaves, the contract %d", len(handler.ValueColumns), len(want))
	}
	leaves := make([]leaf, len(want))
	for i, inner := range handler.ValueColumns {
		names := strings.Split(inner, pathSeparator)
		def, err := handler.MaxDefinitionLevel(names)
		if err != nil {
			return nil, fmt.Errorf("read definition level of leaf %d: %w", i, err)
		}
		rep, err := handler.MaxRepetitionLevel(names)
		if err != nil {
			return nil, fmt.Errorf("read repetition level of leaf %d: %w", i, err)
		}
		element := elements[handler.MapIndex[inner]]
		l := leaf{
			path:   strings.Split(handler.InPathToExPath[inner], pathSeparator)[1:],
			kind:   want[i].Column.Type.Kind,
			typ:    element.GetType(),
			width:  plainWidth(element),
			maxDef: int(def),
			maxRep: int(rep),
		}
		if !slices.Equal(l.path, want[i].Path) || l.maxDef != want[i].MaxDef || l.maxRep != want[i].MaxRep {
			return nil, fmt.Errorf("leaf %d is %s (levels %d, %d) in the schema, %s (levels %d, %d) in the contract",
				i, l.name(), l.maxDef, l.maxRep, strings.Join(want[i].Path, "."), want[i].MaxDef, want[i].MaxRep)
		}
		if l.maxDef > maxLevels {
			return nil, fmt.Errorf("column %s: nested %d levels deep, the limit is %d", l.name(), l.maxDef, maxLevels)
		}
		leaves[i] = l
	}
	return leaves, nil
}

func plainWidth(e *format.SchemaElement) int {
	switch e.GetType() {
	case format.Type_INT32:
		return 4
	case format.Type_INT64, format.Type_DOUBLE:
		return 8
	case format.Type_FIXED_LEN_BYTE_ARRAY:
		return int(e.GetTypeLength())
	default:
		return 0
	}
}

// builder turns columns into schema elements, depth first. Optional thrift fields are pointers: each gets a variable
// of its own, and stays nil where it means nothing.
type builder struct {
	elements []*format.SchemaElement
	faults   []error
}

func (b *builder) fault(path, message string, args ...any) {
	b.faults = append(b.faults, fmt.Errorf("column %s: "+message, append([]any{path}, args...)...))
}

func (b *builder) root(columns []contract.Column) {
	if len(columns) == 0 {
		b.faults = append(b.faults, errors.New("schema has no columns"))
		return
	}
	b.elements = append(b.elements, &format.SchemaElement{Name: rootName, NumChildren: ptr(int32(len(columns)))})
	b.siblings("", columns)
}

func (b *builder) siblings(parent string, columns []contract.Column) {
	// The library joins capitalised names into paths, and Athena folds case: both would take two such names for one.
	seen := make(map[string]bool, len(columns))
	for i := range columns {
		path := columns[i].Name
		if parent != "" {
			path = parent + "." + path
		}
		folded := strings.ToLower(columns[i].Name)
		switch {
		case folded == "":
			b.fault(parent+"["+strconv.Itoa(i)+"]", "has no name")
		case seen[folded]:
			b.fault(path, "occurs twice")
		}
		seen[folded] = true
		b.column(path, &columns[i])
	}
}

func (b *builder) column(path string, c *contract.Column) {
	e := &format.SchemaElement{Name: c.Name, RepetitionType: ptr(format.FieldRepetitionType_OPTIONAL)}
	b.elements = append(b.elements, e)
	switch t := &c.Type; t.Kind {
	case contract.String, contract.JSON:
		e.Type = ptr(format.Type_BYTE_ARRAY)
		e.ConvertedType = ptr(format.ConvertedType_UTF8)
		e.LogicalType = &format.LogicalType{STRING: format.NewStringType()}
	case contract.Integer:
		e.Type = ptr(format.Type_INT64)
	case contract.Double:
		e.Type = ptr(format.Type_DOUBLE)
	case contract.Boolean:
		e.Type = ptr(format.Type_BOOLEAN)
	case contract.Date:
		e.Type = ptr(format.Type_INT32)
		e.ConvertedType = ptr(format.ConvertedType_DATE)
		e.LogicalType = &format.LogicalType{DATE: format.NewDateType()}
	case contract.Timestamp:
		e.Type = ptr(format.Type_INT64)
		e.ConvertedType = ptr(format.ConvertedType_TIMESTAMP_MILLIS)
		e.LogicalType = &format.LogicalType{TIMESTAMP: &format.TimestampType{
			IsAdjustedToUTC: true, Unit: &format.TimeUnit{MILLIS: format.NewMilliSeconds()},
		}}
	case contract.Decimal:
		b.decimal(path, e, t)
	case contract.List:
		b.list(path, e, t)
	case contract.Struct:
		if len(t.Fields) == 0 {
			b.fault(path, "struct has no fields")
			return
		}
		e.NumChildren = ptr(int32(len(t.Fields)))
		b.siblings(path, t.Fields)
	default:
		b.fault(path, "kind %d is not known", t.Kind)
	}
}

func (b *builder) decimal(path string, e *format.SchemaElement, t *contract.Type) {
	if t.Precision < 1 || t.Precision > maxDigits {
		b.fault(path, "decimal(%d,%d): precision must lie in 1…%d", t.Precision, t.Scale, maxDigits)
	}
	if t.Scale < 0 || t.Scale > t.Precision {
		b.fault(path, "decimal(%d,%d): scale must lie in 0…precision", t.Precision, t.Scale)
	}
	if t.Precision <= maxInt64Digits {
		e.Type = ptr(format.Type_INT64)
	} else {
		e.Type = ptr(format.Type_FIXED_LEN_BYTE_ARRAY)
		e.TypeLength = ptr(int32(decimalBytes))
	}
	e.ConvertedType = ptr(format.ConvertedType_DECIMAL)
	e.Precision = ptr(int32(t.Precision))
	e.Scale = ptr(int32(t.Scale))
	e.LogicalType = &format.LogicalType{DECIMAL: &format.DecimalType{Precision: int32(t.Precision), Scale: int32(t.Scale)}}
}

// list writes the three levels that every reader takes for a list with nullable elements, whatever the element is.
func (b *builder) list(path string, e *format.SchemaElement, t *contract.Type) {
	if t.Elem == nil {
		b.fault(path, "list has no element type")
		return
	}
	e.NumChildren = ptr(int32(1))
	e.ConvertedType = ptr(format.ConvertedType_LIST)
	e.LogicalType = &format.LogicalType{LIST: format.NewListType()}
	b.elements = append(b.elements, &format.SchemaElement{
		Name: "list", RepetitionType: ptr(format.FieldRepetitionType_REPEATED), NumChildren: ptr(int32(1)),
	})
	element := *t.Elem
	element.Name = "element"
	b.column(path+".element", &element)
}

func ptr[T any](v T) *T { return &v }

// SchemaText renders the Parquet schema of columns in the message syntax that parquet tools print, for reviews and
// golden files.
func SchemaText(columns []contract.Column) (string, error) {
	t, err := newTree(columns)
	if err != nil {
		return "", fmt.Errorf("build parquet schema: %w", err)
	}
	var b strings.Builder
	fmt.Fprintf(&b, "message %s {\n", rootName)
	rest := t.elements[1:]
	for range t.elements[0].GetNumChildren() {
		rest = writeElement(&b, rest, "  ")
	}
	b.WriteString("}\n")
	return b.String(), nil
}

// writeElement renders the first of elements with all below it, and returns those behind.
func writeElement(b *strings.Builder, elements []*format.SchemaElement, indent string) []*format.SchemaElement {
	e, rest := elements[0], elements[1:]
	b.WriteString(indent + strings.ToLower(e.GetRepetitionType().String()) + " ")
	if e.Type == nil {
		b.WriteString("group " + e.Name + annotation(e) + " {\n")
		for range e.GetNumChildren() {
			rest = writeElement(b, rest, indent+"  ")
		}
		b.WriteString(indent + "}\n")
		return rest
	}
	name := strings.ToLower(e.Type.String())
	if *e.Type == format.Type_BYTE_ARRAY {
		name = "binary"
	}
	if e.TypeLength != nil {
		name += "(" + strconv.Itoa(int(*e.TypeLength)) + ")"
	}
	b.WriteString(name + " " + e.Name + annotation(e) + ";\n")
	return rest
}

func annotation(e *format.SchemaElement) string {
	switch l := e.LogicalType; {
	case l == nil:
		return ""
	case l.STRING != nil:
		return " (STRING)"
	case l.DATE != nil:
		return " (DATE)"
	case l.LIST != nil:
		return " (LIST)"
	case l.TIMESTAMP != nil:
		return fmt.Sprintf(" (TIMESTAMP(MILLIS,%t))", l.TIMESTAMP.IsAdjustedToUTC)
	case l.DECIMAL != nil:
		return fmt.Sprintf(" (DECIMAL(%d,%d))", l.DECIMAL.Precision, l.DECIMAL.Scale)
	default:
		return " (?)"
	}
}
