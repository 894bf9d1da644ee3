// Package report writes what a local run did as one self-contained HTML page: it needs no network and no script, follows
// the reader's light or dark setting, and fits a phone. Like package screen it gets plain values that whoever fills them
// has already masked, and it reads no store. Everything that came from outside is escaped by html/template.
package report

import (
	"time"

	"tributary/infra/local/collect"
	"tributary/infra/local/cost"
	"tributary/infra/local/screen"
)

// Page is all that the page shows.
type Page struct {
	Outcome     screen.Outcome
	Details     []Detail // of each of Outcome.Datasets, in that order
	Began       time.Time
	Permissions []Permission
	Unneeded    []Grant // what roles may and nobody asked for in this run
	Bill        cost.Bill
	MonthlyRuns float64 // how often the schedule would fire in a month; 0 where it says nothing
}

// Detail is what the page says of a dataset beyond the screen.
type Detail struct {
	Columns []collect.Column
	Looked  int64 // rows that Columns were made of
	Former  *Former
}

// Former is what the run before this one brought.
type Former struct {
	Run                      string
	Verdict                  string
	Records, Clean, Rejected int64
	Items                    int64
	LakeBytes                int64
	Rejects                  []screen.Rule
}

// Permission is what a role asked for, how often, and whether it was allowed.
type Permission struct {
	Role, Action, Resource string
	Times                  int64
	Allowed                bool
	Why                    string // of a refusal
}

// Grant is an action that a policy allows.
type Grant struct{ Role, Action, Resource, Sid string }
