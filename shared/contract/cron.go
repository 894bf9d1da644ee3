package contract

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// cron is an expression of EventBridge Scheduler: minutes hours day-of-month month day-of-week year. Days given by
// L, W or # are known to be valid and not followed further.
type cron struct {
	minutes, hours, months []bool
	monthDays, weekDays    []bool // nil: any
	years                  []bool // from 1970
	special                bool   // L, W or # is used
}

const (
	firstYear = 1970
	lastYear  = 2199
)

var (
	monthNames   = []string{"JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"}
	weekdayNames = []string{"SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"}
)

// parseCron reads the six fields of an expression, without the word cron.
func parseCron(text string) (cron, error) {
	var c cron
	fields := strings.Fields(text)
	if len(fields) != 6 {
		hint := "minutes hours day-of-month month day-of-week year, as in 0 * * * ? *"
		if len(fields) == 5 {
			hint = "AWS wants the year as sixth, and ? for one of the two days: " + hint
		}
		return c, fmt.Errorf("has %d fields; want 6: %s", len(fields), hint)
	}
	if (fields[2] == "?") == (fields[4] == "?") {
		return c, fmt.Errorf("wants ? in exactly one of day-of-month and day-of-week, as in 0 * * * ? *")
	}
	for _, f := range []struct {
		name      string
		text      string
		low, high int
		names     []string
		to        *[]bool
	}{
		{"minutes", fields[0], 0, 59, nil, &c.minutes},
		{"hours", fields[1], 0, 23, nil, &c.hours},
		{"day-of-month", fields[2], 1, 31, nil, &c.monthDays},
		{"month", fields[3], 1, 12, monthNames, &c.months},
		{"day-of-week", fields[4], 1, 7, weekdayNames, &c.weekDays},
		{"year", fields[5], firstYear, lastYear, nil, &c.years},
	} {
		switch days := f.name == "day-of-month" || f.name == "day-of-week"; {
		case days && f.text == "?":
			continue
		case days && specialDay(f.name, strings.ToUpper(f.text)):
			c.special = true
			continue
		}
		set, err := cronSet(f.text, f.low, f.high, f.names)
		if err != nil {
			return c, fmt.Errorf("has %s %q: %w", f.name, f.text, err)
		}
		*f.to = set
	}
	return c, nil
}

// specialDay recognizes the last day, the nearest weekday and the n-th weekday of a month.
func specialDay(field, text string) bool {
	if field == "day-of-month" {
		day, ok := strings.CutSuffix(text, "W")
		return text == "L" || text == "LW" || ok && upTo(day, 31, nil)
	}
	if day, ok := strings.CutSuffix(text, "L"); ok {
		return day == "" || upTo(day, 7, weekdayNames)
	}
	day, nth, ok := strings.Cut(text, "#")
	return ok && upTo(day, 7, weekdayNames) && upTo(nth, 5, nil)
}

func upTo(text string, high int, names []string) bool {
	_, err := cronValue(text, 1, high, names)
	return err == nil
}

// cronSet reads lists, ranges and steps into the set of values, indexed by value.
func cronSet(text string, low, high int, names []string) ([]bool, error) {
	set := make([]bool, high+1)
	for part := range strings.SplitSeq(text, ",") {
		span, stepText, stepped := strings.Cut(part, "/")
		step := 1
		if stepped {
			var err error
			if step, err = cronValue(stepText, 1, high, nil); err != nil {
				return nil, fmt.Errorf("the step %q is no number from 1 to %d", stepText, high)
			}
		}
		from, to := low, high
		if span != "*" {
			first, last, isRange := strings.Cut(span, "-")
			var err error
			if from, err = cronValue(first, low, high, names); err != nil {
				return nil, err
			}
			switch {
			case isRange:
				if to, err = cronValue(last, low, high, names); err != nil {
					return nil, err
				}
			case !stepped:
				to = from
			}
			if from > to {
				return nil, fmt.Errorf("the range %s runs backwards", span)
			}
		}
		for v := from; v <= to; v += step {
			set[v] = true
		}
	}
	return set, nil
}

func cronValue(text string, low, high int, names []string) (int, error) {
	if i := slices.Index(names, strings.ToUpper(text)); i >= 0 {
		return i + 1, nil
	}
	v, err := strconv.ParseUint(text, 10, 16) // no sign
	if err != nil || int(v) < low || int(v) > high {
		return 0, fmt.Errorf("%q is no value from %d to %d", text, low, high)
	}
	return int(v), nil
}

// gaps gives the shortest and the longest time between two firings, over four years, leap day included. Both are zero
// where there is at most one. Days by L, W or # are taken as one a month.
func (c cron) gaps() (shortest, longest time.Duration) {
	var times []int // minutes of the day
	for hour, on := range c.hours {
		for minute, also := range c.minutes {
			if on && also {
				times = append(times, hour*60+minute)
			}
		}
	}
	if len(times) == 0 {
		return 0, 0
	}
	// Within a day the gaps are the same each day; between days only the distance counts.
	day := 24 * time.Hour
	widen := func(gap time.Duration) {
		if shortest == 0 || gap < shortest {
			shortest = gap
		}
		longest = max(longest, gap)
	}
	previous := time.Time{}
	for at := time.Date(2027, 1, 1, 0, 0, 0, 0, time.UTC); at.Year() < 2031; at = at.Add(day) {
		if !c.fires(at) {
			continue
		}
		if !previous.IsZero() {
			widen(at.Sub(previous) - time.Duration(times[len(times)-1]-times[0])*time.Minute)
		} else {
			for i := 1; i < len(times); i++ {
				widen(time.Duration(times[i]-times[i-1]) * time.Minute)
			}
		}
		previous = at
	}
	return shortest, longest
}

func (c cron) fires(day time.Time) bool {
	if !c.months[day.Month()] || !c.years[day.Year()] {
		return false
	}
	if c.special {
		return day.Day() == 1
	}
	return (c.monthDays == nil || c.monthDays[day.Day()]) && (c.weekDays == nil || c.weekDays[int(day.Weekday())+1])
}
