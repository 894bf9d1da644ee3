package source_test

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"tributary/shared/contract"
	"tributary/shared/source"
)

const key = "s3cr3t/k+y"

func TestCredentialsAreSent(t *testing.T) {
	tests := []struct {
		name    string
		auth    *contract.Auth
		secrets secrets
		secret  string // override
		want    map[string]string
		wantURI string
	}{
		{
			name: "bearer", auth: &contract.Auth{Kind: "bearer", Secret: "orders"}, secrets: secrets{"orders": key + "\n"},
			want: map[string]string{"Authorization": "Bearer " + key}, wantURI: "/",
		},
		{
			name: "api_key in a header", auth: &contract.Auth{Kind: "api_key", In: "header", Name: "x-key", Secret: "orders"}, secrets: secrets{"orders": key},
			want: map[string]string{"X-Key": key}, wantURI: "/",
		},
		{
			name: "api_key in the query", auth: &contract.Auth{Kind: "api_key", In: "query", Name: "apikey", Secret: "orders"}, secrets: secrets{"orders": key},
			want: map[string]string{}, wantURI: "/?apikey=s3cr3t%2Fk%2By",
		},
		{
			name: "http_basic as a pair", auth: &contract.Auth{Kind: "http_basic", Secret: "orders"}, secrets: secrets{"orders": "me:pass:word"},
			want: map[string]string{"Authorization": "Basic bWU6cGFzczp3b3Jk"}, wantURI: "/",
		},
		{
			name: "http_basic as JSON", auth: &contract.Auth{Kind: "http_basic", Secret: "orders"}, secrets: secrets{"orders": `{"username":"me","password":"pass:word"}`},
			want: map[string]string{"Authorization": "Basic bWU6cGFzczp3b3Jk"}, wantURI: "/",
		},
		{
			name: "secret by another name", auth: &contract.Auth{Kind: "bearer", Secret: "orders"}, secrets: secrets{"arn:aws:x": key}, secret: "arn:aws:x",
			want: map[string]string{"Authorization": "Bearer " + key}, wantURI: "/",
		},
		{
			name: "optional and empty", auth: &contract.Auth{Kind: "bearer", Secret: "orders", Optional: true}, secrets: secrets{"orders": ""},
			want: map[string]string{}, wantURI: "/",
		},
		{
			name: "optional and missing", auth: &contract.Auth{Kind: "bearer", Secret: "orders", Optional: true},
			want: map[string]string{}, wantURI: "/",
		},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			a := serve(t, body(`[1]`))
			o := options(newClock(), a.URL)
			o.Secret = test.secret
			if _, err := client(t, contract.Source{Auth: test.auth}, test.secrets, o).Walk().Fetch(t.Context()); err != nil {
				t.Fatal(err)
			}
			got := map[string]string{}
			for _, name := range []string{"Authorization", "X-Key"} {
				if value := a.asked[0].Header.Get(name); value != "" {
					got[name] = value
				}
			}
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("headers (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff([]string{test.wantURI}, a.queries()); diff != "" {
				t.Errorf("asked (-want +got):\n%s", diff)
			}
		})
	}
}

func TestRequestTellsWhoAsks(t *testing.T) {
	a := serve(t, body(`[1]`))
	c := client(t, contract.Source{Headers: []contract.Pair{{Name: "x-tenant", Value: "t1"}}}, nil, options(newClock(), a.URL))
	if _, err := c.Walk().Fetch(t.Context()); err != nil {
		t.Fatal(err)
	}
	want := http.Header{
		"User-Agent": {"tributary (dataset orders; contract 1.2.0)"}, "Accept": {"application/json"},
		"Accept-Encoding": {"gzip"}, "X-Tenant": {"t1"}, "Connection": {"close"},
	}
	if diff := cmp.Diff(want, a.asked[0].Header); diff != "" {
		t.Errorf("headers (-want +got):\n%s", diff)
	}
}

func TestSecretFaults(t *testing.T) {
	bearer := &contract.Auth{Kind: "bearer", Secret: "orders"}
	tests := []struct {
		name    string
		auth    *contract.Auth
		secrets secrets
		want    string
	}{
		{"missing", bearer, nil, `fetch orders: secretless: secret "orders" is empty (fill it with: go tool mage ops:secret orders)`},
		{"empty", bearer, secrets{"orders": " \n"}, `fetch orders: secretless: secret "orders" is empty (fill it with: go tool mage ops:secret orders)`},
		{"two lines", bearer, secrets{"orders": "a\nb"}, `fetch orders: secretless: secret "orders" holds control characters (fill it with: go tool mage ops:secret orders)`},
		{"no pair", &contract.Auth{Kind: "http_basic", Secret: "orders"}, secrets{"orders": "abc"},
			`fetch orders: secretless: secret "orders" is neither username:password nor a JSON object with the members username and password (fill it with: go tool mage ops:secret orders)`},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			a := serve(t, body(`[1]`))
			_, err := client(t, contract.Source{Auth: test.auth}, test.secrets, options(newClock(), a.URL)).Walk().Fetch(t.Context())
			var fault *source.Error
			if !errors.As(err, &fault) || fault.Kind != source.Secretless {
				t.Fatalf("error %v", err)
			}
			if diff := cmp.Diff(test.want, err.Error()); diff != "" {
				t.Errorf("error (-want +got):\n%s", diff)
			}
			if len(a.queries()) != 0 {
				t.Errorf("asked %q without a secret", a.queries())
			}
		})
	}
}

func TestErrorsHideCredentials(t *testing.T) {
	echo := func(w http.ResponseWriter, r *http.Request) {
		w.WriteHeader(http.StatusForbidden)
		fmt.Fprintf(w, "key %s of %s, %s, is not valid %s", key, r.URL, r.Header.Get("Authorization"), strings.Repeat("x", 400))
	}
	tests := []struct {
		name  string
		auth  *contract.Auth
		steps []http.HandlerFunc
		want  string
	}{
		{
			"echoed in the body", &contract.Auth{Kind: "api_key", In: "query", Name: "k", Secret: "orders"}, []http.HandlerFunc{echo},
			`fetch orders: GET URL/: attempt 1: refused: status 403 Forbidden: "key *** of /?k=***, , is not valid ` + strings.Repeat("x", 221) + `…" (the secret orders was not accepted; fill it with: go tool mage ops:secret orders)`,
		},
		{
			"echoed from a header", &contract.Auth{Kind: "bearer", Secret: "orders"}, []http.HandlerFunc{echo},
			`fetch orders: GET URL/: attempt 1: refused: status 403 Forbidden: "key *** of /, Bearer ***, is not valid ` + strings.Repeat("x", 217) + `…" (the secret orders was not accepted; fill it with: go tool mage ops:secret orders)`,
		},
		{
			"in the URL of a network fault", &contract.Auth{Kind: "api_key", In: "query", Name: "k", Secret: "orders"}, []http.HandlerFunc{hangUp},
			`fetch orders: GET URL/: attempt 5: unavailable: EOF`,
		},
		{
			"in a redirect", &contract.Auth{Kind: "api_key", In: "query", Name: "k", Secret: "orders"}, []http.HandlerFunc{
				func(w http.ResponseWriter, r *http.Request) {
					http.Redirect(w, r, "http://127.0.0.1:1/"+url.PathEscape(r.URL.Query().Get("k")), http.StatusFound)
				},
			},
			`fetch orders: GET URL/: attempt 5: unavailable: dial tcp 127.0.0.1:1: connect: connection refused`,
		},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			a := serve(t, test.steps...)
			_, err := client(t, contract.Source{Auth: test.auth}, secrets{"orders": key}, options(newClock(), a.URL+"/")).Walk().Fetch(t.Context())
			if err == nil {
				t.Fatal("no error")
			}
			got := strings.ReplaceAll(err.Error(), a.URL, "URL")
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("error (-want +got):\n%s", diff)
			}
			for e := err; e != nil; e = errors.Unwrap(e) {
				if strings.Contains(e.Error(), key) || strings.Contains(e.Error(), url.QueryEscape(key)) {
					t.Errorf("the credential shows in %v", e)
				}
			}
		})
	}
}

func TestCredentialsStayAtTheirOrigin(t *testing.T) {
	var elsewhere []http.Header
	var uris []string
	other := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		elsewhere, uris = append(elsewhere, r.Header), append(uris, r.URL.RequestURI())
		_, _ = io.WriteString(w, `{"data":[2]}`)
	}))
	defer other.Close()
	for _, auth := range []*contract.Auth{
		{Kind: "bearer", Secret: "orders"},
		{Kind: "api_key", In: "header", Name: "x-key", Secret: "orders"},
		{Kind: "api_key", In: "query", Name: "k", Secret: "orders"},
		{Kind: "http_basic", Secret: "orders"},
	} {
		for _, way := range []struct {
			name  string
			steps []http.HandlerFunc
		}{
			{"redirect", []http.HandlerFunc{func(w http.ResponseWriter, r *http.Request) {
				http.Redirect(w, r, other.URL+"/moved", http.StatusTemporaryRedirect)
			}}},
			{"redirect behind a redirect", []http.HandlerFunc{
				func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/here", http.StatusFound) },
				func(w http.ResponseWriter, r *http.Request) {
					http.Redirect(w, r, other.URL+"/moved", http.StatusFound)
				},
			}},
			{"link", []http.HandlerFunc{body(`{"data":[1],"next":"` + other.URL + `/moved"}`)}},
		} {
			t.Run(auth.Kind+" "+auth.In+" "+way.name, func(t *testing.T) {
				elsewhere, uris = nil, nil
				a := serve(t, way.steps...)
				c := client(t, contract.Source{
					Auth: auth, Records: []string{"data"}, Headers: []contract.Pair{{Name: "x-tenant", Value: "t1"}},
					Pagination: contract.Pagination{Kind: "json_link", NextURLPath: []string{"next"}},
				}, secrets{"orders": "me:" + key}, options(newClock(), a.URL))
				if _, err := walkAll(t.Context(), c.Walk()); err != nil {
					t.Fatal(err)
				}
				want := []http.Header{{
					"User-Agent": {"tributary (dataset orders; contract 1.2.0)"}, "Accept": {"application/json"},
					"Accept-Encoding": {"gzip"}, "Connection": {"close"},
				}}
				if diff := cmp.Diff(want, elsewhere); diff != "" {
					t.Errorf("headers at the other host (-want +got):\n%s", diff)
				}
				if diff := cmp.Diff([]string{"/moved"}, uris); diff != "" {
					t.Errorf("asked at the other host (-want +got):\n%s", diff)
				}
			})
		}
	}
}

func TestRefusalElsewhereIsExplained(t *testing.T) {
	other := httptest.NewServer(status(http.StatusUnauthorized, ""))
	defer other.Close()
	a := serve(t, func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, other.URL, http.StatusFound) })
	_, err := client(t, contract.Source{Auth: &contract.Auth{Kind: "bearer", Secret: "orders"}}, secrets{"orders": key}, options(newClock(), a.URL)).Walk().Fetch(t.Context())
	if err == nil || !strings.Contains(err.Error(), "credentials are not sent to another host than the contract's") {
		t.Errorf("error %v", err)
	}
}

func TestLinkThatEchoesTheKeyIsKeptWithoutIt(t *testing.T) {
	a := serve(t,
		func(w http.ResponseWriter, r *http.Request) {
			fmt.Fprintf(w, `{"data":[1],"next":"/p2?k=%s&b=2"}`, r.URL.Query().Get("k"))
		},
		body(`{"data":[2]}`))
	walk := client(t, contract.Source{
		Auth: &contract.Auth{Kind: "api_key", In: "query", Name: "k", Secret: "orders"}, Records: []string{"data"},
		Pagination: contract.Pagination{Kind: "json_link", NextURLPath: []string{"next"}},
	}, secrets{"orders": "abc"}, options(newClock(), a.URL)).Walk()
	page, err := walk.Fetch(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if want := a.URL + "/p2?b=2"; page.Next != want {
		t.Errorf("next %q, want %q", page.Next, want)
	}
	if err := walk.Pass(page.Mark); err != nil {
		t.Fatal(err)
	}
	if _, err := walk.Fetch(t.Context()); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"/?k=abc", "/p2?b=2&k=abc"}, a.queries()); diff != "" {
		t.Errorf("asked (-want +got):\n%s", diff)
	}
}

func TestTLSIsKept(t *testing.T) {
	plain := httptest.NewServer(body(`[1]`))
	defer plain.Close()
	var to string
	secure := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/redirect":
			http.Redirect(w, r, plain.URL, http.StatusFound)
		default:
			fmt.Fprintf(w, `{"data":[1],"next":%q}`, to)
		}
	}))
	defer secure.Close()
	to = plain.URL
	link := contract.Pagination{Kind: "json_link", NextURLPath: []string{"next"}}
	tests := []struct {
		name   string
		path   string
		source contract.Source
		trust  bool
		want   string
	}{
		{"redirect to plain http", "/redirect", contract.Source{}, true, "insecure: a redirect leads to plain http"},
		{"link to plain http", "/", contract.Source{Records: []string{"data"}, Pagination: link}, true, "insecure: the link leads to plain http"},
		{"unknown certificate", "/", contract.Source{}, false, "insecure: tls: failed to verify certificate: x509: certificate signed by unknown authority"},
		{"plain http where the contract allows it", "/redirect", contract.Source{Insecure: true}, true, ""},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			clk := newClock()
			o := options(clk, secure.URL+test.path)
			if test.trust {
				o.Transport = secure.Client().Transport
			}
			_, err := walkAll(t.Context(), client(t, test.source, nil, o).Walk())
			var fault *source.Error
			switch {
			case test.want == "":
				if err != nil {
					t.Fatal(err)
				}
			case !errors.As(err, &fault) || fault.Kind != source.Insecure || !strings.HasSuffix(err.Error(), test.want):
				t.Errorf("error %v, want %s", err, test.want)
			}
			if len(clk.slept) != 0 {
				t.Errorf("tried again after %v", clk.slept)
			}
		})
	}
}

func TestOAuth2(t *testing.T) {
	auth := func(a *api) *contract.Auth {
		return &contract.Auth{Kind: "oauth2_client_credentials", Secret: "orders", TokenURL: a.URL + "/token", Scopes: []string{"read", "list"}}
	}
	known := secrets{"orders": `{"client_id":"me","client_secret":"` + key + `"}`}
	three := contract.Pagination{Kind: "page_number", BasePage: 1, PageParam: "page", MaximumPage: 3}

	t.Run("token is used until its end", func(t *testing.T) {
		clk := newClock()
		var forms []string
		tokens, pages := 0, 0
		a := serve(t, func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path == "/token" {
				tokens++
				user, _, _ := r.BasicAuth()
				_ = r.ParseForm()
				forms = append(forms, r.Method+" "+user+" "+r.PostForm.Encode())
				fmt.Fprintf(w, `{"access_token":"t%d","expires_in":90}`, tokens)
				return
			}
			pages++
			clk.mu.Lock()
			clk.now = clk.now.Add(40 * time.Second)
			clk.mu.Unlock()
			fmt.Fprintf(w, `[%q]`, r.Header.Get("Authorization"))
		})
		bodies, err := walkAll(t.Context(), client(t, contract.Source{Auth: auth(a), Pagination: three}, known, options(clk, a.URL)).Walk())
		if err == nil {
			t.Fatal("the same page twice was taken")
		}
		if diff := cmp.Diff([]string{`["Bearer t1"]`}, bodies); diff != "" {
			t.Errorf("pages (-want +got):\n%s", diff)
		}
		if diff := cmp.Diff([]string{"POST me grant_type=client_credentials&scope=read+list"}, forms); diff != "" {
			t.Errorf("asked for tokens (-want +got):\n%s", diff)
		}
	})

	t.Run("token is replaced at its end and when it is refused", func(t *testing.T) {
		clk := newClock()
		tokens, pages := 0, 0
		var used []string
		a := serve(t, func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path == "/token" {
				tokens++
				fmt.Fprintf(w, `{"access_token":"t%d","expires_in":"60"}`, tokens)
				return
			}
			pages++
			used = append(used, r.URL.RawQuery+" "+r.Header.Get("Authorization"))
			if pages == 2 {
				w.WriteHeader(http.StatusUnauthorized)
				return
			}
			clk.mu.Lock()
			clk.now = clk.now.Add(time.Duration(pages*pages) * 10 * time.Second)
			clk.mu.Unlock()
			fmt.Fprintf(w, `[%d]`, pages)
		})
		if _, err := walkAll(t.Context(), client(t, contract.Source{Auth: auth(a), Pagination: three}, known, options(clk, a.URL)).Walk()); err != nil {
			t.Fatal(err)
		}
		want := []string{"page=1 Bearer t1", "page=2 Bearer t1", "page=2 Bearer t2", "page=3 Bearer t3"}
		if diff := cmp.Diff(want, used); diff != "" {
			t.Errorf("used (-want +got):\n%s", diff)
		}
		if len(clk.slept) != 0 {
			t.Errorf("slept %v", clk.slept)
		}
	})

	t.Run("a fresh token that is refused too ends it", func(t *testing.T) {
		tokens := 0
		a := serve(t, func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path == "/token" {
				tokens++
				fmt.Fprintf(w, `{"access_token":"t%d"}`, tokens)
				return
			}
			w.WriteHeader(http.StatusUnauthorized)
		})
		_, err := client(t, contract.Source{Auth: auth(a)}, known, options(newClock(), a.URL)).Walk().Fetch(t.Context())
		var fault *source.Error
		if !errors.As(err, &fault) || fault.Kind != source.Refused || tokens != 2 {
			t.Errorf("error %v after %d tokens", err, tokens)
		}
	})

	t.Run("credentials go into the form where the header is refused", func(t *testing.T) {
		a := serve(t, func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path != "/token" {
				_, _ = io.WriteString(w, `[1]`)
				return
			}
			if r.FormValue("client_id") != "me" || r.FormValue("client_secret") != key || r.Header.Get("Authorization") != "" {
				w.WriteHeader(http.StatusUnauthorized)
				return
			}
			_, _ = io.WriteString(w, `{"access_token":"t"}`)
		})
		if _, err := client(t, contract.Source{Auth: auth(a)}, known, options(newClock(), a.URL)).Walk().Fetch(t.Context()); err != nil {
			t.Fatal(err)
		}
	})

	t.Run("faults", func(t *testing.T) {
		tests := []struct {
			name  string
			step  http.HandlerFunc
			want  string
			asked int
		}{
			{"refused", status(401, `{"error":"invalid_client `+key+`"}`), `attempt 1: refused: status 401 Unauthorized: "{\"error\":\"invalid_client ***\"}" (check the client's id and secret; fill it with: go tool mage ops:secret orders)`, 2},
			{"unavailable", status(503, "busy"), `attempt 5: unavailable: status 503 Service Unavailable: "busy"`, 5},
			{"no token", body(`{}`), "attempt 1: malformed: status 200 OK: the answer holds no access_token", 1},
			{"redirect", status(302, "", "Location", "http://127.0.0.1:1/"), "attempt 1: rejected: status 302 Found", 1},
		}
		for _, test := range tests {
			t.Run(test.name, func(t *testing.T) {
				a := serve(t, test.step)
				_, err := client(t, contract.Source{Auth: auth(a)}, known, options(newClock(), a.URL)).Walk().Fetch(t.Context())
				if err == nil || !strings.Contains(err.Error(), "POST "+a.URL+"/token: ") || !strings.Contains(err.Error(), test.want) {
					t.Errorf("error %v, want %s", err, test.want)
				}
				if len(a.queries()) != test.asked {
					t.Errorf("asked %q, want %d requests", a.queries(), test.asked)
				}
			})
		}
	})
}
