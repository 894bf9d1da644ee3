package contract

import (
	"slices"
	"strings"
)

var authKeys = map[string][]string{
	"bearer":                    {},
	"api_key":                   {"in", "name"},
	"http_basic":                {},
	"oauth2_client_credentials": {"token_url", "scopes"},
}

func (n node) auth(s *Source) *Auth {
	o := n.object("kind", "secret", "optional", "in", "name", "token_url", "scopes")
	kinds := []string{"bearer", "api_key", "http_basic", "oauth2_client_credentials"}
	a := &Auth{}
	v, ok := o.need("kind", alternatives(kinds))
	if !ok {
		return a
	}
	if a.Kind, ok = v.oneOf(kinds...); !ok {
		return a
	}
	for _, key := range []string{"in", "name", "token_url", "scopes"} {
		if !slices.Contains(authKeys[a.Kind], key) {
			o.refuse(key, "is not used by %s: remove it", a.Kind)
		}
	}
	if v, ok := o.need("secret", "the name of the Secrets Manager secret; never its value"); ok {
		a.Secret, _ = v.matching(secretName, "a name of Secrets Manager: letters, digits and /_+=.@-")
	}
	if v, ok := o.get("optional"); ok {
		a.Optional = v.boolean()
	}
	switch a.Kind {
	case "api_key":
		if v, ok := o.need("in", "header or query"); ok {
			a.In, _ = v.oneOf("header", "query")
		}
		if v, ok := o.need("name", "the name of the header or parameter"); ok {
			form, what := headerName, "the name of a header"
			if a.In == "query" {
				form, what = parameter, "the name of a query parameter: no spaces, & or #"
			}
			a.Name, ok = v.matching(form, what)
			if ok && a.In == "header" && slices.ContainsFunc(s.Headers, func(p Pair) bool { return strings.EqualFold(p.Name, a.Name) }) {
				v.fault("stands under headers too: remove it there, the secret's value is sent")
			}
		}
	case "oauth2_client_credentials":
		if v, ok := o.need("token_url", "where tokens are given"); ok {
			if u, ok := v.address(); ok {
				if u.Scheme == "http" && !s.Insecure {
					v.fault("is plain http: use https, or add insecure: true to the source property")
				}
				a.TokenURL = u.String()
			}
		}
		if v, ok := o.get("scopes"); ok {
			a.Scopes = v.texts()
		}
	}
	return a
}
