package source

import "strings"

// findLink returns the target of the first link of a relation in Link header fields (RFC 8288), or "". A link with an
// anchor is another resource's and does not count.
//
//	Link: <https://api.example.com/items?page=2>; rel="next", </items?page=9>; rel=last
func findLink(fields []string, relation string) string {
	for _, field := range fields {
		for field != "" {
			var target, relations string
			target, relations, field = cutLink(field)
			for _, r := range strings.Fields(relations) {
				if strings.EqualFold(r, relation) {
					return target
				}
			}
		}
	}
	return ""
}

// cutLink takes one link-value off the front of a field. What does not parse is skipped to the next comma.
func cutLink(field string) (target, relations, rest string) {
	field = strings.TrimLeft(field, " \t,")
	inner, ok := strings.CutPrefix(field, "<")
	if !ok {
		_, rest, _ = strings.Cut(field, ",")
		return "", "", rest
	}
	if target, rest, ok = strings.Cut(inner, ">"); !ok {
		return "", "", ""
	}
	seen, foreign := false, false
	for {
		rest = strings.TrimLeft(rest, " \t")
		if !strings.HasPrefix(rest, ";") {
			break
		}
		var name, value string
		name, value, rest = cutParam(strings.TrimLeft(rest[1:], " \t"))
		// Only the first rel of a link counts.
		if strings.EqualFold(name, "rel") && !seen {
			relations, seen = value, true
		}
		foreign = foreign || strings.EqualFold(name, "anchor")
	}
	if foreign {
		relations = ""
	}
	_, rest, _ = strings.Cut(rest, ",")
	return target, relations, rest
}

// cutParam takes one link-param, a token or a quoted string behind the name, off the front.
func cutParam(text string) (name, value, rest string) {
	end := strings.IndexAny(text, "=;,")
	if end < 0 {
		return strings.TrimSpace(text), "", ""
	}
	name, rest = strings.TrimSpace(text[:end]), text[end:]
	if rest[0] != '=' {
		return name, "", rest
	}
	rest = strings.TrimLeft(rest[1:], " \t")
	if !strings.HasPrefix(rest, `"`) {
		if end = strings.IndexAny(rest, ";,"); end < 0 {
			return name, strings.TrimSpace(rest), ""
		}
		return name, strings.TrimSpace(rest[:end]), rest[end:]
	}
	var b strings.Builder
	for i := 1; i < len(rest); i++ {
		switch {
		case rest[i] == '"':
			return name, b.String(), rest[i+1:]
		case rest[i] == '\\' && i+1 < len(rest):
			i++
			b.WriteByte(rest[i])
		default:
			b.WriteByte(rest[i])
		}
	}
	return name, b.String(), ""
}
