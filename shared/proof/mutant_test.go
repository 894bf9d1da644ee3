//go:build mutant

package proof

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// edit replaces a text that is there once.
type edit struct{ from, to string }

// mutants are planted bugs.
var mutants = []struct {
	name, file string
	edits      []edit
}{
	{"rejects behind stored", "process/process.go", []edit{
		{"	if err := j.publish(ctx, &p.rejects.fileSet, rejects, claim); err != nil {\n		return seen{}, err\n	}\n", ""},
		{"	return j.writeAudit(ctx, row, claim)\n}", "	stored, err := j.writeAudit(ctx, row, claim)\n	if err == nil {\n" +
			"		err = j.publish(ctx, &p.rejects.fileSet, rejects, claim)\n	}\n	return stored, err\n}"},
	}},
	{"items behind stored", "process/process.go", []edit{
		{"		if row.Items, err = j.serve(ctx, p.serving, claim.row.Claim); err != nil {\n			return seen{}, err\n		}\n", ""},
		{"	return j.writeAudit(ctx, row, claim)\n}", "	stored, err := j.writeAudit(ctx, row, claim)\n" +
			"	if err == nil && v.outcome == zone.OutcomeLoaded && p.serving != nil {\n		_, err = j.serve(ctx, p.serving, claim.row.Claim)\n	}\n	return stored, err\n}"},
	}},
	{"done before the alert", "process/process.go", []edit{
		{"	row.State = zone.StateDone\n	if outcome.AlertID", "	row.State = zone.StateDone\n	stored, err := j.writeAudit(ctx, row, stored)\n" +
			"	if err != nil {\n		return Result{}, err\n	}\n	if outcome.AlertID"},
	}},
	{"skip on stored", "process/process.go", []edit{
		{"	case state == zone.StateStored:\n		return alertOnly, nil\n", "	case state == zone.StateStored:\n		return nothing, nil\n"},
	}},
	{"alert by whoever finds it stored", "process/process.go", []edit{
		{"state == zone.StateStored && j.alerting(before)", "state == zone.StateStored && false"},
	}},
	{"no alert by the retry of who stored", "process/audit.go", []edit{{"by != \"\" && by == j.request", "by != \"\" && false"}}},
	{"audit row replaced without condition", "process/audit.go", []edit{{"Condition: before.condition(), ", ""}}},
	{"own audit row not recognised", "process/audit.go", []edit{{"now.exists && now.object.Metadata[metaAttempt] == j.attempt", "false"}}},
	{"older contract not refused", "process/audit.go", []edit{{"version.Compare(j.Contract.Version) > 0", "version.Compare(j.Contract.Version) > 1"}}},
	{"no look at the claim before completion", "process/process.go", []edit{
		{"	if err := j.holds(ctx, claim); err != nil {\n		return seen{}, err\n	}\n", ""},
	}},
	{"file completed without condition", "process/process.go", []edit{{"f.upload.Complete(ctx, condition)", "f.upload.Complete(ctx, map[zone.Condition]zone.Condition{}[condition])"}}},
	{"file of another contract taken for one's own", "process/process.go", []edit{{"err == nil && identityIn(object.Metadata) == j.id", "err == nil && object.Key == key"}}},
	{"former files stay", "process/process.go", []edit{{"range slices.Sorted(maps.Keys(before))", "range slices.Sorted(maps.Keys(before))[:0]"}}},
	{"files of an overtaken attempt stay", "process/process.go", []edit{
		{"	if err := j.tidy(ctx, now); err != nil {\n		return Result{}, err\n	}\n", ""},
	}},
	{"out of time takes back what had begun", "process/process.go", []edit{{"v.hasty && before.row.State == zone.StateStoring", "v.hasty && before.row.State == \"never\""}}},
	{"alert by who has no time to read", "process/process.go", []edit{{"case p.failure != nil && p.failure.hasty:", "case p.failure != nil && p.failure.hasty && false:"}}},
	{"stored taken for done by who looks back", "ledger/ledger.go", []edit{{"r.Audit.State != zone.StateDone || ", "r.Audit.State == zone.StateStoring || "}}},
	{"cursor moved before the manifest", "ingest/ingest.go", []edit{
		{"	if result.Stored, err = i.store(", "	if _, _, err := i.moveCursor(ctx, run, result.Manifest, state); err != nil {\n		return err\n	}\n	if result.Stored, err = i.store("},
	}},
	{"cursor moved without condition", "ingest/cursor.go", []edit{{"condition := zone.Condition{IfMatch: s.etag, IfAbsent: s.etag == \"\"}", "condition := zone.Condition{}"}}},
	{"cursor moved past a gap", "source/walk.go", []edit{{"i < last && s.records < full", "i < last && s.records < 0"}}},
	{"manifest before the last page", "ingest/ingest.go", []edit{
		{"page, err = i.bring(ctx, run, number, walk)", "page, err = i.bring(ctx, run, number, walk, b.pages)"},
		{"number int, walk *source.Walk) (storedPage", "number int, walk *source.Walk, pages []zone.ManifestPage) (storedPage"},
		{"	object, err := i.bucket.Put(ctx, page.entry.Key", "	if page.mark.Ended != \"\" {\n" +
			"		if _, err := i.store(ctx, run, i.manifest(run, walk, brought{pages: append(pages[:len(pages):len(pages)], page.entry), ended: page.mark.Ended})); err != nil {\n" +
			"			return storedPage{}, err\n		}\n	}\n	object, err := i.bucket.Put(ctx, page.entry.Key"},
	}},
	{"page written without condition", "ingest/ingest.go", []edit{{"		Condition:   zone.Condition{IfAbsent: true},\n		ContentType: \"application/gzip\"", "		ContentType: \"application/gzip\""}}},
	{"manifest written without condition", "ingest/manifest.go", []edit{{"		Condition:   zone.Condition{IfAbsent: true},\n", ""}}},
	{"own page in place of the standing one", "ingest/ingest.go", []edit{{"	if errors.Is(err, zone.ErrCondition) {\n		return i.standing(ctx, run, number)\n	}", "	if errors.Is(err, zone.ErrCondition) {\n		return page, nil\n	}"}}},
}

var (
	failedAfter = regexp.MustCompile(`\[rapid\] failed after (\d+) tests: (.*)`)
	seed        = "-rapid.seed=1" // the same schedules every time: the model's own test draws new ones
)

// TestMutants plays the model on every mutant, and fails for one that survives.
func TestMutants(t *testing.T) {
	t.Parallel()
	for _, m := range mutants {
		t.Run(m.name, func(t *testing.T) {
			t.Parallel()
			binary := compileMutant(t, m.file, m.edits)
			which := "^TestModel$"
			if strings.HasPrefix(m.name, "cursor ") { // no other family has one
				which += "/families/incremental"
			}
			cmd := exec.CommandContext(t.Context(), binary, "-test.run="+which, seed, "-rapid.nofailfile", "-rapid.shrinktime=0s")
			out, err := cmd.CombinedOutput()
			found := failedAfter.FindSubmatch(out)
			if err == nil || found == nil {
				t.Fatalf("survives: %v\n%s", err, tail(out))
			}
			t.Logf("caught by schedule %s: %s", found[1], found[2])
		})
	}
}

// compileMutant makes the test binary of this package with one file of another package edited.
func compileMutant(t *testing.T, file string, edits []edit) string {
	t.Helper()
	original, err := filepath.Abs(filepath.Join("..", filepath.FromSlash(file)))
	if err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(original)
	if err != nil {
		t.Fatal(err)
	}
	edited := string(text)
	for _, e := range edits {
		if n := strings.Count(edited, e.from); n != 1 {
			t.Fatalf("%s has %d times, and the mutant wants once:\n%s", file, n, e.from)
		}
		edited = strings.Replace(edited, e.from, e.to, 1)
	}
	dir := t.TempDir()
	mutated, overlay, binary := filepath.Join(dir, "mutated.go"), filepath.Join(dir, "overlay.json"), filepath.Join(dir, "proof.test")
	replace, err := json.Marshal(map[string]map[string]string{"Replace": {original: mutated}})
	if err != nil {
		t.Fatal(err)
	}
	for path, content := range map[string]string{mutated: edited, overlay: string(replace)} {
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	out, err := exec.CommandContext(t.Context(), "go", "test", "-c", "-vet=off", "-overlay", overlay, "-o", binary, ".").CombinedOutput()
	if err != nil {
		t.Fatalf("compile: %v\n%s", err, out)
	}
	return binary
}

func tail(out []byte) string {
	const most = 4000
	if len(out) > most {
		out = out[len(out)-most:]
	}
	return string(out)
}
