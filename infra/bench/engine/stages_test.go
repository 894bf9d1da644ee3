package engine

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"tributary/infra/local/api"
	"tributary/shared/contract"
)

const contractPath = "../../../shared/datasets/coin_markets.odcs.yaml"

// coins writes clean coins into a file and gives it compressed as well.
func coins(t *testing.T, n int, spoil func(lines []string)) (plain, packed string) {
	t.Helper()
	var text bytes.Buffer
	if err := (api.Bulk{Count: n, Seed: 1, At: time.Date(2025, 3, 4, 14, 45, 0, 0, time.UTC)}).Write(&text); err != nil {
		t.Fatal(err)
	}
	lines := strings.SplitAfter(text.String(), "\n")
	if spoil != nil {
		spoil(lines)
	}
	content := strings.Join(lines, "")
	plain = filepath.Join(t.TempDir(), "coins.ndjson")
	packed = plain + ".gz"
	if err := os.WriteFile(plain, []byte(content), 0o644); err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	if _, err := z.Write([]byte(content)); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(packed, b.Bytes(), 0o644); err != nil {
		t.Fatal(err)
	}
	return plain, packed
}

// Each stage does what its name says and no more: that is seen from what it rejects.
func TestStagesRejectWhatTheyLookAt(t *testing.T) {
	plain, packed := coins(t, 3000, func(lines []string) {
		lines[3] = strings.Replace(lines[3], `"current_price":`, `"current_price":"n/a","was":`, 1) // types
		lines[5] = strings.Replace(lines[5], `"current_price":`, `"current_price":-`, 1)            // constraints
		lines[7] = strings.Replace(lines[7], `"low_24h":`, `"low_24h":1e9,"was":`, 1)               // expressions
		lines[9] = lines[1]                                                                         // keys
	})
	for _, tt := range []struct {
		stage    string
		in       string
		rejected int64
	}{
		{StageRead, plain, 0}, {StageScan, plain, 0}, {StageTypes, plain, 1}, {StageConstraints, plain, 2},
		{StageExpressions, plain, 3}, {StageKeys, plain, 4}, {StageEncode, plain, 4}, {StageCompress, plain, 4},
		{StageFiles, plain, 4}, {StageRun, plain, 4}, {StageRun, packed, 4}, {StageHash, packed, 0}, {StageGunzip, packed, 0},
	} {
		t.Run(fmt.Sprint(tt.stage, filepath.Ext(tt.in)), func(t *testing.T) {
			got, err := Stage(t.Context(), tt.stage, Options{Contract: contractPath, In: tt.in, Out: filepath.Join(t.TempDir(), "out"), Records: 3000})
			if err != nil {
				t.Fatal(err)
			}
			if got.Peer != tt.stage || got.Rows != 3000 || got.Rejected != tt.rejected {
				t.Errorf("%s: %d rows, %d rejected; want 3000, %d", got.Peer, got.Rows, got.Rejected, tt.rejected)
			}
		})
	}
}

func TestStageRefuses(t *testing.T) {
	plain, _ := coins(t, 10, nil)
	for _, tt := range []struct {
		name, stage, want string
		records           int64
	}{
		{"unknown", "everything", `find stage "everything": want one of compress, constraints,`, 10},
		{"uncounted", StageRead, "the number of records must be given", -1},
		{"plain file", StageGunzip, "does not end in .gz", 10},
		{"wrong count", StageRun, "has 10 records and its manifest says 11", 11},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, err := Stage(t.Context(), tt.stage, Options{Contract: contractPath, In: plain, Out: filepath.Join(t.TempDir(), "out"), Records: tt.records})
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("error %v, want %q", err, tt.want)
			}
		})
	}
}

func TestOnlyLeavesTheContractAlone(t *testing.T) {
	c, err := contract.Load(contractPath)
	if err != nil {
		t.Fatal(err)
	}
	before, uniques := len(c.Columns), len(c.Uniques)
	constrained := func(c *contract.Contract) map[string]bool {
		found := map[string]bool{}
		for _, column := range c.Columns {
			if column.Required || column.Constraints.Minimum != nil {
				found[column.Name] = true
			}
		}
		return found
	}
	want := constrained(c)
	if n := len(constrained(only(c, types))); n != 0 {
		t.Errorf("%d columns have rules where there should be types alone", n)
	}
	if cut := only(c, constraints); len(cut.Rules) != 0 || len(cut.Columns) != before-5 {
		t.Errorf("%d rules and %d columns are left, want none and %d", len(cut.Rules), len(cut.Columns), before-5)
	}
	if diff := cmp.Diff(want, constrained(c)); diff != "" || len(c.Columns) != before || len(c.Uniques) != uniques {
		t.Errorf("the contract was changed (-want +got)\n%s", diff)
	}
	if len(slices.Collect(maps.Keys(want))) < 10 {
		t.Errorf("only %d columns have rules in the contract: the test shows nothing", len(want))
	}
}
