package cli

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"

	"tributary/infra/local/cost"
	"tributary/infra/local/files"
	"tributary/infra/local/iam"
	"tributary/infra/local/report"
	"tributary/infra/local/screen"
	"tributary/shared/contract"
	"tributary/shared/zone"
)

const (
	reportName = "report.html"   // in the folder of the stack
	month      = 730 * time.Hour // AWS's
	usualItems = 500             // of a table, to tell the size of a usual one
)

// detail is what the page says of a dataset beyond the screen; before is what the stores held before its run.
func (s *session) detail(c *contract.Contract, at time.Time, before, after files.State) (report.Detail, error) {
	run := s.collected(c, at, after)
	columns, looked, err := run.Profile()
	if err != nil {
		return report.Detail{}, err
	}
	former, err := formerRun(before, run.Run)
	return report.Detail{Columns: columns, Looked: looked, Former: former}, err
}

// formerRun is the latest other run of the dataset that the stores held; nil where there was none.
func formerRun(before files.State, this zone.Run) (*report.Former, error) {
	var last *zone.AuditRow
	for _, o := range before.Objects {
		if o.Bucket != "lake" || !strings.HasPrefix(o.Key, zone.AuditPrefix) {
			continue
		}
		var row zone.AuditRow
		if err := json.Unmarshal(o.Body, &row); err != nil {
			return nil, fmt.Errorf("read audit row %s: %w", o.Key, err)
		}
		if row.Dataset == this.Dataset && row.RunID != this.ID() && (last == nil || row.RunID > last.RunID) {
			last = &row
		}
	}
	if last == nil {
		return nil, nil
	}
	f := &report.Former{Run: last.RunID, Verdict: last.Outcome, Records: last.Records, Clean: last.Clean, Rejected: last.Rejected, Items: last.Items}
	for _, file := range last.LakeFiles {
		f.LakeBytes += file.Bytes
	}
	for _, r := range last.RejectsByRule {
		f.Rejects = append(f.Rejects, screen.Rule{Records: r.Records, Name: r.Rule, Pointer: r.Pointer})
	}
	return f, nil
}

// report writes the page of a run.
func (s *session) report(outcome screen.Outcome, details []report.Detail, began time.Time) error {
	p := report.Page{Outcome: outcome, Details: details, Began: began, Bill: cost.Of(s.usage())}
	if len(s.contracts) == 1 {
		p.MonthlyRuns = float64(month) / float64(s.contracts[0].Schedule.Frequency)
	}
	p.Permissions, p.Unneeded = s.permissions()
	var b bytes.Buffer
	if err := report.Write(&b, p); err != nil {
		return err
	}
	if err := os.WriteFile(s.folder.Path(reportName), b.Bytes(), 0o644); err != nil {
		return fmt.Errorf("write report: %w", err)
	}
	return nil
}

// roles are the roles that the stack's own parts take, by ARN, with what people call them.
func (s *session) roles() map[string]string {
	roles := map[string]string{}
	for _, g := range s.env.Grants() {
		name := g.Role[strings.LastIndexByte(g.Role, '/')+1:]
		for dataset := range s.outputs.Datasets {
			for _, part := range []string{"ingest", "process", "schedule"} {
				if strings.HasSuffix(name, "-"+part+"-"+dataset) {
					roles[g.Role] = part + " " + dataset
				}
			}
		}
	}
	return roles
}

// permissions are what the roles asked for, told by the grants that allow it, and the grants that nobody needed.
func (s *session) permissions() (asked []report.Permission, unneeded []report.Grant) {
	roles, grants, uses := s.roles(), s.env.Grants(), s.env.Requests()
	type key struct {
		role, action, resource, why string
		allowed                     bool
	}
	times := map[key]int64{}
	for _, u := range uses {
		name, ours := roles[u.Principal]
		if !ours {
			continue
		}
		k := key{role: name, action: u.Action, resource: u.Resource, allowed: u.Allowed}
		if !u.Allowed {
			k.why = u.Reason
		}
		for _, g := range grants {
			if g.Covers(u.Use) {
				k.resource = g.Resource
				break
			}
		}
		times[k] += int64(u.Count)
	}
	for k, n := range times {
		asked = append(asked, report.Permission{Role: k.role, Action: k.action, Resource: k.resource, Times: n, Allowed: k.allowed, Why: k.why})
	}
	slices.SortFunc(asked, func(a, b report.Permission) int {
		return cmp.Or(cmp.Compare(a.Role, b.Role), cmp.Compare(a.Action, b.Action), cmp.Compare(a.Resource, b.Resource))
	})
	for _, g := range iam.Unused(grants, uses) {
		if name, ours := roles[g.Role]; ours {
			unneeded = append(unneeded, report.Grant{Role: name, Action: g.Action, Resource: g.Resource, Sid: g.Sid})
		}
	}
	return asked, unneeded
}

// usage is what the session used of AWS so far.
func (s *session) usage() cost.Usage {
	u := cost.Usage{Invocations: s.watch.invocations(s.env.Memory), Actions: map[string]int64{}, Scheduled: int64(len(s.contracts))}
	roles := s.roles()
	for _, use := range s.env.Requests() {
		if _, ours := roles[use.Principal]; ours && use.Allowed {
			u.Actions[use.Action] += int64(use.Count)
		}
	}
	var items, size int64
	for _, list := range s.former.Tables {
		for _, item := range list[:min(len(list), usualItems)] {
			if text, err := json.Marshal(item); err == nil {
				items, size = items+1, size+int64(len(text))
			}
		}
	}
	if items > 0 {
		u.ItemBytes = size / items
	}
	for _, function := range s.outputs.functions() {
		for _, line := range s.env.Logs(function) {
			u.LogBytes += int64(len(line))
		}
	}
	return u
}

// invocations lists what the functions did since the session began.
func (w *watch) invocations(memory func(function string) int) []cost.Invocation {
	w.mu.Lock()
	defer w.mu.Unlock()
	list := make([]cost.Invocation, len(w.ended))
	for i, e := range w.ended {
		list[i] = cost.Invocation{Function: e.Function, MemoryMB: memory(e.Function), Took: e.Duration}
	}
	return list
}
