package source

import (
	"net/url"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestFindLink(t *testing.T) {
	tests := []struct {
		name   string
		fields []string
		want   string
	}{
		{"none", nil, ""},
		{"one", []string{`<https://a/?p=2>; rel="next"`}, "https://a/?p=2"},
		{"token", []string{`<a>;rel=next`}, "a"},
		{"case", []string{`<a>; REL="Next"`}, "a"},
		{"among others", []string{`<a>; rel="prev", <b>; rel="next", <c>; rel="last"`}, "b"},
		{"in a second field", []string{`<a>; rel="prev"`, `<b>; rel="next"`}, "b"},
		{"several relations", []string{`<a>; rel="start next"`}, "a"},
		{"comma and semicolon in the target", []string{`<a?x=1,2;3>; rel="next"`}, "a?x=1,2;3"},
		{"comma in a quoted title", []string{`<a>; title="x, <y>; rel=next"; rel="prev", <b>; rel=next`}, "b"},
		{"escaped quote", []string{`<a>; title="\"; rel=next"; rel=prev`}, ""},
		{"only the first rel counts", []string{`<a>; rel=prev; rel=next`}, ""},
		{"no relation", []string{`<a>`}, ""},
		{"word that contains it", []string{`<a>; rel="nextish"`}, ""},
		{"another resource's", []string{`<a>; rel=next; anchor="/other", <b>; anchor="#part"; rel=next, <c>; rel=next`}, "c"},
		{"not closed", []string{`<a; rel="next"`}, ""},
		{"rubbish before", []string{`rubbish, <a>; rel=next`}, "a"},
		{"empty", []string{``, `,`, `;`, `<`, `<>`, `<>;`, `<>;=`, `<>; rel`, `<>; rel="`}, ""},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			if got := findLink(test.fields, "next"); got != test.want {
				t.Errorf("got %q, want %q", got, test.want)
			}
		})
	}
}

func FuzzFindLink(f *testing.F) {
	f.Add(`<https://a/?p=2>; rel="next", <b>; title="x\", y"; rel=last`)
	f.Add(`<>;;,=",`)
	f.Fuzz(func(_ *testing.T, field string) {
		findLink([]string{field}, "next")
	})
}

func TestRedact(t *testing.T) {
	tests := []struct{ name, url, keyParam, want string }{
		{"plain", "https://a/b?x=1&y=2", "", "https://a/b?x=1&y=2"},
		{"order is kept", "https://a/b?y=2&k=v&x=1", "k", "https://a/b?y=2&k=***&x=1"},
		{"user information", "https://me:pw@a/b#frag", "", "https://a/b"},
		{"usual names", "https://a/?api_key=1&apikey=2&X-Amz-Signature=3&X-Amz-Security-Token=4&client_secret=5&monkey=6", "",
			"https://a/?api_key=***&apikey=***&X-Amz-Signature=***&X-Amz-Security-Token=***&client_secret=***&monkey=6"},
		{"escaped name", "https://a/?api%5Fkey=1", "", "https://a/?api%5Fkey=***"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			u, err := url.Parse(test.url)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(test.want, redact(u, test.keyParam).String()); diff != "" {
				t.Errorf("URL (-want +got):\n%s", diff)
			}
		})
	}
}
