package files_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"tributary/infra/local/files"
)

func TestItemsGoThereAndBack(t *testing.T) {
	for _, tc := range []struct{ name, dynamo, plain string }{
		{"text that looks like a number", `{"a":{"S":"1.50"}}`, `{"a":"1.50"}`},
		{"number to the last digit", `{"a":{"N":"12345678901234567890.123456789"}}`, `{"a":12345678901234567890.123456789}`},
		{"others", `{"a":{"BOOL":true},"b":{"NULL":true}}`, `{"a":true,"b":null}`},
		{"nested", `{"a":{"L":[{"S":"x"},{"M":{"n":{"N":"1"}}}]}}`, `{"a":["x",{"n":1}]}`},
	} {
		t.Run(tc.name, func(t *testing.T) {
			var attributes map[string]json.RawMessage
			if err := json.Unmarshal([]byte(tc.dynamo), &attributes); err != nil {
				t.Fatal(err)
			}
			item, err := files.FromDynamo(attributes)
			if err != nil {
				t.Fatal(err)
			}
			if got, err := json.Marshal(item); err != nil || string(got) != tc.plain {
				t.Errorf("plain: %s, %v, want %s", got, err, tc.plain)
			}
			back, err := item.Dynamo()
			if err != nil {
				t.Fatal(err)
			}
			got, err := json.Marshal(back)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tc.dynamo, string(got)); diff != "" {
				t.Errorf("back (-want +got):\n%s", diff)
			}
		})
	}
}

func TestItemsThatPlainJSONCannotHold(t *testing.T) {
	for _, tc := range []struct{ name, value, want string }{
		{"binary", `{"B":"aGk="}`, "read attribute a: type B has no place in plain JSON"},
		{"set", `{"SS":["x"]}`, "read attribute a: type SS has no place in plain JSON"},
		{"no type", `"x"`, `read attribute a: "x" is no attribute value`},
		{"wrong type", `{"N":1}`, "read attribute a: read 1:"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			_, err := files.FromDynamo(map[string]json.RawMessage{"a": json.RawMessage(tc.value)})
			if err == nil || !strings.HasPrefix(err.Error(), tc.want) {
				t.Errorf("error %v, want %q", err, tc.want)
			}
		})
	}
}
