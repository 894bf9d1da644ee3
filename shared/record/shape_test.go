package record

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// Members may come in any order, be lacking, be unknown or come twice, from one object to the next: what is read is what
// each object says.
func TestShapes(t *testing.T) {
	p := dataset{columns: `
- {name: a, logicalType: integer}
- {name: a_rather_long_member_name, logicalType: number}
- {name: twenty_four_bytes_long, logicalType: string}
- {name: d, logicalType: boolean}
- {name: inner, logicalType: object, properties: [{name: x, logicalType: integer}, {name: y, logicalType: integer}]}
- {name: x_again, logicalType: integer, transformSourceObjects: [/inner/x]}
`}.plan(t)
	long := strings.Repeat("n", pad+1) // a name that no comparison of words reaches
	values := map[string]string{
		"a": `7`, "a_rather_long_member_name": `1.5`, "twenty_four_bytes_long": `"t"`, "d": `true`,
		"inner": `{"y":2,"x":1}`, "unknown": `[{}]`, long: `0`, `quo\"ted`: `null`,
	}
	names := []string{"a", "a_rather_long_member_name", "twenty_four_bytes_long", "d", "inner", "unknown", long, `quo\"ted`}
	random := rand.New(rand.NewPCG(1, 2))
	var page strings.Builder
	var want outcome
	unknown := map[string]int64{}
	for index := range 4000 {
		if index%97 == 0 { // the order changes now and then, and for good
			random.Shuffle(len(names), func(i, j int) { names[i], names[j] = names[j], names[i] })
		}
		order := append([]string(nil), names...)
		if random.IntN(3) == 0 {
			i, j := random.IntN(len(order)), random.IntN(len(order))
			order[i], order[j] = order[j], order[i]
		}
		order = order[:len(order)-random.IntN(3)]
		if from := random.IntN(len(order)); random.IntN(2) == 0 {
			order = append(order[:from], order[min(len(order), from+random.IntN(6)):]...)
		}
		twice := ""
		if random.IntN(10) == 0 && len(order) > 0 {
			twice = order[random.IntN(len(order))]
			at := random.IntN(len(order) + 1)
			order = append(order[:at], append([]string{twice}, order[at:]...)...)
		}
		row := map[string]string{}
		var members []string
		for _, name := range order {
			row[name] = values[name]
			members = append(members, fmt.Sprintf("%q%s%s", strings.ReplaceAll(name, `\`, ``), []string{":", " : ", ": "}[random.IntN(3)], values[name]))
		}
		fmt.Fprintf(&page, "{%s}\n", strings.Join(members, []string{",", " ,\t"}[random.IntN(2)]))
		for _, name := range []string{"unknown", long, `quo\"ted`} {
			if row[name] != "" {
				unknown["/"+strings.ReplaceAll(name, `\`, ``)]++
			}
		}
		if twice != "" {
			want.Rejects = append(want.Rejects, fmt.Sprintf("%d %s /%s", index, RuleDuplicateMember, strings.ReplaceAll(twice, `\`, ``)))
			continue
		}
		cell := func(name, text string) string {
			if row[name] == "" {
				return "null"
			}
			return text
		}
		want.Rows = append(want.Rows, fmt.Sprintf("a=%s a_rather_long_member_name=%s twenty_four_bytes_long=%s d=%s inner=%s x_again=%s",
			cell("a", "7"), cell("a_rather_long_member_name", "1.5"), cell("twenty_four_bytes_long", `"t"`),
			cell("d", "true"), cell("inner", "{x:1 y:2}"), cell("inner", "1")))
	}
	got, summary, err := run(t, p, strings.NewReader(page.String()))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got.outcome); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
	counted := map[string]int64{}
	for _, u := range summary.Unknown {
		counted[u.Pointer] = u.Records
	}
	if diff := cmp.Diff(unknown, counted); diff != "" {
		t.Errorf("unknown members (-want +got)\n%s", diff)
	}
}
