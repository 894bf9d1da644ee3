package infer

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"tributary/shared/contract"
)

// No value of what nobody else should see stands in the contract or in what is told, however deep it lies, and it is masked.
func TestConfidentialMembers(t *testing.T) {
	for _, tc := range []struct {
		name   string
		member string // %s is one of the two values
		values [2]string
		open   bool // not classified
	}{
		{"a token", `"access_token":"%s"`, [2]string{"ghp_AAAA", "ghp_BBBB"}, false},
		{"a token in an object", `"o":{"accessToken":"%s","b":1}`, [2]string{"ghp_AAAA", "ghp_BBBB"}, false},
		{"a token in an array", `"tokens":[{"apiKey":"%s"}]`, [2]string{"ghp_AAAA", "ghp_BBBB"}, false},
		{"what lies in an object of credentials", `"credentials":{"a":"%s","n":{"b":2}}`, [2]string{"hunter22", "swordfish"}, false},
		{"tokens in an array", `"secret":["%s"]`, [2]string{"hunter22", "swordfish"}, false},
		{"a number", `"password":%s`, [2]string{"7182818", "3141592"}, false},
		{"digits", `"session_id":"%s"`, [2]string{"7182818", "3141592"}, false},
		{"an amount", `"pin_price":"%s"`, [2]string{"7182818.25", "3141592.75"}, false},
		{"texts at times", `"auth":%s`, [2]string{`"hunter22"`, `true`}, false},
		{"a time", `"auth_time":%s`, [2]string{"1741099500", "1709476700"}, false},
		{"a social security number", `"ssn":"%s"`, [2]string{"123-45-6789", "987-65-4321"}, false},
		{"mail addresses", `"email":"%s"`, [2]string{"ann@example.com", "bob@example.com"}, false},
		{"mail addresses under another name", `"who":"%s"`, [2]string{"ann@example.com", "bob@example.com"}, false},
		{"mail addresses, some empty", `"who":"%s"`, [2]string{"ann@example.com", ""}, false},
		{"mail addresses and a word", `"who":"%s"`, [2]string{"ann@example.com", "nobody"}, true},
		{"tokens under another name", `"value":"%s"`, [2]string{"ghp_16C7e42F292c6912E7710c838347Ae178B4a", "ghp_26C7e42F292c6912E7710c838347Ae178B4b"}, true},
		{"a key that is a token", `"key":"%s"`, [2]string{"16C7e42F292c6912E7710c838347Ae178B4a", "26C7e42F292c6912E7710c838347Ae178B4b"}, false},
		{"a key", `"key":"%s"`, [2]string{"hunter22", "swordfish"}, true},
	} {
		t.Run(tc.name, func(t *testing.T) {
			var records []string
			for i := range 40 {
				records = append(records, fmt.Sprintf(`{"id":%d,%s}`, i, fmt.Sprintf(tc.member, tc.values[i%2])))
			}
			p, err := Contract("trial", []byte("["+strings.Join(records, ",")+"]"), Options{})
			if err != nil {
				t.Fatal(err)
			}
			all := string(p.YAML) + fmt.Sprint(p.Notes)
			for _, v := range append(tc.values[:], "2024-03", "2025-03") {
				if v = strings.Trim(v, `"`); len(v) > 4 && strings.Contains(all, v) {
					t.Errorf("it says %q:\n%s", v, all)
				}
			}
			if strings.Contains(string(p.YAML), "classification: restricted") == tc.open {
				t.Errorf("classified: %t\n%s", !tc.open, p.YAML)
			}
			if _, err := contract.Parse("trial.odcs.yaml", p.YAML); err != nil {
				t.Error(err)
			}
		})
	}
}

// What only sounds like it is suggested as ever.
func TestOpenMembers(t *testing.T) {
	for _, tc := range []struct{ member, want string }{
		{`"token_count":%d`, "minimum: 0, maximum: 39"},
		{`"primary_key":%d`, "minimum: 0, maximum: 39"},
		{`"has_password":true,"n":%d`, "{name: has_password, logicalType: boolean, physicalType: boolean}"},
	} {
		t.Run(tc.member, func(t *testing.T) {
			p, err := Contract("trial", []byte(repeated("[", 40, `{"a":`+`"x",`+tc.member+`}`, "]")), Options{})
			if err != nil {
				t.Fatal(err)
			}
			if text := string(p.YAML); !strings.Contains(text, tc.want) || strings.Contains(text, "restricted") {
				t.Errorf("want %q:\n%s", tc.want, text)
			}
		})
	}
}

// A contract has one credential, the first with a value; each other one is told of, and no value is.
func TestSeveralCredentials(t *testing.T) {
	for _, tc := range []struct {
		name, url, auth string
		without         []string
	}{
		{
			"a user and four parameters", "http://bob:hunter2@api.example.com/x?api_key=hunter3&X-Amz-Signature=hunter4&units=si&client_secret=hunter5&subscription-key=hunter6",
			"auth: {kind: http_basic, secret: trial/login}", []string{"api_key", "X-Amz-Signature", "client_secret", "subscription-key"},
		},
		{"an empty one first", "https://api.example.com/x?api_key=&token=hunter2", "auth: {kind: api_key, in: query, name: token, secret: trial/key}", []string{"api_key"}},
		{"empty ones only", "https://api.example.com/x?api_key=&token=", "auth: {kind: api_key, in: query, name: api_key, secret: trial/key}", []string{"token"}},
		{"one", "https://api.example.com/x?token=hunter2", "auth: {kind: api_key, in: query, name: token, secret: trial/key}", nil},
	} {
		t.Run(tc.name, func(t *testing.T) {
			p, err := Contract("trial", []byte(`[{"id":1},{"id":2}]`), Options{URL: tc.url})
			if err != nil {
				t.Fatal(err)
			}
			var without []string
			for _, n := range p.Notes {
				if name, ok := strings.CutPrefix(n.Guess, "without "); ok && n.Sure == Guess && strings.HasPrefix(n.Why, name+" looks like a credential too; a contract has one: ") {
					without = append(without, name)
				}
			}
			if diff := cmp.Diff(tc.without, without); diff != "" {
				t.Errorf("told to be left out (-want +got):\n%s", diff)
			}
			if all := string(p.YAML) + fmt.Sprint(p.Notes); !strings.Contains(all, tc.auth) || strings.Contains(all, "hunter") {
				t.Errorf("want %q and no value:\n%s", tc.auth, all)
			}
		})
	}
}

// What looks like a credential where an address cannot do without it is pointed out, and its value is not told.
func TestCredentialsThatStay(t *testing.T) {
	const key = "AAHdqTcvCH1vGWJxfSeofSAs0K5PALDsaw"
	for _, tc := range []struct {
		name, url string
		want      []string // the places
	}{
		{"a token and a session", "https://api.example.com/bot123456:" + key + "/mix;jsessionid=1", []string{"part 1 of the path", "what follows the semicolon in part 2 of the path"}},
		{"a token alone", "https://api.example.com/v2/" + key, []string{"part 2 of the path"}},
		{"an id that was drawn", "https://api.example.com/feeds/3f2504e0-4f89-11d3-9a0c-0305e82c3301/items", []string{"part 2 of the path"}},
		{"escaped", "https://api.example.com/a%2Fb;token=1", []string{"what follows the semicolon in part 1 of the path"}},
		{"a parameter that is called like nothing", "https://api.example.com/x?u=" + key, []string{"u in the query"}},
		{"usual paths", "https://api.example.com/v2/exchange-rates-of-2024/EUR;format=json?code=DE&q=annual-report-2024-of-energy", nil},
	} {
		t.Run(tc.name, func(t *testing.T) {
			p, err := Contract("trial", []byte(`[{"id":1},{"id":2}]`), Options{URL: tc.url})
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, n := range p.Notes {
				if where, _, ok := strings.Cut(n.Why, " looks like a credential, and stands in the contract: look at it"); ok && n.What == "address" && n.Sure == Guess {
					got = append(got, where)
				}
			}
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("pointed out (-want +got):\n%s", diff)
			}
			if strings.Contains(fmt.Sprint(p.Notes), key) {
				t.Errorf("it is told: %v", p.Notes)
			}
		})
	}
}

// A code is a credential where it is long, as a function key of Azure is.
func TestCode(t *testing.T) {
	for code, want := range map[string]string{
		"DE":                                 `query: {code: DE}`,
		"aGVsbG8gd29ybGQhIQ-hunter2-d29ybGQ": "auth: {kind: api_key, in: query, name: code, secret: trial/key}",
	} {
		p, err := Contract("trial", []byte(`[{"id":1},{"id":2}]`), Options{URL: "https://api.example.com/x?code=" + code})
		if err != nil {
			t.Fatal(err)
		}
		if all := string(p.YAML) + fmt.Sprint(p.Notes); !strings.Contains(all, want) || strings.Contains(all, "hunter2") {
			t.Errorf("%s: want %q\n%s", code, want, all)
		}
	}
}

func TestToken(t *testing.T) {
	for text, want := range map[string]bool{
		"AAHdqTcvCH1vGWJxfSeofSAs0K5PALDsaw":   true,
		"3f2504e0-4f89-11d3-9a0c-0305e82c3301": true,
		"ghp_16C7e42F292c6912E7710c8":          true,
		"eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIx":    true,
		"annual-report-2024-of-energy":         false,
		"api-v2-something-that-is-long":        false,
		"exchangeratesoftheworldbank":          false,
		"12345678901234567890":                 false,
		"AAHdqTcvCH1vGWJx":                     false,
		"a text of 20 words and 1234567ab":     false,
	} {
		if got := token(text); got != want {
			t.Errorf("%s: %t", text, got)
		}
	}
}
