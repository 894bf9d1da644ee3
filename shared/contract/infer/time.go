package infer

import (
	"math/big"
	"strings"
	"time"

	"tributary/shared/contract"
)

var timeWords = []string{"time", "timestamp", "date", "at", "ts", "updated", "created", "modified", "epoch", "on", "since", "until", "dt", "t"}

// epoch tells whether numbers are times since 1970: their name speaks of time, and they lie between 2001 and 2100.
func epoch(member string, low, high *big.Rat) string {
	if !hinting(member, timeWords...) {
		return ""
	}
	for unit, scale := range map[string]int64{"seconds": 1, "milliseconds": 1000} {
		from, to := big.NewRat(1_000_000_000*scale, 1), big.NewRat(4_102_444_800*scale, 1)
		if low.Cmp(from) >= 0 && high.Cmp(to) < 0 {
			return unit
		}
	}
	return ""
}

func moment(r *big.Rat, unit string) string {
	n := new(big.Int).Quo(r.Num(), r.Denom()).Int64()
	if unit == "seconds" {
		n *= 1000
	}
	return time.UnixMilli(n).UTC().Format(time.DateOnly)
}

// layouts are forms of times that are not RFC 3339, with the JDK pattern of each.
var layouts = []struct{ layout, jdk, logical string }{
	{"2006-01-02 15:04:05", "yyyy-MM-dd HH:mm:ss", "timestamp"},
	{"2006-01-02T15:04:05", "yyyy-MM-dd'T'HH:mm:ss", "timestamp"},
	{"2006-01-02T15:04:05.000", "yyyy-MM-dd'T'HH:mm:ss.SSS", "timestamp"},
	{"2006-01-02T15:04:05.000000", "yyyy-MM-dd'T'HH:mm:ss.SSSSSS", "timestamp"},
	{"2006-01-02 15:04:05.000", "yyyy-MM-dd HH:mm:ss.SSS", "timestamp"},
	{"2006-01-02 15:04:05.000000", "yyyy-MM-dd HH:mm:ss.SSSSSS", "timestamp"},
	{"2006-01-02T15:04", "yyyy-MM-dd'T'HH:mm", "timestamp"},
	{"2006-01-02 15:04", "yyyy-MM-dd HH:mm", "timestamp"},
	{"2006-01-02T15:04:05-0700", "yyyy-MM-dd'T'HH:mm:ssxx", "timestamp"},
	{"2006-01-02T15:04:05.000-0700", "yyyy-MM-dd'T'HH:mm:ss.SSSxx", "timestamp"},
	{"2006-01-02 15:04:05Z07:00", "yyyy-MM-dd HH:mm:ssXXX", "timestamp"},
	{"2006-01-02T15:04Z07:00", "yyyy-MM-dd'T'HH:mmXXX", "timestamp"},
	{"2006-01-02 15:04:05 -0700", "yyyy-MM-dd HH:mm:ss xx", "timestamp"},
	{"2006-01-02 15:04:05 UTC", "yyyy-MM-dd HH:mm:ss 'UTC'", "timestamp"},
	{"Mon Jan 02 15:04:05 -0700 2006", "EEE MMM dd HH:mm:ss xx yyyy", "timestamp"},
	{"Mon, 02 Jan 2006 15:04:05 GMT", "EEE, dd MMM yyyy HH:mm:ss 'GMT'", "timestamp"},
	{"Mon, 02 Jan 2006 15:04:05 -0700", "EEE, dd MMM yyyy HH:mm:ss xx", "timestamp"},
	{"02.01.2006", "dd.MM.yyyy", "date"},
	{"2006/01/02", "yyyy/MM/dd", "date"},
	{"01/02/2006", "MM/dd/yyyy", "date"},
	{"02/01/2006", "dd/MM/yyyy", "date"},
	{"Jan 02 2006", "MMM dd yyyy", "date"},
	{"Jan 2 2006", "MMM d yyyy", "date"},
	{"20060102", "yyyyMMdd", "date"},
}

// zoned tells whether a JDK pattern says which zone its times are in.
func zoned(jdk string) bool {
	return strings.ContainsAny(jdk, "Xx") || strings.Contains(jdk, "'UTC'") || strings.Contains(jdk, "'GMT'")
}

// timed finds the form of time that all texts have, as the contract reads them.
func timed(member string, match func(func(string) bool) bool) (s shape, ok bool) {
	switch {
	case match(instant.MatchString) && match(func(s string) bool { _, err := time.Parse(time.RFC3339, strings.ToUpper(s)); return err == nil }):
		return shape{logical: "timestamp", physical: "timestamp", why: "times of RFC 3339", sure: Certain}, true
	case match(isoDate.MatchString) && match(func(s string) bool { _, err := time.Parse(time.DateOnly, s); return err == nil }):
		return shape{logical: "date", physical: "date", why: "dates yyyy-MM-dd", sure: Certain}, true
	}
	for _, l := range layouts {
		form := contract.TimeFormat{Pattern: l.jdk, Layout: l.layout}
		if !match(func(s string) bool { _, err := form.Parse(s); return err == nil }) || l.jdk == "yyyyMMdd" && !hinting(member, timeWords...) {
			continue
		}
		if ok { // days and months that could be either
			return shape{}, false
		}
		s, ok = shape{logical: l.logical, physical: l.logical, options: []string{"format: " + quote(l.jdk)}, why: "times in the form " + l.jdk, sure: Likely}, true
		if l.logical == "timestamp" && !zoned(l.jdk) {
			s.why += ", taken for UTC as they name no zone"
			s.sure = Guess
		}
		if l.jdk != "MM/dd/yyyy" {
			break
		}
	}
	return s, ok
}
