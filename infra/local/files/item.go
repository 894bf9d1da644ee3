package files

import (
	"bytes"
	"encoding/json"
	"fmt"
)

// FromDynamo turns an item in DynamoDB's JSON ({"id":{"S":"a"}}) into plain JSON. Binary values and sets, which plain
// JSON cannot tell from other things, are refused.
func FromDynamo(attributes map[string]json.RawMessage) (Item, error) {
	item := Item{}
	for name, raw := range attributes {
		value, err := plain(raw)
		if err != nil {
			return nil, fmt.Errorf("read attribute %s: %w", name, err)
		}
		item[name] = value
	}
	return item, nil
}

func plain(raw json.RawMessage) (any, error) {
	var tagged map[string]json.RawMessage
	if err := json.Unmarshal(raw, &tagged); err != nil || len(tagged) != 1 {
		return nil, fmt.Errorf("%s is no attribute value", raw)
	}
	for kind, value := range tagged {
		switch kind {
		case "S":
			return decoded[string](value)
		case "N":
			text, err := decoded[string](value)
			return json.Number(text), err
		case "BOOL":
			return decoded[bool](value)
		case "NULL":
			return nil, nil
		case "L":
			elements, err := decoded[[]json.RawMessage](value)
			list := make([]any, len(elements))
			for i := 0; i < len(elements) && err == nil; i++ {
				list[i], err = plain(elements[i])
			}
			return list, err
		case "M":
			members, err := decoded[map[string]json.RawMessage](value)
			if err != nil {
				return nil, err
			}
			inner, err := FromDynamo(members)
			return map[string]any(inner), err
		}
		return nil, fmt.Errorf("type %s has no place in plain JSON", kind)
	}
	return nil, nil
}

func decoded[T any](raw json.RawMessage) (T, error) {
	var value T
	if err := json.NewDecoder(bytes.NewReader(raw)).Decode(&value); err != nil {
		return value, fmt.Errorf("read %s: %w", raw, err)
	}
	return value, nil
}

// Dynamo turns the item back into DynamoDB's JSON.
func (i Item) Dynamo() (map[string]json.RawMessage, error) {
	attributes := map[string]json.RawMessage{}
	for name, value := range i {
		raw, err := json.Marshal(tagged(value))
		if err != nil {
			return nil, fmt.Errorf("write attribute %s: %w", name, err)
		}
		attributes[name] = raw
	}
	return attributes, nil
}

func tagged(value any) map[string]any {
	switch v := value.(type) {
	case nil:
		return map[string]any{"NULL": true}
	case string:
		return map[string]any{"S": v}
	case bool:
		return map[string]any{"BOOL": v}
	case json.Number:
		return map[string]any{"N": v.String()}
	case []any:
		list := make([]any, len(v))
		for i := range v {
			list[i] = tagged(v[i])
		}
		return map[string]any{"L": list}
	case map[string]any:
		members := map[string]any{}
		for name, inner := range v {
			members[name] = tagged(inner)
		}
		return map[string]any{"M": members}
	default:
		return map[string]any{"S": fmt.Sprint(v)}
	}
}
