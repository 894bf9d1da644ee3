package infer

import (
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"
)

// login is a credential that the address has, as the contract's auth.
type login struct {
	auth  string
	name  string // in words
	guess string
	why   string // and what of it is not written down
	given bool   // with a value
}

// address takes the URL apart: credentials in the query and a user's name never go into a contract.
func (d *draft) address() error {
	if d.options.URL == "" {
		d.location = "https://api.example.com/" + d.dataset
		return nil
	}
	u, err := url.Parse(d.options.URL)
	if err != nil || u.Host == "" {
		return errors.New("the address is no URL with a host")
	}
	d.sent = u.Query()
	var logins []login
	if u.User != nil {
		logins = append(logins, login{auth: fmt.Sprintf("{kind: http_basic, secret: %s/login}", d.dataset), name: "the user name", guess: "http_basic", why: "the address has a user name; what stood there", given: true})
		u.User = nil
	}
	for _, pair := range strings.FieldsFunc(u.RawQuery, func(r rune) bool { return r == '&' }) {
		name, text, _ := strings.Cut(pair, "=")
		name, err1 := url.QueryUnescape(name)
		text, err2 := url.QueryUnescape(text)
		if err1 != nil || err2 != nil {
			return errors.New("the query of the address is not well formed")
		}
		if secret(name) {
			logins = append(logins, login{
				auth: fmt.Sprintf("{kind: api_key, in: query, name: %s, secret: %s/key}", quote(name), d.dataset),
				name: name, guess: "api_key in the query", why: name + " looks like a credential; its value", given: text != "",
			})
			continue
		}
		if slices.ContainsFunc(d.query, func(q [2]string) bool { return q[0] == name }) {
			return fmt.Errorf("the address sends the parameter %s twice, and a contract sends each once: ask for one value, or for all in one parameter if the API takes that", name)
		}
		d.query = append(d.query, [2]string{name, text})
	}
	d.authorize(logins)
	u.RawQuery, u.Fragment = "", ""
	d.location, d.insecure = u.String(), u.Scheme == "http"
	return nil
}

// authorize takes the first credential that has a value, and says of each other one that it is left out.
func (d *draft) authorize(logins []login) {
	if len(logins) == 0 {
		return
	}
	first := max(0, slices.IndexFunc(logins, func(l login) bool { return l.given }))
	taken := logins[first]
	d.auth = taken.auth
	d.credentials = []Note{{What: "auth", Guess: taken.guess, Why: taken.why + " is not written down: ops:secret takes it", Sure: Likely}}
	for _, l := range slices.Delete(logins, first, first+1) {
		d.credentials = append(d.credentials, Note{
			What: "auth", Guess: "without " + l.name, Sure: Guess,
			Why: fmt.Sprintf("%s looks like a credential too; a contract has one: %s is taken, so look which one the source wants", l.name, taken.name),
		})
	}
}
