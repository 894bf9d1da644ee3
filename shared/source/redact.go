package source

import (
	"net/url"
	"regexp"
	"strings"
)

const mask = "***"

// secretParam matches parameters that carry credentials by their usual names: links of an API may bring them.
var secretParam = regexp.MustCompile(`(?i)^(.*[_-])?(api[_-]?key|apikey|key|token|secret|password|passwd|signature|sig|credential|auth|authorization)$`)

// redact is the URL with user information removed and the values of credential parameters masked, in the order given.
func redact(u *url.URL, keyParam string) *url.URL {
	clean := *u
	clean.User = nil
	clean.Fragment = ""
	if u.RawQuery == "" {
		return &clean
	}
	parts := strings.Split(u.RawQuery, "&")
	for i, part := range parts {
		name, _, _ := strings.Cut(part, "=")
		plain, err := url.QueryUnescape(name)
		if err != nil {
			plain = name
		}
		if plain == keyParam && keyParam != "" || secretParam.MatchString(plain) {
			parts[i] = name + "=" + mask
		}
	}
	clean.RawQuery = strings.Join(parts, "&")
	return &clean
}

// without is the URL without the named parameter, so that a credential which the source put into a link is not stored.
func without(u *url.URL, param string) *url.URL {
	clean := *u
	clean.User = nil
	clean.Fragment = ""
	if query := u.Query(); param != "" && query.Has(param) {
		query.Del(param)
		clean.RawQuery = query.Encode()
	}
	return &clean
}

// hider removes credentials from texts that go into errors.
type hider struct{ values []string }

// add makes the hider remove a value, as it is and as it stands in URLs.
func (h *hider) add(value string) {
	if value != "" {
		h.values = append(h.values, value, url.QueryEscape(value), url.PathEscape(value))
	}
}

func (h *hider) hide(text string) string {
	for _, value := range h.values {
		text = strings.ReplaceAll(text, value, mask)
	}
	return text
}
