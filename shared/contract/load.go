package contract

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
)

// Load reads and checks a contract file. What is wrong in it comes back as Faults.
func Load(path string) (*Contract, error) {
	data, err := os.ReadFile(path)
	if errors.Is(err, syscall.EISDIR) {
		return nil, fmt.Errorf("read contract %s: it is a folder, not a file", path)
	}
	if err != nil {
		return nil, fmt.Errorf("read contract: %w", err)
	}
	return Parse(path, data)
}

// Parse checks a contract's text; file names it in messages. Every fault is reported, as Faults, by place.
func Parse(file string, data []byte) (*Contract, error) {
	d := &decoder{file: file, classified: map[string]node{}}
	var c *Contract
	if top, ok := d.document(data); ok {
		c = top.contract()
	}
	if len(d.faults) > 0 {
		return nil, d.faults.sorted()
	}
	c.Digest = c.digest()
	c.text = strings.Split(string(data), "\n")
	return c, nil
}

// LoadDir loads every *.odcs.yaml of a directory, by dataset. The faults of all files come back together, among them
// names that two contracts claim.
func LoadDir(dir string) ([]*Contract, error) {
	paths, err := filepath.Glob(filepath.Join(escapeGlob(dir), "*.odcs.yaml"))
	if err != nil {
		return nil, fmt.Errorf("list contracts: %w", err)
	}
	misnamed, err := filepath.Glob(filepath.Join(escapeGlob(dir), "*.odcs.yml"))
	if err != nil {
		return nil, fmt.Errorf("list contracts: %w", err)
	}
	if len(paths)+len(misnamed) == 0 {
		return nil, fmt.Errorf("list contracts: no *.odcs.yaml in %s: go tool mage dataset:new makes one", dir)
	}
	var contracts []*Contract
	var faults Faults
	for _, path := range misnamed {
		faults = append(faults, Fault{File: path, Line: 1, Column: 1, Message: "is not read: contracts are called *.odcs.yaml; rename the file"})
	}
	for _, path := range paths {
		c, err := Load(path)
		var wrong Faults
		switch {
		case errors.As(err, &wrong):
			faults = append(faults, wrong...)
		case err != nil:
			return nil, err
		default:
			contracts = append(contracts, c)
		}
	}
	slices.SortFunc(contracts, func(a, b *Contract) int { return strings.Compare(a.Dataset, b.Dataset) })
	faults = append(faults, clashes(contracts)...)
	if len(faults) > 0 {
		return nil, faults.sorted()
	}
	return contracts, nil
}

// clashes finds names that must be unique in an environment and are not.
func clashes(contracts []*Contract) Faults {
	var faults Faults
	datasets, tables, ids := map[string]*Contract{}, map[string]*Contract{}, map[string]*Contract{}
	claim := func(owners map[string]*Contract, c *Contract, line int, field, what, name string) {
		if first, taken := owners[name]; taken && first != c {
			faults = append(faults, Fault{
				File: c.File, Line: line, Column: 1, Field: field,
				Message: fmt.Sprintf("%s %s is taken by %s: choose another", what, name, first.File),
			})
			return
		}
		owners[name] = c
	}
	for _, c := range contracts {
		claim(ids, c, c.line.id, "id", "the id", c.ID)
		claim(datasets, c, c.line.dataset, "schema[0].name", "the dataset", c.Dataset)
	}
	for _, c := range contracts {
		claim(tables, c, c.line.table, "schema[0].physicalName", "the table", c.Table)
	}
	for _, c := range contracts {
		claim(tables, c, c.line.dataset, "schema[0].name", "the table of rejects", c.Dataset+rejectsSuffix)
		claim(tables, c, c.line.dataset, "schema[0].name", "the view", c.Dataset+latestSuffix)
	}
	return faults
}

// escapeGlob makes a directory's name stand for itself in a pattern.
func escapeGlob(dir string) string {
	return strings.NewReplacer(`\`, `\\`, `*`, `\*`, `?`, `\?`, `[`, `\[`).Replace(dir)
}
