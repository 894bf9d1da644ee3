package report

import (
	"fmt"
	"html/template"
	"math"
	"strings"

	"tributary/infra/local/screen"
)

// station is a place on the way of the records.
type station struct {
	title, value, note string
	kind               string // the CSS class, which gives the colour
	records            int64  // which the band to it carries
}

const (
	boxWidth, boxHeight = 176.0, 66.0
	gap                 = 64.0 // between columns
	rowGap              = 16.0
	thickest, thinnest  = 34.0, 1.5
)

// flow draws the way of a run's records twice, across for a wide page and down for a narrow one: the style shows one.
func flow(d screen.Dataset) template.HTML {
	source, raw, ends := stations(d)
	return template.HTML(drawFlow("flow wide", false, d.Records, source, raw, ends) + //nolint:gosec // G203: text is escaped where it is drawn
		drawFlow("flow narrow", true, d.Records, source, raw, ends))
}

func stations(d screen.Dataset) (source, raw station, ends []station) {
	var bytes = map[string]int64{}
	var files = map[string]int64{}
	for _, f := range d.Files {
		bytes[f.Zone] += f.Bytes
		files[f.Zone]++
	}
	source = station{title: "third-party API", value: screen.Plural(d.Records, "record", "records"), note: d.Requests, kind: "source", records: d.Records}
	raw = station{title: "raw zone", value: screen.Plural(d.Pages, "page", "pages"), note: screen.Bytes(bytes["raw"]) + ", write-once", kind: "raw", records: d.Records}
	ends = []station{
		{title: "lake", value: screen.Plural(d.Clean, "clean row", "clean rows"), note: filesAnd(files["lake"], bytes["lake"], "Parquet"), kind: "lake", records: d.Clean},
		{title: "rejects", value: screen.Plural(d.Rejected, "rejected", "rejected"), note: filesAnd(files["rejects"], bytes["rejects"], "reasons"), kind: "rejects", records: d.Rejected},
	}
	if d.Verdict != "" && d.Verdict != "loaded" { // the records came to no place
		ends[0].value, ends[0].records, ends[0].note = "nothing", 0, "the run is "+strings.ReplaceAll(d.Verdict, "_", " ")
	}
	if d.Table != "" {
		ends = append(ends, station{title: "DynamoDB", value: screen.Plural(d.Items, "item offered", "items offered"),
			note: screen.Count(d.Held) + " in the table", kind: "items", records: d.Items})
	}
	ends = append(ends, station{title: "SNS", value: screen.Plural(int64(len(d.Alerts)), "alert", "alerts"), note: "to people", kind: "alerts"})
	return source, raw, ends
}

func filesAnd(files, bytes int64, what string) string {
	if files == 0 {
		return "no file"
	}
	return screen.Plural(files, "file", "files") + ", " + screen.Bytes(bytes) + ", " + what
}

func drawFlow(class string, down bool, all int64, source, raw station, ends []station) string {
	n := float64(len(ends))
	width, height := 3*boxWidth+2*gap, n*(boxHeight+rowGap)-rowGap
	middle := (height - boxHeight) / 2
	at := func(column int, y float64) (float64, float64) { return float64(column) * (boxWidth + gap), y }
	if down {
		width = 2*boxWidth + rowGap
		rows := math.Ceil(n / 2)
		height = 2*(boxHeight+gap/1.6) + rows*(boxHeight+rowGap) - rowGap
	}
	place := func(column, row int) (float64, float64) {
		if down {
			y := float64(column) * (boxHeight + gap/1.6)
			if column < 2 {
				return (width - boxWidth) / 2, y
			}
			return float64(row%2) * (boxWidth + rowGap), y + float64(row/2)*(boxHeight+rowGap)
		}
		if column < 2 {
			return at(column, middle)
		}
		return at(column, float64(row)*(boxHeight+rowGap))
	}
	var s strings.Builder
	fmt.Fprintf(&s, `<svg class="%s" viewBox="0 0 %.0f %.0f" role="img" aria-label="the way of the records">`, class, width, height)
	band(&s, down, all, source.records, raw.kind, 0, 0, place)
	for i := len(ends) - 1; i >= 0; i-- {
		band(&s, down, all, ends[i].records, ends[i].kind, 1, i, place)
	}
	box(&s, source, 0, 0, place)
	box(&s, raw, 1, 0, place)
	for i, e := range ends {
		box(&s, e, 2, i, place)
	}
	s.WriteString("</svg>")
	return s.String()
}

// band draws the way from a column's box to the box at row of the next one, as thick as its part of all records.
func band(s *strings.Builder, down bool, all, carried int64, kind string, column, row int, place func(column, row int) (float64, float64)) {
	thick := thinnest
	if all > 0 && carried > 0 {
		thick = math.Max(thinnest*2, thickest*float64(min(carried, all))/float64(all))
	}
	x1, y1 := place(column, 0)
	x2, y2 := place(column+1, row)
	if down {
		x1, y1, x2 = x1+boxWidth/2, y1+boxHeight, x2+boxWidth/2
		bend := (y2 - y1) / 2
		fmt.Fprintf(s, `<path class="band %s" stroke-width="%.1f" d="M%.0f %.0f C%.0f %.0f %.0f %.0f %.0f %.0f"/>`, kind, thick, x1, y1, x1, y1+bend, x2, y2-bend, x2, y2)
		return
	}
	x1, y1, y2 = x1+boxWidth, y1+boxHeight/2, y2+boxHeight/2
	bend := (x2 - x1) / 2
	fmt.Fprintf(s, `<path class="band %s" stroke-width="%.1f" d="M%.0f %.0f C%.0f %.0f %.0f %.0f %.0f %.0f"/>`, kind, thick, x1, y1, x1+bend, y1, x2-bend, y2, x2, y2)
}

func box(s *strings.Builder, t station, column, row int, place func(column, row int) (float64, float64)) {
	x, y := place(column, row)
	fmt.Fprintf(s, `<g class="box %s"><rect x="%.0f" y="%.0f" width="%.0f" height="%.0f" rx="8"/>`, t.kind, x, y, boxWidth, boxHeight)
	for i, line := range []struct{ class, text string }{{"title", t.title}, {"value", t.value}, {"note", t.note}} {
		fmt.Fprintf(s, `<text class="%s" x="%.0f" y="%.0f">%s</text>`, line.class, x+12, y+19+float64(i)*19, template.HTMLEscapeString(fit(line.text)))
	}
	s.WriteString("</g>")
}

// fit shortens a line to what a box holds, to whole parts of a list where it is one.
func fit(text string) string {
	const most = 26
	if r := []rune(text); len(r) > most {
		if i := strings.LastIndex(string(r[:most-3]), ", "); i > 0 {
			return text[:i] + ", …"
		}
		return string(r[:most-1]) + "…"
	}
	return text
}
