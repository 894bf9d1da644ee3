package readme

import (
	"regexp"
	"strings"
)

// Command is a command at one place of the README.
type Command struct {
	Text string // as a shell takes it
	Line int    // of the README, from 1
	Said Needs  // what the README says it needs
	// Claimed is what it says of this command, and not of what is around it: there it must be true.
	Claimed Needs
	Shown   string // what the README shows of its screen; "" is nothing
}

// Needs is what a machine without an account and a network does not have.
type Needs struct{ AWS, Internet bool }

func (n Needs) or(other Needs) Needs {
	return Needs{AWS: n.AWS || other.AWS, Internet: n.Internet || other.Internet}
}

var (
	begins  = regexp.MustCompile(`^(go (tool|test|doc|run|build|vet)|pulumi|aws|gh|git|datacontract|python3|\S*/bin/\w+|[A-Z][A-Z_]*=\S+ \w+) \S`)
	heading = regexp.MustCompile(`^#{1,6} `)
	item    = regexp.MustCompile(`^\s*(\d+\.|[-*]|\|) ?`)
	code    = regexp.MustCompile("`([^`]+)`")
	behind  = regexp.MustCompile(`^\s*\(([^)]*)\)`)
	section = regexp.MustCompile(`(?i)every command here needs AWS`)
	word    = regexp.MustCompile(`\s+`)
)

// Read returns the commands of a README in their order.
func Read(text string) []Command {
	var r reader
	lines := strings.Split(text, "\n")
	for i := 0; i < len(lines); i++ {
		line := lines[i]
		language, fence := strings.CutPrefix(strings.TrimSpace(line), "```")
		switch {
		case fence:
			r.paragraph()
			end := i + 1
			for end < len(lines) && strings.TrimSpace(lines[end]) != "```" {
				end++
			}
			r.block(language, lines[i+1:end], i+2)
			i, r.follows = end, false
		case heading.MatchString(line):
			r.paragraph()
			r.section, r.follows = Needs{}, false
		case strings.TrimSpace(line) == "":
			r.paragraph()
		default:
			if item.MatchString(line) {
				r.paragraph()
			}
			if len(r.text) == 0 {
				r.from = i + 1
			}
			r.text = append(r.text, line)
		}
	}
	r.paragraph()
	return r.commands
}

type reader struct {
	commands []Command
	section  Needs
	text     []string // of the paragraph
	from     int      // its first line
	follows  bool     // the last command is of the paragraph before
}

// paragraph ends the paragraph and takes the commands in it.
func (r *reader) paragraph() {
	if len(r.text) == 0 {
		return
	}
	text := strings.Join(r.text, "\n")
	r.text, r.follows = nil, false
	r.section = r.section.or(Needs{AWS: section.MatchString(text)})
	for _, at := range code.FindAllStringSubmatchIndex(text, -1) {
		command := word.ReplaceAllString(text[at[2]:at[3]], " ")
		if !begins.MatchString(command) {
			continue
		}
		var claimed Needs
		if note := behind.FindStringSubmatch(text[at[1]:]); note != nil && strings.HasPrefix(note[1], "needs") {
			claimed = said(note[1])
		}
		r.commands = append(r.commands, Command{
			Text: command, Line: r.from + strings.Count(text[:at[0]], "\n"),
			Said: said(text).or(claimed).or(r.section), Claimed: claimed,
		})
		r.follows = true
	}
}

// block takes the commands of a block of sh; a block without a language is what a command prints.
func (r *reader) block(language string, lines []string, from int) {
	if language == "" && r.follows {
		r.commands[len(r.commands)-1].Shown = strings.Join(lines, "\n")
	}
	if language != "sh" {
		return
	}
	var whole Needs
	for i := 0; i < len(lines); i++ {
		at := i
		line := strings.TrimSpace(lines[i])
		for strings.HasSuffix(line, `\`) && i+1 < len(lines) {
			i++
			line = strings.TrimSpace(strings.TrimSuffix(line, `\`)) + " " + strings.TrimSpace(lines[i])
		}
		command, comment := divide(line)
		claimed := said(comment)
		if command == "" {
			whole = whole.or(claimed)
			continue
		}
		claimed = claimed.or(whole)
		r.commands = append(r.commands, Command{Text: command, Line: from + at, Said: claimed.or(r.section), Claimed: claimed})
	}
}

// said is what a text says that commands need.
func said(text string) Needs {
	text = word.ReplaceAllString(text, " ")
	return Needs{AWS: strings.Contains(text, "needs AWS"), Internet: strings.Contains(text, "needs the internet")}
}

// divide parts a line of sh from the comment at its end.
func divide(line string) (command, comment string) {
	var quote rune
	for i, c := range line {
		switch {
		case quote != 0:
			if c == quote {
				quote = 0
			}
		case c == '\'' || c == '"':
			quote = c
		case c == '#' && (i == 0 || line[i-1] == ' '):
			return strings.TrimSpace(line[:i]), strings.TrimSpace(line[i+1:])
		}
	}
	return strings.TrimSpace(line), ""
}
