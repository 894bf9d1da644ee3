package contract

import (
	"math"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"time"
)

var (
	durationText = regexp.MustCompile(`^([0-9]{1,9})(ms|s|m|h|d)$`)
	durationUnit = map[string]time.Duration{
		"ms": time.Millisecond, "s": time.Second, "m": time.Minute, "h": time.Hour, "d": 24 * time.Hour,
	}
	sizeText = regexp.MustCompile(`^([0-9]{1,9})(B|KiB|MiB|GiB)$`)
	sizeUnit = map[string]int64{"B": 1, "KiB": 1 << 10, "MiB": 1 << 20, "GiB": 1 << 30}
)

// duration reads 30s, 15m, 2h, 30d; zero is refused.
func (n node) duration(longest time.Duration) time.Duration {
	text, ok := n.matching(durationText, "a duration as in 500ms, 30s, 15m, 2h or 30d")
	if !ok {
		return 0
	}
	m := durationText.FindStringSubmatch(text)
	count, _ := strconv.ParseInt(m[1], 10, 64) // nine digits
	unit := durationUnit[m[2]]
	if count == 0 || count > math.MaxInt64/int64(unit) || time.Duration(count)*unit > longest {
		n.fault("is %q; want more than nothing and at most %s", text, longest)
		return 0
	}
	return time.Duration(count) * unit
}

// size reads 512KiB, 16MiB; zero is refused.
func (n node) size(largest int64) int64 {
	text, ok := n.matching(sizeText, "a size as in 512KiB, 16MiB or 1GiB")
	if !ok {
		return 0
	}
	m := sizeText.FindStringSubmatch(text)
	count, _ := strconv.ParseInt(m[1], 10, 64) // nine digits
	if size := count * sizeUnit[m[2]]; size > 0 && size <= largest {
		return size
	}
	n.fault("is %q; want more than nothing and at most %d MiB", text, largest>>20)
	return 0
}

// pointer reads a JSON Pointer (RFC 6901) into its tokens. The whole document, "", is allowed where root says so.
func (n node) pointer(root bool) []string {
	text := n.yaml.Value
	if root && n.scalar("!!str") && text == "" {
		return nil
	}
	text, ok := n.nonEmpty()
	if !ok {
		return nil
	}
	if text[0] != '/' {
		n.fault("is %q; want a JSON Pointer as in /data/items: it starts with a slash", text)
		return nil
	}
	tokens := strings.Split(text[1:], "/")
	for i, token := range tokens {
		plain := strings.NewReplacer("~0", "", "~1", "").Replace(token)
		if strings.Contains(plain, "~") {
			n.fault("is %q; in a JSON Pointer a tilde is written ~0 and a slash ~1", text)
			return nil
		}
		tokens[i] = strings.ReplaceAll(strings.ReplaceAll(token, "~1", "/"), "~0", "~")
	}
	return tokens
}

// address reads an absolute http or https URL without user, query or fragment.
func (n node) address() (*url.URL, bool) {
	text, ok := n.nonEmpty()
	if !ok {
		return nil, false
	}
	u, err := url.Parse(text)
	switch {
	case err != nil:
		n.fault("is no URL: %v", err)
	case u.Scheme != "https" && u.Scheme != "http" || u.Hostname() == "":
		n.fault("is %q; want an absolute URL as in https://api.example.com/v1/items", text)
	case !validPort(u.Port()):
		n.fault("has port %s; ports go from 1 to 65535", u.Port())
	case u.User != nil:
		n.fault("holds a user: credentials belong into auth, as the name of a secret")
	case u.RawQuery != "" || u.ForceQuery:
		n.fault("holds a query: write it under query of the source property")
	case u.Fragment != "":
		n.fault("holds a fragment, which no server ever sees: remove it")
	default:
		return u, true
	}
	return nil, false
}

// validPort takes an empty port for the scheme's own.
func validPort(text string) bool {
	port, err := strconv.Atoi(text)
	return text == "" || err == nil && port >= 1 && port <= math.MaxUint16
}
