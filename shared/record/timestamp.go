package record

import (
	"math/bits"
	"time"

	"tributary/shared/contract"
)

// The years of a timestamp or date: what Athena reads and what a fixed-width text can sort.
const (
	millisPerDay = 24 * 60 * 60 * 1000
	firstDay     = -719162 // 0001-01-01
	lastDay      = 2932896 // 9999-12-31
	firstMilli   = firstDay * millisPerDay
	lastMilli    = (lastDay+1)*millisPerDay - 1
)

// daysBefore[m] is the number of days before month m of a common year.
var daysBefore = [14]int{0, 0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334, 365}

// days gives the epoch day of a date of the Gregorian calendar, or not ok where there is none.
func days(year, month, day int) (n int, ok bool) {
	if month-1 > 11 || month < 1 || day < 1 {
		return 0, false
	}
	leap := year%4 == 0 && (year%100 != 0 || year%400 == 0)
	length := daysBefore[month+1] - daysBefore[month]
	n = daysBefore[month] + day - 1
	if leap {
		if month == 2 {
			length++
		} else if month > 2 {
			n++
		}
	}
	if day > length {
		return 0, false
	}
	y := year - 1
	return n + y*365 + y/4 - y/100 + y/400 - 719162, year > 0
}

// rfc3339 reads a date and time of RFC 3339 in epoch milliseconds; cut says that digits finer than that were dropped.
// b must have 8 readable bytes behind the text.
func rfc3339(b []byte, i, end int) (ms int64, cut, ok bool) {
	if end-i < len("2006-01-02T15:04:05Z") {
		return 0, false, false
	}
	// yyyy-MM-, ddTHH:mm and :ss in three loads: separators in place and digits elsewhere.
	w0 := word(b, i)
	w1 := word(b, i+8)
	d0 := w0 ^ 0x2D30302D30303030 // -00-0000
	d1 := w1 ^ 0x30303A3030543030 // 00:00T00
	d1 &^= 0x0000000000200000     // t is T
	if ((d0+0x7676767676767676)|d0|(d1+0x7676767676767676)|d1)&high8 != 0 ||
		(d0&0xFF0000FF00000000|d1&0x0000FF0000FF0000) != 0 {
		return 0, false, false
	}
	// Pairs of digits: tens in the lower byte.
	p0, p1 := d0*10+d0>>8, d1*10+d1>>8
	year := int(p0&0xFF)*100 + int(p0>>16&0xFF)
	month := int(p0 >> 40 & 0xFF)
	day := int(p1 & 0xFF)
	hour, minute := int(p1>>24&0xFF), int(p1>>48&0xFF)
	s1, s0 := b[i+17]-'0', b[i+18]-'0'
	if b[i+16] != ':' || s1 > 5 || s0 > 9 || hour > 23 || minute > 59 {
		return 0, false, false
	}
	n, ok := days(year, month, day)
	if !ok {
		return 0, false, false
	}
	ms = int64(n)*millisPerDay + int64((hour*60+minute)*60+int(s1*10+s0))*1000
	i += 19
	if b[i] == '.' {
		i++
		x := word(b, i) ^ zeros8
		if x&0xF0F0F0 == 0 && (x+0x060606)&0xF0F0F0 == 0 {
			ms += int64(x&0xFF)*100 + int64(x>>8&0xFF)*10 + int64(x>>16&0xFF)
			i += 3
			for ; b[i]-'0' <= 9; i++ {
				cut = cut || b[i] != '0'
			}
		} else {
			digits := bits.TrailingZeros64((x+0x7676767676767676|x)&high8) >> 3
			switch digits {
			case 1:
				ms += int64(x&0xFF) * 100
			case 2:
				ms += int64(x&0xFF)*100 + int64(x>>8&0xFF)*10
			default:
				return 0, false, false
			}
			i += digits
		}
	}
	switch c := b[i]; c {
	case 'Z', 'z':
		i++
	case '+', '-':
		if end-i != len("+00:00") || b[i+3] != ':' {
			return 0, false, false
		}
		h1, h0, m1, m0 := b[i+1]-'0', b[i+2]-'0', b[i+4]-'0', b[i+5]-'0'
		if h1 > 2 || h0 > 9 || h1*10+h0 > 23 || m1 > 5 || m0 > 9 {
			return 0, false, false
		}
		offset := int64(h1*10+h0)*60 + int64(m1*10+m0)
		if c == '+' {
			offset = -offset
		}
		ms += offset * 60_000
		i += 6
	default:
		return 0, false, false
	}
	return ms, cut, i == end && ms >= firstMilli && ms <= lastMilli
}

// isoDate reads yyyy-MM-dd in epoch days.
func isoDate(b []byte, i, end int) (n int, ok bool) {
	if end-i != len("2006-01-02") || b[i+4] != '-' || b[i+7] != '-' {
		return 0, false
	}
	var v [3]int
	for part, at := range [3][2]int{{0, 4}, {5, 7}, {8, 10}} {
		for _, c := range b[i+at[0] : i+at[1]] {
			if c-'0' > 9 {
				return 0, false
			}
			v[part] = v[part]*10 + int(c-'0')
		}
	}
	return days(v[0], v[1], v[2])
}

// time reads a column's text in epoch milliseconds.
func (c *column) time(text []byte) (ms int64, cut, ok bool) {
	switch {
	case c.Type.Time.Layout != "":
		return clock(&c.Type.Time, text)
	case c.kind == contract.Date:
		day, ok := isoDate(text, 0, len(text))
		return int64(day) * millisPerDay, false, ok
	}
	return rfc3339(append(text[:len(text):len(text)], 0, 0, 0, 0, 0, 0, 0, 0), 0, len(text))
}

// clock reads a text in a contract's own pattern.
func clock(f *contract.TimeFormat, text []byte) (ms int64, cut, ok bool) {
	t, err := f.Parse(view(text))
	if err != nil {
		return 0, false, false
	}
	ms = t.UnixMilli()
	return ms, t.Nanosecond()%1_000_000 != 0, ms >= firstMilli && ms <= lastMilli
}

// epoch reads a number of seconds or milliseconds since 1970 in epoch milliseconds. What is finer is cut to the earlier
// millisecond, before 1970 too.
func (v number) epoch(unit time.Duration) (ms int64, cut bool, fault string) {
	if unit == time.Second {
		v.exp += 3
	}
	cut = v.long
	for ; v.exp < 0 && v.mant > 0; v.exp++ {
		cut = cut || v.mant%10 != 0
		v.mant /= 10
	}
	v.long = false
	if ms, fault = v.integer(); fault != "" {
		return 0, cut, fault
	}
	if cut && v.neg {
		ms--
	}
	if ms < firstMilli || ms > lastMilli {
		return 0, cut, RuleOverflow
	}
	return ms, cut, ""
}

// floorDay gives the epoch day of a time, and whether the time is not its start.
func floorDay(ms int64) (day int64, cut bool) {
	day = ms / millisPerDay
	rest := ms % millisPerDay
	if rest < 0 {
		day--
	}
	return day, rest != 0
}

// appendTimestamp writes epoch milliseconds as RFC 3339 in UTC, always of one width, so that texts sort as times do.
func appendTimestamp(dst []byte, ms int64) []byte {
	return time.UnixMilli(ms).UTC().AppendFormat(dst, "2006-01-02T15:04:05.000Z")
}

// appendDate writes an epoch day as yyyy-MM-dd.
func appendDate(dst []byte, day int64) []byte {
	return time.Unix(day*24*60*60, 0).UTC().AppendFormat(dst, time.DateOnly)
}
