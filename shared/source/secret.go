package source

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"tributary/shared/contract"
)

// CheckSecret says why a value cannot be the secret of a source. It does not quote the value.
func CheckSecret(auth *contract.Auth, value string) error {
	value = strings.TrimSpace(value)
	if value == "" {
		return errors.New("the value is empty")
	}
	if controls(auth, value) {
		return errors.New("the value holds control characters")
	}
	var first, second string
	switch auth.Kind {
	case "http_basic":
		first, second = "username", "password"
	case "oauth2_client_credentials":
		first, second = "client_id", "client_secret"
	default:
		return nil
	}
	if _, _, ok := pairOf(value, first, second); !ok {
		return fmt.Errorf("the value is neither %s:%s nor a JSON object with the members %s and %s", first, second, first, second)
	}
	return nil
}

// controls reports control characters where the secret becomes part of a header or a URL as it is.
func controls(auth *contract.Auth, value string) bool {
	return strings.ContainsFunc(value, func(r rune) bool { return r < ' ' || r == 0x7f }) &&
		auth.Kind != "oauth2_client_credentials" && auth.Kind != "http_basic"
}

// pairOf reads a secret of two parts, as a JSON object with the two members or as first:second.
func pairOf(secret, first, second string) (a, b string, ok bool) {
	if strings.HasPrefix(secret, "{") {
		var members map[string]string
		if err := json.Unmarshal([]byte(secret), &members); err != nil {
			return "", "", false
		}
		a, b = members[first], members[second]
		return a, b, a != "" && b != ""
	}
	a, b, ok = strings.Cut(secret, ":")
	return a, b, ok && a != ""
}
