package contract

import (
	"testing"
	"time"
)

func TestCronGaps(t *testing.T) {
	const day = 24 * time.Hour
	for _, tc := range []struct {
		name, text        string
		shortest, longest time.Duration
	}{
		{"hourly", "0 * * * ? *", time.Hour, time.Hour},
		{"every quarter", "0/15 * * * ? *", 15 * time.Minute, 15 * time.Minute},
		{"every minute", "* * * * ? *", time.Minute, time.Minute},
		{"daily", "30 5 * * ? *", day, day},
		{"twice a day", "0 6,18 * * ? *", 12 * time.Hour, 12 * time.Hour},
		{"twice in the morning", "0 6,8 * * ? *", 2 * time.Hour, 22 * time.Hour},
		{"office hours", "0 8-17 ? * MON-FRI *", time.Hour, 63 * time.Hour},
		{"weekly", "0 0 ? * SUN *", 7 * day, 7 * day},
		{"by number", "0 0 ? * 2 *", 7 * day, 7 * day},
		{"monthly", "0 0 1 * ? *", 28 * day, 31 * day},
		{"quarterly", "0 0 1 JAN/3 ? *", 90 * day, 92 * day},
		{"last day", "0 0 L * ? *", 28 * day, 31 * day},
		{"first Monday", "0 0 ? * MON#1 *", 28 * day, 31 * day},
		{"yearly", "0 0 1 1 ? *", 365 * day, 366 * day},
		{"never", "0 0 31 2 ? *", 0, 0},
		{"in a year long gone", "0 0 1 1 ? 1999", 0, 0},
	} {
		t.Run(tc.name, func(t *testing.T) {
			c, err := parseCron(tc.text)
			if err != nil {
				t.Fatal(err)
			}
			if shortest, longest := c.gaps(); shortest != tc.shortest || longest != tc.longest {
				t.Errorf("gaps of %s: %s to %s, want %s to %s", tc.text, shortest, longest, tc.shortest, tc.longest)
			}
		})
	}
}

func TestRate(t *testing.T) {
	for _, tc := range []struct {
		span time.Duration
		want string
	}{
		{time.Minute, "rate(1 minute)"},
		{90 * time.Minute, "rate(90 minutes)"},
		{time.Hour, "rate(1 hour)"},
		{36 * time.Hour, "rate(36 hours)"},
		{24 * time.Hour, "rate(1 day)"},
		{7 * 24 * time.Hour, "rate(7 days)"},
	} {
		if got := rate(tc.span); got != tc.want {
			t.Errorf("rate(%s) = %s, want %s", tc.span, got, tc.want)
		}
	}
}

func TestGap(t *testing.T) {
	for _, test := range []struct {
		schedule Schedule
		want     time.Duration
	}{
		{Schedule{Frequency: time.Hour}, time.Hour},
		{Schedule{Frequency: time.Hour, longest: 63 * time.Hour}, 63 * time.Hour}, // each hour of a working day
	} {
		if got := test.schedule.Gap(); got != test.want {
			t.Errorf("%+v: gap %s, want %s", test.schedule, got, test.want)
		}
	}
}
