package contract

import (
	"slices"
	"strings"
)

// runConstant reports whether a derived column has one value in all rows of a run.
func (c *Column) runConstant() bool {
	if c.Derived == nil || len(c.Derived.Columns) > 0 {
		return false
	}
	return !slices.ContainsFunc(c.Derived.Context, func(name string) bool { return name != RunScheduledAt })
}

// keys checks the primary key and gathers what must be unique in a run.
func (b *builder) keys() {
	var key []int
	broken := false
	for i := range b.c.Columns {
		c := &b.c.Columns[i]
		if b.columns[i].unique {
			b.unique(b.columns[i].members["unique"], []string{c.Name})
		}
		broken = broken || b.columns[i].brokenKey
		if c.Key == 0 {
			continue
		}
		key = append(key, i)
		if !c.Required {
			b.columns[i].keyFault("primaryKey", "the column may be null: add required: true")
		}
	}
	if len(key) == 0 || broken {
		return
	}
	slices.SortStableFunc(key, func(i, j int) int { return b.c.Columns[i].Key - b.c.Columns[j].Key })
	var names []string
	ofRun := false
	for place, i := range key {
		c := &b.c.Columns[i]
		if c.Key != place+1 {
			b.columns[i].members["primaryKeyPosition"].fault("is %d; the columns of the key are numbered from 1 without gaps or twins", c.Key)
			return
		}
		names = append(names, c.Name)
		ofRun = ofRun || c.Derived != nil && c.Derived.normal() == RunScheduledAt || b.brokenDerived(i)
	}
	first := b.columns[key[0]]
	if !ofRun {
		first.keyFault("primaryKey", "the key repeats in every run: add a timestamp column with transformLogic: %s and make it the key's last", RunScheduledAt)
		return
	}
	b.unique(first.members["primaryKey"], names)
}

// brokenDerived reports a column whose expression could not be read, so that nothing follows from its absence.
func (b *builder) brokenDerived(i int) bool {
	return b.columns[i].has("transformLogic") && b.c.Columns[i].Derived == nil
}

// unique adds columns whose values together occur once in a run. What is the same in all rows of a run is left out,
// because it distinguishes none.
func (b *builder) unique(at node, names []string) {
	var set []string
	for _, name := range names {
		c := b.column(name)
		if c == nil {
			return
		}
		switch {
		case c.Type.Kind == 0:
			return
		case !c.Type.compared():
			at.fault("%s is an object or array, which are not compared: use a column of one of its members", name)
			return
		}
		if !c.runConstant() {
			set = append(set, name)
		}
	}
	if len(set) == 0 {
		at.fault("%s is the same in all rows of a run, so only one row could be kept: add the record's own key", strings.Join(names, ", "))
		return
	}
	slices.Sort(set)
	set = slices.Compact(set)
	if slices.ContainsFunc(b.c.Uniques, func(other []string) bool { return slices.Equal(set, other) }) {
		return
	}
	if b.c.Uniques = append(b.c.Uniques, set); len(b.c.Uniques) == maxUniques+1 {
		at.fault("is set %d of columns to be unique; want at most %d", len(b.c.Uniques), maxUniques)
	}
}
