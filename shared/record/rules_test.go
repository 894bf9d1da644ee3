package record

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestConstraints(t *testing.T) {
	for _, tt := range []struct {
		column string // what follows the name v
		value  string
		want   []string // rules broken
	}{
		{"logicalType: string, required: true", `null`, []string{"required /v"}},
		{"logicalType: string, required: true", `"x"`, nil},
		{"logicalType: string, logicalTypeOptions: {minLength: 2, maxLength: 3}", `"a"`, []string{"minLength /v"}},
		{"logicalType: string, logicalTypeOptions: {minLength: 2, maxLength: 3}", `"äöü"`, nil},
		{"logicalType: string, logicalTypeOptions: {minLength: 2, maxLength: 3}", `"🐸"`, []string{"minLength /v"}},
		{"logicalType: string, logicalTypeOptions: {minLength: 2, maxLength: 3}", `"abcd"`, []string{"maxLength /v"}},
		{"logicalType: string, logicalTypeOptions: {minLength: 2, maxLength: 3}", `"\u0061\u0062\u0063"`, nil},
		{`logicalType: string, logicalTypeOptions: {pattern: "^[a-z]+$"}`, `"abc"`, nil},
		{`logicalType: string, logicalTypeOptions: {pattern: "^[a-z]+$", maxLength: 3}`, `"ABCD"`, []string{"maxLength /v", "pattern /v"}},
		{"logicalType: string, logicalTypeOptions: {format: uuid}", `"123e4567-e89b-12d3-a456-426614174000"`, nil},
		{"logicalType: string, logicalTypeOptions: {format: uuid}", `"123e4567e89b12d3a456426614174000"`, []string{"format /v"}},
		{"logicalType: string, logicalTypeOptions: {format: uri}", `"https://example.com/a?b=c#d"`, nil},
		{"logicalType: string, logicalTypeOptions: {format: uri}", `"urn:isbn:0451450523"`, nil},
		{"logicalType: string, logicalTypeOptions: {format: uri}", `"missing_large.png"`, []string{"format /v"}},
		{"logicalType: string, logicalTypeOptions: {format: uri}", `"https://exa mple.com"`, []string{"format /v"}},
		{"logicalType: string, logicalTypeOptions: {format: email}", `"a.b@example.com"`, nil},
		{"logicalType: string, logicalTypeOptions: {format: email}", `"A <a@example.com>"`, []string{"format /v"}},
		{"logicalType: string, logicalTypeOptions: {format: hostname}", `"a-b.example.com"`, nil},
		{"logicalType: string, logicalTypeOptions: {format: hostname}", `"-a.example.com"`, []string{"format /v"}},
		{"logicalType: string, logicalTypeOptions: {format: ipv4}", `"192.0.2.1"`, nil},
		{"logicalType: string, logicalTypeOptions: {format: ipv4}", `"192.0.2.256"`, []string{"format /v"}},
		{"logicalType: string, logicalTypeOptions: {format: ipv6}", `"2001:db8::1"`, nil},
		{"logicalType: string, logicalTypeOptions: {format: ipv6}", `"192.0.2.1"`, []string{"format /v"}},
		{"logicalType: string, quality: [{metric: invalidValues, arguments: {validValues: [a, b]}, mustBe: 0}]", `"b"`, nil},
		{"logicalType: string, quality: [{metric: invalidValues, arguments: {validValues: [a, b]}, mustBe: 0}]", `"c"`, []string{"enum /v"}},
		{`logicalType: string, quality: [{metric: missingValues, arguments: {missingValues: ["", "N/A", null]}, mustBe: 0}]`, `"N/A"`, []string{"missingValues /v"}},
		{`logicalType: string, quality: [{metric: missingValues, arguments: {missingValues: ["", "N/A", null]}, mustBe: 0}]`, `null`, []string{"required /v"}},
		{"logicalType: integer, quality: [{metric: invalidValues, arguments: {validValues: [1, 2]}, mustBe: 0}]", `2.0`, nil},
		{"logicalType: integer, quality: [{metric: invalidValues, arguments: {validValues: [1, 2]}, mustBe: 0}]", `3`, []string{"enum /v"}},

		{"logicalType: integer, logicalTypeOptions: {minimum: 1, maximum: 9}", `1`, nil},
		{"logicalType: integer, logicalTypeOptions: {minimum: 1, maximum: 9}", `0`, []string{"minimum /v"}},
		{"logicalType: integer, logicalTypeOptions: {minimum: 1, maximum: 9}", `10`, []string{"maximum /v"}},
		{"logicalType: integer, logicalTypeOptions: {exclusiveMinimum: 1, exclusiveMaximum: 9}", `2`, nil},
		{"logicalType: integer, logicalTypeOptions: {exclusiveMinimum: 1, exclusiveMaximum: 9}", `1`, []string{"exclusiveMinimum /v"}},
		{"logicalType: integer, logicalTypeOptions: {exclusiveMinimum: 1, exclusiveMaximum: 9}", `9`, []string{"exclusiveMaximum /v"}},
		{"logicalType: integer, logicalTypeOptions: {multipleOf: 3}", `9`, nil},
		{"logicalType: integer, logicalTypeOptions: {multipleOf: 3}", `-10`, []string{"multipleOf /v"}},
		{"logicalType: number, logicalTypeOptions: {minimum: 0.1, maximum: 0.3}", `0.1`, nil},
		{"logicalType: number, logicalTypeOptions: {minimum: 0.1, maximum: 0.3}", `0.3`, nil},
		{"logicalType: number, logicalTypeOptions: {minimum: 0.1, maximum: 0.3}", `0.09999999999999999`, []string{"minimum /v"}},
		{"logicalType: number, logicalTypeOptions: {exclusiveMinimum: -273.15}", `-273.15`, []string{"exclusiveMinimum /v"}},
		{"logicalType: number, logicalTypeOptions: {exclusiveMinimum: -273.15}", `-273.14`, nil},
		{"logicalType: number, logicalTypeOptions: {multipleOf: 0.1}", `0.3`, nil},
		{"logicalType: number, logicalTypeOptions: {multipleOf: 0.1}", `-1234567890.7`, nil},
		{"logicalType: number, logicalTypeOptions: {multipleOf: 0.1}", `"12e-1"`, nil},
		{"logicalType: number, logicalTypeOptions: {multipleOf: 0.1}", `0.35`, []string{"multipleOf /v"}},
		{"logicalType: number, logicalTypeOptions: {multipleOf: 0.1}", `1e300`, nil},
		{"logicalType: number, logicalTypeOptions: {multipleOf: 0.1}", `1e-300`, []string{"multipleOf /v"}},
		{"logicalType: number, logicalTypeOptions: {multipleOf: 0.1}", `12345678901234567890.25`, []string{"multipleOf /v"}},
		{`logicalType: number, physicalType: "decimal(10,2)", logicalTypeOptions: {minimum: 0, exclusiveMaximum: 100, multipleOf: 0.05}`, `99.95`, nil},
		{`logicalType: number, physicalType: "decimal(10,2)", logicalTypeOptions: {minimum: 0, exclusiveMaximum: 100, multipleOf: 0.05}`, `100`, []string{"exclusiveMaximum /v"}},
		{`logicalType: number, physicalType: "decimal(10,2)", logicalTypeOptions: {minimum: 0, exclusiveMaximum: 100, multipleOf: 0.05}`, `-0.01`, []string{"minimum /v", "multipleOf /v"}},
		{`logicalType: number, physicalType: "decimal(38,8)", logicalTypeOptions: {exclusiveMinimum: 0, multipleOf: 0.5}`, `12345678901234567890123.5`, nil},
		{`logicalType: number, physicalType: "decimal(38,8)", logicalTypeOptions: {exclusiveMinimum: 0, multipleOf: 0.5}`, `12345678901234567890123.25`, []string{"multipleOf /v"}},
		{`logicalType: number, physicalType: "decimal(38,8)", logicalTypeOptions: {exclusiveMinimum: 0}`, `0`, []string{"exclusiveMinimum /v"}},
		{`logicalType: timestamp, logicalTypeOptions: {minimum: "2020-01-01T00:00:00Z"}`, `"2020-01-01T00:00:00Z"`, nil},
		{`logicalType: timestamp, logicalTypeOptions: {minimum: "2020-01-01T00:00:00Z"}`, `"2019-12-31T23:59:59.999Z"`, []string{"minimum /v"}},
		{`logicalType: date, logicalTypeOptions: {format: yyyy-MM-dd, maximum: "2030-12-31"}`, `"2031-01-01"`, []string{"maximum /v"}},

		{"logicalType: array, logicalTypeOptions: {minItems: 1, maxItems: 2}, items: {logicalType: integer}", `[]`, []string{"minItems /v"}},
		{"logicalType: array, logicalTypeOptions: {minItems: 1, maxItems: 2}, items: {logicalType: integer}", `[1,2,3]`, []string{"maxItems /v"}},
		{"logicalType: array, logicalTypeOptions: {uniqueItems: true}, items: {logicalType: number}", `[1,2,1.0]`, []string{"uniqueItems /v"}},
		{"logicalType: array, logicalTypeOptions: {uniqueItems: true}, items: {logicalType: number}", `[1,2,10,0.1]`, nil},
		{"logicalType: array, logicalTypeOptions: {uniqueItems: true}, items: {logicalType: string}", `["a","b","\u0061"]`, []string{"uniqueItems /v"}},
		{"logicalType: array, items: {logicalType: integer, required: true, logicalTypeOptions: {minimum: 0}}", `[1,null,-1]`, []string{"required /v/1", "minimum /v/2"}},
		{"logicalType: object, properties: [{name: a, logicalType: integer, required: true}]", `{}`, []string{"required /v/a"}},
		{"logicalType: object, properties: [{name: a, logicalType: integer, required: true}]", `null`, nil},
		{"logicalType: object, required: true, properties: [{name: a, logicalType: integer, required: true}]", `null`, []string{"required /v"}},
	} {
		t.Run(tt.column+" "+tt.value, func(t *testing.T) {
			p := dataset{columns: "- {name: v, " + tt.column + "}"}.plan(t)
			c, _, err := run(t, p, strings.NewReader(`[{"v":`+tt.value+`}]`))
			if err != nil {
				t.Fatal(err)
			}
			var want []string
			for _, rule := range tt.want {
				want = append(want, "0 "+rule)
			}
			if diff := cmp.Diff(want, c.Rejects); diff != "" {
				t.Fatalf("(-want +got)\n%s", diff)
			}
		})
	}
}

func TestMessages(t *testing.T) {
	p := dataset{
		columns: `- {name: a, logicalType: number, logicalTypeOptions: {minimum: 0.5}}
- {name: b, logicalType: number, classification: restricted}
- {name: at, logicalType: timestamp, logicalTypeOptions: {minimum: "2020-01-01T00:00:00Z"}}
- {name: s, logicalType: string, logicalTypeOptions: {maxLength: 3}}`,
		quality: `- {id: above, type: custom, engine: cel, implementation: a >= b}`,
	}.plan(t)
	c, _, err := run(t, p, strings.NewReader(`[{"a":0.25,"b":2,"at":"2019-01-01T00:00:00Z","s":"`+strings.Repeat("é", 150)+`"}]`))
	if err != nil {
		t.Fatal(err)
	}
	want := []Violation{
		{Pointer: "/a", Rule: "minimum", Message: "/a is below the minimum 0.5", Value: "0.25"},
		{Pointer: "/at", Rule: "minimum", Message: "/at is below the minimum 2020-01-01T00:00:00.000Z", Value: `"2019-01-01T00:00:00Z"`},
		{Pointer: "/s", Rule: "maxLength", Message: "/s has 150 characters, more than 3", Value: `"` + strings.Repeat("é", 99) + "\uFFFD…"},
		{Rule: "above", Message: "the record breaks a >= b", Value: "a = 0.25, b = ***"},
	}
	if diff := cmp.Diff(want, c.rejects[0].Violations); diff != "" {
		t.Fatalf("(-want +got)\n%s", diff)
	}
}

func TestServedNumbers(t *testing.T) {
	p := dataset{
		columns: `- {name: k, logicalType: string, required: true, primaryKey: true, primaryKeyPosition: 1}
- {name: v, logicalType: number}
- {name: other, logicalType: number}
- {name: at, logicalType: timestamp, required: true}
- {name: run_at, logicalType: timestamp, required: true, primaryKey: true, primaryKeyPosition: 2, transformLogic: run.scheduledAt}`,
		custom: "- {property: serving, value: {partitionKey: k, version: at, attributes: [v]}}",
	}.plan(t)
	at := `,"at":"2025-01-01T00:00:00Z"}`
	c, _, err := run(t, p, strings.NewReader(`[{"k":"a","v":1e-131`+at+`,{"k":"b","v":-1e126`+at+`,{"k":"c","v":9.99e125,"other":1e200`+at+`,{"k":"d","v":0`+at+`,{"k":"e","v":1e-130`+at+`]`))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"0 serving /v", "1 serving /v"}, c.Rejects); diff != "" {
		t.Fatalf("(-want +got)\n%s", diff)
	}
}

func TestUnique(t *testing.T) {
	for _, tt := range []struct {
		name    string
		columns string
		quality string
		pages   []string
		want    outcome
	}{
		{
			name:    "the later is rejected, over all pages",
			columns: "- {name: k, logicalType: string, unique: true}",
			pages:   []string{`[{"k":"a"},{"k":"b"},{"k":"a"}]`, `[{"k":"b"},{"k":"c"},{},{"k":null}]`},
			want:    outcome{Rows: []string{`k="a"`, `k="b"`, `k="c"`, "k=null", "k=null"}, Rejects: []string{"2 unique /k", "0 unique /k"}},
		},
		{
			name:    "a rejected record claims no key, and is told that its key is known",
			columns: "- {name: k, logicalType: integer, unique: true}\n- {name: v, logicalType: integer}",
			pages:   []string{`[{"k":1,"v":"x"},{"k":1.0,"v":1},{"k":"1","v":"x"},{"k":10e-1}]`},
			want:    outcome{Rows: []string{"k=1 v=1"}, Rejects: []string{"0 type /v", "2 type /v", "2 unique /k", "3 unique /k"}},
		},
		{
			name:    "zero has no sign as a key",
			columns: "- {name: k, logicalType: number, unique: true}",
			pages:   []string{`[{"k":0},{"k":-0},{"k":-0.0e5},{"k":"0"}]`},
			want:    outcome{Rows: []string{"k=0"}, Rejects: []string{"1 unique /k", "2 unique /k", "3 unique /k"}},
		},
		{
			name:    "several columns together",
			columns: "- {name: a, logicalType: string}\n- {name: b, logicalType: string}\n- {name: d, logicalType: date, logicalTypeOptions: {format: yyyy-MM-dd}}",
			quality: "- {metric: duplicateValues, mustBe: 0, arguments: {properties: [a, b, d]}}",
			pages: []string{`[{"a":"x","b":"yz","d":"2025-01-01"},{"a":"xy","b":"z","d":"2025-01-01"},{"a":"x","b":"yz","d":"2025-01-02"},` +
				`{"a":"x","b":"yz","d":"2025-01-01"},{"a":"x","b":"yz"},{"a":"x","b":"yz"}]`},
			want: outcome{
				Rows:    []string{`a="x" b="yz" d=2025-01-01`, `a="xy" b="z" d=2025-01-01`, `a="x" b="yz" d=2025-01-02`, `a="x" b="yz" d=null`, `a="x" b="yz" d=null`},
				Rejects: []string{"3 unique"},
			},
		},
		{
			name:    "two sets: a record that breaks one claims nothing in the other",
			columns: "- {name: a, logicalType: integer, unique: true}\n- {name: b, logicalType: integer, unique: true}",
			pages:   []string{`[{"a":1,"b":1},{"a":1,"b":2},{"a":2,"b":2},{"a":2,"b":1}]`},
			want:    outcome{Rows: []string{"a=1 b=1", "a=2 b=2"}, Rejects: []string{"1 unique /a", "3 unique /a", "3 unique /b"}},
		},
		{
			name: "rows around a dropped one stay whole",
			columns: "- {name: k, logicalType: integer, unique: true}\n- {name: s, logicalType: string}\n- {name: l, logicalType: array, items: {logicalType: string}}\n" +
				`- {name: o, logicalType: object, properties: [{name: x, logicalType: number, physicalType: "decimal(30,1)"}]}` + "\n- {name: f, logicalType: boolean}\n" +
				"- {name: page, logicalType: integer, transformLogic: record.page}\n- {name: place, logicalType: integer, transformLogic: record.index}",
			pages: []string{`[{"k":1,"s":"one","l":["a","b"],"o":{"x":1},"f":true},{"k":1,"s":"gone","l":["c"],"o":{"x":2},"f":false},{"k":2,"l":[],"o":null},` +
				`{"k":2,"new":1},{"k":3,"s":"three","l":[null,"d"],"o":{"x":3.5},"f":false}]`, `[{"k":3},{"k":4,"s":"four","l":["e"],"o":{},"f":true}]`},
			want: outcome{
				Rows: []string{
					`k=1 s="one" l=["a" "b"] o={x:1.0} f=true page=1 place=0`, `k=2 s=null l=[] o=null f=null page=1 place=2`,
					`k=3 s="three" l=[null "d"] o={x:3.5} f=false page=1 place=4`, `k=4 s="four" l=["e"] o={x:null} f=true page=2 place=1`,
				},
				Rejects: []string{"1 unique /k", "3 unique /k", "0 unique /k"},
			},
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			p := dataset{columns: tt.columns, quality: tt.quality}.plan(t)
			c, s, err := run(t, p, readers(tt.pages)...)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.want, c.outcome); diff != "" {
				t.Fatalf("(-want +got)\n%s", diff)
			}
			if s.Records != int64(len(c.Rows)+len(c.rejects)) {
				t.Fatalf("%d records, %d rows and %d rejects", s.Records, len(c.Rows), len(c.rejects))
			}
		})
	}
}

func TestSummary(t *testing.T) {
	columns := `- {name: a, logicalType: string, quality: [{id: few-nulls, metric: nullValues, mustBeLessThan: 50, unit: percent}, {id: no-na, metric: missingValues, arguments: {missingValues: ["n/a"]}, mustBe: 0, severity: warning}, {id: mostly-valid, metric: invalidValues, arguments: {validValues: [x, y], pattern: "^[xyz]$"}, mustBeLessOrEqualTo: 1}]}
- {name: b, logicalType: integer, quality: [{id: few-twins, metric: duplicateValues, mustBeBetween: [0, 3]}]}
- {name: c, logicalType: object, properties: [{name: d, logicalType: array, items: {logicalType: integer}}], quality: [{id: some-c, metric: nullValues, mustBe: 1, severity: warning}]}`
	quality := `- {id: enough, metric: rowCount, mustBeGreaterOrEqualTo: 4}
- {id: small, type: custom, engine: cel, implementation: b < 5, severity: warning}`
	custom := "- {property: rejectThresholdPercent, value: 20}"
	for _, tt := range []struct {
		name string
		page string
		want Summary
	}{
		{
			name: "all is well",
			page: `[{"a":"x","b":1,"c":{}},{"a":"y","b":1,"c":{"d":[]}},{"a":"z","b":2},{"b":9,"c":{"d":[1]}}]`,
			want: Summary{
				Pages: 1, Records: 4, Clean: 4, RejectThreshold: 20, Warnings: 1, WarningsByRule: []RuleCount{{Rule: "small", Records: 1}},
				Metrics: []MetricResult{
					{ID: "few-nulls", Name: "nullValues", Columns: []string{"a"}, Value: 25, Percent: true, Passed: true},
					{ID: "no-na", Name: "missingValues", Columns: []string{"a"}, Passed: true, Severity: 1},
					{ID: "mostly-valid", Name: "invalidValues", Columns: []string{"a"}, Value: 1, Passed: true},
					{ID: "few-twins", Name: "duplicateValues", Columns: []string{"b"}, Value: 1, Passed: true},
					{ID: "some-c", Name: "nullValues", Columns: []string{"c"}, Value: 1, Passed: true, Severity: 1},
					{ID: "enough", Name: "rowCount", Value: 4, Passed: true},
				},
			},
		},
		{
			name: "held",
			page: `[{"a":"n/a","b":1},{"a":1,"b":1},{"b":"x"}]`,
			want: Summary{
				Pages: 1, Records: 3, Clean: 1, Rejected: 2, RejectPercent: 200. / 3, RejectThreshold: 20, Held: true,
				ByRule: []RuleCount{{Rule: "type", Pointer: "/a", Records: 1}, {Rule: "type", Pointer: "/b", Records: 1}},
				Metrics: []MetricResult{
					{ID: "few-nulls", Name: "nullValues", Columns: []string{"a"}, Percent: true, Passed: true},
					{ID: "no-na", Name: "missingValues", Columns: []string{"a"}, Value: 1, Severity: 1, Message: "no-na: missingValues of a is 1 row, and must be 0"},
					{ID: "mostly-valid", Name: "invalidValues", Columns: []string{"a"}, Value: 1, Passed: true},
					{ID: "few-twins", Name: "duplicateValues", Columns: []string{"b"}, Message: "few-twins: duplicateValues of b is 0 rows, and must be between 0 and 3"},
					{ID: "some-c", Name: "nullValues", Columns: []string{"c"}, Value: 1, Passed: true, Severity: 1},
					{ID: "enough", Name: "rowCount", Value: 1, Message: "enough: rowCount is 1 row, and must be at least 4"},
				},
				Reasons: []string{
					"2 of 3 records are rejected: 66.67 %, above the threshold of 20 %",
					"few-twins: duplicateValues of b is 0 rows, and must be between 0 and 3",
					"enough: rowCount is 1 row, and must be at least 4",
				},
			},
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, s, err := run(t, dataset{columns: columns, quality: quality, custom: custom}.plan(t), strings.NewReader(tt.page))
			if err != nil {
				t.Fatal(err)
			}
			tt.want.Bytes = int64(len(tt.page))
			if diff := cmp.Diff(&tt.want, s); diff != "" {
				t.Fatalf("(-want +got)\n%s", diff)
			}
		})
	}
}

// Warnings count the records that are kept: not those that are rejected, nor those whose key turns out to be known.
func TestWarningsAreOfRows(t *testing.T) {
	const cut = `"2025-03-04T14:45:50.1556Z"`
	p := dataset{columns: "- {name: k, logicalType: integer, unique: true}\n- {name: t, logicalType: timestamp}\n- {name: v, logicalType: timestamp}"}.plan(t)
	for _, tt := range []struct {
		name, page string
		want       []RuleCount
	}{
		{"a double", `[{"k":1,"t":` + cut + `},{"k":1,"t":` + cut + `}]`, []RuleCount{{RuleCut, "/t", 1}}},
		{"only a double", `[{"k":1},{"k":1,"t":` + cut + `}]`, nil},
		{"a reject behind a double", `[{"k":1},{"k":1},{"k":"x","t":` + cut + `}]`, nil},
		{"a reject behind a double that has others", `[{"k":1},{"k":1,"v":` + cut + `},{"k":"x","t":` + cut + `},{"k":2,"v":` + cut + `}]`, []RuleCount{{RuleCut, "/v", 1}}},
		{"a reject that is too large behind a double", "{\"k\":1}\n{\"k\":1,\"t\":" + cut + "}\nx\n", nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, s, err := run(t, p, strings.NewReader(tt.page))
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.want, s.WarningsByRule); diff != "" || s.Warnings != int64(len(tt.want)) {
				t.Fatalf("%d warnings (-want +got)\n%s", s.Warnings, diff)
			}
		})
	}
}

// What decides whether a number is a multiple must not depend on how many digits the number has.
func TestMultipleOfManyDigits(t *testing.T) {
	p := dataset{columns: "- {name: v, logicalType: number, logicalTypeOptions: {multipleOf: 0.03}}", limits: "{record: 16MiB}"}.plan(t)
	many := strings.Repeat("3", 1_000_000) // a quotient of so many digits takes seconds
	zeros := strings.Repeat("0", 1_000_000)
	for _, tt := range []struct {
		name, value string
		multiple    bool
	}{
		{"digits without end", "1." + many, false},
		{"zeros without end", "3." + zeros, true},
		{"zeros that an exponent takes away", "3" + zeros + "e-1000002", true},
		{"the last digit is too fine", "3." + zeros + "3", false},
		{"as many digits as a double has before the point", "3" + strings.Repeat("0", 300) + "3", true},
		{"not quite a multiple", "3" + strings.Repeat("0", 300) + "1", false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c, _, err := run(t, p, strings.NewReader(`[{"v":`+tt.value+`}]`))
			if err != nil {
				t.Fatal(err)
			}
			if got := len(c.Rejects) == 0; got != tt.multiple {
				t.Fatalf("a multiple %v, want %v: %v", got, tt.multiple, c.Rejects)
			}
		})
	}
}
