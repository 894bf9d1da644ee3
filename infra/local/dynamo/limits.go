package dynamo

import (
	"math/big"
	"strings"

	"tributary/infra/local/wire"
)

const (
	maxItem  = 400 << 10
	maxDepth = 32
)

// checkItem refuses what DynamoDB refuses of an item and minidyn lets pass.
func checkItem(item map[string]any, t Table) error {
	size := 0
	for name, value := range item {
		n, err := valueSize(value, 1)
		if err != nil {
			return err
		}
		size += len(name) + n
	}
	if size > maxItem {
		return wire.Errorf("ValidationException", "Item size has exceeded the maximum allowed size")
	}
	for _, key := range []string{t.HashKey, t.RangeKey} {
		if typed, ok := item[key].(map[string]any); ok && typed["S"] == "" {
			return wire.Errorf("ValidationException", "One or more parameter values are not valid. The AttributeValue for a key attribute cannot contain an empty string value. Key: %s", key)
		}
	}
	return nil
}

// valueSize is about the size by which DynamoDB bills and limits an attribute value.
func valueSize(value any, depth int) (int, error) {
	if depth > maxDepth {
		return 0, wire.Errorf("ValidationException", "Nesting Levels have exceeded supported limits")
	}
	typed, ok := value.(map[string]any)
	if !ok || len(typed) != 1 {
		return 0, wire.Errorf("SerializationException", "an attribute value is an object with one type")
	}
	size := 0
	for kind, v := range typed {
		switch v := v.(type) {
		case string:
			if kind == "N" {
				if err := checkNumber(v); err != nil {
					return 0, err
				}
				return len(v)/2 + 2, nil
			}
			return len(v), nil
		case bool:
			return 1, nil
		case []any:
			if len(v) == 0 && kind != "L" {
				return 0, wire.Errorf("ValidationException", "One or more parameter values were invalid: An string set  may not be empty")
			}
			size = 3
			for _, element := range v {
				if text, ok := element.(string); ok {
					size += len(text)
					continue
				}
				n, err := valueSize(element, depth+1)
				if err != nil {
					return 0, err
				}
				size += n + 1
			}
		case map[string]any:
			size = 3
			for name, element := range v {
				n, err := valueSize(element, depth+1)
				if err != nil {
					return 0, err
				}
				size += len(name) + n + 1
			}
		}
	}
	return size, nil
}

var largest, smallest = mustFloat("9.9999999999999999999999999999999999999E+125"), mustFloat("1E-130")

func mustFloat(text string) *big.Float {
	f, _, err := big.ParseFloat(text, 10, 200, big.ToNearestEven)
	if err != nil {
		panic(err)
	}
	return f
}

// checkNumber holds a number against DynamoDB's 38 digits and its range.
func checkNumber(text string) error {
	f, _, err := big.ParseFloat(text, 10, 200, big.ToNearestEven)
	if err != nil || strings.ContainsAny(text, "xXpP_iI") {
		return wire.Errorf("ValidationException", "The parameter cannot be converted to a numeric value: %s", text)
	}
	mantissa, _, _ := strings.Cut(strings.ToLower(text), "e")
	digits := strings.Trim(strings.Replace(strings.TrimLeft(mantissa, "+-"), ".", "", 1), "0")
	if len(digits) > 38 {
		return wire.Errorf("ValidationException", "Attempting to store more than 38 significant digits in a Number")
	}
	if f.Abs(f); f.Sign() != 0 && (f.Cmp(largest) > 0 || f.Cmp(smallest) < 0) {
		return wire.Errorf("ValidationException", "Number overflow. Attempting to store a number with magnitude outside of supported range")
	}
	return nil
}
