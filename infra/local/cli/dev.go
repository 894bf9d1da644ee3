package cli

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"golang.org/x/term"

	"tributary/infra/local/screen"
)

const (
	lookEvery  = 250 * time.Millisecond // at what others do to the stores
	lastWords  = 3 * time.Second        // for functions at work when the environment ends
	devPrompt  = "dev> "
	devHeading = "kept running until Ctrl-C"
)

// keeper keeps an environment up and does what it is told.
type keeper struct {
	*session
	o     options
	out   io.Writer
	style screen.Style
	now   func() time.Time
	asks  bool // somebody sits at a terminal
	began time.Time

	texts map[string]string // contracts as they were deployed, by dataset

	saved   int64 // changes of the stores that are in the folder
	looked  int64 // changes at the last look
	told    int   // attempts of functions that were told of
	savedAt time.Time
}

// keep keeps the environment of a stack up until it is told to end, or the context is done.
func keep(ctx context.Context, o options, stdin, stdout *os.File, style screen.Style) (err error) {
	progress := screen.NewProgress(stdout, style, time.Now)
	defer ticking(progress)()
	s, err := open(ctx, o, progress)
	if err != nil {
		return err
	}
	k := &keeper{
		session: s, o: o, out: stdout, style: style, now: time.Now, began: time.Now(),
		asks: term.IsTerminal(int(stdin.Fd())) && term.IsTerminal(int(stdout.Fd())),
	}
	defer func() { err = errors.Join(err, k.end()) }()
	if k.texts, err = k.contractTexts(); err != nil {
		return err
	}
	for _, from := range s.sources {
		from.begin(k.began) // an ingest that somebody invokes asks it too
	}
	if err := k.save(); err != nil {
		return err
	}
	if err := k.introduce(); err != nil {
		return err
	}
	ticker := time.NewTicker(lookEvery)
	defer ticker.Stop()
	who := starters(os.Getppid(), processOf)
	alone := func() bool { return o.attached && starters(os.Getppid(), processOf) != who }
	return k.serveCommands(ctx, readLines(stdin), ticker.C, alone)
}

// serveCommands does what the lines say, and between them looks after the stores.
func (k *keeper) serveCommands(ctx context.Context, in *lineReader, ticks <-chan time.Time, alone func() bool) error {
	k.prompt()
	for {
		in.want()
		select {
		case <-ctx.Done():
			k.say("")
			return nil
		case line, more := <-in.lines:
			in.got()
			if !more {
				if k.asks { // Ctrl-D
					k.say("")
					return nil
				}
				in = &lineReader{} // nobody says anything any more
				continue
			}
			if k.obey(ctx, strings.Fields(line)) {
				return nil
			}
			if ctx.Err() == nil {
				k.prompt()
			}
		case <-ticks:
			if alone() {
				k.say("who started this has ended")
				return nil
			}
			if k.look() {
				k.prompt()
			}
		}
	}
}

// obey does what the words say and tells what failed. It reports whether they were to end it.
func (k *keeper) obey(ctx context.Context, words []string) (ended bool) {
	ended, err := k.do(ctx, words)
	if err != nil && ctx.Err() == nil {
		k.progress.Fail()
		k.say("%s %v", k.style.Bad("✗"), err)
	}
	return ended
}

// end saves what there is and ends everything.
func (k *keeper) end() error {
	// The context is done already; the functions at work get a moment.
	waiting, cancel := context.WithTimeout(context.Background(), lastWords)
	defer cancel()
	if quiet := k.env.Quiet(waiting); quiet != nil {
		k.say("functions at work are ended: %v", quiet)
	}
	var err error
	if k.changes() != k.saved {
		err = k.save()
	}
	if err == nil {
		k.say("what the stores hold is in %s", relative(k.folder.Path()))
	}
	return errors.Join(err, k.close())
}

func (k *keeper) say(format string, args ...any) { fmt.Fprintf(k.out, format+"\n", args...) }

func (k *keeper) prompt() {
	if k.asks {
		fmt.Fprint(k.out, k.style.Faint(devPrompt))
	}
}

// introduce says how to reach the environment.
func (k *keeper) introduce() error {
	c, err := k.env.Credentials("")
	if err != nil {
		return err
	}
	region := c.Region
	if parts := strings.Split(k.outputs.AlertTopic, ":"); len(parts) > 3 {
		region = parts[3] // of the stack's own provider
	}
	k.say("\n%s\n", k.style.Heading(k.stack, devHeading))
	for _, v := range [][2]string{
		{"AWS_ENDPOINT_URL", k.env.Endpoint}, {"AWS_ACCESS_KEY_ID", c.AccessKeyID}, {"AWS_SECRET_ACCESS_KEY", c.SecretAccessKey},
		{"AWS_SESSION_TOKEN", c.SessionToken}, {"AWS_REGION", region}, {"AWS_DEFAULT_REGION", region},
	} {
		k.say("export %s=%s", v[0], v[1])
	}
	k.say("\n%s", k.style.Hints("In another terminal, after these lines", k.examples()))
	k.say("%s", k.style.Hints("Here", commandHints()))
	return nil
}

// examples are commands for the resources of this stack.
func (k *keeper) examples() []screen.Hint {
	hints := []screen.Hint{{Command: "aws s3 ls --recursive s3://" + k.outputs.LakeBucket + "/", Does: "the lake"}}
	stack := ""
	if k.stack != "dev" {
		stack = " -stack=" + k.stack
	}
	for _, c := range k.contracts[:1] {
		d := k.outputs.Datasets[c.Dataset]
		if d.ServingTable != "" {
			hints = append(hints, screen.Hint{Command: "aws dynamodb scan --max-items 3 --table-name " + d.ServingTable, Does: "served items"})
		}
		hints = append(hints,
			screen.Hint{Command: "aws s3 cp --recursive s3://" + k.outputs.RawBucket + "/raw/" + c.Dataset + "/ raw/", Does: "the raw pages"},
			screen.Hint{Command: "aws lambda invoke --payload fileb://functions/ingest/event.json --function-name " + d.IngestFunction + " answer.json", Does: "a function with an event"},
			// Version 1 of the AWS command line asks AWS itself for queues, whatever the variable says.
			screen.Hint{Command: "aws sqs list-queues --endpoint-url $AWS_ENDPOINT_URL", Does: "failure queues; version 1 of aws needs that flag"},
			screen.Hint{Command: fmt.Sprintf(`go tool mage query%s "SELECT * FROM %s_latest LIMIT 5"`, stack, c.Dataset), Does: "what is saved, by SQL"},
		)
	}
	return hints
}

// look tells of what the functions did on their own, and saves the stores when others have changed them and all is quiet.
// It reports whether it said anything.
func (k *keeper) look() bool {
	spoke := k.tellEnded()
	n := k.changes()
	if n != k.saved && n == k.looked && k.quiet() {
		if err := k.save(); err != nil {
			k.saved = n // not again until something else changes
			k.interrupt("%s cannot save: %v", k.style.Bad("✗"), err)
			spoke = true
		}
	}
	k.looked = n
	return spoke
}

// quiet reports whether no function is at work or about to be.
func (k *keeper) quiet() bool {
	now, cancel := context.WithCancel(context.Background())
	cancel()
	return k.env.Quiet(now) == nil
}

// tellEnded tells of attempts that nobody at this screen asked for, and of what went wrong.
func (k *keeper) tellEnded() bool {
	ended, faults := k.watch.since(k.told), k.watch.faults()
	for _, e := range ended {
		if e.Error == "" {
			k.interrupt("  %s answered in %s", e.Function, screen.Duration(e.Duration))
		}
	}
	for _, fault := range faults {
		k.interrupt("%s %s", k.style.Bad("✗"), fault)
	}
	k.forget(len(ended))
	return len(ended)+len(faults) > 0
}

// forget has the watch follow nothing in particular: faults, and so many attempts more, are not told again.
func (k *keeper) forget(attempts int) {
	k.told += attempts
	k.watch.reset(k.progress, k.outputs, datasetOutputs{}, nil)
}

// interrupt writes a line over the prompt.
func (k *keeper) interrupt(format string, args ...any) {
	if k.asks && k.style.Live {
		fmt.Fprint(k.out, "\r\x1b[2K")
	}
	k.say(format, args...)
}

// changes counts the requests that may have changed what the stores hold.
func (k *keeper) changes() int64 {
	var n int64
	for _, use := range k.env.Requests() {
		if use.Allowed && changing(use.Action) {
			n += int64(use.Count)
		}
	}
	return n
}

// changing reports whether an action of IAM is of the kind that changes a store, or lets a function do so.
func changing(action string) bool {
	service, name, _ := strings.Cut(action, ":")
	switch service {
	case "kms", "sts", "logs", "xray":
		return false
	}
	for _, reading := range []string{"Get", "List", "Describe", "Query", "Scan", "BatchGet", "Head"} {
		if strings.HasPrefix(name, reading) {
			return false
		}
	}
	return true
}

// save saves what the stores hold now.
func (k *keeper) save() error {
	n := k.changes()
	if err := k.keepState(); err != nil {
		return err
	}
	k.saved, k.savedAt = n, k.now()
	return nil
}

// contractTexts are the contracts as they lie in their files, by dataset.
func (k *keeper) contractTexts() (map[string]string, error) {
	texts := map[string]string{}
	for _, c := range k.contracts {
		text, err := os.ReadFile(filepath.Join(k.root, "shared", "datasets", filepath.Base(c.File)))
		if err != nil {
			return nil, fmt.Errorf("read contract of %s: %w", c.Dataset, err)
		}
		texts[c.Dataset] = string(text)
	}
	return texts, nil
}

// lineReader reads a line when one is wanted, so that a command that asks for something reads the answer itself.
type lineReader struct {
	lines   chan string
	wants   chan struct{}
	waiting bool
}

func readLines(from io.Reader) *lineReader {
	r := &lineReader{lines: make(chan string), wants: make(chan struct{})}
	go func() {
		scanner := bufio.NewScanner(from)
		for range r.wants {
			if !scanner.Scan() {
				close(r.lines)
				return
			}
			r.lines <- scanner.Text()
		}
	}()
	return r
}

// want asks for the next line, once.
func (r *lineReader) want() {
	if r.wants != nil && !r.waiting {
		r.waiting = true
		r.wants <- struct{}{}
	}
}

func (r *lineReader) got() { r.waiting = false }
