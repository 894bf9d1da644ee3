package input

import (
	"errors"
	"net/url"
	"strings"
)

// Address reads a text as an address of the web; nil is the name of a file. Errors do not repeat the text, in which there may
// be a password or a key.
func Address(text string) (*url.URL, error) {
	lower := strings.ToLower(text)
	web := strings.HasPrefix(lower, "http:") || strings.HasPrefix(lower, "https:")
	if !web && !strings.Contains(text, "://") {
		return nil, nil
	}
	if !web {
		return nil, errors.New("only http and https addresses are asked, and a file is given by its path")
	}
	u, err := url.Parse(text)
	if err != nil || u.Host == "" {
		return nil, errors.New("only http and https addresses are asked, and this one is not well formed")
	}
	return u, nil
}

// Shown is a file's name or an address as it may be printed: without what stands where addresses have a user or a query.
func Shown(text string) string {
	u, err := Address(text)
	if err != nil {
		return "an address"
	}
	if u != nil {
		u.User, u.RawQuery, u.ForceQuery, u.Fragment, u.RawFragment = nil, "", false, "", ""
		return u.String()
	}
	head, _, _ := strings.Cut(text, "?")
	if at := strings.LastIndex(head, "@"); at >= 0 && strings.Contains(head[:at], ":") { // an address without https://
		head = head[at+1:]
	}
	return head
}
