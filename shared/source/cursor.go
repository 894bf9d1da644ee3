package source

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math/big"
	"strconv"
	"strings"
	"time"

	"tributary/shared/contract"
)

// Span is what a page's records say of the incremental cursor. The zero value is a page without cursor values.
type Span struct {
	Least, Greatest string
	Ascending       bool // each record's value is at or above the one before
}

// span reads the cursor values of a page's records.
func span(body []byte, source *contract.Source, c *contract.Cursor) (Span, error) {
	found, err := lookup(body, source.Records)
	if err != nil {
		return Span{}, err
	}
	s := Span{Ascending: true}
	if found == nil {
		return s, nil
	}
	all, err := records(found, source.Keyed)
	if err != nil {
		return Span{}, fmt.Errorf("read cursor: %w", err)
	}
	last := ""
	for i, r := range all {
		value, err := text(r, c.Path)
		if err != nil {
			return Span{}, fmt.Errorf("record %d: %w", i, err)
		}
		if value == "" {
			if c.OnMissing == "raise" {
				return Span{}, fmt.Errorf("record %d has no cursor at %s, and on_cursor_value_missing is raise", i, pointer(c.Path))
			}
			continue
		}
		s.Ascending = s.Ascending && (last == "" || CompareCursors(last, value) <= 0)
		if s.Least == "" || CompareCursors(value, s.Least) < 0 {
			s.Least = value
		}
		if s.Greatest == "" || CompareCursors(value, s.Greatest) > 0 {
			s.Greatest = value
		}
		last = value
	}
	return s, nil
}

// records are the elements of an array, or the values of an object's members in their order, also where two have one name.
func records(found json.RawMessage, keyed bool) ([]json.RawMessage, error) {
	var all []json.RawMessage
	if !keyed || found[0] == '[' {
		if err := json.Unmarshal(found, &all); err != nil {
			return nil, fmt.Errorf("the records are no JSON array: %w", err)
		}
		return all, nil
	}
	d := json.NewDecoder(bytes.NewReader(found))
	if _, err := d.Token(); err != nil {
		return nil, fmt.Errorf("the records are no JSON object: %w", err)
	}
	for d.More() {
		var value json.RawMessage
		if _, err := d.Token(); err != nil {
			return nil, fmt.Errorf("the records are no JSON object: %w", err)
		}
		if err := d.Decode(&value); err != nil {
			return nil, fmt.Errorf("the records are no JSON object: %w", err)
		}
		all = append(all, value)
	}
	return all, nil
}

// CompareCursors orders two cursor values: as numbers or as times where both are, else as texts.
func CompareCursors(a, b string) int {
	if x, ok := decimal(a); ok {
		if y, ok := decimal(b); ok {
			return x.Cmp(y)
		}
	}
	if x, err := time.Parse(time.RFC3339Nano, a); err == nil {
		if y, err := time.Parse(time.RFC3339Nano, b); err == nil {
			return x.Compare(y)
		}
	}
	return strings.Compare(a, b)
}

// maxDecimal bounds what an exponent can make of a short text.
const maxDecimal = 40

func decimal(s string) (*big.Rat, bool) {
	if len(s) > maxDecimal || strings.ContainsAny(s, "eE/xXpP_") {
		return nil, false
	}
	return new(big.Rat).SetString(s)
}

// epochMilliseconds is where whole numbers are taken for milliseconds since 1970 and no longer for seconds.
const epochMilliseconds = 100_000_000_000

// Back moves a cursor value back by a lag: a time or date in its own form, a whole number as seconds or milliseconds.
func Back(value string, lag time.Duration) (string, error) {
	if lag == 0 || value == "" {
		return value, nil
	}
	for _, layout := range []string{time.RFC3339Nano, "2006-01-02T15:04:05", "2006-01-02 15:04:05"} {
		if at, err := time.Parse(layout, value); err == nil {
			return at.Add(-lag).Format(layout), nil
		}
	}
	if at, err := time.Parse(time.DateOnly, value); err == nil {
		return at.Add(-lag).Format(time.DateOnly), nil
	}
	if n, err := strconv.ParseInt(value, 10, 64); err == nil {
		if n >= epochMilliseconds {
			return strconv.FormatInt(n-lag.Milliseconds(), 10), nil
		}
		return strconv.FormatInt(n-int64(lag/time.Second), 10), nil
	}
	return "", fmt.Errorf("move cursor back by %s: %q is no time and no whole number", lag, value)
}
