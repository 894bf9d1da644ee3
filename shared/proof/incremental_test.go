package proof

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"strconv"
	"time"

	"tributary/shared/cloud/cloudtest"
	"tributary/shared/contract"
	"tributary/shared/zone"
)

// events is the contract of a source with an incremental cursor.
var events *contract.Contract

func compileEvents() error {
	text, err := os.ReadFile("testdata/people.odcs.yaml")
	if err != nil {
		return err
	}
	text = bytes.Replace(text, []byte("{kind: page_number, base_page: 1, maximum_page: 2}"),
		[]byte("{kind: offset, limit: 3}, incremental: {cursor_path: /updated_at, start_param: since, initial_value: \"2025-03-04T14:00:00Z\"}"), 1)
	events, err = contract.Parse("events.odcs.yaml", text)
	return err
}

// increments are scheduled times at which such a source is asked for what is new. The last is for the end.
var increments = func() []zone.Run {
	var all []zone.Run
	for n := range 5 {
		all = append(all, zone.NewRun("people", runs[0].At.Add(time.Duration(n)*time.Hour)))
	}
	return all
}()

// feed is a source that grows while it is read: with every request comes one more record, the newest.
type feed struct{ has int }

// pageful is how many records a page of the feed has.
const pageful = 3

// subscriber is one invocation that reads the feed. A limited one is told to come back tomorrow behind its first page.
type subscriber struct {
	*feed
	limited bool
}

func (s subscriber) RoundTrip(r *http.Request) (*http.Response, error) {
	from, err := strconv.Atoi(r.URL.Query().Get("offset"))
	if err != nil {
		return nil, fmt.Errorf("asked for an offset: %w", err)
	}
	if s.limited && from > 0 {
		return answer(r, http.StatusTooManyRequests, http.Header{"Retry-After": {"86400"}}, "tomorrow"), nil
	}
	s.has++
	var records []string
	for n := range s.has {
		if updated(n) >= r.URL.Query().Get("since") {
			records = append(records, person(fmt.Sprintf("p%d", n), 1, n))
		}
	}
	from = min(from, len(records))
	return answer(r, http.StatusOK, nil, page(records[from:min(from+pageful, len(records))]...)), nil
}

// carryOn is one invocation of the ingest function for such a source.
func (s *stage) carryOn(a *actor, faults *cloudtest.Faults) error {
	ingester, err := s.ingester(events, subscriber{s.feed, a.Edition == limited && a.invoked == 1}, a.Edition, faults)
	if err != nil {
		return err
	}
	_, err = ingester.Run(a.sees, increments[a.Run])
	return err
}

// limited is the instance that the source answers one page only.
const limited = 2

// cursorState is what the state says.
type cursorState struct{ Value, Run string }

// lookIncrements holds the state of the cursor at any time: it goes forward only, a manifest stands that ends where it is,
// and all that the source had up to there is in pages of manifests.
func (s *stage) lookIncrements() string {
	bodies := s.raw.Bodies()
	body, ok := bodies[zone.StateKey("people")]
	if !ok {
		return ""
	}
	var state cursorState
	if err := json.Unmarshal(body, &state); err != nil {
		return err.Error()
	}
	if state.Value < s.cursor {
		return fmt.Sprintf("the cursor goes back from %s to %s", s.cursor, state.Value)
	}
	s.cursor = state.Value
	brought, stands := map[string]bool{}, false
	for _, run := range increments {
		text, ok := bodies[run.ManifestKey()]
		if !ok {
			continue
		}
		var m zone.Manifest
		if err := json.Unmarshal(text, &m); err != nil {
			return err.Error()
		}
		stands = stands || m.Run == state.Run && m.Cursor.To == state.Value
		for _, p := range m.Pages {
			if s.ids[p.Key] == nil { // what stands is never replaced: the other families see to that
				ids, err := idsOf(bodies[p.Key])
				if err != nil {
					return err.Error()
				}
				s.ids[p.Key] = ids
			}
			for _, id := range s.ids[p.Key] {
				brought[id] = true
			}
		}
	}
	if !stands {
		return fmt.Sprintf("the cursor is at %s by run %s, and no such manifest stands", state.Value, state.Run)
	}
	for n := range s.feed.has {
		if id := fmt.Sprintf("p%d", n); updated(n) <= state.Value && !brought[id] {
			return fmt.Sprintf("the cursor is at %s, and record %s of %s is in no run", state.Value, id, updated(n))
		}
	}
	return ""
}

// idsOf lists the records of a raw page.
func idsOf(raw []byte) ([]string, error) {
	z, err := gzip.NewReader(bytes.NewReader(raw))
	if err != nil {
		return nil, err
	}
	var records []struct{ ID string }
	if err := json.NewDecoder(z).Decode(&records); err != nil {
		return nil, err
	}
	ids := make([]string, len(records))
	for i, r := range records {
		ids[i] = r.ID
	}
	return ids, z.Close()
}

// checkIncrements lets one more run come, undisturbed: the cursor is then where it ended, and nothing is missing.
func (s *stage) checkIncrements() string {
	if s.fault != "" {
		return s.fault
	}
	last := &actor{part: part{What: continues, Run: len(increments) - 1}, sees: s.invocation(context.Background())}
	if err := s.carryOn(last, nil); err != nil {
		return err.Error()
	}
	if problem := s.lookIncrements(); problem != "" {
		return problem
	}
	if newest := updated(s.feed.has - 1); s.cursor < updated(s.feed.has-pageful) {
		return fmt.Sprintf("the cursor stays at %s, and the source has records up to %s", s.cursor, newest)
	}
	return ""
}
