package api_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"math/big"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"tributary/infra/local/api"
	"tributary/shared/contract"
	"tributary/shared/record"
)

var at = time.Date(2025, 3, 4, 14, 45, 0, 0, time.UTC)

func coinContract() *contract.Contract {
	return &contract.Contract{
		Dataset: "coin_markets",
		File:    "coin_markets.odcs.yaml",
		Source: contract.Source{
			URLs:  map[string]string{"": "https://api.example.com/api/v3/coins/markets"},
			Query: []contract.Pair{{Name: "per_page", Value: "250"}, {Name: "vs_currency", Value: "usd"}},
			Pagination: contract.Pagination{
				Kind: "page_number", BasePage: 1, PageParam: "page", MaximumPage: 4, StopAfterEmptyPage: true,
			},
		},
	}
}

type answer struct {
	status int
	header http.Header
	body   string
}

func get(t *testing.T, h http.Handler, target string) answer {
	t.Helper()
	w := httptest.NewRecorder()
	h.ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), http.MethodGet, target, nil))
	body, err := io.ReadAll(w.Result().Body)
	if err != nil {
		t.Fatal(err)
	}
	return answer{w.Code, w.Header(), string(body)}
}

func records(t *testing.T, body string) []json.RawMessage {
	t.Helper()
	var all []json.RawMessage
	if err := json.Unmarshal([]byte(body), &all); err != nil {
		t.Fatalf("page is no array: %v: %.80s", err, body)
	}
	return all
}

func TestCoinsArePagedAsTheContractSays(t *testing.T) {
	a, err := api.New(coinContract(), "dev", 1)
	if err != nil {
		t.Fatal(err)
	}
	a.Begin(at)
	target := func(page int) string {
		return fmt.Sprintf("%s?vs_currency=usd&per_page=250&page=%d", a.Path(), page)
	}
	var sizes, statuses []int
	var texts []string
	for page := 1; page <= 4; {
		got := get(t, a, target(page))
		statuses = append(statuses, got.status)
		if got.status == http.StatusTooManyRequests && got.header.Get("Retry-After") != "1" {
			t.Errorf("429 without Retry-After: %v", got.header)
		}
		if got.status != http.StatusOK {
			continue
		}
		all := records(t, got.body)
		sizes = append(sizes, len(all))
		for _, r := range all {
			texts = append(texts, string(r))
		}
		page++
	}
	if diff := cmp.Diff([]int{200, 429, 200, 503, 200, 200}, statuses); diff != "" {
		t.Errorf("statuses (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]int{250, 250, 60, 0}, sizes); diff != "" {
		t.Errorf("page sizes (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(a.Records(at), texts); diff != "" {
		t.Errorf("records as served differ from those planned (-want +got):\n%s", diff)
	}
	if got := len(a.Requests()); got != 6 {
		t.Errorf("Requests() has %d entries, want 6", got)
	}
}

func TestCoinsHoldTheFormsOfARealAnswer(t *testing.T) {
	a, err := api.New(coinContract(), "dev", 1)
	if err != nil {
		t.Fatal(err)
	}
	all := strings.Join(a.Records(at), "\n")
	for _, form := range []string{
		`"current_price":\d{5,},`,                  // 79847
		`"current_price":\d{4}\.\d\d?,`,            // 2004.13
		`"atl":\d(\.\d+)?e-\d\d,`,                  // 7.662e-05
		`"circulating_supply":\d+\.0,`,             // 19832115.0
		`"max_supply":null`,                        //
		`"roi":null`,                               //
		`"roi":\{"times":[\d.]+,"currency":"\w+",`, //
		`"name":"[^"]*[^\x00-\x7f]`,                // unicode, raw
		`"name":"[^"]*\\u`,                         // unicode, escaped
		`"current_price":"[\d.e-]+"`,               // a number as text
		`"preview_listing":`,                       // a member that no contract names
	} {
		if !regexp.MustCompile(form).MatchString(all) {
			t.Errorf("no record has the form %s", form)
		}
	}
}

func TestSameSeedAndTimeGiveTheSameRecords(t *testing.T) {
	draw := func(seed uint64, when time.Time) []string {
		a, err := api.New(coinContract(), "dev", seed)
		if err != nil {
			t.Fatal(err)
		}
		return a.Records(when)
	}
	if diff := cmp.Diff(draw(1, at), draw(1, at)); diff != "" {
		t.Errorf("two draws differ:\n%s", diff)
	}
	if cmp.Equal(draw(1, at), draw(1, at.Add(time.Hour))) {
		t.Error("another hour has the same prices")
	}
	if cmp.Equal(draw(1, at), draw(2, at)) {
		t.Error("another seed has the same coins")
	}
}

func TestPlanNamesEveryPlantedRecord(t *testing.T) {
	a, err := api.New(coinContract(), "dev", 1)
	if err != nil {
		t.Fatal(err)
	}
	texts := a.Records(at)
	rejected, kinds := 0, map[string]int{}
	for _, p := range a.Plan(at) {
		if got := texts[(p.Page-1)*250+int(p.Index)]; got != p.Text {
			t.Errorf("%s: page %d, index %d holds another record", p.Kind, p.Page, p.Index)
		}
		if p.Rejected() {
			rejected++
		}
		kinds[p.Kind]++
	}
	if percent := 100 * float64(rejected) / float64(len(texts)); percent >= 5 || percent < 2 {
		t.Errorf("%d of %d records (%.1f %%) are to be rejected; want some, below the threshold of 5 %%", rejected, len(texts), percent)
	}
	want := map[string]int{
		"missing id": 2, "text in a number": 2, "object in a number": 2, "negative price": 2, "high below low": 2,
		"bad timestamp": 2, "number overflow": 2, "rank that is no whole number": 2, "three faults at once": 2,
		"duplicate id": 2, "number as text": 2, "unknown member": 2,
	}
	if diff := cmp.Diff(want, kinds); diff != "" {
		t.Errorf("kinds (-want +got):\n%s", diff)
	}
}

func TestRefusals(t *testing.T) {
	a, err := api.New(coinContract(), "dev", 1)
	if err != nil {
		t.Fatal(err)
	}
	for _, tc := range []struct {
		name, target string
		status       int
		says         string
	}{
		{"another path", "/coins", 404, "no such path: /coins"},
		{"missing parameter", a.Path() + "?vs_currency=usd", 400, "missing parameter per_page"},
		{"page that is no number", a.Path() + "?vs_currency=usd&per_page=250&page=x", 400, `parameter page: \"x\" is not a number`},
		{"page before the first", a.Path() + "?vs_currency=usd&per_page=250&page=0", 400, "not a number from 1"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			got := get(t, a, tc.target)
			if got.status != tc.status || !strings.Contains(got.body, tc.says) {
				t.Errorf("got %d %s, want %d saying %q", got.status, got.body, tc.status, tc.says)
			}
		})
	}
}

func TestRecordedFileIsServedVerbatim(t *testing.T) {
	for _, tc := range []struct {
		name, file string
		records    []string
		later      string
	}{
		{"array", "[\n  {\"id\": \"a\"}\n]\n", nil, "[]"},
		{"envelope", `{"data": {"items": [{"id": "a"}]}}`, []string{"data", "items"}, `{"data":{"items":[]}}`},
		{"NDJSON", "{\"id\":1}\n{\"id\":2}\n", nil, "[]"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			file := filepath.Join(t.TempDir(), "recorded.json")
			if err := os.WriteFile(file, []byte(tc.file), 0o600); err != nil {
				t.Fatal(err)
			}
			c := coinContract()
			c.Source.Records = tc.records
			a, err := api.Replay(c, "dev", file)
			if err != nil {
				t.Fatal(err)
			}
			a.Begin(at)
			for page, want := range map[int]string{1: tc.file, 2: tc.later, 3: tc.later} {
				got := get(t, a, fmt.Sprintf("%s?per_page=250&vs_currency=usd&page=%d", a.Path(), page))
				if got.status != http.StatusOK || got.body != want {
					t.Errorf("page %d: %d %q, want %q", page, got.status, got.body, want)
				}
			}
			if plan := a.Plan(at); plan != nil {
				t.Errorf("Plan() = %v, want none", plan)
			}
		})
	}
}

func TestRecordedFileErrors(t *testing.T) {
	empty := filepath.Join(t.TempDir(), "empty.json")
	if err := os.WriteFile(empty, []byte(" \n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, tc := range []struct{ name, file, want string }{
		{"absent", "nowhere.json", "serve coin_markets from nowhere.json: there is no such file"},
		{"empty", empty, "serve coin_markets from " + empty + ": the file is empty"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			_, err := api.Replay(coinContract(), "dev", tc.file)
			if err == nil || err.Error() != tc.want {
				t.Errorf("Replay() error %v, want %q", err, tc.want)
			}
		})
	}
}

// followers walk a paged source as its pagination kind says, starting from a target.
func TestEveryPaginationKindServesEveryRecordOnce(t *testing.T) {
	type page struct {
		Items []json.RawMessage `json:"items"`
		Total int               `json:"total"`
		Next  string            `json:"next"`
		More  bool              `json:"more"`
	}
	for _, tc := range []struct {
		name       string
		pagination contract.Pagination
		next       func(target string, seen int, p page, h http.Header) string
	}{
		{"single_page", contract.Pagination{Kind: "single_page"}, func(string, int, page, http.Header) string { return "" }},
		{"offset", contract.Pagination{Kind: "offset", OffsetParam: "offset", LimitParam: "limit", Limit: 50, TotalPath: []string{"total"}},
			func(_ string, seen int, p page, _ http.Header) string {
				if seen >= p.Total {
					return ""
				}
				return fmt.Sprintf("/things?limit=50&offset=%d", seen)
			}},
		{"cursor", contract.Pagination{Kind: "cursor", CursorPath: []string{"next"}, CursorParam: "after", HasMorePath: []string{"more"}},
			func(_ string, _ int, p page, _ http.Header) string {
				if !p.More {
					return ""
				}
				return "/things?limit=50&after=" + p.Next
			}},
		{"json_link", contract.Pagination{Kind: "json_link", NextURLPath: []string{"next"}},
			func(_ string, _ int, p page, _ http.Header) string { return p.Next }},
		{"header_link", contract.Pagination{Kind: "header_link"},
			func(_ string, _ int, _ page, h http.Header) string {
				link, _, _ := strings.Cut(strings.TrimPrefix(h.Get("Link"), "<"), ">")
				return link
			}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			c := thingContract()
			c.Source.Pagination = tc.pagination
			a, err := api.New(c, "dev", 7)
			if err != nil {
				t.Fatal(err)
			}
			a.Begin(at)
			var texts []string
			for target := "/things?limit=50"; target != ""; {
				got := get(t, a, target)
				if got.status != http.StatusOK {
					continue
				}
				var p page
				if err := json.Unmarshal([]byte(got.body), &p); err != nil {
					t.Fatal(err)
				}
				for _, r := range p.Items {
					texts = append(texts, string(r))
				}
				target = tc.next(target, len(texts), p, got.header)
			}
			if diff := cmp.Diff(a.Records(at), texts); diff != "" {
				t.Errorf("records (-want +got):\n%s", diff)
			}
		})
	}
}

func intp(n int) *int { return &n }

func thingContract() *contract.Contract {
	text := func(name string, k contract.Constraints) contract.Column {
		return contract.Column{Name: name, Member: name, Path: []string{name}, Type: contract.Type{Kind: contract.String}, Required: true, Constraints: k}
	}
	typed := func(name string, typ contract.Type, k contract.Constraints) contract.Column {
		return contract.Column{Name: name, Member: name, Path: []string{name}, Type: typ, Required: true, Constraints: k}
	}
	nested := typed("size", contract.Type{Kind: contract.Double}, contract.Constraints{})
	nested.Path = []string{"measure", "size"}
	first := typed("longitude", contract.Type{Kind: contract.Double}, contract.Constraints{Minimum: big.NewRat(-180, 1), Maximum: big.NewRat(180, 1)})
	first.Path = []string{"coordinates", "0"}
	return &contract.Contract{
		Dataset:                "things",
		File:                   "things.odcs.yaml",
		RejectThresholdPercent: 5,
		Uniques:                [][]string{{"thing_id"}},
		Columns: []contract.Column{
			text("thing_id", contract.Constraints{Pattern: regexp.MustCompile(`^T-[A-Z]{2}[0-9]{4}$`)}),
			text("colour", contract.Constraints{Enum: []string{"red", "green"}}),
			text("mail", contract.Constraints{Format: "email"}),
			text("short", contract.Constraints{MinLength: intp(12), MaxLength: intp(14)}),
			typed("count", contract.Type{Kind: contract.Integer}, contract.Constraints{Minimum: big.NewRat(1, 1), Maximum: big.NewRat(5, 1)}),
			typed("amount", contract.Type{Kind: contract.Decimal, Precision: 10, Scale: 2}, contract.Constraints{MultipleOf: big.NewRat(1, 20)}),
			typed("seen", contract.Type{Kind: contract.Timestamp, Time: contract.TimeFormat{Epoch: time.Second}}, contract.Constraints{}),
			typed("tags", contract.Type{Kind: contract.List, Elem: &contract.Column{Name: "element", Type: contract.Type{Kind: contract.String}}},
				contract.Constraints{MinItems: intp(2), MaxItems: intp(2)}),
			nested, first,
		},
		Source: contract.Source{
			URLs:       map[string]string{"dev": "https://api.example.com/things"},
			Records:    []string{"items"},
			Pagination: contract.Pagination{Kind: "single_page"},
		},
	}
}

func TestGenericRecordsKeepTheContract(t *testing.T) {
	a, err := api.New(thingContract(), "dev", 7)
	if err != nil {
		t.Fatal(err)
	}
	planted := map[string]bool{}
	for _, p := range a.Plan(at) {
		planted[p.Text] = true
	}
	if len(planted) < 3 {
		t.Errorf("only %d records have something planted", len(planted))
	}
	form := regexp.MustCompile(`^\{"thing_id":"T-[A-Z]{2}[0-9]{4}","colour":"(red|green)","mail":"[a-z.0-9]+@example\.com",` +
		`"short":"[a-z]{12,14}","count":[1-5],"amount":\d+(\.\d[05]?)?,"seen":17\d{8},"tags":\["[a-z]+","[a-z]+"\],` +
		`"measure":\{"size":\d+(\.\d+)?\},"coordinates":\[-?\d+(\.\d+)?\]\}$`)
	ids := map[string]bool{}
	for _, text := range a.Records(at) {
		if planted[text] {
			continue
		}
		if !form.MatchString(text) {
			t.Errorf("record breaks the contract: %s", text)
		}
		var r struct {
			ID string `json:"thing_id"`
		}
		if err := json.Unmarshal([]byte(text), &r); err != nil || ids[r.ID] {
			t.Errorf("record is no JSON or its id comes twice (%v): %s", err, text)
		}
		ids[r.ID] = true
	}
}

// Records under keys have keys that no other record has, on all pages.
func TestKeyedRecords(t *testing.T) {
	for _, records := range [][]string{nil, {"data", "things"}} {
		c := thingContract()
		c.Source.Records, c.Source.Keyed = records, true
		c.Source.Pagination = contract.Pagination{Kind: "offset", OffsetParam: "from", LimitParam: "limit", Limit: 50}
		a, err := api.New(c, "dev", 7)
		if err != nil {
			t.Fatal(err)
		}
		a.Begin(at)
		keys, seen := map[string]bool{}, int64(0)
		for from := 0; from < 150; {
			w := httptest.NewRecorder()
			a.ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), http.MethodGet, fmt.Sprintf("%s?limit=50&from=%d", a.Path(), from), nil))
			if w.Code != http.StatusOK {
				continue // the one that asks too often, and the one that fails
			}
			from += 50
			n, err := record.Count(bytes.NewReader(w.Body.Bytes()), &c.Source)
			if err != nil {
				t.Fatal(err)
			}
			seen += n
			for _, key := range regexp.MustCompile(`"(key-\d+)":`).FindAllStringSubmatch(w.Body.String(), -1) {
				keys[key[1]] = true
			}
		}
		if want := len(a.Records(at)); int(seen) != want || len(keys) != want {
			t.Errorf("%q: %d records with %d keys, want %d", records, seen, len(keys), want)
		}
	}
}

func TestCredentials(t *testing.T) {
	for _, tc := range []struct {
		name   string
		auth   contract.Auth
		secret string
		put    func(*http.Request)
	}{
		{"bearer", contract.Auth{Kind: "bearer"}, "made-up", func(r *http.Request) { r.Header.Set("Authorization", "Bearer made-up") }},
		{"key in a header", contract.Auth{Kind: "api_key", In: "header", Name: "X-Key"}, "made-up", func(r *http.Request) { r.Header.Set("X-Key", "made-up") }},
		{"key in the query", contract.Auth{Kind: "api_key", In: "query", Name: "key"}, "made-up", func(r *http.Request) { r.URL.RawQuery += "&key=made-up" }},
		{"basic", contract.Auth{Kind: "http_basic"}, "tributary:made-up", func(r *http.Request) { r.SetBasicAuth("tributary", "made-up") }},
		{"optional", contract.Auth{Kind: "bearer", Optional: true}, "", nil},
		{"OAuth 2", contract.Auth{Kind: "oauth2_client_credentials"}, "", nil},
	} {
		t.Run(tc.name, func(t *testing.T) {
			c := coinContract()
			c.Source.Auth = &tc.auth
			a, err := api.New(c, "dev", 1)
			if err != nil {
				t.Fatal(err)
			}
			if got := a.Secret(); got != tc.secret {
				t.Errorf("secret %q, want %q", got, tc.secret)
			}
			ask := func(put func(*http.Request)) int {
				a.Begin(at)
				r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, a.Path()+"?per_page=250&vs_currency=usd", nil)
				if put != nil {
					put(r)
				}
				w := httptest.NewRecorder()
				a.ServeHTTP(w, r)
				return w.Code
			}
			if got := ask(tc.put); got != http.StatusOK {
				t.Errorf("with credentials: %d", got)
			}
			if got := ask(nil); tc.put != nil && got != http.StatusUnauthorized {
				t.Errorf("without credentials: %d, want 401", got)
			}
		})
	}
}
