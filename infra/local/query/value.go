//go:build cgo

package query

import (
	"encoding/hex"
	"fmt"
	"math"
	"math/big"
	"strconv"
	"strings"
	"time"

	"github.com/duckdb/duckdb-go/v2"
)

func isNumber(info duckdb.TypeInfo) bool {
	switch info.InternalType() {
	case duckdb.TYPE_TINYINT, duckdb.TYPE_SMALLINT, duckdb.TYPE_INTEGER, duckdb.TYPE_BIGINT, duckdb.TYPE_HUGEINT, duckdb.TYPE_UTINYINT,
		duckdb.TYPE_USMALLINT, duckdb.TYPE_UINTEGER, duckdb.TYPE_UBIGINT, duckdb.TYPE_UHUGEINT, duckdb.TYPE_FLOAT, duckdb.TYPE_DOUBLE, duckdb.TYPE_DECIMAL:
		return true
	default:
		return false
	}
}

// text is a value of the column as text: nested ones are JSON, and times are of ISO 8601 where a machine reads them.
func (c column) text(v any, machine bool) string {
	switch v := v.(type) {
	case string:
		return v
	case time.Time:
		if machine {
			return moment(v, c.info.InternalType(), "T", "Z")
		}
		return moment(v, c.info.InternalType(), " ", "")
	case []any, map[string]any, duckdb.OrderedMap, duckdb.Union:
		return jsonOf(v, c.info)
	default:
		text, _ := scalar(v, c.info)
		return text
	}
}

// json is a value of the column as JSON, its numbers to the last digit.
func (c column) json(v any) string {
	if text, ok := v.(string); ok && c.isJSON {
		return text
	}
	return jsonOf(v, c.info)
}

func jsonOf(v any, info duckdb.TypeInfo) string {
	switch v := v.(type) {
	case nil:
		return "null"
	case time.Time:
		return jsonText(moment(v, info.InternalType(), "T", "Z"))
	case []any:
		var element duckdb.TypeInfo
		switch d := info.Details().(type) {
		case *duckdb.ListDetails:
			element = d.Child
		case *duckdb.ArrayDetails:
			element = d.Child
		}
		items := make([]string, len(v))
		for i, item := range v {
			items[i] = jsonOf(item, element)
		}
		return "[" + strings.Join(items, ", ") + "]"
	case map[string]any:
		return structOf(v, info)
	case duckdb.OrderedMap:
		return mapOf(v, info)
	case duckdb.Union:
		return unionOf(v, info)
	default:
		text, number := scalar(v, info)
		if number {
			return text
		}
		return jsonText(text)
	}
}

// structOf writes the fields in the order of the type.
func structOf(v map[string]any, info duckdb.TypeInfo) string {
	details, ok := info.Details().(*duckdb.StructDetails)
	if !ok {
		return jsonText(fmt.Sprint(v))
	}
	fields := make([]string, len(details.Entries))
	for i, e := range details.Entries {
		fields[i] = jsonText(e.Name()) + ": " + jsonOf(v[e.Name()], e.Info())
	}
	return "{" + strings.Join(fields, ", ") + "}"
}

func mapOf(v duckdb.OrderedMap, info duckdb.TypeInfo) string {
	details, ok := info.Details().(*duckdb.MapDetails)
	if !ok {
		return jsonText(v.String())
	}
	entries := make([]string, v.Len())
	for i, key := range v.Keys() {
		name := jsonOf(key, details.Key)
		if !strings.HasPrefix(name, `"`) {
			name = jsonText(name)
		}
		entries[i] = name + ": " + jsonOf(v.Values()[i], details.Value)
	}
	return "{" + strings.Join(entries, ", ") + "}"
}

func unionOf(v duckdb.Union, info duckdb.TypeInfo) string {
	if details, ok := info.Details().(*duckdb.UnionDetails); ok {
		for _, m := range details.Members {
			if m.Name == v.Tag {
				return jsonOf(v.Value, m.Type)
			}
		}
	}
	return jsonText(fmt.Sprint(v.Value))
}

// scalar is a value that holds no others, and whether it is a number or truth value as JSON has them.
func scalar(v any, info duckdb.TypeInfo) (text string, bare bool) {
	switch v := v.(type) {
	case bool:
		return strconv.FormatBool(v), true
	case float32:
		return float(float64(v), 32)
	case float64:
		return float(v, 64)
	case duckdb.Decimal:
		return decimal(v), true
	case *big.Int:
		return v.String(), true
	case int8, int16, int32, int64, int, uint8, uint16, uint32, uint64, uint:
		return fmt.Sprint(v), true
	case []byte:
		if info.InternalType() == duckdb.TYPE_UUID && len(v) == 16 {
			return fmt.Sprintf("%x-%x-%x-%x-%x", v[:4], v[4:6], v[6:8], v[8:10], v[10:]), false
		}
		return `\x` + hex.EncodeToString(v), false
	case duckdb.Interval:
		return interval(v), false
	default:
		return fmt.Sprint(v), false
	}
}

// float writes the shortest digits that give the same number, with an exponent only where it is far from 1.
func float(v float64, bits int) (text string, bare bool) {
	if math.IsNaN(v) || math.IsInf(v, 0) {
		return strconv.FormatFloat(v, 'g', -1, bits), false
	}
	if size := math.Abs(v); size != 0 && (size < 1e-6 || size >= 1e21) {
		return strconv.FormatFloat(v, 'e', -1, bits), true
	}
	return strconv.FormatFloat(v, 'f', -1, bits), true
}

// decimal writes all digits of the scale.
func decimal(d duckdb.Decimal) string {
	digits, sign := d.Value.String(), ""
	if d.Value.Sign() < 0 {
		digits, sign = digits[1:], "-"
	}
	scale := int(d.Scale)
	if scale == 0 {
		return sign + digits
	}
	if missing := scale + 1 - len(digits); missing > 0 {
		digits = strings.Repeat("0", missing) + digits
	}
	return sign + digits[:len(digits)-scale] + "." + digits[len(digits)-scale:]
}

// moment writes a time by its type; every zone here is UTC.
func moment(t time.Time, kind duckdb.Type, between, zone string) string {
	switch kind {
	case duckdb.TYPE_DATE:
		return t.Format(time.DateOnly)
	case duckdb.TYPE_TIME, duckdb.TYPE_TIME_TZ:
		return t.Format("15:04:05.999999999")
	default:
		return t.UTC().Format("2006-01-02" + between + "15:04:05.999999999" + zone)
	}
}

// interval is a duration of ISO 8601.
func interval(i duckdb.Interval) string {
	text := "P"
	if i.Months != 0 {
		text += strconv.Itoa(int(i.Months)) + "M"
	}
	if i.Days != 0 {
		text += strconv.Itoa(int(i.Days)) + "D"
	}
	if i.Micros != 0 || text == "P" {
		seconds, _ := float(float64(i.Micros)/1e6, 64)
		text += "T" + seconds + "S"
	}
	return text
}
