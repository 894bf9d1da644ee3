package call

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// exitUsage is the status after a wrong call.
const exitUsage = 2

// Answer answers what needs no target to run: the list of targets, help, and wrong calls. It reports whether it did; then
// status is that of the whole.
func Answer(args []string, dir string, out, stderr io.Writer) (status int, done bool) {
	if len(args) == 0 || slices.Contains([]string{"-l", "-h", "-help", "--help", "help"}, args[0]) {
		if len(args) > 1 {
			if t, ok := Find(args[1]); ok {
				explain(out, t)
				return 0, true
			}
			fmt.Fprintln(stderr, unknown(args[1]))
			return exitUsage, true
		}
		list(out)
		return 0, true
	}
	if strings.HasPrefix(args[0], "-") {
		return 0, false // flags of mage itself, such as -v
	}
	if up := above(dir); up != "" {
		fmt.Fprintf(stderr, "go tool mage works in the root of the project: cd %s first\n", up)
		return exitUsage, true
	}
	for len(args) > 0 {
		t, ok := Find(args[0])
		if !ok {
			fmt.Fprintln(stderr, unknown(args[0]))
			return exitUsage, true
		}
		own := args[1:]
		if !t.Command { // its flags end where the next target begins
			if i := slices.IndexFunc(own, func(word string) bool { return !strings.HasPrefix(word, "-") }); i >= 0 {
				own = own[:i]
			}
		}
		args = args[1+len(own):]
		if slices.ContainsFunc(own, asksForHelp) {
			if t.Explains {
				return 0, false
			}
			explain(out, t)
			return 0, true
		}
		if err := t.check(own, dir); err != nil {
			fmt.Fprintf(stderr, "wrong call: %v\nthe call is: %s\n", err, t.Usage())
			return exitUsage, true
		}
	}
	return 0, false
}

func asksForHelp(word string) bool {
	return slices.Contains([]string{"-h", "-help", "--help", "-help=true"}, word)
}

// explain says what a target is for and how it is called.
func explain(out io.Writer, t Target) {
	fmt.Fprintf(out, "usage: %s\n\n%s.\n", t.Usage(), strings.ToUpper(t.Does[:1])+t.Does[1:])
	if t.Explains {
		fmt.Fprintf(out, "go tool mage %s -help tells more.\n", t.Name)
	}
}

// list prints the targets in their groups.
func list(out io.Writer) {
	fmt.Fprint(out, "usage: go tool mage TARGET …   (go tool mage TARGET -help tells more of one)\n")
	width := 0
	for _, g := range Groups {
		for _, t := range g.Targets {
			width = max(width, len([]rune(t.Name+" "+t.Takes())))
		}
	}
	for _, g := range Groups {
		fmt.Fprintf(out, "\n%s\n", g.Title)
		for _, t := range g.Targets {
			fmt.Fprintf(out, "  %-*s  %s\n", width, strings.TrimSpace(t.Name+" "+t.Takes()), t.Does)
		}
	}
}

// above is the way to the folder of the project from one below it; "" in that folder, and outside of any project.
func above(dir string) string {
	for up := ""; ; up = filepath.Join(up, "..") {
		at, err := filepath.Abs(filepath.Join(dir, up))
		if err != nil {
			return ""
		}
		if _, err := os.Stat(filepath.Join(at, "magefile.go")); err == nil {
			return up
		}
		if at == filepath.Dir(at) {
			return ""
		}
	}
}

// unknown says that there is no such target, and which one may be meant.
func unknown(name string) error {
	text := fmt.Sprintf("there is no target %s", name)
	if near := nearest(name); near != "" {
		text += "; did you mean " + near + "?"
	}
	return fmt.Errorf("%s\ngo tool mage lists what there is", text)
}

// nearest is the target whose name, or whose part behind the colon, is most like a name.
func nearest(name string) string {
	name = strings.ToLower(name)
	best, least := "", 3
	for _, g := range Groups {
		for _, t := range g.Targets {
			_, last, _ := strings.Cut(t.Name, ":")
			for _, other := range []string{t.Name, last} {
				if d := distance(name, other); other != "" && d < least && d < len(name) {
					best, least = t.Name, d
				}
			}
		}
	}
	return best
}

// distance is how many letters must be changed, put in or left out to make one word of another.
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0]++
		for j := range len(b) {
			cost := 1
			if a[i] == b[j] {
				cost = 0
			}
			diagonal, row[j+1] = row[j+1], min(row[j+1]+1, row[j]+1, diagonal+cost)
		}
	}
	return row[len(b)]
}
