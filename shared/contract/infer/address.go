package infer

import (
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"
)

// address takes the URL apart: credentials never go into a contract.
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
	if u.User != nil {
		d.auth = fmt.Sprintf("{kind: http_basic, secret: %s/login}", d.dataset)
		d.authNote = &Note{What: "auth", Guess: "http_basic", Why: "the address has a user name; what stood there is not written down: ops:secret takes it", Sure: Likely}
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
			d.auth = fmt.Sprintf("{kind: api_key, in: query, name: %s, secret: %s/key}", quote(name), d.dataset)
			d.authNote = &Note{What: "auth", Guess: "api_key in the query", Why: name + " looks like a credential; its value is not written down: ops:secret takes it", Sure: Likely}
			continue
		}
		if slices.ContainsFunc(d.query, func(q [2]string) bool { return q[0] == name }) {
			return fmt.Errorf("the address sends the parameter %s twice, and a contract sends each once: ask for one value, or for all in one parameter if the API takes that", name)
		}
		d.query = append(d.query, [2]string{name, text})
	}
	u.RawQuery, u.Fragment = "", ""
	d.location, d.insecure = u.String(), u.Scheme == "http"
	return nil
}
