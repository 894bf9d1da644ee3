package api

import (
	"time"

	"tributary/shared/contract"
)

// Plant says what was planted into a record.
type Plant struct {
	Kind string
	// Violations are what the contract must find; none where the record is odd but right.
	Violations []Violation
}

// Violation is a rule that a record breaks, and where.
type Violation struct{ Pointer, Rule string }

// Rejected reports whether the record must become a reject.
func (p *Plant) Rejected() bool { return p != nil && len(p.Violations) > 0 }

// Planted is a planted record in its place.
type Planted struct {
	Page  int   // from 1
	Index int64 // among the records of the page, from 0
	Plant
	Text string // the record's JSON
}

// Plan lists what is planted in the records of a run, in their order; it is empty for a recorded file.
func (a *API) Plan(at time.Time) []Planted {
	if a.draw == nil {
		return nil
	}
	size := a.pageSize()
	var plan []Planted
	for i, r := range a.draw(at) {
		if r.Plant != nil {
			plan = append(plan, Planted{Page: i/size + 1, Index: int64(i % size), Plant: *r.Plant, Text: r.Text})
		}
	}
	return plan
}

// Records are the texts of all records of a run, in their order; empty for a recorded file.
func (a *API) Records(at time.Time) []string {
	if a.draw == nil {
		return nil
	}
	var texts []string
	for _, r := range a.draw(at) {
		texts = append(texts, r.Text)
	}
	return texts
}

// pageSize is the size of the pages that the contract's own query asks for.
func (a *API) pageSize() int {
	query := map[string][]string{}
	for _, p := range a.source.Query {
		query[p.Name] = []string{p.Value}
	}
	if p := a.source.Pagination; p.LimitParam != "" && p.Limit > 0 {
		return p.Limit
	}
	at, err := readPosition(contract.Source{Pagination: contract.Pagination{Kind: a.source.Pagination.Kind}}, query)
	if err != nil {
		return defaultPageSize
	}
	return at.size
}
