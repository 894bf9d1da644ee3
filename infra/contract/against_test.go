package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// history makes a repository whose first commit holds contracts by file, and puts others in their place.
func history(t *testing.T, before, after map[string]string) string {
	t.Helper()
	if _, err := exec.LookPath("git"); err != nil {
		t.Skip("git is not installed")
	}
	root := t.TempDir()
	dir := filepath.Join(root, datasets)
	write := func(files map[string]string) {
		t.Helper()
		if err := os.RemoveAll(dir); err != nil {
			t.Fatal(err)
		}
		if err := os.MkdirAll(dir, 0o755); err != nil {
			t.Fatal(err)
		}
		for name, text := range files {
			if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
		}
	}
	write(before)
	for _, args := range [][]string{
		{"init", "--quiet", "--initial-branch=main"}, {"add", "."},
		{"-c", "user.name=a", "-c", "user.email=a@example.com", "commit", "--quiet", "--no-gpg-sign", "--no-verify", "-m", "one"},
	} {
		cmd := exec.Command("git", args...)
		cmd.Dir = root
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("git %s: %v: %s", strings.Join(args, " "), err, out)
		}
	}
	write(after)
	return root
}

func TestAgainst(t *testing.T) {
	text, err := os.ReadFile(coins)
	if err != nil {
		t.Fatal(err)
	}
	const file, other = "coin_markets.odcs.yaml", "coins.odcs.yaml"
	coin := string(text)
	with := func(replacements ...string) string {
		t.Helper()
		changed := strings.NewReplacer(replacements...).Replace(coin)
		if changed == coin {
			t.Fatalf("nothing to replace: %q", replacements)
		}
		return changed
	}
	second := with("id: coin-markets", "id: second", "name: coin_markets", "name: second", "physicalName: coin_markets", "physicalName: second", "lake/coin_markets/", "lake/second/", "element: coin_markets", "element: second")
	renamed := []string{"{name: ath_date,", "{name: ath_date, physicalName: ath_at,"}
	tests := []struct {
		name          string
		before, after map[string]string
		want          []string // in what is printed
		wantErr       string   // in the error; "": none
	}{
		{"the same", map[string]string{file: coin}, map[string]string{file: coin}, []string{"coin_markets means the same"}, ""},
		{"another file", map[string]string{file: coin}, map[string]string{other: coin}, []string{"coin_markets means the same"}, ""},
		{"stricter", map[string]string{file: coin}, map[string]string{file: with("version: 1.0.0", "version: 1.1.0", "maxLength: 128", "maxLength: 64")},
			[]string{"coin_markets changes:", "  keeps readers   id: "}, ""},
		{"stricter under the same version", map[string]string{file: coin}, map[string]string{file: with("maxLength: 128", "maxLength: 64")},
			[]string{"keeps readers"}, "still version 1.0.0"},
		{"breaking", map[string]string{file: coin}, map[string]string{file: with(append(renamed, "version: 1.0.0", "version: 1.1.0")...)},
			[]string{"  BREAKS readers  ath_date: "}, "a new major version and a new schema[0].physicalName, as in 2.0.0 and coin_markets_v2"},
		{"breaking, announced", map[string]string{file: coin},
			map[string]string{file: with(append(renamed, "version: 1.0.0", "version: 2.0.0", "physicalName: coin_markets", "physicalName: coin_markets_v2", "lake/coin_markets/", "lake/coin_markets_v2/")...)},
			[]string{"BREAKS readers", "the table is coin_markets_v2"}, ""},
		{"new", map[string]string{file: coin}, map[string]string{file: coin, "second.odcs.yaml": second},
			[]string{"coin_markets means the same", "second is new: version 1.0.0, table second, 32 columns"}, ""},
		{"gone", map[string]string{file: coin, "second.odcs.yaml": second}, map[string]string{"second.odcs.yaml": second},
			[]string{"coin_markets is gone: it was version 1.0.0, table coin_markets, active"}, "publish it with status retired first"},
		{"gone, announced", map[string]string{file: with("status: active", "status: retired"), "second.odcs.yaml": second}, map[string]string{"second.odcs.yaml": second},
			[]string{"coin_markets is gone"}, ""},
		{"everything that is wrong", map[string]string{file: coin, "second.odcs.yaml": second}, map[string]string{file: with(renamed...)},
			[]string{"BREAKS readers", "second is gone"}, "check removal of second"},
		{"no contracts before", map[string]string{"readme.txt": "none\n"}, map[string]string{file: coin}, []string{"coin_markets is new"}, ""},
		{"unreadable before", map[string]string{file: with("status: active", "status: alive")}, map[string]string{file: coin}, nil, "mend it first, in a change of its own"},
		{"unreadable now", map[string]string{file: coin}, map[string]string{file: with("status: active", "status: alive")}, nil, "status"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var out strings.Builder
			err := against(t.Context(), &out, history(t, tt.before, tt.after), "main")
			for _, want := range tt.want {
				if !strings.Contains(out.String(), want) {
					t.Errorf("printed %q, want %q in it", out.String(), want)
				}
			}
			switch {
			case tt.wantErr == "" && err != nil:
				t.Errorf("error %v, want none", err)
			case tt.wantErr != "" && (err == nil || !strings.Contains(err.Error(), tt.wantErr)):
				t.Errorf("error %v, want %s", err, tt.wantErr)
			}
		})
	}
}

func TestAgainstNothing(t *testing.T) {
	text, err := os.ReadFile(coins)
	if err != nil {
		t.Fatal(err)
	}
	root := history(t, map[string]string{"coin_markets.odcs.yaml": string(text)}, map[string]string{"coin_markets.odcs.yaml": string(text)})
	var out strings.Builder
	if err := against(t.Context(), &out, root, strings.Repeat("0", 40)); err != nil || !strings.Contains(out.String(), "there is nothing before") {
		t.Errorf("zeros: %v, %q", err, out.String())
	}
	if err := against(t.Context(), &out, root, "nowhere"); err == nil || !strings.Contains(err.Error(), "find revision nowhere") {
		t.Errorf("an unknown revision: %v", err)
	}
}
