package collect

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/parquet-go/parquet-go"

	"tributary/infra/lakefile"
	"tributary/infra/local/screen"
	"tributary/shared/contract"
	"tributary/shared/mask"
)

// sample reads the first rows of a file: keys and served columns first, then the others in the contract's order.
func sample(file *parquet.File, c *contract.Contract, m mask.Mask, count int) (*screen.Table, error) {
	leaves := contract.Leaves(c.Columns)
	if found := len(file.Schema().Columns()); found != len(leaves) {
		return nil, fmt.Errorf("the file has %d columns, the contract %d", found, len(leaves))
	}
	order := make([]int, len(leaves))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int {
		return cmp.Compare(prominence(c, leaves[a].Top), prominence(c, leaves[b].Top))
	})
	t := &screen.Table{}
	for _, i := range order {
		t.Columns = append(t.Columns, screen.Column{Name: leafName(leaves[i]), Right: isNumber(leaves[i])})
	}
	rows, err := lakefile.FirstRows(file, count)
	if err != nil {
		return nil, err
	}
	for _, row := range rows {
		cells := make([]string, len(leaves))
		for _, v := range row {
			i := v.Column()
			text := ""
			if !v.IsNull() {
				text = format(v, leaves[i].Column)
			}
			if cells[i] != "" {
				text = cells[i] + ", " + text
			}
			cells[i] = text
		}
		shown := make([]string, len(leaves))
		for place, i := range order {
			shown[place] = cells[i]
			if leaves[i].Column.Masked() || m.Column(c.Columns[leaves[i].Top].Name) {
				shown[place] = mask.Hidden
			}
		}
		t.Rows = append(t.Rows, shown)
	}
	return t, nil
}

// prominence is how far to the front of the sample a column belongs.
func prominence(c *contract.Contract, top int) int {
	col := &c.Columns[top]
	if s := c.Serving; s != nil {
		switch {
		case col.Name == s.PartitionKey:
			return 0
		case col.Name == s.SortKey:
			return 1
		case slices.Contains(s.Attributes, col.Name):
			return 3
		case col.Name == s.Version:
			return 4
		}
	}
	if col.Key > 0 && col.Derived == nil {
		return 2
	}
	return 5
}

// leafName is the path of a leaf without what Parquet puts around the elements of lists.
func leafName(l contract.Leaf) string {
	var names []string
	for i, name := range l.Path {
		if l.MaxRep > 0 && i > 0 && (name == "list" || name == "element") {
			continue
		}
		names = append(names, name)
	}
	return strings.Join(names, ".")
}

func isNumber(l contract.Leaf) bool {
	switch l.Column.Type.Kind {
	case contract.Integer, contract.Double, contract.Decimal:
		return l.MaxRep == 0
	default:
		return false
	}
}

func format(v parquet.Value, c *contract.Column) string {
	switch c.Type.Kind {
	case contract.Integer:
		return strconv.FormatInt(v.Int64(), 10)
	case contract.Double:
		return strconv.FormatFloat(v.Double(), 'f', -1, 64)
	case contract.Decimal:
		return lakefile.Decimal(v, c.Type.Scale)
	case contract.Boolean:
		return strconv.FormatBool(v.Boolean())
	case contract.Timestamp:
		return time.UnixMilli(v.Int64()).UTC().Format("2006-01-02 15:04:05.000")
	case contract.Date:
		return time.Unix(int64(v.Int32())*86400, 0).UTC().Format(time.DateOnly)
	default:
		return string(v.ByteArray())
	}
}
