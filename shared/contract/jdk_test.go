package contract

import (
	"testing"
	"time"
)

func TestDatePatterns(t *testing.T) {
	for _, tc := range []struct {
		name, pattern, zone string
		text                string
		want                string // "" where the text is refused
	}{
		{"date", "yyyy-MM-dd", "UTC", "2024-02-29", "2024-02-29T00:00:00Z"},
		{"day that does not exist", "yyyy-MM-dd", "UTC", "2023-02-29", ""},
		{"compact", "yyyyMMdd", "UTC", "20240229", "2024-02-29T00:00:00Z"},
		{"German", "dd.MM.yyyy HH:mm", "UTC", "01.12.2024 23:59", "2024-12-01T23:59:00Z"},
		{"one digit where two are asked", "dd.MM.yyyy", "UTC", "1.12.2024", ""},
		{"two digits where one is enough", "d.M.yyyy", "UTC", "21.12.2024", "2024-12-21T00:00:00Z"},
		{"one digit where one is enough", "d.M.yyyy", "UTC", "1.2.2024", "2024-02-01T00:00:00Z"},
		{"quoted letters", "yyyy-MM-dd'T'HH:mm:ss'Z'", "UTC", "2024-01-02T03:04:05Z", "2024-01-02T03:04:05Z"},
		{"quoted quote", "yyyy''MM''dd", "UTC", "2024'01'02", "2024-01-02T00:00:00Z"},
		{"quote within quotes", "yyyy 'o''clock' MM-dd", "UTC", "2024 o'clock 01-02", "2024-01-02T00:00:00Z"},
		{"milliseconds", "yyyy-MM-dd HH:mm:ss.SSS", "UTC", "2024-01-02 03:04:05.678", "2024-01-02T03:04:05.678Z"},
		{"microseconds after a comma", "yyyy-MM-dd HH:mm:ss,SSSSSS", "UTC", "2024-01-02 03:04:05,678901", "2024-01-02T03:04:05.678901Z"},
		{"fraction that is not asked for", "yyyy-MM-dd HH:mm:ss", "UTC", "2024-01-02 03:04:05.678", ""},
		{"fraction too short", "yyyy-MM-dd HH:mm:ss.SSS", "UTC", "2024-01-02 03:04:05.67", ""},
		{"offset with colon", "yyyy-MM-dd'T'HH:mmXXX", "UTC", "2024-01-02T03:04+05:30", "2024-01-01T21:34:00Z"},
		{"offset Z", "yyyy-MM-dd'T'HH:mmXXX", "UTC", "2024-01-02T03:04Z", "2024-01-02T03:04:00Z"},
		{"offset zero", "yyyy-MM-dd'T'HH:mmXXX", "UTC", "2024-01-02T03:04+00:00", "2024-01-02T03:04:00Z"},
		{"offset without colon", "yyyy-MM-dd HH:mm Z", "UTC", "2024-01-02 03:04 -0700", "2024-01-02T10:04:00Z"},
		{"offset of hours", "yyyy-MM-dd HHx", "UTC", "2024-01-02 03+01", "2024-01-02T02:00:00Z"},
		{"half days", "MM/dd/yyyy hh:mm a", "UTC", "12/31/2024 11:59 PM", "2024-12-31T23:59:00Z"},
		{"half days in small letters", "M/d/yyyy h:mm a", "UTC", "1/2/2024 1:05 pm", ""},
		{"month in capitals", "dd MMM yyyy", "UTC", "02 JAN 2024", ""},
		{"English names", "EEE, dd MMM yyyy HH:mm:ss Z", "UTC", "Tue, 02 Jan 2024 03:04:05 +0000", "2024-01-02T03:04:05Z"},
		{"weekday that is another", "EEE, dd MMM yyyy", "UTC", "Mon, 02 Jan 2024", ""},
		{"month in full", "d MMMM uuuu", "UTC", "2 January 2024", "2024-01-02T00:00:00Z"},
		{"zone in summer", "yyyy-MM-dd HH:mm", "Europe/Berlin", "2024-07-01 12:00", "2024-07-01T10:00:00Z"},
		{"zone in winter", "yyyy-MM-dd HH:mm", "Europe/Berlin", "2024-01-01 12:00", "2024-01-01T11:00:00Z"},
		{"time that the zone skips", "yyyy-MM-dd HH:mm", "Europe/Berlin", "2024-03-31 02:30", ""},
		{"trailing text", "yyyy-MM-dd", "UTC", "2024-01-02 ", ""},
		{"leap second", "HH:mm:ss dd.MM.yyyy", "UTC", "23:59:60 31.12.2016", ""},
		{"hour 24", "yyyy-MM-dd HH:mm", "UTC", "2024-01-02 24:00", ""},
	} {
		t.Run(tc.name, func(t *testing.T) {
			p, err := compilePattern(tc.pattern)
			if err != nil {
				t.Fatal(err)
			}
			zone, err := time.LoadLocation(tc.zone)
			if err != nil {
				t.Fatal(err)
			}
			f := TimeFormat{Pattern: tc.pattern, Layout: p.layout, Zone: zone}
			at, err := f.Parse(tc.text)
			got := ""
			if err == nil {
				got = at.UTC().Format(time.RFC3339Nano)
			}
			if got != tc.want {
				t.Errorf("Parse(%q) by %q = %q (%v), want %q", tc.text, p.layout, got, err, tc.want)
			}
		})
	}
}
