package contract

import (
	"fmt"
	"strings"
	"time"
)

// Limits of CloudWatch: an alarm looks back over seven days at most, in periods of whole minutes, above one day in
// periods of whole hours.
const (
	longestLatency   = 7 * 24 * time.Hour
	longestFrequency = 366 * 24 * time.Hour
	longestRetention = 100 * 366 * 24 * time.Hour
)

// slaUnits are the standard's units of time. A bare m is left out: it is a minute to some and a month to others.
var slaUnits = map[string]time.Duration{
	"s": time.Second, "sec": time.Second, "second": time.Second, "seconds": time.Second,
	"min": time.Minute, "minute": time.Minute, "minutes": time.Minute,
	"h": time.Hour, "hr": time.Hour, "hour": time.Hour, "hours": time.Hour,
	"d": 24 * time.Hour, "day": 24 * time.Hour, "days": 24 * time.Hour,
	"w": 7 * 24 * time.Hour, "week": 7 * 24 * time.Hour, "weeks": 7 * 24 * time.Hour,
	"y": 365 * 24 * time.Hour, "yr": 365 * 24 * time.Hour, "year": 365 * 24 * time.Hour, "years": 365 * 24 * time.Hour,
}

// slas reads schedule, freshness and retention.
func (b *builder) slas() {
	v, ok := b.root.need("slaProperties", "write at least the frequency: {property: frequency, value: 1, unit: h}")
	if !ok {
		return
	}
	first := map[string]object{}
	for _, item := range v.list() {
		o := item.object("id", "property", "value", "valueExt", "unit", "element", "driver", "description", "scheduler", "schedule",
			"customProperties")
		o.prose("driver", "description")
		o.annotations()
		o.noCustomProperties()
		name, ok := o.need("property", "frequency, latency or retention")
		if !ok {
			continue
		}
		property, ok := name.oneOf("frequency", "latency", "retention")
		if !ok {
			continue
		}
		if _, twice := first[property]; twice {
			name.fault("a second %s: remove one", property)
			continue
		}
		first[property] = o
		o.refuse("valueExt", "is not used: write value and unit")
		b.element(o, property)
		if property != "frequency" {
			for _, key := range []string{"scheduler", "schedule"} {
				o.refuse(key, "belongs to frequency: remove it")
			}
		}
	}
	if o, ok := first["frequency"]; ok {
		b.frequency(o)
	} else if v.yaml.Kind == sequenceNode {
		v.fault("frequency is missing: say how often the source is asked, as in {property: frequency, value: 1, unit: h}")
	}
	if o, ok := first["latency"]; ok {
		b.latency(o)
	}
	if o, ok := first["retention"]; ok {
		if span, ok := o.span(longestRetention); ok {
			if span%(24*time.Hour) != 0 {
				o.members["value"].fault("is %s; a lifecycle counts whole days", span)
			}
			b.c.Retention = span
		}
	}
}

// element checks that an SLA is about this dataset, or one of its columns. Other tools look how old the column's values
// are; here freshness and retention are those of runs.
func (b *builder) element(o object, property string) {
	v, ok := o.get("element")
	if !ok {
		return
	}
	text, ok := v.nonEmpty()
	if !ok || b.c.Dataset == "" {
		return
	}
	dataset, name, inner := strings.Cut(text, ".")
	if dataset != b.c.Dataset {
		v.fault("is %q; want %s or %s.COLUMN", text, b.c.Dataset, b.c.Dataset)
	}
	if dataset != b.c.Dataset || !inner || len(b.c.Columns) == 0 {
		return
	}
	c := b.column(name)
	switch {
	case c == nil:
		v.fault("no column is called %s; %s", name, suggestion(name, b.names()))
	case c.Type.Kind != 0 && c.Type.Kind != Timestamp && c.Type.Kind != Date:
		v.fault("%s is %s; %s is about a column of times: name a timestamp or date, or the dataset", name, c.Type.Glue(), property)
	}
}

// span reads value and unit as a duration.
func (o object) span(longest time.Duration) (time.Duration, bool) {
	value, ok := o.need("value", "a number")
	unit, given := o.need("unit", "s, min, h, d, w or y")
	if !ok || !given {
		return 0, false
	}
	count, ok := value.integer(1, 1_000_000_000)
	name, okUnit := unit.nonEmpty()
	if !ok || !okUnit {
		return 0, false
	}
	size, known := slaUnits[name]
	switch {
	case name == "m":
		unit.fault("m may be a minute or a month: write min")
		return 0, false
	case !known:
		unit.fault("is %q; want s, min, h, d, w or y", name)
		return 0, false
	case time.Duration(count) > longest/size:
		value.fault("is %d %s; want at most %s", count, name, days(longest))
		return 0, false
	}
	return time.Duration(count) * size, true
}

func days(d time.Duration) string { return fmt.Sprintf("%d days", d/(24*time.Hour)) }

// frequency reads the schedule: a cron expression, or the plain rate.
func (b *builder) frequency(o object) {
	span, ok := o.span(longestFrequency)
	if ok && span%time.Minute != 0 {
		o.members["value"].fault("is %s; a schedule counts whole minutes", span)
		ok = false
	}
	b.c.Schedule.Frequency = span
	if v, ok := o.get("scheduler"); ok {
		if _, ok := v.oneOf("cron"); ok && !o.has("schedule") {
			v.fault("schedule is missing: write the cron expression, or remove scheduler")
		}
	}
	v, given := o.get("schedule")
	if !given {
		if ok {
			b.c.Schedule.Expression = rate(span)
		}
		return
	}
	if !o.has("scheduler") {
		v.fault("scheduler is missing: write scheduler: cron")
	}
	text, given := v.nonEmpty()
	if !given {
		return
	}
	c, err := parseCron(text)
	if err != nil {
		v.fault("%v", err)
		return
	}
	b.c.Schedule.Expression = "cron(" + strings.Join(strings.Fields(text), " ") + ")"
	shortest, longest := c.gaps()
	switch {
	case longest == 0:
		v.fault("never fires twice: correct the expression")
	case ok && (span < shortest || span > longest):
		v.fault("fires every %s, but the frequency is %s: correct one of the two", gapText(shortest, longest), span)
	default:
		b.c.Schedule.longest = longest
	}
}

func gapText(shortest, longest time.Duration) string {
	if shortest == longest {
		return shortest.String()
	}
	return fmt.Sprintf("%s to %s", shortest, longest)
}

// rate spells a frequency for EventBridge Scheduler, in the largest unit that fits.
func rate(span time.Duration) string {
	for _, unit := range []struct {
		size time.Duration
		name string
	}{{24 * time.Hour, "day"}, {time.Hour, "hour"}, {time.Minute, "minute"}} {
		if span%unit.size != 0 {
			continue
		}
		count := span / unit.size
		if count == 1 {
			return fmt.Sprintf("rate(1 %s)", unit.name)
		}
		return fmt.Sprintf("rate(%d %ss)", count, unit.name)
	}
	return ""
}

// latency reads the freshness objective, which becomes an alarm.
func (b *builder) latency(o object) {
	span, ok := o.span(longestLatency)
	if !ok {
		return
	}
	v := o.members["value"]
	apart := b.c.Schedule.Gap()
	switch {
	case span%time.Minute != 0:
		v.fault("is %s; an alarm counts whole minutes", span)
	case span > 24*time.Hour && span%time.Hour != 0:
		v.fault("is %s; above a day an alarm counts whole hours", span)
	case span <= apart:
		v.fault("is %s, but runs are up to %s apart: the alarm would sound between healthy runs; make it longer than the schedule's gap",
			span, apart)
	default:
		b.c.Latency = span
	}
}

// threshold reads the share of rejects above which a run is held.
func (b *builder) threshold() {
	v, ok := b.custom["rejectThresholdPercent"]
	if !ok {
		return
	}
	share, ok := v.number()
	if !ok {
		return
	}
	f, _ := share.Float64()
	if f < 0 || f > 100 {
		v.fault("is %s; want a share from 0 to 100", v.yaml.Value)
		return
	}
	b.c.RejectThresholdPercent = f
}
