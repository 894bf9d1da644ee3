package source

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"tributary/shared/contract"
)

func TestCompareCursors(t *testing.T) {
	tests := []struct {
		a, b string
		want int
	}{
		{"9", "10", -1},
		{"10.50", "10.5", 0},
		{"-1", "0", -1},
		{"18446744073709551616", "18446744073709551615", 1},
		{"2025-03-04T14:45:00Z", "2025-03-04T15:45:00+02:00", 1},
		{"2025-03-04T14:45:00.100Z", "2025-03-04T14:45:00.1Z", 0},
		{"2025-03-04", "2025-03-05", -1},
		{"b", "a", 1},
		{"9", "a", -1},
		{"1e999999999", "2", -1}, // as texts: an exponent is not worked out
	}
	for _, test := range tests {
		t.Run(test.a+" "+test.b, func(t *testing.T) {
			if got := CompareCursors(test.a, test.b); got != test.want {
				t.Errorf("got %d, want %d", got, test.want)
			}
			if got := CompareCursors(test.b, test.a); got != -test.want {
				t.Errorf("the other way round: got %d, want %d", got, -test.want)
			}
		})
	}
}

func TestBack(t *testing.T) {
	tests := []struct {
		value string
		lag   time.Duration
		want  string
	}{
		{"2025-03-04T00:30:00Z", time.Hour, "2025-03-03T23:30:00Z"},
		{"2025-03-04T00:30:00.5+01:00", time.Hour, "2025-03-03T23:30:00.5+01:00"},
		{"2025-03-04T00:30:00", time.Hour, "2025-03-03T23:30:00"},
		{"2025-03-04 00:30:00", time.Hour, "2025-03-03 23:30:00"},
		{"2025-03-01", 24 * time.Hour, "2025-02-28"},
		{"1741099500", time.Minute, "1741099440"},
		{"1741099500000", time.Minute, "1741099440000"},
		{"anything", 0, "anything"},
		{"anything", time.Second, `move cursor back by 1s: "anything" is no time and no whole number`},
	}
	for _, test := range tests {
		t.Run(test.value, func(t *testing.T) {
			got, err := Back(test.value, test.lag)
			if err != nil {
				got = err.Error()
			}
			if got != test.want {
				t.Errorf("got %q, want %q", got, test.want)
			}
		})
	}
}

func TestSpan(t *testing.T) {
	tests := []struct {
		name, body, onMissing string
		want                  Span
		wantErr               string
	}{
		{"ascending", `{"d":[{"m":{"at":1}},{"m":{"at":1}},{"m":{"at":10}}]}`, "raise", Span{"1", "10", true}, ""},
		{"descending", `{"d":[{"m":{"at":"10"}},{"m":{"at":"9"}}]}`, "raise", Span{"9", "10", false}, ""},
		{"empty", `{"d":[]}`, "raise", Span{Ascending: true}, ""},
		{"null", `{"d":null}`, "raise", Span{Ascending: true}, ""},
		{"missing is an error", `{"d":[{"m":{"at":1}},{"m":{}}]}`, "raise", Span{}, "record 1 has no cursor at /m/at, and on_cursor_value_missing is raise"},
		{"missing is passed over", `{"d":[{"m":{"at":1}},{"m":{"at":null}},7,{"m":{"at":2}}]}`, "include", Span{"1", "2", true}, ""},
		{"no text", `{"d":[{"m":{"at":[1]}}]}`, "include", Span{}, "record 0: read /m/at: it is no text and no number"},
		{"under keys", `{"d":{"b":{"m":{"at":2}},"a":{"m":{"at":3}},"b":{"m":{"at":1}}}}`, "raise", Span{"1", "3", false}, ""},
		{"under keys, missing", `{"d":{"b":{"m":{"at":2}},"a":{}}}`, "raise", Span{}, "record 1 has no cursor at /m/at, and on_cursor_value_missing is raise"},
		{"no array", `{"d":{}}`, "raise", Span{}, "read cursor: the records are no JSON array: json: cannot unmarshal object into Go value of type []json.RawMessage"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			got, err := span([]byte(test.body), &contract.Source{Records: []string{"d"}, Keyed: strings.HasPrefix(test.body, `{"d":{"`)}, &contract.Cursor{Path: []string{"m", "at"}, OnMissing: test.onMissing})
			message := ""
			if err != nil {
				message = fmt.Sprint(err)
			}
			if diff := cmp.Diff(test.wantErr, message); diff != "" {
				t.Errorf("error (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("span (-want +got):\n%s", diff)
			}
		})
	}
}

func TestReach(t *testing.T) {
	tests := []struct {
		name  string
		pager pager
		pages []step // with the greatest value up to each
		want  string
	}{
		{"nothing", pageNumber{}, nil, ""},
		{"one page", pageNumber{}, []step{{2, "b"}}, "b"},
		{"the last is shorter", pageNumber{}, []step{{2, "b"}, {1, "c"}}, "c"},
		{"and an empty one behind", pageNumber{}, []step{{2, "b"}, {1, "c"}, {0, "c"}}, "c"},
		{"it was the last when it was read", pageNumber{}, []step{{2, "b"}, {1, "c"}, {2, "g"}}, "c"},
		{"so was an empty one", pageNumber{}, []step{{2, "b"}, {0, "b"}, {1, "g"}}, "b"},
		{"so was the first", pageNumber{}, []step{{1, "a"}, {2, "e"}, {0, "e"}}, "a"},
		{"two gaps", pageNumber{}, []step{{3, "c"}, {2, "e"}, {1, "h"}, {3, "n"}}, "e"},
		{"by offset", offset{contract.Pagination{Limit: 2}}, []step{{2, "b"}, {1, "c"}, {2, "g"}}, "c"},
		{"by offset, the first", offset{contract.Pagination{Limit: 3}}, []step{{2, "b"}, {2, "g"}}, "b"},
		{"by offset, none", offset{contract.Pagination{Limit: 2}}, []step{{2, "b"}, {2, "g"}}, "g"},
		{"pages that are not counted", jsonLink{}, []step{{2, "b"}, {1, "c"}, {2, "g"}}, "g"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			w := Walk{client: &Client{pager: test.pager}, steps: test.pages}
			if n := len(test.pages); n > 0 {
				w.span.Greatest = test.pages[n-1].greatest
			}
			if got := w.Reach(); got != test.want {
				t.Errorf("%q, want %q", got, test.want)
			}
		})
	}
}
