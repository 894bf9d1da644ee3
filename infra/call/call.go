// Package call knows how each target of `go tool mage` is called: its words, its flags and what it is for. From it come
// the list of targets and the answers to wrong calls, which are given before anything is compiled.
//
// Mage takes -name=value for what may be left out, and every further word for the next target. A date behind ops:replay
// would be one: the replay of everything would run, and only then would mage say that there is no target of that name.
// So all that stands behind a target which is a command of its own belongs to it, and the command alone reads it.
package call

import (
	"flag"
	"slices"
	"strings"
)

// Prefix begins the operators' targets.
const Prefix = "ops:"

// Target is something that mage does.
type Target struct {
	Name  string
	Words []Word
	Flags []Flag
	Does  string // one sentence
	// Command is whether it is a command of its own: all that stands behind it is its own. Behind another target there
	// may stand further ones.
	Command bool
	// Explains is whether the command has more to say when it is asked with -help.
	Explains bool
}

// Word is an argument. Its name says what it has to be: DATASET, FILE, STACK and so on.
type Word struct {
	Name     string
	Optional bool
	Many     bool
}

// Flag is an optional argument.
type Flag struct {
	Name  string
	Value string // what stands behind =; "": it is a switch
}

// Group is some of the targets, for those who read the list.
type Group struct {
	Title   string
	Targets []Target
}

// Find returns the target of a name; mage does not tell large letters from small ones.
func Find(name string) (Target, bool) {
	for _, g := range Groups {
		for _, t := range g.Targets {
			if strings.EqualFold(t.Name, name) {
				return t, true
			}
		}
	}
	return Target{}, false
}

// Call is how the target is called, with its words but without its flags.
func (t Target) Call() string { return strings.TrimSpace("go tool mage " + t.Name + " " + t.Takes()) }

// Takes are the words of the target, those in brackets may be left out.
func (t Target) Takes() string {
	var words []string
	for _, w := range t.Words {
		name := w.Name
		if w.Many {
			name += "…"
		}
		if w.Optional {
			name = "[" + name + "]"
		}
		words = append(words, name)
	}
	return strings.Join(words, " ")
}

// Usage is how the target is called, with words and flags.
func (t Target) Usage() string {
	text := t.Call()
	for _, f := range t.Flags {
		text += " [" + f.String() + "]"
	}
	return text
}

func (f Flag) String() string {
	if f.Value == "" {
		return "-" + f.Name
	}
	return "-" + f.Name + "=" + f.Value
}

func (t Target) flag(name string) (Flag, bool) {
	i := slices.IndexFunc(t.Flags, func(f Flag) bool { return f.Name == name })
	if i < 0 {
		return Flag{}, false
	}
	return t.Flags[i], true
}

// Divide returns what mage reads of a command line, and the words of its command, if there is one.
func Divide(args []string) (mage, words []string) {
	for i, arg := range args {
		if t, ok := Find(arg); ok && t.Command {
			return args[: i+1 : i+1], args[i+1:]
		}
	}
	return args, nil
}

// Parse parses flags between, before and behind words, and returns the words.
func Parse(f *flag.FlagSet, args []string) (words []string, err error) {
	for {
		if err := f.Parse(args); err != nil {
			return nil, err
		}
		if f.NArg() == 0 {
			return words, nil
		}
		words, args = append(words, f.Arg(0)), f.Args()[1:]
	}
}

// Deployed reports whether the words of a command name a deployed stack. Without one it works on the local environment.
func Deployed(words []string) bool {
	for _, word := range words {
		name, isFlag := strings.CutPrefix(word, "-")
		name, _, _ = strings.Cut(strings.TrimPrefix(name, "-"), "=")
		if isFlag && (name == "stack" || name == "outputs") {
			return true
		}
	}
	return false
}
