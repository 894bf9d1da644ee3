package api_test

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"

	"tributary/infra/local/api"
	"tributary/shared/contract"
	"tributary/shared/record"
)

// rejects keeps the violations of each reject by its text.
type rejects map[string][]api.Violation

func (rejects) Batch(b *record.Batch) error { b.Release(); return nil }

func (r rejects) Reject(reject *record.Reject) error {
	var all []api.Violation
	for _, v := range reject.Violations {
		all = append(all, api.Violation{Pointer: v.Pointer, Rule: v.Rule})
	}
	r[string(reject.Record)] = sorted(all)
	return nil
}

func sorted(all []api.Violation) []api.Violation {
	slices.SortFunc(all, func(a, b api.Violation) int {
		return cmp.Or(strings.Compare(a.Pointer, b.Pointer), strings.Compare(a.Rule, b.Rule))
	})
	return all
}

// The engine, held to the contracts that ship and to others, rejects exactly what is planted, and says why as planned.
func TestContractRejectsExactlyWhatIsPlanted(t *testing.T) {
	var contracts []*contract.Contract
	for _, file := range []string{
		"datasets/coin_markets", "contract/testdata/earthquakes", "contract/testdata/orders",
	} {
		c, err := contract.Load("../../../shared/" + file + ".odcs.yaml")
		if err != nil {
			t.Fatal(err)
		}
		contracts = append(contracts, c)
	}
	for _, c := range contracts {
		for seed := range uint64(5) {
			t.Run(fmt.Sprintf("%s/seed %d", c.Dataset, seed), func(t *testing.T) {
				a, err := api.New(c, "dev", seed)
				if err != nil {
					t.Fatal(err)
				}
				want := rejects{}
				for _, p := range a.Plan(at) {
					if p.Rejected() {
						want[p.Text] = sorted(p.Violations)
					}
				}
				got := rejects{}
				summary := process(t, c, a, got)
				if diff := gocmp.Diff(want, got); diff != "" {
					t.Errorf("rejects (-planned +found):\n%s", diff)
				}
				if summary.Held {
					t.Errorf("the run would be held: %v", summary.Reasons)
				}
			})
		}
	}
}

func process(t *testing.T, c *contract.Contract, a *api.API, sink record.Sink) *record.Summary {
	t.Helper()
	plan, err := record.Compile(c)
	if err != nil {
		t.Fatal(err)
	}
	r := plan.Start(record.Run{ScheduledAt: at}, sink)
	all := a.Records(at)
	text := "[" + strings.Join(all, ",") + "]"
	for _, token := range slices.Backward(c.Source.Records) {
		text = fmt.Sprintf("{%q:%s}", token, text)
	}
	if err := r.Page(record.Page{Number: 1, FetchedAt: at, Records: int64(len(all))}, strings.NewReader(text)); err != nil {
		t.Fatal(err)
	}
	summary, err := r.Close()
	if err != nil {
		t.Fatal(err)
	}
	return summary
}
