package source

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
)

// lookup finds the value at JSON Pointer tokens. A value that is missing, or null, is nil.
func lookup(document []byte, tokens []string) (json.RawMessage, error) {
	value := json.RawMessage(document)
	for i, token := range tokens {
		switch trimmed := bytes.TrimLeft(value, " \t\r\n"); {
		case len(trimmed) > 0 && trimmed[0] == '{':
			var members map[string]json.RawMessage
			if err := json.Unmarshal(trimmed, &members); err != nil {
				return nil, fmt.Errorf("read %s: %w", pointer(tokens[:i]), err)
			}
			value = members[token]
		case len(trimmed) > 0 && trimmed[0] == '[':
			var elements []json.RawMessage
			if err := json.Unmarshal(trimmed, &elements); err != nil {
				return nil, fmt.Errorf("read %s: %w", pointer(tokens[:i]), err)
			}
			value = element(elements, token)
		default:
			return nil, nil
		}
	}
	if value = bytes.TrimSpace(value); len(value) == 0 || string(value) == "null" {
		return nil, nil
	}
	return value, nil
}

// element is the one that a JSON Pointer token names; nil when there is none.
func element(elements []json.RawMessage, token string) json.RawMessage {
	if n, err := strconv.Atoi(token); err == nil && n >= 0 && n < len(elements) {
		return elements[n]
	}
	return nil
}

// text reads a string, a number or a boolean as text; "" when there is none.
func text(document []byte, tokens []string) (string, error) {
	value, err := literal(document, tokens)
	if err != nil || !strings.HasPrefix(value, `"`) {
		return value, err
	}
	var s string
	if err := json.Unmarshal([]byte(value), &s); err != nil {
		return "", fmt.Errorf("read %s: %w", pointer(tokens), err)
	}
	return s, nil
}

// literal reads a string, a number or a boolean as it stands in JSON; "" when there is none, or an empty string.
func literal(document []byte, tokens []string) (string, error) {
	value, err := lookup(document, tokens)
	switch {
	case err != nil:
		return "", err
	case value == nil, string(value) == `""`:
		return "", nil
	case value[0] == '{', value[0] == '[':
		return "", fmt.Errorf("read %s: it is no text and no number", pointer(tokens))
	case !json.Valid(value):
		return "", fmt.Errorf("read %s: it is no JSON", pointer(tokens))
	}
	return string(value), nil
}

// pointer is the JSON Pointer of tokens, for messages.
func pointer(tokens []string) string {
	if len(tokens) == 0 {
		return "the document"
	}
	escape := strings.NewReplacer("~", "~0", "/", "~1")
	var b strings.Builder
	for _, token := range tokens {
		b.WriteByte('/')
		b.WriteString(escape.Replace(token))
	}
	return b.String()
}
