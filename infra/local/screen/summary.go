package screen

import (
	"bytes"
	"fmt"
	"io"
	"slices"
	"strings"
)

const (
	labelColumns = 10

	maxMember     = 200 // characters shown of one member
	maxRowLines   = 25  // of one failing row
	maxRowReasons = 25
)

// Write writes the summary of a run.
func Write(w io.Writer, o Outcome, style Style) error {
	s := &summary{Style: style}
	for i := range o.Datasets {
		s.dataset(&o.Datasets[i])
	}
	s.alarms(o.Alarms)
	s.stages(o)
	s.places(o.Places)
	s.faults(o.Faults)
	s.next(o.Next)
	if _, err := w.Write(s.out.Bytes()); err != nil {
		return fmt.Errorf("write summary: %w", err)
	}
	return nil
}

// WriteBrief writes of a run what somebody wants to know who runs it again and again.
func WriteBrief(w io.Writer, o Outcome, style Style) error {
	s := &summary{Style: style}
	for i := range o.Datasets {
		d := &o.Datasets[i]
		s.line("  " + s.bold(d.Name) + "  " + s.verdict(d))
		s.field("run", d.Run)
		if d.Verdict != "" {
			s.records(d)
		}
		for _, r := range d.Rejects {
			s.field("", fmt.Sprintf("%s × %s %s", Count(r.Records), r.Name, r.place()))
		}
		for _, a := range d.Alerts {
			s.field("alert", a.Subject)
		}
	}
	for _, a := range o.Alarms {
		if a.State == "ALARM" {
			s.field("alarm", a.Name+": "+a.Why)
		}
	}
	s.faults(o.Faults)
	if _, err := w.Write(s.out.Bytes()); err != nil {
		return fmt.Errorf("write summary: %w", err)
	}
	return nil
}

type summary struct {
	Style
	out bytes.Buffer
}

func (s *summary) line(text string) {
	s.out.WriteString(strings.TrimRight(text, " "))
	s.out.WriteByte('\n')
}

// head begins a section.
func (s *summary) head(title, aside string) {
	s.line("")
	if aside == "" {
		s.line(s.bold(title))
		return
	}
	s.line(s.bold(title) + "  " + s.faint(cut(plain(aside), s.Width-width(title)-2)))
}

// field writes a label and its text, wrapped beside it.
func (s *summary) field(label, text string) {
	s.line(s.Field(label, text, nil))
}

func (s *summary) dataset(d *Dataset) {
	s.line("")
	s.line(s.Heading(d.Name, ""))
	s.line("")
	s.line("  " + s.verdict(d))
	s.line("")
	s.field("source", d.Source)
	if d.Requests != "" {
		s.field("", d.Requests)
	}
	s.field("run", d.Run)
	if d.Verdict != "" {
		s.field("pages", Count(d.Pages))
		s.records(d)
	}
	s.rules("Rejected, by rule", "a record counts under each rule it breaks", d.Rejects, s.red)
	s.rules("Warnings, by rule", "no record is rejected for these", d.Warnings, s.yellow)
	s.rules("Members that the contract does not name", "ignored, but counted", d.Unknown, s.yellow)
	s.row(d.Row)
	s.files(d.Files)
	s.items(d)
	s.alerts(d.Alerts)
	s.trial(d.Trial)
	s.sample(d.Sample)
}

func (s *summary) records(d *Dataset) {
	text := fmt.Sprintf("%s in = %s clean + %s rejected", Count(d.Records), Count(d.Clean), Count(d.Rejected))
	if d.Records > 0 && d.Threshold < 100 {
		text += fmt.Sprintf(" (%s; above %s %% the run is held)", percent(d.Rejected, d.Records), trimFloat(d.Threshold))
	}
	s.field("records", text)
}

func (s *summary) verdict(d *Dataset) string {
	switch {
	case d.Verdict == "":
		return s.red("✗ the run was not processed")
	case d.Verdict != "loaded":
		lines := wrap(strings.TrimSuffix(d.Verdict+": "+d.Reason, ": "), s.Width-4)
		return s.red("✗ " + strings.Join(lines, "\n    "))
	case d.Repeated:
		return s.green("✓ this run was done before: nothing was changed")
	case d.Rejected > 0:
		return s.green("✓ loaded") + ", " + s.yellow(Plural(d.Rejected, "record", "records")+" set aside")
	default:
		return s.green("✓ loaded, every record clean")
	}
}

func (s *summary) rules(title, aside string, rules []Rule, paint func(string) string) {
	if len(rules) == 0 {
		return
	}
	s.head(title, aside)
	name, place := 0, 0
	for _, r := range rules {
		name, place = max(name, width(r.Name)), max(place, width(r.place()))
	}
	name, place = min(name, s.Width/4), min(place, s.Width/3)
	for _, r := range rules {
		text := "  " + padLeft(Count(r.Records), 7) + "  " + paint(padRight(cut(plain(r.Name), name), name))
		if name > 0 {
			text += "  "
		}
		text += padRight(cutMiddle(plain(r.place()), place), place)
		left := s.Width - 2 - 7 - 2 - name - 2 - place - 2
		if r.Example != "" && left > 10 {
			text += "  " + s.faint(cut(plain(r.Example), left))
		}
		s.line(text)
	}
}

// place is what a rule is about.
func (r Rule) place() string {
	if r.OfRun && r.Pointer == "" {
		return "(the run)"
	}
	return pointer(r.Pointer)
}

func pointer(p string) string {
	if p == "" {
		return "(the record)"
	}
	return p
}

// row writes one failing row: its members as they came, the faulty ones marked, and every reason. Of a row that would
// fill the screen it writes the beginning, and where the whole of it lies.
func (s *summary) row(r *Row) {
	if r == nil {
		return
	}
	shown, cut := s.rowLines(r)
	title := "One failing row, in full"
	if cut {
		title = "One failing row"
	}
	s.head(title, fmt.Sprintf("page %d, record %s, counted from 0", r.Page, r.Place))
	for _, line := range shown {
		s.line(line)
	}
	if cut && r.Where != "" {
		for _, line := range wrap("Not all of it is shown: it lies in "+r.Where+".", s.Width-4) {
			s.line("    " + s.faint(line))
		}
	}
	s.line("")
	for i, reason := range r.Reasons {
		if i == maxRowReasons {
			s.line("  " + s.red("✗") + " and " + Plural(int64(len(r.Reasons)-i), "more reason", "more reasons"))
			break
		}
		s.reason(reason)
	}
}

func (s *summary) reason(r Reason) {
	for i, line := range wrap(pointer(r.Pointer)+"  "+r.Rule+": "+r.Message, s.Width-6) {
		if i == 0 {
			s.line("  " + s.red("✗") + " " + line)
			continue
		}
		s.line("    " + line)
	}
	s.declared(r.Declared)
}

// declared writes the contract's line that a record fails by, or what two lines of the screen hold of it.
func (s *summary) declared(l Line) {
	if l.Text == "" {
		return
	}
	s.line("    " + s.faint(plain(l.Place)))
	shown := wrap(l.Text, s.Width-6)
	if len(shown) > 2 {
		shown = []string{shown[0], cut(strings.Join(shown[1:], " "), s.Width-6)}
	}
	for _, line := range shown {
		s.line("      " + s.faint(line))
	}
}

// rowLines is what is shown of a row, and whether any of it is left out.
func (s *summary) rowLines(r *Row) (shown []string, cut bool) {
	if len(r.Members) == 0 {
		head := firstOf(r.Text, maxRowLines*(s.Width-4))
		for _, line := range wrap(head, s.Width-4) {
			shown = append(shown, "    "+line)
		}
		if left := len(r.Text) - len(head); left > 0 {
			shown = shown[:min(len(shown), maxRowLines)]
			return append(shown, "    … "+Plural(int64(left), "byte", "bytes")+" more"), true
		}
	} else {
		var all summary
		all.Style = s.Style
		all.members(r.Members)
		shown = lines(all.out.String())
		cut = slices.ContainsFunc(r.Members, func(m Member) bool { return len(m.text()) > len(firstOf(m.text(), maxMember)) })
	}
	if left := len(shown) - maxRowLines; left > 0 {
		return append(shown[:maxRowLines:maxRowLines], "    … "+Plural(int64(left), "line", "lines")+" more"), true
	}
	return shown, cut
}

func (m Member) text() string { return fmt.Sprintf("%q: %s", m.Name, m.Value) }

// firstOf is the beginning of a text, of so many characters.
func firstOf(text string, most int) string {
	characters := 0
	for i := range text {
		if characters == most {
			return text[:i]
		}
		characters++
	}
	return text
}

// shortened is a member's text with how much of it is left out.
func shortened(text string) string {
	head := firstOf(text, maxMember)
	if len(head) == len(text) {
		return text
	}
	return head + "… (" + Plural(int64(len(text)-len(head)), "byte", "bytes") + " more)"
}

// members fills lines with members, breaking between them; a member longer than a line is broken inside.
func (s *summary) members(members []Member) {
	const indent = 4
	used := 0
	for i, m := range members {
		text := plain(shortened(m.text()))
		before, after := "", ","
		if i == 0 {
			before = "{"
		}
		if i == len(members)-1 {
			after = "}"
		}
		size := width(before + text + after)
		if used > 0 && used+1+size > s.Width-indent {
			s.out.WriteByte('\n')
			used = 0
		}
		if used == 0 {
			s.out.WriteString(strings.Repeat(" ", indent))
		} else {
			s.out.WriteByte(' ')
			used++
		}
		for j, piece := range wrapHard(before+text+after, s.Width-indent-used) {
			if j > 0 {
				s.out.WriteString("\n" + strings.Repeat(" ", indent))
				used = 0
			}
			if m.Faulty {
				piece = s.red(piece)
			}
			s.out.WriteString(piece)
		}
		used += size
	}
	s.out.WriteByte('\n')
}

func wrapHard(text string, columns int) []string {
	var lines []string
	for width(text) > columns {
		head := text
		for width(head) > columns {
			head = head[:len(head)-lastRune(head)]
		}
		lines, text = append(lines, head), text[len(head):]
	}
	return append(lines, text)
}

func lastRune(s string) int {
	runes := []rune(s)
	return len(string(runes[len(runes)-1:]))
}

func (s *summary) files(files []File) {
	if len(files) == 0 {
		return
	}
	s.head("Files", "")
	zone := 0
	for _, f := range files {
		zone = max(zone, width(f.Zone))
	}
	const rowsColumns, bytesColumns = 12, 11
	for _, f := range files {
		rows := ""
		if f.Rows > 0 {
			rows = Plural(f.Rows, "row", "rows")
		}
		line := "  " + s.faint(padRight(f.Zone, zone)) + padLeft(rows, rowsColumns) + padLeft(Bytes(f.Bytes), bytesColumns)
		// A path is never cut: somebody may copy it.
		path := plain(f.Path)
		if 2+zone+rowsColumns+bytesColumns+2+width(path) <= s.Width {
			s.line(line + "  " + path)
			continue
		}
		s.line(line)
		indent := min(4, max(0, s.Width-width(path)))
		for _, part := range wrapHard(path, s.Width-indent) {
			s.line(strings.Repeat(" ", indent) + part)
		}
	}
}

func (s *summary) items(d *Dataset) {
	if d.Table == "" || d.Verdict == "" {
		return
	}
	s.head("Items", "DynamoDB table "+d.Table)
	text := fmt.Sprintf("%s offered by this run; the table keeps the newest for each key and holds %s", Plural(d.Items, "item", "items"), Count(d.Held))
	if d.Verdict == "loaded" && d.Items == 0 && d.Clean > 0 && d.Expiry > 0 {
		text = fmt.Sprintf("none of this run: items expire after %s, and it is older; the table holds %s",
			Plural(int64(d.Expiry.Hours()/24), "day", "days"), Count(d.Held))
	}
	for _, line := range wrap(text, s.Width-2) {
		s.line("  " + line)
	}
	if len(d.Item) > 0 {
		s.members(d.Item)
	}
}

func (s *summary) alerts(alerts []Alert) {
	if len(alerts) == 0 {
		s.head("Alerts", "")
		s.line("  none")
		return
	}
	a := alerts[0]
	aside := ""
	if len(alerts) > 1 {
		aside = fmt.Sprintf("the first of %d", len(alerts))
	}
	s.head(Plural(int64(len(alerts)), "Alert", "Alerts"), aside)
	bar := s.yellow("│") + " "
	for _, line := range wrap(a.Subject, s.Width-4) {
		s.line("  " + bar + s.bold(line))
	}
	for _, line := range lines(a.Text) {
		for _, part := range wrapIndented(line, s.Width-4) {
			s.line("  " + bar + part)
		}
	}
}

// trial tells what was done to the run, and that it made no difference.
func (s *summary) trial(t *Trial) {
	if t == nil {
		return
	}
	s.head("Faults on demand", fmt.Sprintf("-seed=%d decides the same again", t.Seed))
	parts := make([]string, 0, len(t.Faults)+1)
	for _, m := range t.Faults {
		parts = append(parts, Count(m.Times)+" × "+m.Name)
	}
	for _, line := range wrap(strings.Join(parts, ", ")+"; "+Plural(t.Failed, "attempt of a function failed", "attempts of functions failed"), s.Width-2) {
		s.line("  " + line)
	}
	for i, what := range t.Same {
		if i == 0 {
			s.line("  the same raw run, processed without faults, leaves the same:")
		}
		s.line("  " + s.green("✓") + " " + what)
	}
}

// alarms shows those that are not well; they say nothing as long as there is nothing to do.
func (s *summary) alarms(alarms []Alarm) {
	var raised []Alarm
	for _, a := range alarms {
		if a.State != "OK" {
			raised = append(raised, a)
		}
	}
	if len(alarms) == 0 {
		return
	}
	s.head("Alarms", fmt.Sprintf("%d of %d, evaluated once on the metrics that the run left", len(raised), len(alarms)))
	if len(raised) == 0 {
		s.line("  none")
	}
	for _, a := range raised {
		for i, line := range wrap(a.Name+": "+a.Why, s.Width-4) {
			mark := "  "
			if i == 0 {
				mark = s.yellow("!") + " "
			}
			s.line("  " + mark + line)
		}
		for _, line := range wrap(a.Meaning, s.Width-4) {
			s.line("    " + s.faint(line))
		}
	}
}

func lines(text string) []string { return strings.Split(strings.TrimRight(text, "\n"), "\n") }

// wrapIndented keeps the indent of a line on all that it is broken into.
func wrapIndented(line string, columns int) []string {
	body := strings.TrimLeft(line, " ")
	indent := strings.Repeat(" ", min(len(line)-len(body), columns/2))
	parts := wrap(body, columns-len(indent))
	for i := range parts {
		parts[i] = indent + parts[i]
	}
	return parts
}

func (s *summary) stages(o Outcome) {
	if len(o.Stages) == 0 {
		return
	}
	s.head("Time", "")
	line := "  "
	for i, stage := range append(sums(o.Stages), Stage{Name: "total", Took: o.Total}) {
		part := stage.Name + " " + Duration(stage.Took)
		if i > 0 {
			part = " · " + part
		}
		if width(line)+width(part) > s.Width {
			s.line(line + " ·")
			line, part = "  ", strings.TrimPrefix(part, " · ")
		}
		line += part
	}
	s.line(line)
}

// sums adds up the times of stages of one name, which several datasets pass through.
func sums(stages []Stage) []Stage {
	var all []Stage
	for _, stage := range stages {
		i := slices.IndexFunc(all, func(s Stage) bool { return s.Name == stage.Name })
		if i < 0 {
			all = append(all, stage)
			continue
		}
		all[i].Took += stage.Took
	}
	return all
}

func (s *summary) places(places []Place) {
	if len(places) == 0 {
		return
	}
	s.head("Where it lies", "")
	columns := 0
	for _, p := range places {
		columns = max(columns, width(p.Path))
	}
	for _, p := range places {
		s.line("  " + padRight(p.Path, columns) + "  " + s.faint(cut(p.Holds, max(10, s.Width-columns-4))))
	}
}

func (s *summary) faults(faults []string) {
	if len(faults) == 0 {
		return
	}
	s.line("")
	s.line(s.red(s.bold("Not all went well")))
	for _, f := range faults {
		for i, line := range lines(f) {
			for j, part := range wrapIndented(line, s.Width-4) {
				mark := "  "
				if i == 0 && j == 0 {
					mark = s.red("✗") + " "
				}
				s.line("  " + mark + part)
			}
		}
	}
}

func (s *summary) next(hints []Hint) {
	if text := s.Hints("Try next", hints); text != "" {
		s.line("")
		s.out.WriteString(text)
	}
}
