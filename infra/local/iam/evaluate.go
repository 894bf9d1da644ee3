package iam

import (
	"fmt"
	"net/netip"
	"strconv"
	"strings"
	"time"
)

// Request is what a principal wants to do with a resource.
type Request struct {
	Principal Principal
	Action    string              // service:Operation
	Resource  string              // ARN
	Context   map[string][]string // condition keys, in lower case
}

// Principal is who asks. Exactly one of Role, Service and Root is set.
type Principal struct {
	Role    string // ARN of a role of the account
	Service string // an AWS service, such as s3.amazonaws.com
	Root    string // ARN of the account's root user: allowed everything that is not explicitly denied
}

func (p Principal) String() string { return p.Role + p.Service + p.Root }

// Decision is the outcome of an evaluation.
type Decision struct {
	Allowed bool
	Denied  bool   // an explicit deny; false with Allowed false is the implicit deny
	Reason  string // the statement that decided, or what was missing
}

// Policy is a document with the name under which it is reported.
type Policy struct {
	Name     string
	Document *Document
}

// Evaluate decides a request within one account. An explicit deny in any policy wins; then an allow in the identity
// policies or in the resource policy is enough. For requests by services only the resource policy can allow.
//
// Where exclusive is set, as for KMS keys and the trust policies of roles, the resource policy alone decides whom it
// lets in: identity policies count only when it allows the account's root.
func Evaluate(r Request, identity []Policy, resource *Policy, exclusive bool) Decision {
	policies := identity
	if resource != nil {
		policies = append(policies[:len(policies):len(policies)], *resource)
	}
	for i, p := range policies {
		ofResource := resource != nil && i == len(policies)-1
		for j := range p.Document.Statement {
			s := &p.Document.Statement[j]
			if !s.Allow && s.matches(r) && (!ofResource || s.names(r.Principal) || s.namesAccount(r.Principal)) {
				return Decision{Denied: true, Reason: "explicitly denied by " + label(p, j)}
			}
		}
	}
	if r.Principal.Root != "" {
		return Decision{Allowed: true, Reason: "the account's root"}
	}
	delegated := !exclusive
	if resource != nil {
		for j := range resource.Document.Statement {
			s := &resource.Document.Statement[j]
			if !s.Allow || !s.matches(r) {
				continue
			}
			if s.names(r.Principal) {
				return Decision{Allowed: true, Reason: "allowed by " + label(*resource, j)}
			}
			delegated = delegated || s.namesAccount(r.Principal)
		}
	}
	if delegated {
		for _, p := range identity {
			for j := range p.Document.Statement {
				if s := &p.Document.Statement[j]; s.Allow && s.matches(r) {
					return Decision{Allowed: true, Reason: "allowed by " + label(p, j)}
				}
			}
		}
	}
	switch {
	case r.Principal.Service != "":
		return Decision{Reason: "no resource-based policy allows it"}
	case !delegated:
		return Decision{Reason: "the resource's own policy does not let the caller in"}
	}
	return Decision{Reason: "no identity-based policy allows it"}
}

func label(p Policy, statement int) string {
	if sid := p.Document.Statement[statement].Sid; sid != "" {
		return p.Name + " (" + sid + ")"
	}
	return fmt.Sprintf("%s (statement %d)", p.Name, statement+1)
}

// matches tells whether action, resource and conditions of the statement fit the request.
func (s *Statement) matches(r Request) bool {
	if !listed(s.Action, s.NotAction, func(pattern string) bool {
		return Like(strings.ToLower(pattern), strings.ToLower(r.Action))
	}) {
		return false
	}
	if len(s.Resource)+len(s.NotResource) > 0 && !listed(s.Resource, s.NotResource, func(pattern string) bool {
		return Like(substitute(pattern, r.Context), r.Resource)
	}) {
		return false
	}
	for _, c := range s.Condition {
		if !c.holds(r.Context) {
			return false
		}
	}
	return true
}

// listed tells whether one of the patterns fits or, where they are negated, none.
func listed(patterns, not []string, fits func(string) bool) bool {
	list, want := patterns, true
	if len(not) > 0 {
		list, want = not, false
	}
	for _, p := range list {
		if fits(p) {
			return want
		}
	}
	return !want
}

// names tells whether the statement's Principal is the caller itself.
func (s *Statement) names(p Principal) bool {
	if s.Principal == nil {
		return false
	}
	if s.Principal.Any {
		return true
	}
	for _, arn := range s.Principal.AWS {
		if p.Role != "" && arn == p.Role || p.Root != "" && arn == p.Root {
			return true
		}
	}
	for _, service := range s.Principal.Service {
		if p.Service == service {
			return true
		}
	}
	return false
}

// namesAccount tells whether the statement's Principal is the caller's account, which in an Allow hands the decision
// to the account's identity policies and in a Deny means everybody of the account.
func (s *Statement) namesAccount(p Principal) bool {
	if s.Principal == nil || p.Service != "" {
		return false
	}
	account := AccountOf(p.String())
	for _, arn := range s.Principal.AWS {
		if arn == account || strings.HasSuffix(arn, ":root") && AccountOf(arn) == account {
			return true
		}
	}
	return false
}

// AccountOf is the account id in an ARN.
func AccountOf(arn string) string {
	parts := strings.SplitN(arn, ":", 6)
	if len(parts) < 6 {
		return ""
	}
	return parts[4]
}

var operators = map[string]func(have, want string) bool{
	"StringEquals":              func(have, want string) bool { return have == want },
	"StringNotEquals":           func(have, want string) bool { return have == want },
	"StringEqualsIgnoreCase":    strings.EqualFold,
	"StringNotEqualsIgnoreCase": strings.EqualFold,
	"StringLike":                func(have, want string) bool { return Like(want, have) },
	"StringNotLike":             func(have, want string) bool { return Like(want, have) },
	"ArnEquals":                 likeARN,
	"ArnNotEquals":              likeARN,
	"ArnLike":                   likeARN,
	"ArnNotLike":                likeARN,
	"Bool":                      strings.EqualFold,
	"NumericEquals":             numeric(func(have, want float64) bool { return have == want }),
	"NumericNotEquals":          numeric(func(have, want float64) bool { return have == want }),
	"NumericLessThan":           numeric(func(have, want float64) bool { return have < want }),
	"NumericLessThanEquals":     numeric(func(have, want float64) bool { return have <= want }),
	"NumericGreaterThan":        numeric(func(have, want float64) bool { return have > want }),
	"NumericGreaterThanEquals":  numeric(func(have, want float64) bool { return have >= want }),
	"DateLessThan":              date(func(have, want time.Time) bool { return have.Before(want) }),
	"DateGreaterThan":           date(func(have, want time.Time) bool { return have.After(want) }),
	"IpAddress":                 inRange,
	"NotIpAddress":              inRange,
}

// holds evaluates the condition. A key that the request lacks makes it false, except under Null, the negated
// operators and the suffix IfExists.
func (c Condition) holds(context map[string][]string) bool {
	have, present := context[strings.ToLower(c.Key)]
	base, ifExists := strings.CutSuffix(c.Operator, "IfExists")
	var qualifier string
	qualifier, base = cutQualifier(base)
	if base == "Null" {
		for _, v := range c.Values {
			if strings.EqualFold(v, "true") != present {
				return true
			}
		}
		return false
	}
	negated := strings.Contains(base, "Not")
	if !present {
		return ifExists || negated || qualifier == "ForAllValues"
	}
	compare := operators[base]
	fits := func(have string) bool {
		for _, want := range c.Values {
			if compare(have, substitute(want, context)) {
				return !negated
			}
		}
		return negated
	}
	all := qualifier == "ForAllValues" || negated && qualifier == ""
	for _, h := range have {
		if fits(h) != all {
			return !all
		}
	}
	return all
}

// cutQualifier splits ForAllValues:StringEquals.
func cutQualifier(operator string) (qualifier, base string) {
	for _, q := range []string{"ForAllValues", "ForAnyValue"} {
		if rest, ok := strings.CutPrefix(operator, q+":"); ok {
			return q, rest
		}
	}
	return "", operator
}

// substitute replaces policy variables such as ${aws:PrincipalAccount}.
func substitute(pattern string, context map[string][]string) string {
	if !strings.Contains(pattern, "${") {
		return pattern
	}
	var b strings.Builder
	for {
		before, rest, found := strings.Cut(pattern, "${")
		b.WriteString(before)
		if !found {
			return b.String()
		}
		name, after, closed := strings.Cut(rest, "}")
		if !closed {
			return b.String() + "${" + rest
		}
		if values := context[strings.ToLower(name)]; len(values) == 1 {
			b.WriteString(values[0])
		} else {
			b.WriteString("${" + name + "}")
		}
		pattern = after
	}
}

// Like matches a pattern with * for any characters and ? for one.
func Like(pattern, text string) bool {
	star, mark := -1, 0
	i, j := 0, 0
	for j < len(text) {
		switch {
		case i < len(pattern) && pattern[i] == '*':
			star, mark = i, j
			i++
		case i < len(pattern) && (pattern[i] == '?' || pattern[i] == text[j]):
			i++
			j++
		case star >= 0:
			mark++
			i, j = star+1, mark
		default:
			return false
		}
	}
	return strings.Trim(pattern[i:], "*") == ""
}

// likeARN compares the six parts of two ARNs one by one, each with wildcards.
func likeARN(have, want string) bool {
	h, w := strings.SplitN(have, ":", 6), strings.SplitN(want, ":", 6)
	if len(h) != 6 || len(w) != 6 {
		return false
	}
	for i := range h {
		if !Like(w[i], h[i]) {
			return false
		}
	}
	return true
}

func numeric(compare func(have, want float64) bool) func(have, want string) bool {
	return func(have, want string) bool {
		h, err := strconv.ParseFloat(have, 64)
		w, err2 := strconv.ParseFloat(want, 64)
		return err == nil && err2 == nil && compare(h, w)
	}
}

func date(compare func(have, want time.Time) bool) func(have, want string) bool {
	return func(have, want string) bool {
		h, err := time.Parse(time.RFC3339, have)
		w, err2 := time.Parse(time.RFC3339, want)
		return err == nil && err2 == nil && compare(h, w)
	}
}

func inRange(have, want string) bool {
	address, err := netip.ParseAddr(have)
	if err != nil {
		return false
	}
	if prefix, err := netip.ParsePrefix(want); err == nil {
		return prefix.Contains(address)
	}
	exact, err := netip.ParseAddr(want)
	return err == nil && exact == address
}
