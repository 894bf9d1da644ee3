package infer

import (
	"regexp"
	"slices"
	"strings"

	"tributary/shared/contract"
)

// Words of names of query parameters and members that carry credentials, those before them that make them carry something
// else, and words of names of members that say something of a person.
var (
	secretWords = []string{
		"key", "token", "secret", "password", "passwd", "pwd", "pass", "auth", "authorization", "jwt", "bearer", "session", "sessionid", "jsessionid",
		"phpsessid", "sid", "appid", "apikey", "apitoken", "authkey", "appkey", "accesskey", "accesstoken", "sig", "signature", "credential",
		"credentials", "hmac",
	}
	plainWords    = []string{"page", "next", "sort", "order", "group", "partition", "continuation", "sync", "primary", "foreign", "start"}
	personalWords = []string{
		"email", "mail", "ssn", "phone", "mobile", "iban", "passport", "dob", "birthday", "birthdate", "cvv", "cvc", "pin", "otp",
	}
)

// secret reports whether a query parameter or a member is called like one that carries a credential.
func secret(name string) bool {
	words := strings.Split(snake(name), "_")
	plain := slices.ContainsFunc(words, func(w string) bool { return slices.Contains(plainWords, w) })
	return contract.IsCredential(name) || strings.HasSuffix(snake(name), "app_id") || !plain && slices.ContainsFunc(words, func(w string) bool { return slices.Contains(secretWords, w) })
}

// confidential reports whether the values of a member stay out of the contract: it is called like what carries a
// credential, or like what says something of a person.
func confidential(member string) bool { return secret(member) || hinting(member, personalWords...) }

const shortestToken = 20

var tokenForm = regexp.MustCompile(`^[A-Za-z0-9._~+/=-]+$`)

// token reports whether a text looks like one that was drawn: long, and letters and digits in one word.
func token(text string) bool {
	const word = 8
	if len(text) < shortestToken || !tokenForm.MatchString(text) {
		return false
	}
	return slices.ContainsFunc(strings.FieldsFunc(text, func(r rune) bool { return strings.ContainsRune("._~-/", r) }), func(w string) bool {
		return len(w) >= word && strings.ContainsAny(w, "0123456789") && strings.ContainsFunc(w, func(r rune) bool { return r >= 'A' })
	})
}

// conceal keeps the values of a confidential member out of the contract, and classifies it. A member that is called key
// and nothing else names a record more often than it opens a door: it is classified if a value looks like a token. What is
// true or false, and what counts, gives nothing away.
func (s *shape) conceal(member string, values []value) {
	number := s.logical == "integer" || s.logical == "number"
	if !confidential(member) || s.logical == "boolean" || number && hinting(member, "count", "counts", "total") {
		return
	}
	restrict := snake(member) != "key" || slices.ContainsFunc(values, func(v value) bool { return token(v.text) })
	if restrict && !s.private {
		s.why += "; called like what nobody else should see: classified as restricted, so that it is masked in alerts, logs and reports"
	}
	s.hide(restrict)
}

// hide drops what quotes values, of all that lies within too.
func (s *shape) hide(restrict bool) {
	s.known, s.bounds = nil, ""
	s.private = s.private || restrict
	if s.items != nil {
		s.items.hide(restrict)
	}
	for i := range s.fields {
		s.fields[i].shape.hide(restrict)
	}
}

// holdsPrivate reports whether a member, or one within it, is to be masked.
func holdsPrivate(f field) bool {
	return f.shape.private || f.shape.items != nil && holdsPrivate(field{shape: *f.shape.items}) || slices.ContainsFunc(f.shape.fields, holdsPrivate)
}
