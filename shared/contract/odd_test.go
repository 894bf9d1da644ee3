package contract

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// Texts that no editor shows as they are, and sizes that nobody writes by hand. The first faults are compared.
func TestOddFiles(t *testing.T) {
	base := readFile(t, "testdata/base.odcs.yaml")
	edited := func(old, text string) string {
		if strings.Count(base, old) != 1 {
			t.Fatalf("the base has %q %d times", old, strings.Count(base, old))
		}
		return strings.Replace(base, old, text, 1)
	}
	const flag, rule = "{name: flag, logicalType: boolean}", "{id: cheap, type: custom, engine: cel, implementation: price < 100.0, severity: error}"
	many := func(n int, line string) string {
		lines := make([]string, n)
		for i := range lines {
			lines[i] = strings.ReplaceAll(line, "#", fmt.Sprint(i))
		}
		return strings.Join(lines, "\n      - ")
	}
	fields := func(n int, field string) string {
		return strings.TrimSuffix(strings.ReplaceAll(many(n, field), "\n      - ", ", "), ", ")
	}
	long := strings.Repeat("a", 100_000)
	for _, tc := range []struct {
		name, text string
		want       []string // none: a good contract
	}{
		{"byte order mark", "\ufeff" + base, nil},
		{"lines that end in CR LF", strings.ReplaceAll(base, "\n", "\r\n"), nil},
		{"lines that end in CR", strings.ReplaceAll(base, "\n", "\r"), nil},
		{"end of the document", base + "...\n", nil},
		{"directive", "%YAML 1.1\n---\n" + base, nil},
		{"empty", "", []string{"1:1: the file is empty: a contract starts with apiVersion: v3.1.0"}},
		{"comment alone", "# none\n", []string{"1:1: the file is empty: a contract starts with apiVersion: v3.1.0"}},
		{"null", "---\n~\n", []string{"2:1: is empty; want a mapping"}},
		{"text", "contract", []string{`1:1: is the text "contract"; want a mapping`}},
		{"list", "- a", []string{"1:1: is a list; want a mapping"}},
		{"empty second document", base + "---\n", []string{"54:1: a second YAML document: write one contract a file"}},
		{"other version of YAML", "%YAML 1.3\n---\n" + base, []string{"1:1: not YAML: found incompatible YAML document"}},
		{"tab", edited("    physicalName: base", "\tphysicalName: base"), []string{"12:1: not YAML: found a tab character that violates indentation"}},
		{"gzip", "\x1f\x8b\x08\x00", []string{"1:1: not YAML: the file is packed with gzip: unpack it"}},
		{"NUL", edited("name: Base", "name: Ba\x00se"), []string{"4:9: not YAML: control character U+0000: remove it"}},
		{"control character", edited("status: active", "status: ä\x1b"), []string{"6:10: not YAML: control character U+001B: remove it"}},
		{"Latin-1", edited("name: Base", "name: Gr\xf6\xdfe"), []string{"4:9: not YAML: the byte 0xf6 is no UTF-8: save the file as UTF-8"}},
		{"half a character", edited("name: Base", "name: \xe2\x82"), []string{"4:7: not YAML: the byte 0xe2 is no UTF-8: save the file as UTF-8"}},
		{"surrogate", edited("name: Base", "name: \xed\xa0\x80"), []string{"4:7: not YAML: the byte 0xed is no UTF-8: save the file as UTF-8"}},
		{"UTF-16", "\xff\xfea\x00:\x00", []string{"1:1: not YAML: the file is UTF-16: save it as UTF-8"}},
		{"space of no width", edited(flag, "{name: \"fl\u200bag\", logicalType: boolean}"), []string{
			`22:16: schema[0].properties[5].name: the member "fl\u200bag" cannot be a column's name (lower-case letters, digits and _, a letter first, 128 at most): keep it and add physicalName, as in physicalName: fl_ag`}},
		{"lists without end", strings.Repeat("[", 20_000), []string{"1:1: not YAML: exceeded max depth of 10000"}},
		{"deep lists", strings.Repeat("- ", 9_000) + "x", []string{"1:1: is a list; want a mapping"}},
		{"aliases of aliases", "a: &a [x, x]\nb: &b [*a, *a]\nc: [*b, *b]\n", []string{"1:1: apiVersion is missing: write v3.1.0"}},
		{"alias of itself", "kind: &a [*a]\n", []string{"1:1: apiVersion is missing: write v3.1.0"}},
		{"too large", "#" + strings.Repeat(" ", maxFile) + "\n" + base, []string{fmt.Sprintf("1:1: the file has %d bytes; want at most 1048576", maxFile+2+len(base))}},
		{"columns", edited(flag, many(10_000, "{name: c#, logicalType: string}")), []string{"17:7: schema[0].properties: are 10014 columns; want at most 500"}},
		{"unique columns", edited(flag, many(65, "{name: c#, logicalType: string, unique: true}")), []string{"86:50: schema[0].properties[69].unique: is set 65 of columns to be unique; want at most 64"}},
		{"rules", edited(rule, many(1000, "{type: custom, engine: cel, implementation: prise < 1.0}")), []string{"33:7: schema[0].quality: has rule 1002 of the contract; want at most 1000"}},
		{"rules without names", edited(rule, many(900, "{type: custom, engine: cel, implementation: price < 1.0}")), nil},
		{"members", edited(flag, "{name: w, logicalType: object, properties: ["+fields(501, "{name: c#, logicalType: string}")+"]}"), []string{
			"22:52: schema[0].properties[5].properties: are 501 members; want at most 500"}},
		{"type for the catalog", edited(flag, "{name: w, logicalType: object, properties: ["+fields(400,
			"{name: o#, logicalType: object, properties: ["+fields(4, "{name: "+strings.Repeat("n", 120)+"#, logicalType: string}")+"]}")+"]}"), []string{
			"22:9: schema[0].properties[5]: has a type of 211497 characters in Glue, which keeps 131072: declare fewer members, or keep the value as JSON text"}},
		{"leaves", edited(flag, many(20, "{name: c#, logicalType: object, properties: ["+fields(100, "{name: f#, logicalType: string}")+"]}")), []string{
			"17:7: schema[0].properties: have 2015 members and items in all; want at most 2000: keep what is rarely read as JSON text"}},
		{"long name", edited(flag, "{name: "+long+", logicalType: boolean}"), []string{
			`22:16: schema[0].properties[5].name: the member "` + strings.Repeat("a", longestMessage-12) + "…"}},
		{"long names that differ", edited(flag, "{name: w, logicalType: object, logicalTypeOptions: {required: ["+long+"b]}, properties: [{name: "+long+", physicalName: x, logicalType: string}]}"), []string{
			`22:72: schema[0].properties[5].logicalTypeOptions.required[0]: no property is named "` + strings.Repeat("a", longestMessage-22) + "…"}},
		{"long expression", edited("price < 100.0", strings.Repeat("price + ", 50_000)+"price < 100.0"), []string{
			"35:64: schema[0].quality[2].implementation: expression code point size exceeds limit: size: 400013, limit 100000: split the expression into derived columns"}},
		{"nested expression", edited("price < 100.0", strings.Repeat("(", 1000)+"price"+strings.Repeat(")", 1000)+" < 100.0"), []string{
			"35:64: schema[0].quality[2].implementation: expression recursion limit exceeded: 250: split the expression into derived columns"}},
		{"long conjunction", edited("price < 100.0", strings.Repeat("price < 100.0 && ", 3000)+"flag"), nil},
		{"repeated repetition", edited("^[a-z]+$", "((a{100}){100}){100}"), []string{
			"18:123: schema[0].properties[1].logicalTypeOptions.pattern: error parsing regexp: invalid repeat count: `{100}`: correct the expression"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			_, err := Parse("f", []byte(tc.text))
			if err == nil {
				if tc.want != nil {
					t.Errorf("accepted, want %s", tc.want)
				}
				return
			}
			got := strings.Split(strings.ReplaceAll("\n"+err.Error(), "\nf:", "\n"), "\n")[1:]
			if diff := cmp.Diff(tc.want, got[:min(len(got), max(1, len(tc.want)))]); diff != "" {
				t.Errorf("first faults (-want +got):\n%s", diff)
			}
		})
	}
}
