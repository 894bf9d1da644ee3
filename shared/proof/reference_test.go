package proof

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"maps"
	"path"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/google/go-cmp/cmp"

	"tributary/shared/cloud/cloudtest"
	"tributary/shared/zone"
)

// outcome is what a run leaves. What may differ between attempts is taken out.
type outcome struct {
	Lake, Rejects map[string]string
	Audit         zone.AuditRow

	former zone.FormerRow
	alerts map[string]string                    // text by id
	items  map[string]map[string]zone.Attribute // of this run alone
}

// outcomeOf reads what the world holds of a run.
func (w *world) outcomeOf(run int) (outcome, error) {
	r := runs[run].Run
	o := outcome{Lake: map[string]string{}, Rejects: map[string]string{}}
	for key, body := range w.lake.Bodies() {
		switch {
		case strings.HasPrefix(key, r.LakeRunPrefix("people")):
			o.Lake[key] = string(body)
		case key == r.AuditKey():
			if err := json.Unmarshal(body, &o.Audit); err != nil {
				return o, fmt.Errorf("read audit row: %w", err)
			}
			o.Audit.StoredAt, o.Audit.Replay.StoredAt, o.Audit.Former.StoredAt = "", "", ""
			o.former, o.Audit.Former = o.Audit.Former, zone.FormerRow{}
			o.Audit.Claim = 0 // how many there were is a matter of how they met
			if o.Audit.Outcome == zone.OutcomeTooLarge {
				o.Audit.Reason = "" // how far an attempt without time has read
			}
			if o.Audit.Replay.Outcome == zone.OutcomeTooLarge {
				o.Audit.Replay.Reason = ""
			}
		}
	}
	for key, body := range w.rejects.Bodies() {
		if strings.HasPrefix(key, r.RejectsRunPrefix()) {
			o.Rejects[key] = string(body)
		}
	}
	return o, nil
}

// alertsOf lists what was sent about a run, but for what was lost: that is held against the audit row.
func (w *world) alertsOf(run int) map[string]string {
	alerts := map[string]string{}
	for _, m := range w.topic.Messages() {
		if m.Attributes["run"] == runs[run].ID() {
			text := lostText.ReplaceAllString(m.Body, "")
			if m.Attributes["outcome"] == zone.OutcomeTooLarge {
				text = reasonText.ReplaceAllString(text, "")
			}
			alerts[m.Attributes["alert_id"]] = m.Subject + "\n" + text
		}
	}
	return alerts
}

var (
	lostText   = regexp.MustCompile(`(?m)^It was in the lake before: .*\n`)
	reasonText = regexp.MustCompile(`(?m)^Reason: .*\n`)
)

// items are what the serving table holds, but for the number of the claim that is the last part of their order.
func (w *world) items() map[string]map[string]zone.Attribute {
	items := w.table.Items()
	for key, item := range items {
		item = maps.Clone(item)
		item[zone.ItemOrder] = zone.StringAttribute(path.Dir(item[zone.ItemOrder].Text))
		items[key] = item
	}
	return items
}

// print identifies the raw objects of a run.
func (w *world) print(run int) string {
	if known, ok := w.prints[run]; ok {
		return known
	}
	prefix := strings.TrimSuffix(runs[run].ManifestKey(), zone.ManifestName)
	bodies := w.raw.Bodies()
	hash := sha256.New()
	for _, key := range slices.Sorted(maps.Keys(bodies)) {
		if strings.HasPrefix(key, prefix) {
			object, err := w.raw.With(nil).Head(context.Background(), key)
			fmt.Fprintln(hash, key, object.Version, len(bodies[key]), err)
			hash.Write(bodies[key])
		}
	}
	w.prints[run] = string(hash.Sum(nil))
	return w.prints[run]
}

// references remembers clean runs.
type references struct {
	mu    sync.Mutex
	known map[string]outcome
}

var clean = references{known: map[string]outcome{}}

// pass is a clean processing of a run.
type pass struct {
	edition int
	hasty   bool // its time is nearly over when it opens the first page
	force   bool
}

// after is what a run comes to by passes, one after the other.
func (r *references) after(w *world, run int, order ...pass) (outcome, error) {
	key := fmt.Sprint(w.print(run), run, order)
	r.mu.Lock()
	known, ok := r.known[key]
	r.mu.Unlock()
	if ok {
		return known, nil
	}
	other := newWorld(w.raw)
	for _, p := range order {
		// Each comes when the one before has ended for certain.
		other.now = other.now.Add(20 * time.Minute)
		sees := other.invocation(context.Background())
		faults := &cloudtest.Faults{Hook: func(c cloudtest.Call) error {
			if p.hasty && strings.Contains(c.Key, "/page-") {
				sees.slow.Store(true)
			}
			return nil
		}}
		if _, err := other.processor(sees, editions[p.edition], faults).Handle(sees, replay(run, p.force)); err != nil {
			return outcome{}, fmt.Errorf("process run %d undisturbed under %v: %w", run, order, err)
		}
	}
	o, err := other.outcomeOf(run)
	if err != nil {
		return outcome{}, err
	}
	o.alerts, o.items = other.alertsOf(run), other.items()
	r.mu.Lock()
	r.known[key] = o
	r.mu.Unlock()
	return o, nil
}

// orders lists the clean passes that a run may have come to its end by: those with enough time first, in the rising order
// of the editions. Where attempts under an edition were slow, one may have run out of time, the first or a forced one. Where
// all of them were given up, it may be that none came far enough to be seen.
func (s *stage) orders(run int) [][]pass {
	var all [][]pass
	variants := map[int][][]pass{}
	asked := s.editionsOf(run)
	for _, e := range asked {
		variants[e] = [][]pass{{{edition: e}}}
		if !slices.ContainsFunc(s.actors, func(a *actor) bool { return a.Run == run && a.processing() && a.Edition == e && !a.given }) {
			variants[e] = append(variants[e], nil)
		}
	}
	for _, a := range s.actors {
		if a.Run != run || !a.processing() || !a.slowed {
			continue
		}
		variants[a.Edition] = append(variants[a.Edition], []pass{{edition: a.Edition, hasty: true}})
		if a.What == forces {
			variants[a.Edition] = append(variants[a.Edition], []pass{{edition: a.Edition}, {edition: a.Edition, hasty: true, force: true}})
		}
	}
	var extend func(order []pass, rest []int)
	extend = func(order []pass, rest []int) {
		if len(rest) == 0 {
			all = append(all, order)
			return
		}
		for _, v := range variants[rest[0]] {
			extend(slices.Concat(order, v), rest[1:])
		}
	}
	for _, order := range permutations(asked) {
		extend(nil, order)
	}
	slices.SortStableFunc(all, func(a, b []pass) int { return hurried(a) - hurried(b) })
	return all
}

func hurried(order []pass) int {
	n := 0
	for _, p := range order {
		if p.hasty {
			n++
		}
	}
	return n
}

// permutations lists the orders of a few editions, the rising one first.
func permutations(of []int) [][]int {
	if len(of) < 2 {
		return [][]int{slices.Clone(of)}
	}
	var all [][]int
	for i := range of {
		rest := slices.Delete(slices.Clone(of), i, i+1)
		for _, p := range permutations(rest) {
			all = append(all, append([]int{of[i]}, p...))
		}
	}
	return all
}

// checkAll holds the end against clean runs, and what was done on the way to it.
func (s *stage) checkAll() string {
	if problem := s.check(); problem != "" {
		return problem
	}
	return s.checkRepeats()
}

// check holds the end against clean runs; "" when it is one of theirs.
func (s *stage) check() string {
	if s.fault != "" {
		return s.fault
	}
	if problem := s.checkRaw(); problem != "" {
		return problem
	}
	var candidates, finals []map[string]map[string]zone.Attribute
	for run := range runs {
		asked := s.editionsOf(run)
		if _, there := s.event(run); len(asked) == 0 || !there {
			continue
		}
		got, err := s.outcomeOf(run)
		if err != nil {
			return err.Error()
		}
		if problem := filesNamed(&got); problem != "" {
			return fmt.Sprintf("run %d: %s", run, problem)
		}
		problem := ""
		for _, order := range s.orders(run) {
			want, err := clean.after(s.world, run, order...)
			if err != nil {
				return err.Error()
			}
			diff := cmp.Diff(want, got, ignoreRest)
			if diff == "" {
				problem = ""
				break
			}
			if problem == "" {
				problem = fmt.Sprintf("run %d is not what clean runs in any order leave (-in rising order, +here):\n%s", run, diff)
			}
		}
		if problem == "" {
			problem = s.checkAlerts(run, &got.Audit)
		}
		if problem == "" {
			problem = s.checkFormer(run, asked, &got)
		}
		if problem != "" {
			return problem
		}
		for _, e := range asked {
			alone, err := clean.after(s.world, run, pass{edition: e})
			if err != nil {
				return err.Error()
			}
			candidates = append(candidates, alone.items)
			if got.Audit.Outcome == zone.OutcomeLoaded && editionOf(&got.Audit) == e {
				finals = append(finals, alone.items)
			}
		}
	}
	return s.checkItems(candidates, finals)
}

// filesNamed holds the files that are there against those that the audit row names.
func filesNamed(o *outcome) string {
	for _, both := range []struct {
		there map[string]string
		named []zone.FileRow
	}{{o.Lake, o.Audit.LakeFiles}, {o.Rejects, o.Audit.RejectFiles}} {
		sizes, want := map[string]int64{}, map[string]int64{}
		for key, body := range both.there {
			sizes[key] = int64(len(body))
		}
		for _, f := range both.named {
			want[f.Key] = f.Bytes
		}
		if diff := cmp.Diff(want, sizes); diff != "" {
			return "there are other files than the audit row names (-named, +there):\n" + diff
		}
	}
	return ""
}

var ignoreRest = cmp.FilterPath(func(p cmp.Path) bool {
	switch p.Last().String() {
	case ".former", ".alerts", ".items":
		return true
	}
	return false
}, cmp.Ignore())

// editionsOf lists the editions under which the schedule processes a run, oldest first.
func (s *stage) editionsOf(run int) []int {
	var asked []int
	for _, a := range s.actors {
		if a.processing() && a.Run == run && !slices.Contains(asked, a.Edition) {
			asked = append(asked, a.Edition)
		}
	}
	slices.Sort(asked)
	return asked
}

// checkRaw holds the raw zone: every object written once, and the manifest what stands.
func (s *stage) checkRaw() string {
	bodies := s.raw.Bodies()
	if s.raw.Versions() != len(bodies) {
		return fmt.Sprintf("the raw zone has %d objects in %d versions", len(bodies), s.raw.Versions())
	}
	for run := range runs {
		body, ok := bodies[runs[run].ManifestKey()]
		if !ok {
			continue
		}
		var m zone.Manifest
		if err := json.Unmarshal(body, &m); err != nil {
			return err.Error()
		}
		if len(m.Pages) != len(runs[run].pages) || m.Ended != zone.EndedComplete {
			return fmt.Sprintf("the manifest of run %d lists %d pages and says %s", run, len(m.Pages), m.Ended)
		}
		for i, p := range m.Pages {
			object, err := s.raw.With(nil).Head(context.Background(), runs[run].RawPageKey(i+1))
			if err != nil {
				return err.Error()
			}
			sum := fmt.Sprintf("%x", sha256.Sum256(bodies[object.Key]))
			if p.Key != object.Key || p.Version != object.Version || p.Bytes != object.Size || p.SHA256 != sum ||
				p.FetchedAt.Format("2006-01-02T15:04:05Z07:00") != object.Metadata["fetched-at"] {
				return fmt.Sprintf("the manifest of run %d says of page %d %+v, and there stands %+v with SHA-256 %s", run, i+1, p, object, sum)
			}
		}
	}
	return ""
}

// checkAlerts holds what people were told of a run: what its audit row and every completed invocation speak of, no
// other than clean runs send, and twice only when it had to be.
func (s *stage) checkAlerts(run int, row *zone.AuditRow) string {
	got := s.alertsOf(run)
	want := map[string]bool{}
	if row.Replay.AlertID != "" {
		want[row.Replay.AlertID] = true
	} else if row.AlertID != "" {
		want[row.AlertID] = true
	}
	for _, a := range s.actors {
		for _, result := range a.results {
			if a.Run == run && result.Status == "processed" && result.AlertID != "" {
				want[result.AlertID] = true
			}
		}
	}
	for id := range want {
		if got[id] == "" {
			return fmt.Sprintf("run %d: alert %s is missing", run, id)
		}
	}
	for id, text := range got {
		known := false
		for _, order := range s.orders(run) {
			for n := 1; n <= len(order) && !known; n++ {
				o, err := clean.after(s.world, run, order[:n]...)
				if err != nil {
					return err.Error()
				}
				known = o.alerts[id] == text
			}
		}
		if !known {
			return fmt.Sprintf("run %d: no clean run sends alert %s:\n%s", run, id, text)
		}
	}
	return ""
}

// checkFormer holds what the audit row says of an outcome that was lost: it is one that the run may have come to.
func (s *stage) checkFormer(run int, asked []int, got *outcome) string {
	f := got.former
	if f == (zone.FormerRow{}) {
		return ""
	}
	if got.Audit.Outcome == zone.OutcomeLoaded {
		return fmt.Sprintf("run %d: it is loaded, and said to have lost %+v", run, f)
	}
	for _, e := range asked {
		alone, err := clean.after(s.world, run, pass{edition: e})
		if err != nil {
			return err.Error()
		}
		row := alone.Audit
		if row.Outcome == zone.OutcomeLoaded && f == (zone.FormerRow{
			ContractVersion: row.ContractVersion, ContractDigest: row.ContractDigest, EngineRevision: row.EngineRevision,
			Records: row.Records, Clean: row.Clean, Rejected: row.Rejected, LakeFiles: int64(len(row.LakeFiles)),
		}) {
			return ""
		}
	}
	return fmt.Sprintf("run %d: it is said to have lost %+v, which no clean run is", run, f)
}

// checkRepeats counts the alerts that came twice against the invocations that could not know that they had sent theirs, and
// those that had reason to: a forced replay, of which each try makes the run anew, and a build that takes a run back from
// another one of the same version.
func (s *stage) checkRepeats() string {
	ids := map[string]bool{}
	messages := s.topic.Messages()
	for _, m := range messages {
		ids[m.Attributes["alert_id"]] = true
	}
	reasons := 0
	for _, a := range s.actors {
		if a.What == forces || a.processing() && s.twoBuilds(a.Run) {
			reasons += a.invoked
		}
	}
	if again := len(messages) - len(ids); again > s.excess+reasons {
		return fmt.Sprintf("%d alerts were sent again, and only %d invocations died or lost an answer between sending and recording", again, s.excess)
	}
	return ""
}

// twoBuilds tells whether a run is processed under two editions of one version.
func (s *stage) twoBuilds(run int) bool {
	versions := map[string]bool{}
	asked := s.editionsOf(run)
	for _, e := range asked {
		versions[editions[e].version] = true
	}
	return len(versions) < len(asked)
}

// checkItems holds the serving table. Candidates are the items of every run under every edition it was processed with;
// finals those of the edition that a run is loaded by. No item of the table is older than a final one, and every item
// is a candidate: it differs from the final ones only where an older edition served a record that the later one rejects.
func (s *stage) checkItems(candidates, finals []map[string]map[string]zone.Attribute) string {
	got := s.items()
	for key, item := range got {
		if !slices.ContainsFunc(candidates, func(c map[string]map[string]zone.Attribute) bool { return cmp.Equal(c[key], item) }) {
			return fmt.Sprintf("no clean run makes item %s: %v", key, item)
		}
	}
	for _, final := range finals {
		for key, item := range final {
			if got[key] == nil {
				return fmt.Sprintf("item %s is missing", key)
			}
			switch order := compareItems(got[key], item); {
			case order < 0:
				return fmt.Sprintf("item %s is %v, and a newer one was offered: %v", key, got[key], item)
			case order == 0 && !cmp.Equal(got[key], item):
				return fmt.Sprintf("item %s is %v, and what the run is loaded by makes it %v", key, got[key], item)
			}
		}
	}
	return ""
}

// compareItems orders items as the design says, by what they say of themselves.
func compareItems(a, b map[string]zone.Attribute) int {
	for _, name := range []string{"updated_at", zone.ItemRun, zone.ItemPage, zone.ItemIndex, zone.ItemContract} { // one digit each
		if order := strings.Compare(a[name].Text, b[name].Text); order != 0 {
			return order
		}
	}
	return 0
}

// look holds what readers see at any time: of a run whose audit row is done, the files that the row names are those of
// its contract, whole.
func (s *stage) look() string {
	bodies := s.lake.Bodies()
	for run := range runs {
		body, ok := bodies[runs[run].AuditKey()]
		if !ok || !bytes.Contains(body, []byte(`"state":"done"`)) {
			continue
		}
		var row zone.AuditRow
		if err := json.Unmarshal(body, &row); err != nil {
			return err.Error()
		}
		if row.State != zone.StateDone || row.Outcome != zone.OutcomeLoaded {
			continue
		}
		edition := editionOf(&row)
		want, err := clean.after(s.world, run, pass{edition: edition})
		if err != nil {
			return err.Error()
		}
		for _, f := range row.LakeFiles {
			if string(bodies[f.Key]) != want.Lake[f.Key] {
				return fmt.Sprintf("run %d is done under %s, and its file %s is another", run, editions[edition].name, f.Key)
			}
		}
	}
	return ""
}
