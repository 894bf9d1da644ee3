package source

import (
	"fmt"
	"testing"

	"tributary/shared/contract"
)

func TestCheckSecret(t *testing.T) {
	for _, test := range []struct{ name, kind, value, want string }{
		{"key", "api_key", "abc\n", "<nil>"},
		{"empty", "bearer", " \n", "the value is empty"},
		{"two lines", "api_key", "abc\ndef", "the value holds control characters"},
		{"user and password", "http_basic", "ann:secret", "<nil>"},
		{"user without password", "http_basic", "ann", "the value is neither username:password nor a JSON object with the members username and password"},
		{"client", "oauth2_client_credentials", `{"client_id":"a","client_secret":"b"}`, "<nil>"},
		{"half a client", "oauth2_client_credentials", `{"client_id":"a"}`, "the value is neither client_id:client_secret nor a JSON object with the members client_id and client_secret"},
		{"broken client", "oauth2_client_credentials", `{"client_id":"a"`, "the value is neither client_id:client_secret nor a JSON object with the members client_id and client_secret"},
	} {
		t.Run(test.name, func(t *testing.T) {
			if got := fmt.Sprint(CheckSecret(&contract.Auth{Kind: test.kind}, test.value)); got != test.want {
				t.Errorf("got %q, want %q", got, test.want)
			}
		})
	}
}
