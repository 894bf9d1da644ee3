package stack

import (
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"math"
	"reflect"
	"slices"
	"strconv"
	"strings"
)

// problem is what is wrong with the value at a path; the path is empty for the whole.
type problem struct{ path, text string }

func (p problem) String() string {
	if p.path == "" {
		return p.text
	}
	return p.path + ": " + p.text
}

// decode reads JSON into a struct whose fields hold the defaults, strictly: it returns every unknown key and every
// value of a wrong type, each with its path. encoding/json stops at the first and does not say where.
func decode(text string, into any) []problem {
	d := json.NewDecoder(strings.NewReader(text))
	d.UseNumber()
	var raw any
	if err := d.Decode(&raw); err != nil {
		return []problem{{text: fmt.Sprintf("are no JSON object: %v", err)}}
	}
	if _, err := d.Token(); err != io.EOF {
		return []problem{{text: "are followed by more text"}}
	}
	var problems []problem
	assign(reflect.ValueOf(into).Elem(), raw, "", &problems)
	return problems
}

func assign(to reflect.Value, from any, path string, problems *[]problem) {
	wrong := func(want string) {
		*problems = append(*problems, problem{path, fmt.Sprintf("must be %s, not %s", want, describe(from))})
	}
	switch to.Kind() {
	case reflect.Pointer:
		if from == nil {
			to.SetZero()
			return
		}
		value := reflect.New(to.Type().Elem())
		assign(value.Elem(), from, path, problems)
		to.Set(value)
	case reflect.Struct:
		members, ok := from.(map[string]any)
		if !ok {
			wrong("an object")
			return
		}
		assignStruct(to, members, path, problems)
	case reflect.Map:
		members, ok := from.(map[string]any)
		if !ok {
			wrong("an object")
			return
		}
		made := reflect.MakeMap(to.Type())
		for _, key := range sortedKeys(members) {
			value := reflect.New(to.Type().Elem()).Elem()
			assign(value, members[key], join(path, key), problems)
			made.SetMapIndex(reflect.ValueOf(key), value)
		}
		to.Set(made)
	case reflect.Slice:
		items, ok := from.([]any)
		if !ok {
			wrong("a list")
			return
		}
		made := reflect.MakeSlice(to.Type(), len(items), len(items))
		for i, item := range items {
			assign(made.Index(i), item, fmt.Sprintf("%s[%d]", path, i), problems)
		}
		to.Set(made)
	case reflect.String:
		s, ok := from.(string)
		if !ok {
			wrong("text (in quotes)")
			return
		}
		to.SetString(s)
	case reflect.Bool:
		b, ok := from.(bool)
		if !ok {
			wrong("true or false")
			return
		}
		to.SetBool(b)
	case reflect.Int:
		n, ok := integer(from)
		if !ok {
			wrong("a whole number")
			return
		}
		to.SetInt(n)
	default:
		panic(fmt.Sprintf("stack: settings hold a %s at %s", to.Type(), path))
	}
}

func assignStruct(to reflect.Value, members map[string]any, path string, problems *[]problem) {
	fields := map[string]reflect.Value{}
	for i := range to.NumField() {
		fields[to.Type().Field(i).Tag.Get("json")] = to.Field(i)
	}
	for _, key := range sortedKeys(members) {
		field, ok := fields[key]
		if !ok {
			*problems = append(*problems, problem{join(path, key), "is unknown; known here: " + strings.Join(sortedKeys(fields), ", ")})
			continue
		}
		assign(field, members[key], join(path, key), problems)
	}
}

// integer takes 30 and 30.0: YAML writers and JSON encoders differ in that.
func integer(from any) (int64, bool) {
	n, ok := from.(json.Number)
	if !ok {
		return 0, false
	}
	if i, err := n.Int64(); err == nil {
		return i, true
	}
	f, err := strconv.ParseFloat(n.String(), 64)
	if err != nil || f != math.Trunc(f) || math.Abs(f) > 1<<53 {
		return 0, false
	}
	return int64(f), true
}

func describe(v any) string {
	switch v := v.(type) {
	case nil:
		return "null"
	case string:
		return strconv.Quote(v)
	case map[string]any:
		return "an object"
	case []any:
		return "a list"
	default:
		return fmt.Sprint(v)
	}
}

func join(path, key string) string {
	if path == "" {
		return key
	}
	return path + "." + key
}

func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }
