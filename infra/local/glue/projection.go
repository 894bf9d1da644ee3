package glue

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// Days is the range of a partition key of days: a day outside has no partition, whatever lies there, and a query of it
// finds nothing and says nothing.
type Days struct {
	Key         string // the column
	First, Last string // yyyy-MM-dd
}

// Has reports whether a value of the key is a day of the range.
func (d Days) Has(value string) bool {
	day, err := time.Parse(time.DateOnly, value)
	return err == nil && day.Format(time.DateOnly) == value && d.First <= value && value <= d.Last
}

// Days is the projection of a table's only partition key, as it is at a time.
// (https://docs.aws.amazon.com/athena/latest/ug/partition-projection-supported-types.html)
func (t Table) Days(now time.Time) (Days, error) {
	if len(t.PartitionKeys) != 1 || t.PartitionKeys[0].Type != "string" || t.Parameters["projection.enabled"] != "true" {
		return Days{}, fmt.Errorf("read projection of table %s: only a single string key with partition projection is known here", t.Name)
	}
	d := Days{Key: t.PartitionKeys[0].Name}
	property := func(name string) string { return t.Parameters["projection."+d.Key+"."+name] }
	if property("type") != "date" || property("format") != "yyyy-MM-dd" || t.Parameters["storage.location.template"] != "" {
		return d, fmt.Errorf("read projection of table %s: only dates of the format yyyy-MM-dd below the table's location are known here", t.Name)
	}
	bounds := strings.Split(property("range"), ",")
	if len(bounds) != 2 {
		return d, fmt.Errorf("read projection of table %s: projection.%s.range %q is not of the form FIRST,LAST", t.Name, d.Key, property("range"))
	}
	for i, into := range []*string{&d.First, &d.Last} {
		day, err := bound(strings.TrimSpace(bounds[i]), now)
		if err != nil {
			return d, fmt.Errorf("read projection of table %s: projection.%s.range: %w", t.Name, d.Key, err)
		}
		*into = day
	}
	return d, nil
}

var relative = regexp.MustCompile(`^NOW(?:\s*([+-])\s*(\d+)\s*(YEAR|MONTH|WEEK|DAY)S?)?$`)

func bound(text string, now time.Time) (string, error) {
	if _, err := time.Parse(time.DateOnly, text); err == nil {
		return text, nil
	}
	parts := relative.FindStringSubmatch(text)
	if parts == nil {
		return "", fmt.Errorf("%q is neither a day like 2024-01-31 nor NOW, NOW+1DAY or the like", text)
	}
	at := now.UTC()
	if parts[1] != "" {
		n, err := strconv.Atoi(parts[1] + parts[2])
		if err != nil {
			return "", fmt.Errorf("read %q: %w", text, err)
		}
		switch parts[3] {
		case "YEAR":
			at = at.AddDate(n, 0, 0)
		case "MONTH":
			at = at.AddDate(0, n, 0)
		case "WEEK":
			at = at.AddDate(0, 0, 7*n)
		default:
			at = at.AddDate(0, 0, n)
		}
	}
	return at.Format(time.DateOnly), nil
}
