package cli

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"tributary/infra/local/collect"
	"tributary/infra/local/files"
	"tributary/infra/local/report"
	"tributary/infra/local/screen"
	"tributary/shared/contract"
	"tributary/shared/zone"
)

// patience is how long a run may take before it counts as stuck.
const patience = 30 * time.Minute

func run(ctx context.Context, o options, stdout io.Writer, style screen.Style) (err error) {
	began := time.Now()
	progress := screen.NewProgress(stdout, style, time.Now)
	defer ticking(progress)()
	s, err := open(ctx, o, progress)
	if err != nil {
		return err
	}
	defer func() {
		if closing := s.close(); closing != nil {
			err = errors.Join(err, closing)
		}
	}()

	for !o.named && s.taken(o.at) {
		o.at = o.at.Add(time.Second)
	}
	var outcome screen.Outcome
	var details []report.Detail
	for _, c := range s.contracts {
		before := s.former
		d, faults, err := s.send(ctx, c, o.at)
		if err == nil && s.faults != nil {
			var wrong []string
			d.Trial, wrong, err = s.verify(ctx, c, o.at, before)
			faults = append(faults, wrong...)
		}
		if err != nil {
			progress.Fail()
			return err
		}
		more, err := s.detail(c, o.at, before, s.former)
		if err != nil {
			return fmt.Errorf("look at the runs before: %w; go tool mage run -fresh begins with empty stores", err)
		}
		outcome.Datasets, details = append(outcome.Datasets, d), append(details, more)
		outcome.Faults = append(outcome.Faults, faults...)
	}
	if outcome.Alarms, err = s.alarmStates(s.contracts); err != nil {
		return err
	}
	outcome.Stack, outcome.Stages = o.stack, progress.Stages()
	outcome.Places, outcome.Next = s.places(), s.next(o, outcome)
	outcome.Total = time.Since(began)
	if err := s.report(outcome, details, began); err != nil {
		return err
	}
	if err := screen.Write(stdout, outcome, style); err != nil {
		return err
	}
	if len(outcome.Faults) > 0 {
		return errShown
	}
	return nil
}

// send fires the dataset's schedule, waits until nothing works any more, saves what there is and tells what happened.
func (s *session) send(ctx context.Context, c *contract.Contract, at time.Time) (screen.Dataset, []string, error) {
	from := s.sources[c.Dataset]
	from.begin(at)
	if len(s.contracts) > 1 {
		s.progress.About(c.Dataset)
	}
	former, stood := s.former, s.stands(c, at)
	s.watch.reset(s.progress, s.outputs, s.outputs.Datasets[c.Dataset], from.requests)
	s.progress.Start("ingest", "asking "+from.url)
	if err := s.fire(c, at); err != nil {
		return screen.Dataset{}, nil, err
	}
	waiting, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	quiet := s.env.Quiet(waiting)
	if ctx.Err() != nil {
		return screen.Dataset{}, nil, ctx.Err()
	}
	if stood {
		s.progress.Update("nothing asked: the run's manifest stands")
	}
	faults := s.watch.faults()
	if quiet != nil {
		faults = append(faults, "the environment did not come to rest: "+quiet.Error())
	}
	s.progress.Start("results", "reading the stores")
	if err := s.keepState(); err != nil {
		return screen.Dataset{}, nil, err
	}
	state := s.former
	d, wrong, err := collect.Dataset(s.collected(c, at, state))
	if err != nil {
		return screen.Dataset{}, nil, err
	}
	d.Source, d.Requests, d.Repeated = from.about, from.requests(), s.repeated(c, at, former, state)
	if stood {
		d.Source = "not asked: this run was brought before; another -at, or none, is another run"
	}
	for _, a := range state.Alerts[len(former.Alerts):] {
		d.Alerts = append(d.Alerts, screen.Alert{Subject: a.Subject, Text: a.Message})
	}
	s.progress.Update("saved in " + relative(s.folder.Path()))
	s.progress.Done()
	return d, append(faults, wrong...), nil
}

// stands reports whether an earlier call brought the run: then ingest asks nobody, whatever the source is now.
func (s *session) stands(c *contract.Contract, at time.Time) bool {
	_, ok := reader(s.former, "raw")(zone.NewRun(c.Dataset, at).ManifestKey())
	return ok
}

// taken reports whether any of the datasets has a run of that time already.
func (s *session) taken(at time.Time) bool {
	return slices.ContainsFunc(s.contracts, func(c *contract.Contract) bool { return s.stands(c, at) })
}

// fire fires the schedule whose target is the dataset's ingest function.
func (s *session) fire(c *contract.Contract, at time.Time) error {
	for _, schedule := range s.env.Schedules() {
		if strings.HasSuffix(schedule.Target, ":"+s.outputs.Datasets[c.Dataset].IngestFunction) {
			return s.env.Fire(schedule.ARN, at)
		}
	}
	return fmt.Errorf("fire schedule of %s: the stack has none", c.Dataset)
}

// repeated reports whether a run had been processed before and its outcome was left as it was.
func (s *session) repeated(c *contract.Contract, at time.Time, before, after files.State) bool {
	key := zone.NewRun(c.Dataset, at).AuditKey()
	old, had := reader(before, "lake")(key)
	now, has := reader(after, "lake")(key)
	return had && has && bytes.Equal(old, now)
}

func (s *session) collected(c *contract.Contract, at time.Time, state files.State) collect.Run {
	table := s.outputs.Datasets[c.Dataset].ServingTable
	items := make([]map[string]any, 0, len(state.Tables[table]))
	for _, item := range state.Tables[table] {
		items = append(items, item)
	}
	return collect.Run{
		Contract: c, Run: zone.NewRun(c.Dataset, at), File: s.contractFile(c),
		Raw: reader(state, "raw"), Lake: reader(state, "lake"), Rejects: reader(state, "rejects"),
		Path:  func(bucket, key string) string { return relative(s.folder.ObjectPath(bucket, key)) },
		Table: table, Items: items,
	}
}

func (s *session) places() []screen.Place {
	all := []screen.Place{
		{Path: s.folder.Path(reportName), Holds: "all of this as a page, with columns, costs and permissions: open it in a browser"},
		{Path: s.folder.Path("raw"), Holds: "the answers of the API as they came, and the manifest of each run"},
		{Path: s.folder.Path("lake"), Holds: "Parquet files, and the audit row of each run"},
		{Path: s.folder.Path("rejects"), Holds: "rejected records with every reason, one a line"},
		{Path: s.folder.Path("tables"), Holds: "the items of each DynamoDB table"},
		{Path: s.folder.Path("alerts.json"), Holds: "what was published to people"},
		{Path: s.folder.Path("logs"), Holds: "what the functions wrote in this run"},
	}
	for i := range all {
		all[i].Path = relative(all[i].Path)
	}
	return all
}

// next names commands that lead on from what was just seen.
func (s *session) next(o options, outcome screen.Outcome) []screen.Hint {
	stack, source := "", ""
	if o.stack != "dev" {
		stack = " -stack=" + o.stack
	}
	this := " -at=" + o.at.Format(time.RFC3339)
	if o.from != "" {
		this += " -from=" + quoted(o.from)
		source = ", from the built-in API"
	}
	run := "go tool mage run"
	if o.dataset != "" {
		run += " " + o.dataset
	}
	var hints []screen.Hint
	if len(outcome.Faults) == 0 {
		for _, c := range s.contracts[:1] {
			sql := fmt.Sprintf(`"SELECT * FROM %s_latest LIMIT 5"`, c.Dataset)
			hints = append(hints, screen.Hint{Command: "go tool mage query" + stack + " " + sql, Does: "look at the data by SQL; without any it is a shell"})
		}
		hints = append(hints,
			screen.Hint{Command: run + this + stack, Does: "run the same schedule again: no byte changes"},
			screen.Hint{Command: run + " -from=FILE" + stack, Does: "send a recorded answer of the API, or of a live URL"},
		)
	} else {
		if o.from != "" {
			hints = append(hints, screen.Hint{Command: run + " -fresh" + this + stack, Does: "send the same again, with empty stores"})
		}
		logs := filepath.Join(relative(s.folder.Path("logs")), "*.log")
		hints = append(hints, screen.Hint{Command: "cat " + logs, Does: "read what the functions wrote"})
	}
	if len(outcome.Faults) > 0 || o.from != "" {
		hints = append(hints, screen.Hint{Command: run + " -fresh" + stack, Does: "begin with empty stores" + source})
	}
	hints = append(hints, screen.Hint{
		Command: "go tool mage invoke process functions/process/event.json" + stack, Does: "call one function with one event",
	})
	for _, c := range s.contracts[:1] {
		hints = append(hints, screen.Hint{
			Command: "$EDITOR " + s.contractFile(c),
			Does:    "change a rule of " + c.Dataset + " and run again",
		})
	}
	return hints
}

// contractFile is where people find a dataset's contract.
func (s *session) contractFile(c *contract.Contract) string {
	return filepath.ToSlash(relative(filepath.Join(s.root, "shared", "datasets", filepath.Base(c.File))))
}

// quoted is a word as a shell takes it.
func quoted(word string) string {
	if !strings.ContainsAny(word, " \t\n'\"\\$`&|;<>()*?[]#~!{}") {
		return word
	}
	return "'" + strings.ReplaceAll(word, "'", `'\''`) + "'"
}
