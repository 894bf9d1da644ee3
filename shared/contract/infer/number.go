package infer

import (
	"cmp"
	"fmt"
	"math"
	"math/big"
	"slices"
	"strconv"
	"strings"
)

func numbers(member string, values []value) shape {
	s := shape{sure: Certain}
	whole, wide, exponent := true, false, false // of all: no point; of one: digits that a double loses, an exponent
	before, behind := 1, 0                      // digits in front of the point and behind it
	low, high := new(big.Rat), new(big.Rat)
	for i, v := range values {
		if beyond(v.text) {
			return shape{logical: "object", physical: "string", why: "numbers beyond the range of a double; kept as JSON text", sure: Likely}
		}
		r := rat(v.text)
		if i == 0 || r.Cmp(low) < 0 {
			low = r
		}
		if i == 0 || r.Cmp(high) > 0 {
			high = r
		}
		exponent = exponent || strings.ContainsAny(v.text, "eE")
		text := strings.TrimPrefix(v.text, "-")
		front, back, point := strings.Cut(text, ".")
		whole = whole && !point && r.IsInt()
		before, behind = max(before, len(front)), max(behind, len(back))
		wide = wide || !exponent && lossy(r)
	}
	within := low.Cmp(rat("-9223372036854775808")) >= 0 && high.Cmp(rat("9223372036854775807")) <= 0
	if unit := epoch(member, low, high); unit != "" {
		s := shape{
			logical: "timestamp", physical: "timestamp", custom: "[{property: epoch, value: " + unit + "}]", sure: Likely,
			why: fmt.Sprintf("numbers that are times in %s since 1970", unit),
		}
		if !confidential(member) {
			s.why += fmt.Sprintf(", %s to %s", moment(low, unit), moment(high, unit))
		}
		return s
	}
	switch {
	case whole && within && hinting(member, fractionWords...):
		s.logical, s.physical, s.sure, s.why = "number", "double", Likely, all(values, "whole numbers")+", but called like what has fractions"
	case whole && within:
		s.logical, s.physical, s.options, s.why = "integer", "bigint", []string{"format: i64"}, all(values, "whole numbers")
	case (wide || whole) && !exponent && before+behind <= 38:
		scale := behind
		precision := min(38, max(before+scale+4, 18))
		s.logical, s.physical, s.sure = "number", fmt.Sprintf("decimal(%d,%d)", precision, scale), Likely
		s.why = fmt.Sprintf("up to %d digits, which a double would lose; %d in front of the point were seen, there is room for %d", before+behind, before, precision-scale)
	default:
		s.logical, s.physical, s.why = "number", "double", "numbers with fractions"
		if !whole && slices.ContainsFunc(values, func(v value) bool { return !strings.ContainsAny(v.text, ".eE") }) {
			s.why = "whole numbers among numbers with fractions"
		}
	}
	s.bounds = fmt.Sprintf("minimum: %s, maximum: %s (%[1]s to %[2]s in %s)", plain(low), plain(high), plural(len(values), "record"))
	return s
}

// fractionWords are in the names of what has fractions, even where a sample happens to have none.
var fractionWords = []string{
	"price", "cost", "amount", "fee", "tax", "rate", "ratio", "percent", "percentage", "pct", "avg", "average", "mean", "median", "balance",
	"lat", "latitude", "lon", "lng", "longitude", "temp", "temperature", "area", "usd", "eur", "btc",
}

// beyond reports whether a number is too large or too small for a double, or written at a length that nobody computes with.
func beyond(text string) bool {
	const longest = 400
	f, err := strconv.ParseFloat(text, 64)
	_, exponent, _ := strings.Cut(strings.ToLower(text), "e")
	n, bad := strconv.Atoi(cmp.Or(exponent, "0"))
	return err != nil || bad != nil || len(text) > longest || max(n, -n) > longest || math.IsInf(f, 0)
}

// lossy reports whether the nearest double has other digits than the number.
func lossy(r *big.Rat) bool {
	f, _ := r.Float64()
	short, ok := new(big.Rat).SetString(strconv.FormatFloat(f, 'g', -1, 64))
	return !ok || short.Cmp(r) != 0
}

func rat(text string) *big.Rat { r, _ := new(big.Rat).SetString(text); return r }

func plain(r *big.Rat) string {
	if r.IsInt() {
		return r.Num().String()
	}
	const finest = 40 // digits of an exact decimal
	digits, _ := r.FloatPrec()
	return r.FloatString(min(digits, finest))
}

func decimals(values []value) shape {
	before, behind := 1, 0
	for _, v := range values {
		front, back, _ := strings.Cut(strings.TrimPrefix(v.text, "-"), ".")
		before, behind = max(before, len(front)), max(behind, len(back))
	}
	precision := min(38, max(before+behind+4, 18))
	return shape{
		logical: "number", physical: fmt.Sprintf("decimal(%d,%d)", precision, behind), sure: Likely,
		why: fmt.Sprintf("%s, kept exactly: up to %s in front of the point and %d behind it", all(values, "texts that are numbers"), plural(before, "digit"), behind),
	}
}
