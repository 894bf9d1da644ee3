package readme

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"
)

// Step is what is done about a command of the README, once however often it is there.
type Step struct {
	Command
	Run string   // with all substitutions; "": it is not run
	Why []string // it is not run, or is substituted
}

// Plan says what to do about each command. It fails where the README does not say what a command needs, and where the rules
// have what no command uses.
func Plan(commands []Command, rules Rules) ([]Step, error) {
	var errs []error
	for _, fault := range Faults(commands) {
		errs = append(errs, errors.New(fault))
	}
	used, at := map[string]bool{}, map[string]int{}
	var steps []Step
	for _, c := range commands {
		if first, again := at[c.Text]; again {
			steps[first].Shown = cmp.Or(steps[first].Shown, c.Shown)
			continue
		}
		at[c.Text] = len(steps)
		s := Step{Command: c}
		switch {
		case c.Needs().AWS:
			s.Why = []string{"needs AWS"}
		case c.Needs().Internet:
			s.Why = []string{"needs the internet"}
		default:
			s.Run = c.Text
		}
		for _, e := range rules.Elsewhere {
			if c.Text == e.Command {
				used[e.Command] = true
				s.Run, s.Why = "", []string{e.Why}
			}
		}
		if s.Run != "" {
			s.substitute(rules.Substitutions, used)
		}
		steps = append(steps, s)
	}
	for _, s := range rules.Substitutions {
		if !used[s.Words] {
			errs = append(errs, fmt.Errorf("no command of the README has %s, which is substituted", s.Words))
		}
	}
	for _, e := range rules.Elsewhere {
		if !used[e.Command] {
			errs = append(errs, fmt.Errorf("the README has no command %s, which runs elsewhere", e.Command))
		}
	}
	for _, talk := range rules.Talks {
		if !slices.ContainsFunc(steps, func(s Step) bool { return s.Run == talk.Command }) {
			errs = append(errs, fmt.Errorf("the README has no command %s, which is talked to", talk.Command))
		}
	}
	return steps, errors.Join(errs...)
}

func (s *Step) substitute(substitutions []Substitution, used map[string]bool) {
	for _, sub := range substitutions {
		before, after, found := strings.Cut(" "+s.Run+" ", " "+sub.Words+" ")
		if found {
			used[sub.Words] = true
			s.Run = strings.TrimSpace(before + " " + sub.With + " " + after)
			s.Why = append(s.Why, sub.Why)
		}
	}
}
