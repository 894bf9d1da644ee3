package cli

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"tributary/infra/local/screen"
	"tributary/infra/ops/console"
	"tributary/shared/contract"
)

// devCommand is something that a kept environment can be told.
type devCommand struct {
	names []string // the first one in full, others for short
	args  string
	does  string
	run   func(*keeper, context.Context, []string) error
}

// devCommands are a function because one of them lists them all.
func devCommands() []devCommand {
	return []devCommand{
		{[]string{"fire", "run", "f", "r"}, "[DATASET] [TIME]", "fire the schedule, as its time does", (*keeper).fireNow},
		{[]string{"deploy", "d"}, "", "compile what has changed and deploy it; the stores stay", (*keeper).redeploy},
		{[]string{"status", "s"}, "", "what runs, what the stores hold, where runs stand", (*keeper).status},
		{[]string{"logs", "l"}, "[FUNCTION]", "the last lines that functions wrote", (*keeper).logs},
		{[]string{"ops", "o"}, "COMMAND …", "what operators do: replay, release, redrive, rejects, upload, …", (*keeper).operate},
		{[]string{"help", "h", "?"}, "", "this list", (*keeper).help},
		{[]string{"quit", "q", "exit"}, "", "end, as Ctrl-C does", nil},
	}
}

func commandHints() []screen.Hint {
	var hints []screen.Hint
	for _, c := range devCommands() {
		short := c.names[slices.IndexFunc(c.names, func(name string) bool { return len(name) == 1 })]
		hints = append(hints, screen.Hint{Command: strings.TrimSpace(c.names[0] + " " + c.args), Does: c.does + " (" + short + ")"})
	}
	return hints
}

// do does what the words say, and reports whether they were to end it.
func (k *keeper) do(ctx context.Context, words []string) (ended bool, err error) {
	if len(words) == 0 {
		return false, nil
	}
	for _, c := range devCommands() {
		if !slices.Contains(c.names, words[0]) {
			continue
		}
		if c.run == nil {
			return true, nil
		}
		return false, c.run(k, ctx, words[1:])
	}
	return false, fmt.Errorf("there is no command %s; help lists them", words[0])
}

func (k *keeper) help(context.Context, []string) error {
	k.say("%s", k.style.Hints("Here", commandHints()))
	return nil
}

// fireNow sends datasets the whole way: all, or the named one; now, or as if it were another time.
func (k *keeper) fireNow(ctx context.Context, words []string) error {
	o := options{stack: k.stack, at: k.now().UTC().Truncate(time.Second)}
	contracts := k.contracts
	for _, word := range words {
		if i := slices.IndexFunc(k.contracts, func(c *contract.Contract) bool { return c.Dataset == word }); i >= 0 {
			contracts = k.contracts[i : i+1]
			continue
		}
		at, err := time.Parse(time.RFC3339, word)
		if err != nil {
			return fmt.Errorf("%s is neither a dataset (%s) nor a time such as 2025-03-04T14:45:00Z", word, strings.Join(datasetsOf(k.contracts), ", "))
		}
		o.at, o.named = at.UTC().Truncate(time.Second), true
	}
	if err := k.seen(o); err != nil {
		return err
	}
	if err := k.settled(ctx); err != nil { // what others did before is not of this run
		return err
	}
	for !o.named && k.taken(o.at) {
		o.at = o.at.Add(time.Second)
	}
	var outcome screen.Outcome
	for _, c := range contracts {
		d, faults, err := k.send(ctx, c, o.at)
		if err != nil {
			return err
		}
		outcome.Datasets, outcome.Faults = append(outcome.Datasets, d), append(outcome.Faults, faults...)
	}
	k.progress.About("")
	k.saved, k.savedAt = k.changes(), k.now()
	k.forget(len(k.watch.since(k.told)))
	var err error
	if outcome.Alarms, err = k.alarmStates(contracts); err != nil {
		return err
	}
	k.say("")
	err = screen.WriteBrief(k.out, outcome, k.style)
	k.say("")
	return err
}

func datasetsOf(contracts []*contract.Contract) []string {
	var names []string
	for _, c := range contracts {
		names = append(names, c.Dataset)
	}
	return names
}

// settled waits until nothing works any more, and saves what others have changed.
func (k *keeper) settled(ctx context.Context) error {
	waiting, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	if err := k.env.Quiet(waiting); err != nil {
		return err
	}
	k.tellEnded()
	if k.changes() == k.saved {
		return nil
	}
	return k.save()
}

// redeploy compiles what has changed and brings the environment to it.
func (k *keeper) redeploy(ctx context.Context, _ []string) error {
	all, err := contract.LoadDir(filepath.Join(k.root, "shared", "datasets"))
	if err != nil {
		return fmt.Errorf("load contracts: %w", err)
	}
	contracts, err := choose(all, k.o.dataset, k.o.from)
	if err != nil {
		return err
	}
	if err := k.settled(ctx); err != nil {
		return err
	}
	if err := k.build(ctx, k.o); err != nil {
		return err
	}
	next := *k.session
	next.contracts, next.sources = contracts, maps.Clone(k.sources)
	texts, err := (&keeper{session: &next}).contractTexts()
	if err != nil {
		return err
	}
	fresh, old, err := k.sourcesOf(ctx, contracts, texts)
	if err != nil {
		return err
	}
	maps.Copy(next.sources, fresh)
	k.progress.Start("stack", "deploying what has changed")
	next.settings = settingsOf(next.sources)
	changed, err := k.env.Redeploy(ctx, next.settings)
	if err != nil {
		return errors.Join(err, stopAll(fresh))
	}
	k.contracts, k.sources, k.settings, k.texts = next.contracts, next.sources, next.settings, texts
	for _, from := range fresh {
		from.begin(k.now())
		k.stop = append(k.stop, from.stop)
	}
	if err := errors.Join(stopAll(old), k.fillSecrets(k.o.secret)); err != nil {
		return err
	}
	var functions []string
	for _, r := range changed {
		if r.Type == "aws:lambda/function:Function" {
			functions = append(functions, fmt.Sprint(r.Inputs["name"]))
		}
	}
	switch others := len(changed) - len(functions); {
	case len(changed) == 0:
		k.progress.Update("nothing has changed since it was deployed")
	case len(functions) == 0:
		k.progress.Update(screen.Plural(int64(others), "resource has", "resources have") + " changed, and no function")
	default:
		slices.Sort(functions)
		k.progress.Update(strings.Join(functions, ", "))
		if others > 0 {
			k.progress.Update(fmt.Sprintf("%s, and %s", strings.Join(functions, ", "), screen.Plural(int64(others), "other resource", "other resources")))
		}
	}
	k.progress.Done()
	return k.save()
}

// sourcesOf serves the datasets whose contracts have changed anew: made-up records follow the contract. It returns the new
// sources and those whose place they take.
func (k *keeper) sourcesOf(ctx context.Context, contracts []*contract.Contract, texts map[string]string) (fresh, old map[string]*source, err error) {
	fresh, old = map[string]*source{}, map[string]*source{}
	for _, c := range contracts {
		if texts[c.Dataset] == k.texts[c.Dataset] {
			continue
		}
		from, err := startSource(ctx, c, k.stack, k.o.from, samplePath(k.root, c.Dataset))
		if err != nil {
			return nil, nil, errors.Join(err, stopAll(fresh))
		}
		fresh[c.Dataset] = from
		if former, ok := k.sources[c.Dataset]; ok {
			old[c.Dataset] = former
		}
	}
	return fresh, old, nil
}

func stopAll(sources map[string]*source) error {
	var errs []error
	for _, from := range sources {
		errs = append(errs, from.stop())
	}
	return errors.Join(errs...)
}

// status says what runs and what the stores hold, and then where runs stand.
func (k *keeper) status(ctx context.Context, _ []string) error {
	field := func(label, format string, args ...any) {
		k.say("%s", k.style.Field(label, fmt.Sprintf(format, args...), nil))
	}
	k.say("%s\n", k.style.Heading(k.stack, "up "+screen.Duration(k.now().Sub(k.began))))
	field("endpoint", "%s", k.env.Endpoint)
	attempts, failed := map[string]int64{}, map[string]int64{}
	for _, e := range k.watch.since(0) {
		if attempts[e.Function]++; e.Error != "" {
			failed[e.Function]++
		}
	}
	for i, name := range k.outputs.functions() {
		label := ""
		if i == 0 {
			label = "functions"
		}
		field(label, "%s: %s, %d failed", name, screen.Plural(attempts[name], "invocation", "invocations"), failed[name])
	}
	state, err := k.snapshot()
	if err != nil {
		return err
	}
	objects, sizes := map[string]int64{}, map[string]int64{}
	for _, o := range state.Objects {
		objects[o.Bucket]++
		sizes[o.Bucket] += int64(len(o.Body))
	}
	var buckets []string
	for _, role := range slices.Sorted(maps.Keys(k.outputs.buckets())) {
		buckets = append(buckets, fmt.Sprintf("%s %s, %s", role, screen.Plural(objects[role], "object", "objects"), screen.Bytes(sizes[role])))
	}
	field("buckets", "%s", strings.Join(buckets, "; "))
	for _, table := range slices.Sorted(maps.Keys(state.Tables)) {
		field("table", "%s: %s", table, screen.Plural(int64(len(state.Tables[table])), "item", "items"))
	}
	field("waiting", "%s in failure queues", screen.Plural(int64(len(state.Queued)), "event", "events"))
	field("alerts", "%d", len(state.Alerts))
	field("saved", "%s in %s", k.savedAt.Format(time.TimeOnly), relative(k.folder.Path()))
	return k.operate(ctx, []string{"status"})
}

// shownLines is how much of a log is shown.
const shownLines = 40

// logs shows the last lines of functions: all, those of a kind, or one.
func (k *keeper) logs(_ context.Context, words []string) error {
	names := k.outputs.functions()
	if len(words) > 0 {
		names = slices.DeleteFunc(names, func(name string) bool {
			return !slices.ContainsFunc(k.contracts, func(c *contract.Contract) bool {
				full, err := k.outputs.function(c.Dataset, words[0])
				return err == nil && full == name
			})
		})
		if len(names) == 0 {
			_, err := k.outputs.function("", words[0])
			return err
		}
	}
	for _, name := range names {
		lines := k.env.Logs(name)
		from := max(0, len(lines)-shownLines)
		aside := screen.Plural(int64(len(lines)), "line", "lines")
		if from > 0 {
			aside = fmt.Sprintf("the last %d of %s; all are in %s", shownLines, aside, path.Join(relative(k.folder.Path("logs")), name+".log"))
		}
		k.say("%s", k.style.Heading(name, aside))
		for _, line := range lines[from:] {
			k.say("%s", screen.Plain(line))
		}
	}
	return nil
}

// operate does what operators do, on the environment as it is.
func (k *keeper) operate(ctx context.Context, words []string) error {
	o, err := console.Parse(words, k.now(), k.out)
	if err != nil {
		return err
	}
	if o.Stack != "" || o.Outputs != "" || o.Dir != "" {
		return errors.New("-stack, -outputs and -dir name another environment than this one")
	}
	out, ok := k.out.(*os.File)
	if !ok {
		return errors.New("there is no screen to work on")
	}
	failed := k.command(ctx, o, out, k.style)
	if o.Changes() && ctx.Err() == nil {
		k.saved, k.savedAt = k.changes(), k.now()
	}
	k.forget(len(k.watch.since(k.told)))
	if errors.Is(failed, errShown) {
		return nil
	}
	return failed
}
