package infer

import (
	"fmt"
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"
)

// partition is the column of the table's partition, the day of the run.
const partition = "dt"

// name gives columns names that Athena takes: lower case, digits and _, no two alike.
func name(all []field) {
	taken := map[string]bool{}
	for i := range all {
		column := snake(all[i].member)
		switch column {
		case "":
			column = fmt.Sprintf("column_%d", i+1)
		case partition:
			column += "_value"
		}
		for n, first := 2, column; taken[column]; n++ {
			column = fmt.Sprintf("%s_%d", first, n)
		}
		taken[column] = true
		all[i].column = column
	}
}

// spelled are letters that do not come apart into a Latin one and a mark.
var spelled = map[rune]string{'ß': "ss", 'æ': "ae", 'Æ': "ae", 'ø': "o", 'Ø': "o", 'œ': "oe", 'ł': "l", 'Ł': "l", 'đ': "d", 'þ': "th", '%': "percent", '€': "eur", '$': "usd", '#': "number"}

const longestName = 100

// snake writes a member's name in snake case; "" where nothing of it can be written so.
func snake(member string) string {
	var b strings.Builder
	runes := []rune(norm.NFD.String(member))
	for i, r := range runes {
		text, known := spelled[r]
		switch {
		case unicode.Is(unicode.Mn, r): // the mark of the letter before
			continue
		case r < unicode.MaxASCII && (unicode.IsLetter(r) || unicode.IsDigit(r)):
			previous := rune(0)
			if i > 0 {
				previous = runes[i-1]
			}
			ends := i+1 < len(runes) && unicode.IsLower(runes[i+1]) // the last capital of several begins a word
			if unicode.IsUpper(r) && (unicode.IsLower(previous) || unicode.IsDigit(previous) || unicode.IsUpper(previous) && ends) {
				b.WriteByte('_')
			}
			b.WriteRune(unicode.ToLower(r))
		case known:
			if len(text) > 2 {
				text = "_" + text + "_"
			}
			b.WriteString(text)
		default:
			b.WriteByte('_')
		}
	}
	text := strings.Join(strings.FieldsFunc(b.String(), func(r rune) bool { return r == '_' }), "_")
	if len(text) > longestName {
		text = strings.TrimRight(text[:longestName], "_")
	}
	if text != "" && text[0] >= '0' && text[0] <= '9' {
		text = "n" + text
	}
	return text
}
