package cli

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
	"time"

	"tributary/infra/artifact"
	"tributary/infra/local"
	"tributary/infra/local/fault"
	"tributary/infra/local/files"
	"tributary/infra/local/screen"
	"tributary/infra/stack"
	"tributary/shared/contract"
	"tributary/shared/zone"
)

// told is how people are told of a fault.
var told = map[fault.Kind]string{
	fault.Throttle: "throttled", fault.Server: "answered with 500", fault.Lost: "done and the answer lost", fault.Slow: "slow",
	fault.Duplicate: "event twice", fault.Reorder: "event late", fault.Kill: "function killed",
}

// verify processes the raw run that came through the faults once more, on an embedded AWS of its own that held what this
// one held before, and without faults. What the stores hold must be the same: nothing was lost or doubled.
func (s *session) verify(ctx context.Context, c *contract.Contract, at time.Time, before files.State) (*screen.Trial, []string, error) {
	trial := &screen.Trial{Seed: s.faults.Seed, Failed: s.watch.failed()}
	for _, n := range s.faults.Counts() {
		trial.Faults = append(trial.Faults, screen.Mishap{Name: told[n.Kind], Times: n.Times})
	}
	run := zone.NewRun(c.Dataset, at)
	if _, brought := reader(s.former, "raw")(run.ManifestKey()); !brought {
		return trial, nil, nil // the fault is told already
	}
	s.progress.Start("verify", "processing the same raw run without faults")
	clean, err := s.withoutFaults(ctx, c, run, before)
	if err != nil {
		return nil, nil, fmt.Errorf("verify run %s of %s: %w", run.ID(), c.Dataset, err)
	}
	var wrong []string
	for _, part := range s.parts(c, run) {
		n, diff := part.compare(s.former, clean)
		if diff != "" {
			wrong = append(wrong, fmt.Sprintf("%s %s: with faults %s: %s", c.Dataset, run.ID(), part.name, diff))
			continue
		}
		trial.Same = append(trial.Same, fmt.Sprintf("%s (%s)", part.name, n))
	}
	s.progress.Update(fmt.Sprintf("%d of %d parts are the same", len(trial.Same), len(trial.Same)+len(wrong)))
	s.progress.Done()
	return trial, wrong, nil
}

// withoutFaults is what the stores hold when the raw run is processed once.
func (s *session) withoutFaults(ctx context.Context, c *contract.Contract, run zone.Run, before files.State) (state files.State, err error) {
	env, err := local.Start(ctx, local.Options{Root: s.root, Stack: s.stack, Program: stack.For(artifact.Host()), Settings: s.settings})
	if err != nil {
		return state, err
	}
	defer func() {
		if closing := env.Close(); err == nil {
			err = closing
		}
	}()
	given := before
	given.Queued, given.Metrics = nil, nil
	given.Objects = slices.DeleteFunc(slices.Clone(before.Objects), func(o files.Object) bool { return o.Bucket == "raw" })
	for _, o := range s.former.Objects {
		if o.Bucket == "raw" {
			given.Objects = append(given.Objects, o)
		}
	}
	if err := s.giveBack(env, given); err != nil {
		return state, err
	}
	replay, err := json.Marshal(map[string]any{"replay": map[string]any{"dataset": c.Dataset, "run": run.ID()}})
	if err != nil {
		return state, fmt.Errorf("encode event: %w", err)
	}
	result, err := env.Invoke(ctx, s.outputs.Datasets[c.Dataset].ProcessFunction, replay)
	if err != nil {
		return state, err
	}
	if result.Error != "" {
		return state, fmt.Errorf("process it without faults: %s", message(string(result.Payload)))
	}
	return s.holds(env)
}

// part is something that the stores hold for a run.
type part struct {
	name    string
	compare func(got, want files.State) (size, diff string)
}

func (s *session) parts(c *contract.Contract, run zone.Run) []part {
	table := s.outputs.Datasets[c.Dataset].ServingTable
	parts := []part{
		{"lake", objects("lake", zone.LakePrefix(c.Table), nil)},
		{"rejects", objects("rejects", zone.RejectsPrefix(c.Dataset), nil)},
		{"audit", objects("lake", zone.AuditPrefix, withoutTime)},
		{"alerts", func(got, want files.State) (string, string) {
			known := len(s.alerts)
			return sameAlerts(got.Alerts[known:], want.Alerts, run.ID())
		}},
	}
	if table != "" {
		parts = append(parts, part{"items", func(got, want files.State) (string, string) { return sameItems(got.Tables[table], want.Tables[table]) }})
	}
	return parts
}

// objects compares the objects of a bucket below a prefix; as rewrites what is not to be compared.
func objects(bucket, prefix string, as func([]byte) []byte) func(got, want files.State) (size, diff string) {
	return func(got, want files.State) (string, string) {
		have, wanted := map[string][]byte{}, map[string][]byte{}
		for into, state := range map[*map[string][]byte]files.State{&have: got, &wanted: want} {
			for _, o := range state.Objects {
				if o.Bucket != bucket || !strings.HasPrefix(o.Key, prefix) {
					continue
				}
				(*into)[o.Key] = o.Body
				if as != nil {
					(*into)[o.Key] = as(o.Body)
				}
			}
		}
		for _, key := range slices.Sorted(maps.Keys(wanted)) {
			if _, there := have[key]; !there {
				return "", key + " is missing"
			}
			if !bytes.Equal(have[key], wanted[key]) {
				return "", key + " is another"
			}
		}
		for _, key := range slices.Sorted(maps.Keys(have)) {
			if _, there := wanted[key]; !there {
				return "", key + " should not be there"
			}
		}
		return screen.Plural(int64(len(wanted)), "object", "objects"), ""
	}
}

// withoutTime takes out of an audit row when it was written, which is the only thing that may differ.
func withoutTime(body []byte) []byte {
	var row zone.AuditRow
	if json.Unmarshal(body, &row) != nil {
		return body
	}
	row.StoredAt, row.Replay.StoredAt = "", ""
	plain, err := json.Marshal(row)
	if err != nil {
		return body
	}
	return plain
}

// sameAlerts compares the texts of alerts about a run: one may come twice, none may be missing or another.
func sameAlerts(got, want []files.Alert, run string) (size, diff string) {
	texts := func(alerts []files.Alert) []string {
		var all []string
		for _, a := range alerts {
			if strings.Contains(a.Subject+a.Message, run) {
				all = append(all, a.Subject+"\n"+a.Message)
			}
		}
		slices.Sort(all)
		return slices.Compact(all)
	}
	have, wanted := texts(got), texts(want)
	if !slices.Equal(have, wanted) {
		return "", fmt.Sprintf("%d different ones came, and %d are due", len(have), len(wanted))
	}
	size = screen.Plural(int64(len(wanted)), "message", "messages")
	if n := len(got) - len(want); n > 0 {
		size += fmt.Sprintf(", %d more than once, as SNS allows", n)
	}
	return size, ""
}

func sameItems(got, want []files.Item) (size, diff string) {
	if len(got) != len(want) {
		return "", fmt.Sprintf("the table holds %d, and %d are due", len(got), len(want))
	}
	for i := range got {
		if !reflect.DeepEqual(got[i], want[i]) {
			return "", fmt.Sprintf("item %d of the table is another", i+1)
		}
	}
	return screen.Plural(int64(len(got)), "item", "items"), ""
}

// failed is how many attempts of functions ended with an error since the session began.
func (w *watch) failed() int64 {
	w.mu.Lock()
	defer w.mu.Unlock()
	n := int64(0)
	for _, e := range w.ended {
		if e.Kind == local.InvocationFailed {
			n++
		}
	}
	return n
}
