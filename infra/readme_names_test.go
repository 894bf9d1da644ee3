package main

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// Who wants to see how something is proven finds the test by its name.
func TestReadmeNamesTestsThatExist(t *testing.T) {
	tests := map[string]bool{}
	declared := regexp.MustCompile(`(?m)^func ((?:Test|Fuzz|Benchmark)\w+)\(`)
	err := filepath.WalkDir("..", func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() && path != ".." && strings.HasPrefix(d.Name(), ".") {
			return filepath.SkipDir
		}
		if !strings.HasSuffix(path, "_test.go") {
			return nil
		}
		text, err := os.ReadFile(path)
		for _, m := range declared.FindAllSubmatch(text, -1) {
			tests[string(m[1])] = true
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	named := regexp.MustCompile(`\b(?:Test|Fuzz|Benchmark)[A-Z]\w+`).FindAllString(readmeText(t), -1)
	if len(named) < 10 {
		t.Errorf("the README names %d tests; it says of eight invariants how each is proven", len(named))
	}
	for _, name := range named {
		if !tests[name] {
			t.Errorf("the README names %s, which is no test", name)
		}
	}
}

// Links within the page go to headings, by the names that GitHub gives them.
func TestReadmeLinksToItsHeadings(t *testing.T) {
	anchors := map[string]bool{}
	for _, heading := range regexp.MustCompile(`(?m)^#+ (.*)$`).FindAllStringSubmatch(readmeText(t), -1) {
		kept := regexp.MustCompile(`[^\w\- ]`).ReplaceAllString(strings.ToLower(heading[1]), "")
		anchors[strings.ReplaceAll(kept, " ", "-")] = true
	}
	links := regexp.MustCompile(`\]\(#([^)]+)\)`).FindAllStringSubmatch(readmeText(t), -1)
	if len(links) == 0 {
		t.Error("the README has no link to one of its headings")
	}
	for _, link := range links {
		if !anchors[link[1]] {
			t.Errorf("the README links to #%s, and has no such heading", link[1])
		}
	}
}
