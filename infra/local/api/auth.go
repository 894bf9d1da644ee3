package api

import "net/http"

// The credentials that open every API that asks for some.
const (
	user     = "tributary"
	password = "made-up"
)

// Secret is the value of the dataset's secret with which this API lets a client in; empty where it needs none, or one
// that is got elsewhere (OAuth 2 tokens are not made here).
func (a *API) Secret() string {
	auth := a.source.Auth
	if auth == nil || auth.Optional {
		return ""
	}
	switch auth.Kind {
	case "http_basic":
		return user + ":" + password
	case "bearer", "api_key":
		return password
	}
	return ""
}

// opens reports whether a request carries the credentials that the contract declares.
func (a *API) opens(r *http.Request) bool {
	if a.Secret() == "" {
		return true
	}
	switch auth := a.source.Auth; auth.Kind {
	case "http_basic":
		name, pass, ok := r.BasicAuth()
		return ok && name == user && pass == password
	case "bearer":
		return r.Header.Get("Authorization") == "Bearer "+password
	default:
		return auth.In == "query" && r.URL.Query().Get(auth.Name) == password || auth.In != "query" && r.Header.Get(auth.Name) == password
	}
}
