// Package screen says on a terminal what a local run does and did: a live line for each stage, then a summary that a
// stranger understands. It gets plain values and writes text; it reads no store and keeps no secret from itself:
// whoever fills an Outcome has already masked what is classified.
package screen

import "time"

// Outcome is what a run did.
type Outcome struct {
	Stack    string
	Datasets []Dataset
	Alarms   []Alarm // of the stack, as they stand after the run
	Stages   []Stage
	Places   []Place
	Next     []Hint
	Faults   []string // what went wrong, one sentence each; empty when all went well
	Total    time.Duration
}

// Dataset is the outcome of one dataset's run.
type Dataset struct {
	Name     string
	Run      string // run id
	At       time.Time
	Source   string // where the records came from
	Requests string // what the source was asked, in words; empty when it was not asked

	Verdict   string // loaded, held, unreadable, too_large; empty when the run left no audit row
	Reason    string // of every verdict but loaded
	Repeated  bool   // the run had been done before, and nothing was changed
	Pages     int64
	Records   int64
	Clean     int64
	Rejected  int64
	Threshold float64 // percent of rejects above which the run is held

	Rejects  []Rule
	Warnings []Rule
	Unknown  []Rule // members that the contract does not name

	Row    *Row  // one failing row
	Rows   []Row // the first failing rows, for who has the room to show them
	Files  []File
	Table  string        // of the items; empty when the dataset is not served
	Items  int64         // offered by this run
	Held   int64         // in the table, of all runs
	Expiry time.Duration // after which items expire; 0: never
	Item   []Member      // one item
	Alerts []Alert
	Sample *Table
	Trial  *Trial // of a run in which things went wrong on purpose
}

// Trial is what was done to a run, and whether it came through.
type Trial struct {
	Seed   uint64
	Faults []Mishap
	Failed int64    // attempts of functions that ended with an error
	Same   []string // what was compared with a run without faults, and was the same
}

// Mishap is something that went wrong on purpose, so many times.
type Mishap struct {
	Name  string
	Times int64
}

// Rule counts records under a rule and a place.
type Rule struct {
	Records int64
	Name    string
	Pointer string // JSON Pointer below the record; "" is the record itself
	Example string // what one of the records was told
	OfRun   bool   // a metric of the whole run, which says nothing of one record
}

// Row is one reject in full.
type Row struct {
	Page    int64
	Place   string   // in the page
	Members []Member // in the record's order; empty when the record is no JSON object
	Text    string   // the record where it is no JSON object
	Reasons []Reason
	Where   string // in words, where the whole record lies
}

// Member is a member of a record, its value as JSON text.
type Member struct {
	Name, Value string
	Faulty      bool
}

// Reason is one violation.
type Reason struct {
	Pointer, Rule, Message, Value string
	Declared                      Line // by which the record fails
}

// Line is a line of a contract; empty where it declares nothing, as of a record that is no JSON.
type Line struct{ Place, Text string }

// File is an object that the run made.
type File struct {
	Zone  string // lake, rejects, …
	Path  string
	Rows  int64
	Bytes int64
}

// Alert is a message on the alert topic.
type Alert struct{ Subject, Text string }

// Alarm is an alarm of the stack as it stands.
type Alarm struct {
	Name    string
	State   string // OK, ALARM, INSUFFICIENT_DATA
	Why     string
	Meaning string // and what to do
}

// Table is a sample of rows.
type Table struct {
	Columns []Column
	Rows    [][]string
	Of      int64 // rows there are
}

// Column heads a column of a Table.
type Column struct {
	Name  string
	Right bool // numbers are aligned right
}

// Stage is a stage of the work and how long it took.
type Stage struct {
	Name   string
	Detail string
	Took   time.Duration
}

// Place is where something lies.
type Place struct{ Path, Holds string }

// Hint is a command to try next.
type Hint struct{ Command, Does string }
