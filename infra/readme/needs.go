package readme

import (
	"fmt"
	"regexp"
	"strings"
)

var (
	simple  = regexp.MustCompile(`&&|\|\||[;|]`)
	account = regexp.MustCompile(`^\s*(pulumi|aws|gh) |^\s*go tool mage ops:\S+ .*-(stack|outputs)=`)
	address = regexp.MustCompile(`https?://([^/:\s'"]+)`)
	fetches = regexp.MustCompile(`\bpip install |\bmage vulnerabilities -required\b`)
)

// Needs is what the words of the command tell that it needs.
func (c Command) Needs() Needs {
	var n Needs
	for _, part := range simple.Split(c.Text, -1) {
		n.AWS = n.AWS || account.MatchString(part)
	}
	n.Internet = fetches.MatchString(c.Text)
	for _, found := range address.FindAllStringSubmatch(c.Text, -1) {
		// What is below example.com is nobody's (RFC 2606), and has to be substituted.
		n.Internet = n.Internet || found[1] != "127.0.0.1" && !strings.HasSuffix("."+found[1], ".example.com")
	}
	return n
}

// Offline is whether the command is one to run here.
func (c Command) Offline() bool { return c.Needs() == Needs{} }

// Faults says where the README is silent about what a command needs, or says what is not so.
func Faults(commands []Command) []string {
	var faults []string
	for _, c := range commands {
		needs := c.Needs()
		for _, one := range []struct {
			what                 string
			needs, said, claimed bool
		}{{"AWS", needs.AWS, c.Said.AWS, c.Claimed.AWS}, {"the internet", needs.Internet, c.Said.Internet, c.Claimed.Internet}} {
			switch {
			case one.needs && !one.said:
				faults = append(faults, fmt.Sprintf("README.md:%d does not say that this needs %s: %s", c.Line, one.what, c.Text))
			case one.claimed && !one.needs:
				faults = append(faults, fmt.Sprintf("README.md:%d says that this needs %s, which nothing in it shows: %s", c.Line, one.what, strings.TrimSpace(c.Text)))
			}
		}
	}
	return faults
}
