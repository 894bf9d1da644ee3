package api

import (
	"regexp"
	"regexp/syntax"
	"strings"
)

// match draws a text that a pattern accepts; endless repetitions stop after three.
func (d *drawer) match(pattern *regexp.Regexp) string {
	tree, err := syntax.Parse(pattern.String(), syntax.Perl)
	if err != nil {
		return ""
	}
	var b strings.Builder
	d.spell(&b, tree.Simplify())
	return b.String()
}

func (d *drawer) spell(b *strings.Builder, re *syntax.Regexp) {
	switch re.Op {
	case syntax.OpLiteral:
		b.WriteString(string(re.Rune))
	case syntax.OpCharClass:
		b.WriteRune(d.rune(re.Rune))
	case syntax.OpAnyChar, syntax.OpAnyCharNotNL:
		b.WriteByte('x')
	case syntax.OpCapture, syntax.OpPlus, syntax.OpConcat:
		for _, sub := range re.Sub {
			d.spell(b, sub)
		}
		if re.Op == syntax.OpPlus {
			for range d.r.IntN(3) {
				d.spell(b, re.Sub[0])
			}
		}
	case syntax.OpStar, syntax.OpQuest:
		most := 1
		if re.Op == syntax.OpStar {
			most = 3
		}
		for range d.r.IntN(most + 1) {
			d.spell(b, re.Sub[0])
		}
	case syntax.OpAlternate:
		d.spell(b, re.Sub[d.r.IntN(len(re.Sub))])
	default: // anchors and boundaries have no text
	}
}

// rune draws from a class's ranges, from printable ASCII where the class has some.
func (d *drawer) rune(ranges []rune) rune {
	var printable []rune
	for i := 0; i+1 < len(ranges); i += 2 {
		for c := max(ranges[i], ' '+1); c <= min(ranges[i+1], '~'); c++ {
			printable = append(printable, c)
		}
	}
	if len(printable) > 0 {
		return printable[d.r.IntN(len(printable))]
	}
	if len(ranges) == 0 {
		return 'x'
	}
	return ranges[0]
}
