package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"tributary/infra/input"
	"tributary/infra/local/screen"
	"tributary/shared/contract/infer"
)

const (
	datasets = "shared/datasets"
	samples  = ".local/samples"
	usage    = "usage: go tool mage dataset:new NAME URL-or-FILE, as in dataset:new exchange_rates https://api.example.com/rates"
)

func run(ctx context.Context, args []string, out io.Writer) error {
	if len(args) != 3 || args[0] != "new" {
		return errors.New(usage)
	}
	name, from := args[1], args[2]
	if strings.Contains(name, "://") { // is not repeated: there may be a key in it
		return fmt.Errorf("the name of the dataset comes first, and then the address\n%s", usage)
	}
	if err := infer.CheckName(name); err != nil {
		return fmt.Errorf("%w\n%s", err, usage)
	}
	path := filepath.Join(datasets, name+".odcs.yaml")
	if _, err := os.Stat(path); err == nil {
		return fmt.Errorf("%s is there already and is not overwritten: choose another name, or remove it first", path)
	}
	s, err := read(ctx, from)
	if err != nil {
		return fmt.Errorf("read sample records: %w", err)
	}
	p, err := infer.Contract(name, s.body, infer.Options{URL: s.url, Link: s.link})
	if err != nil {
		return fmt.Errorf("infer a contract for %s from %s: %w", name, input.Shown(from), err)
	}
	kept := filepath.Join(samples, name+".json")
	if err := keep(kept, s.body); err != nil {
		return err
	}
	if err := create(path, p.YAML); err != nil { // last: what is there is not made again
		return err
	}
	tell(out, name, path, kept, p, s.cut)
	return nil
}

// create writes a file that must not be there.
func create(path string, text []byte) error {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	if errors.Is(err, fs.ErrExist) {
		return fmt.Errorf("%s is there already and is not overwritten", path)
	}
	if err != nil {
		return fmt.Errorf("write contract %s: %w", path, input.Plain(err))
	}
	_, err = f.Write(text)
	if err := errors.Join(err, f.Close()); err != nil {
		return fmt.Errorf("write contract: %w", err)
	}
	return nil
}

func keep(path string, sample []byte) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return fmt.Errorf("keep sample in %s: %w", filepath.Dir(path), input.Plain(err))
	}
	if err := os.WriteFile(path, sample, 0o600); err != nil {
		return fmt.Errorf("keep sample %s: %w", path, input.Plain(err))
	}
	return nil
}

// tell says what was guessed, the least sure first to be looked at.
func tell(out io.Writer, name, path, kept string, p *infer.Proposal, part bool) {
	fmt.Fprintf(out, "%s: a contract from %s\n", path, screen.Plural(int64(p.Records), "record", "records"))
	if part {
		fmt.Fprintf(out, "The source has more: its first %d MiB were read, and what lies behind them may look different.\n", largest>>20)
	}
	fmt.Fprintln(out)
	what, guess := 0, 0
	for _, n := range p.Notes {
		what, guess = max(what, len([]rune(n.What))), max(guess, len([]rune(n.Guess)))
	}
	what, guess = min(what, 36), min(guess, 40)
	for _, n := range p.Notes {
		mark := "  "
		if n.Sure == infer.Guess {
			mark = "? "
		}
		fmt.Fprintf(out, "%s%-7s  %-*s  %-*s  %s\n", mark, n.Sure, what, n.What, guess, n.Guess, n.Why)
	}
	fmt.Fprintf(out, `
What is marked with ? is a guess that the sample does not settle: look at it. Comments in the contract say what else the
sample suggests. The sample is kept in %s, for local runs only.

  go tool mage run %s
  go tool mage query "SELECT * FROM %[2]s LIMIT 5"
  go tool mage contract:check %s
  go tool mage infra:preview dev
`, kept, name, path)
}
