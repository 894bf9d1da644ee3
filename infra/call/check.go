package call

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"tributary/infra/input"
)

const (
	datasets = "shared/datasets"
	suffix   = ".odcs.yaml"
)

// check finds what is wrong with the words and flags behind a target, as far as that can be told without the command:
// how many there are, what flags are called, and whether the files, datasets and stacks are there.
func (t Target) check(args []string, dir string) error {
	var words []string
	for i := 0; i < len(args); i++ {
		name, isFlag := strings.CutPrefix(args[i], "-")
		if !isFlag || name == "" { // - is standard input
			words = append(words, args[i])
			continue
		}
		name, value, given := strings.Cut(strings.TrimPrefix(name, "-"), "=")
		f, ok := t.flag(name)
		if !ok {
			return t.noFlag(name)
		}
		if takesNext := f.Value != strings.ToLower(f.Value); takesNext && !given {
			if i++; i == len(args) {
				return fmt.Errorf("-%s is without a value: %s", name, f)
			}
			value = args[i]
		}
		if err := exists(f.Value, value, t, dir); err != nil {
			return fmt.Errorf("-%s: %w", name, err)
		}
	}
	if err := t.count(words); err != nil {
		return err
	}
	for i, word := range words {
		if err := exists(t.Words[min(i, len(t.Words)-1)].Name, word, t, dir); err != nil {
			return err
		}
	}
	return nil
}

func (t Target) noFlag(name string) error {
	var known []string
	for _, f := range t.Flags {
		known = append(known, f.String())
	}
	if len(known) == 0 {
		return fmt.Errorf("%s has no flags, and so no -%s", t.Name, name)
	}
	for _, w := range t.Words {
		if strings.EqualFold(w.Name, name) {
			return fmt.Errorf("there is no flag -%s: the %s is a word, as in %s", name, name, t.Call())
		}
	}
	return fmt.Errorf("there is no flag -%s", name)
}

// count says which words are missing or too many.
func (t Target) count(words []string) error {
	many := len(t.Words) > 0 && t.Words[len(t.Words)-1].Many
	if len(words) > len(t.Words) && !many {
		extra := slices.Clone(words[len(t.Words):])
		for i := range extra {
			extra[i] = input.Shown(extra[i])
		}
		switch {
		case len(t.Words) == 0:
			return fmt.Errorf("%s takes no words, not %q", t.Name, strings.Join(extra, " "))
		case t.Words[0].Name == "SQL":
			return fmt.Errorf("%d words, want one: put the SQL in quotes", len(words))
		}
		return fmt.Errorf("%q is too much", strings.Join(extra, " "))
	}
	if len(words) < len(t.Words) {
		var missing []string
		for _, w := range t.Words[len(words):] {
			if !w.Optional {
				missing = append(missing, w.Name)
			}
		}
		if len(missing) > 0 {
			return fmt.Errorf("%s missing", strings.Join(missing, " and ")+map[bool]string{true: " is", false: " are"}[len(missing) == 1])
		}
	}
	return nil
}

// exists fails where a word or value of a kind names something that is not there. Addresses are not repeated, for there may
// be a key in them.
func exists(kind, word string, t Target, dir string) error {
	if named := []string{"DATASET", "STACK", "EVENT", "FILE", "OLD", "NEW", "NAME"}; slices.Contains(named, kind) && strings.Contains(word, "://") {
		return fmt.Errorf("%s is no address", kind)
	}
	switch kind {
	case "DATASET":
		return datasetExists(word, dir)
	case "STACK":
		if strings.HasPrefix(t.Name, Prefix) {
			return nil // what is deployed, Pulumi knows
		}
		if _, err := os.Stat(filepath.Join(dir, "Pulumi."+word+".yaml")); err != nil {
			return fmt.Errorf("there is no stack %s: it would have its settings in Pulumi.%[1]s.yaml", word)
		}
	case "FILE-or-URL":
		u, err := input.Address(word)
		if err != nil || u != nil || word == "built-in" {
			return err
		}
		err = fileExists(word, dir)
		if shown := input.Shown(word); err != nil && shown != word {
			return fmt.Errorf("there is no file %s; an address begins with https://", shown)
		}
		return err
	case "EVENT":
		if word != "-" { // standard input
			return fileExists(word, dir)
		}
	case "FILE", "OLD", "NEW":
		return fileExists(word, dir)
	}
	return nil
}

func fileExists(name, dir string) error {
	path := name
	if !filepath.IsAbs(path) {
		path = filepath.Join(dir, path)
	}
	info, err := os.Stat(path)
	switch {
	case errors.Is(err, os.ErrNotExist):
		for _, other := range []string{filepath.Join(datasets, name), filepath.Join(datasets, name+suffix)} {
			if _, err := os.Stat(filepath.Join(dir, other)); err == nil && name != "" {
				return fmt.Errorf("there is no file %s; did you mean %s?", name, other)
			}
		}
		return fmt.Errorf("there is no file %s", name)
	case err != nil:
		return fmt.Errorf("look at file %s: %w", name, err)
	case info.IsDir():
		return fmt.Errorf("%s is a folder, not a file", name)
	}
	return nil
}

// datasetExists looks into the contracts for a name, without reading them as contracts: the commands do that.
func datasetExists(name, dir string) error {
	if name == "" || '0' <= name[0] && name[0] <= '9' { // a time, where the dataset is left out
		return nil
	}
	paths, err := filepath.Glob(filepath.Join(dir, datasets, "*"+suffix))
	if err != nil {
		return fmt.Errorf("list contracts: %w", err)
	}
	named := regexp.MustCompile(`\bname["']?\s*:\s*["']?` + regexp.QuoteMeta(name) + `(?:["'\s,}]|$)`)
	var there []string
	for _, path := range paths {
		if filepath.Base(path) == name+suffix {
			return nil // what is wrong with it, the command says
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return fmt.Errorf("read contract: %w", err)
		}
		if named.Match(text) {
			return nil
		}
		there = append(there, strings.TrimSuffix(filepath.Base(path), suffix))
	}
	hint := ""
	if _, err := os.Stat(filepath.Join(dir, name)); err == nil {
		hint = "; the file is given as -from=" + name
	}
	return fmt.Errorf("there is no dataset %s in %s, which has %s%s", name, datasets, strings.Join(there, ", "), hint)
}
