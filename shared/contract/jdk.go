package contract

import (
	"fmt"
	"regexp"
	"strings"
	"time"
)

// datePattern is a JDK DateTimeFormatter pattern as a Go layout.
type datePattern struct {
	layout string
	date   bool // year, month and day are in it
	offset bool // the offset from UTC is in it
}

// jdkFields maps runs of pattern letters onto Go's reference time. Fractions (S) are handled beside it.
var jdkFields = map[string]string{
	"yyyy": "2006", "uuuu": "2006",
	"M": "1", "MM": "01", "MMM": "Jan", "MMMM": "January", "LL": "01", "L": "1",
	"d": "2", "dd": "02",
	"HH": "15", "h": "3", "hh": "03", "a": "PM",
	"m": "4", "mm": "04", "s": "5", "ss": "05",
	"E": "Mon", "EE": "Mon", "EEE": "Mon", "EEEE": "Monday",
	"X": "Z07", "XX": "Z0700", "XXX": "Z07:00", "x": "-07", "xx": "-0700", "xxx": "-07:00",
	"Z": "-0700", "ZZ": "-0700", "ZZZ": "-0700",
}

// compilePattern turns a JDK pattern into a Go layout. It refuses by name what Go's layouts cannot say.
func compilePattern(pattern string) (datePattern, error) {
	var p datePattern
	var parts []string // of the layout, each formatted alone
	seen := map[byte]bool{}
	open := false // the field before has one digit or two
	for i := 0; i < len(pattern); {
		c := pattern[i]
		switch {
		case c == '\'':
			literal, length, err := quoted(pattern[i:])
			if err != nil {
				return p, err
			}
			if err := checkLiteral(literal); err != nil {
				return p, err
			}
			parts, open = append(parts, literal), false
			i += length
		case c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z':
			j := i
			for j < len(pattern) && pattern[j] == c {
				j++
			}
			field, err := jdkField(pattern[i:j], strings.Join(parts, ""))
			if err != nil {
				return p, err
			}
			if open && field[0] >= '0' && field[0] <= '9' {
				return p, fmt.Errorf("the pattern has %s beside a number of one digit or two: write two letters, or put a character between", pattern[i:j])
			}
			family := fieldFamily(c)
			if seen[family] {
				return p, fmt.Errorf("the pattern names %s twice: remove one", fieldNames[family])
			}
			seen[family] = true
			if c == 'S' {
				parts[len(parts)-1] += field // a fraction is known by the point before it
			} else {
				parts = append(parts, field)
			}
			open = len(field) == 1
			i = j
		case strings.IndexByte("[]{}#", c) >= 0:
			return p, fmt.Errorf("the pattern uses %q, which is not supported: one column has one form", string(c))
		default:
			if err := checkLiteral(string(c)); err != nil {
				return p, err
			}
			parts, open = append(parts, string(c)), false
			i++
		}
	}
	p.layout = strings.Join(parts, "")
	for _, at := range []time.Time{sampleTime, sampleTime.AddDate(-7, 6, 13).Add(7 * time.Hour)} {
		var apart strings.Builder
		for _, part := range parts {
			apart.WriteString(at.Format(part))
		}
		if apart.String() != at.Format(p.layout) {
			return p, fmt.Errorf("the pattern's parts run into each other: put a character between them")
		}
	}
	p.date = seen['y'] && seen['M'] && seen['d']
	p.offset = seen['X']
	switch {
	case seen['h'] && !seen['a']:
		return p, fmt.Errorf("the pattern has hours of twelve (h) without a: write HH, or add a")
	case seen['a'] && !seen['h']:
		return p, fmt.Errorf("the pattern has a without hours of twelve (h): remove it, or write hh")
	case seen['m'] && !seen['H'] && !seen['h'], seen['s'] && !seen['m'], seen['S'] && !seen['s']:
		return p, fmt.Errorf("the pattern has a part of the time without the larger ones: hours, minutes, seconds, fraction")
	}
	return p, nil
}

var fieldNames = map[byte]string{
	'y': "the year", 'M': "the month", 'd': "the day", 'H': "the hour", 'h': "the hour", 'a': "the half of the day",
	'm': "the minute", 's': "the second", 'S': "the fraction", 'E': "the day of the week", 'X': "the offset",
}

// fieldFamily folds the letters that say the same thing.
func fieldFamily(c byte) byte {
	switch c {
	case 'u':
		return 'y'
	case 'L':
		return 'M'
	case 'x', 'Z':
		return 'X'
	default:
		return c
	}
}

// jdkField translates one run of pattern letters that stands behind the given layout.
func jdkField(run, before string) (string, error) {
	if run[0] == 'S' {
		if len(run) > 9 {
			return "", fmt.Errorf("the pattern has %d digits of a second; want 9 at most", len(run))
		}
		if !strings.HasSuffix(before, "05.") && !strings.HasSuffix(before, "05,") {
			return "", fmt.Errorf("the pattern has a fraction (S) that does not stand behind ss and a point or comma: that is not supported")
		}
		return strings.Repeat("0", len(run)), nil
	}
	if field, ok := jdkFields[run]; ok {
		return field, nil
	}
	switch run[0] {
	case 'y', 'u':
		return "", fmt.Errorf("the pattern uses %s, which leaves the century or the width open: write yyyy", run)
	case 'H', 'k', 'K':
		return "", fmt.Errorf("the pattern uses %s, which is not supported: write HH, or hh with a", run)
	case 'D', 'Y', 'w', 'W', 'e', 'c', 'q', 'Q', 'g', 'F':
		return "", fmt.Errorf("the pattern uses %s (weeks, quarters, days of the year), which is not supported: use year, month and day", run)
	case 'V', 'v', 'z', 'O':
		return "", fmt.Errorf("the pattern uses %s (names of time zones), which is not supported: use an offset (XXX), or defaultTimezone", run)
	case 'n', 'N', 'A':
		return "", fmt.Errorf("the pattern uses %s (counts of the day), which is not supported: use HH, mm, ss and SSS", run)
	}
	return "", fmt.Errorf("the pattern uses %s, which is not supported; literal letters stand in quotes, as in yyyy-MM-dd'T'HH:mm:ss", run)
}

// quoted reads a literal in quotes, in which two quotes are one.
func quoted(text string) (string, int, error) {
	var literal strings.Builder
	for i := 1; i < len(text); i++ {
		if text[i] != '\'' {
			literal.WriteByte(text[i])
			continue
		}
		if i+1 < len(text) && text[i+1] == '\'' {
			literal.WriteByte('\'')
			i++
			continue
		}
		if i == 1 {
			return "'", 2, nil // '' outside quotes is a quote
		}
		return literal.String(), i + 1, nil
	}
	return "", 0, fmt.Errorf("the pattern's quote is not closed")
}

// sampleTime differs from Go's reference time in every part.
var sampleTime = time.Date(2011, 11, 13, 17, 18, 19, 987654321, time.FixedZone("ABC", 5400))

// checkLiteral refuses literals that Go would read as a part of the time, alone or with their neighbours.
func checkLiteral(literal string) error {
	if sampleTime.Format(literal) != literal || strings.ContainsAny(literal, "0123456789_") {
		return fmt.Errorf("the pattern's literal %q is not supported: it holds digits, _ or an English name of a month or day", literal)
	}
	return nil
}

// Parse reads a text in the column's own pattern. It is as strict as the pattern: Go's parser takes fewer digits and a
// fraction that nobody asked for, and moves a time that a zone skips, so the text has to come out again as it went in,
// names of months and days in the same case.
func (f *TimeFormat) Parse(text string) (time.Time, error) {
	zone := f.Zone
	if zone == nil {
		zone = time.UTC
	}
	at, err := time.ParseInLocation(f.Layout, text, zone)
	if err != nil {
		return time.Time{}, fmt.Errorf("parse time %q: not of the form %s", text, f.Pattern)
	}
	if again := at.Format(f.Layout); again != text && again != zeroOffset.ReplaceAllString(text, "Z") {
		return time.Time{}, fmt.Errorf("parse time %q: not of the form %s, which gives %q", text, f.Pattern, again)
	}
	return at, nil
}

// zeroOffset is what Z stands for: patterns with X read both.
var zeroOffset = regexp.MustCompile(`[+-]00(:?00)?$`)
