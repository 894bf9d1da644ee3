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

// address takes the URL apart: credentials in the query and a user's name never go into a contract, and what looks like one
// in the path is pointed out.
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
		if secret(name) || strings.EqualFold(name, "code") && len(text) >= shortestToken { // as Azure Functions call their key
			logins = append(logins, login{
				auth: fmt.Sprintf("{kind: api_key, in: query, name: %s, secret: %s/key}", quote(name), d.dataset),
				name: name, guess: "api_key in the query", why: name + " looks like a credential; its value", given: text != "",
			})
			continue
		}
		if slices.ContainsFunc(d.query, func(q [2]string) bool { return q[0] == name }) {
			return fmt.Errorf("the address sends the parameter %s twice, and a contract sends each once: ask for one value, or for all in one parameter if the API takes that", name)
		}
		if token(text) {
			d.credentials = append(d.credentials, kept(name+" in the query"))
		}
		d.query = append(d.query, [2]string{name, text})
	}
	d.credentials = slices.Concat(d.authorize(logins), d.credentials, inPath(u))
	u.RawQuery, u.Fragment = "", ""
	d.location, d.insecure = u.String(), u.Scheme == "http"
	return nil
}

// authorize takes the first credential that has a value, and says of each other one that it is left out.
func (d *draft) authorize(logins []login) []Note {
	if len(logins) == 0 {
		return nil
	}
	first := max(0, slices.IndexFunc(logins, func(l login) bool { return l.given }))
	taken := logins[first]
	d.auth = taken.auth
	notes := []Note{{What: "auth", Guess: taken.guess, Why: taken.why + " is not written down: ops:secret takes it", Sure: Likely}}
	for _, l := range slices.Delete(logins, first, first+1) {
		notes = append(notes, Note{
			What: "auth", Guess: "without " + l.name, Sure: Guess,
			Why: fmt.Sprintf("%s looks like a credential too; a contract has one: %s is taken, so look which one the source wants", l.name, taken.name),
		})
	}
	return notes
}

// inPath points out what looks like a credential in the path: the address is none without it, so it stays.
func inPath(u *url.URL) []Note {
	var notes []Note
	for i, escaped := range strings.Split(strings.TrimPrefix(u.EscapedPath(), "/"), "/") {
		segment, err := url.PathUnescape(escaped)
		if err != nil {
			segment = escaped
		}
		parts := strings.Split(segment, ";")
		if slices.ContainsFunc(strings.FieldsFunc(parts[0], func(r rune) bool { return strings.ContainsRune(":,@()'", r) }), token) {
			notes = append(notes, kept(fmt.Sprintf("part %d of the path", i+1)))
		}
		for _, part := range parts[1:] {
			if name, text, _ := strings.Cut(part, "="); secret(name) || token(text) || token(name) {
				notes = append(notes, kept(fmt.Sprintf("what follows the semicolon in part %d of the path", i+1)))
			}
		}
	}
	return notes
}

// kept points out what looks like a credential and stands in the contract.
func kept(where string) Note {
	return Note{
		What: "address", Guess: "as it was given", Sure: Guess,
		Why: where + " looks like a credential, and stands in the contract: look at it, and commit it only if it is none; ask the source for an address without",
	}
}
