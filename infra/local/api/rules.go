package api

import (
	"bytes"
	"encoding/json"
	"time"

	"tributary/shared/contract"
	"tributary/shared/record"
)

// breakRules tells, by index, which of the drawn records are rejected for nothing but rules across columns. Everything
// else that the engine might find would be a fault of the drawing, or of the engine, and is left to be seen.
func breakRules(c *contract.Contract, plan *record.Plan, at time.Time, drawn []object) map[int]bool {
	rules := map[string]bool{}
	for _, r := range c.Rules {
		rules[r.ID] = true
	}
	if len(rules) == 0 {
		return nil
	}
	found := broken{rules: rules, at: map[int]bool{}}
	reader := plan.Start(record.Run{ScheduledAt: at}, found)
	texts := make([]json.RawMessage, len(drawn))
	for i, o := range drawn {
		texts[i] = json.RawMessage(o.String())
	}
	doc := map[string]any{}
	put(doc, append([]string{"page"}, c.Source.Records...), held(c.Source, texts, 0))
	page, err := encode(doc["page"])
	if err != nil {
		return nil
	}
	if reader.Page(record.Page{Number: 1, FetchedAt: at, Records: int64(len(drawn))}, bytes.NewReader(page)) != nil {
		return nil // such as records beyond the contract's limits: the run itself will say it
	}
	return found.at
}

// broken is a sink that looks at rejects only.
type broken struct {
	rules map[string]bool
	at    map[int]bool
}

func (b broken) Batch(batch *record.Batch) error {
	batch.Release()
	return nil
}

func (b broken) Reject(r *record.Reject) error {
	for _, v := range r.Violations {
		if !b.rules[v.Rule] {
			return nil
		}
	}
	b.at[int(r.Index)] = true
	return nil
}
