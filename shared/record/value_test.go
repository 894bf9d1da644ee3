package record

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// Each value is read alone in a column of the type; want is the value, or the rules that it breaks.
func TestValues(t *testing.T) {
	types := map[string]string{
		"string":    "logicalType: string",
		"integer":   "logicalType: integer",
		"number":    "logicalType: number",
		"decimal":   `logicalType: number, physicalType: "decimal(6,2)"`,
		"decimal18": `logicalType: number, physicalType: "decimal(18,3)"`,
		"decimal38": `logicalType: number, physicalType: "decimal(38,8)"`,
		"boolean":   "logicalType: boolean",
		"timestamp": "logicalType: timestamp",
		"jdk":       `logicalType: timestamp, logicalTypeOptions: {format: "dd.MM.yyyy HH:mm:ss", timezone: false, defaultTimezone: Europe/Berlin}`,
		"seconds":   "logicalType: timestamp, customProperties: [{property: epoch, value: seconds}]",
		"millis":    "logicalType: timestamp, customProperties: [{property: epoch, value: milliseconds}]",
		"date":      "logicalType: date, logicalTypeOptions: {format: yyyy-MM-dd}",
		"german":    "logicalType: date, logicalTypeOptions: {format: dd.MM.yyyy}",
		"json":      "logicalType: object, physicalType: string",
		"list":      "logicalType: array, items: {logicalType: integer}",
		"lists":     "logicalType: array, items: {logicalType: array, items: {logicalType: string}}",
		"struct":    "logicalType: object, properties: [{name: a, logicalType: integer}, {name: b, logicalType: array, items: {logicalType: string}}]",
		"structs":   "logicalType: array, items: {logicalType: object, properties: [{name: a, logicalType: integer}, {name: b, logicalType: array, items: {logicalType: string}}]}",
		"strict":    "logicalType: integer, customProperties: [{property: strict, value: true}]",
	}
	for _, tt := range []struct{ kind, value, want string }{
		{"string", `"abc"`, `"abc"`},
		{"string", `""`, `""`},
		{"string", `"a\"\\\/\b\f\n\r\t\u0041"`, `"a\"\\/\b\f\n\r\tA"`},
		{"string", `"\ud83d\udc38 🐸 Größe"`, `"🐸 🐸 Größe"`},
		{"string", `"\u0000"`, `"\u0000"`},
		{"string", `"\ud83d"`, "! encoding /v"},
		{"string", `"\udc38\ud83d"`, "! encoding /v"},
		{"string", `"\ud83dx"`, "! encoding /v"},
		{"string", `"\ud83d\u0041"`, "! encoding /v"},
		{"string", "\"\xff\"", "! encoding /v"},
		{"string", "\"\xc0\xaf\"", "! encoding /v"},
		{"string", "\"\xed\xa0\x80\"", "! encoding /v"},
		{"string", "\"\xf0\x9f\x90\"", "! encoding /v"},
		{"string", `1`, "! type /v"},
		{"string", `{"a":"b"}`, "! type /v"},
		{"string", `null`, "null"},

		{"integer", `0`, "0"},
		{"integer", `-0`, "0"},
		{"integer", `1.0`, "1"},
		{"integer", `1e3`, "1000"},
		{"integer", `1.5e1`, "15"},
		{"integer", `1500e-2`, "15"},
		{"integer", `0e999999999999`, "0"},
		{"integer", `"42"`, "42"},
		{"integer", `"-1.20e1"`, "-12"},
		{"integer", `9223372036854775807`, "9223372036854775807"},
		{"integer", `-9223372036854775808`, "-9223372036854775808"},
		{"integer", `9223372036854775808`, "! overflow /v"},
		{"integer", `-9223372036854775809`, "! overflow /v"},
		{"integer", `9223372036854775807.0`, "9223372036854775807"},
		{"integer", `9007199254740993`, "9007199254740993"},
		{"integer", `100000000000000000000000000e-20`, "1000000"},
		{"integer", `12345678901234567890123`, "! overflow /v"},
		{"integer", `1e19`, "! overflow /v"},
		{"integer", `1e999`, "! overflow /v"},
		{"integer", `1.5`, "! type /v"},
		{"integer", `1e-1`, "! type /v"},
		{"integer", `0.00000000000000000000000001`, "! type /v"},
		{"integer", `"4 2"`, "! type /v"},
		{"integer", `""`, "! type /v"},
		{"integer", `"0x10"`, "! type /v"},
		{"integer", `"01"`, "! type /v"},
		{"integer", `" 1"`, "! type /v"},
		{"integer", `true`, "! type /v"},
		{"strict", `"42"`, "! type /v"},
		{"strict", `42`, "42"},

		{"number", `0`, "0"},
		{"number", `-0`, "-0"},
		{"number", `-0.0e5`, "-0"},
		{"number", `79847`, "79847"},
		{"number", `7.662e-05`, "7.662e-05"},
		{"number", `1.7976931348623157e308`, "1.7976931348623157e+308"},
		{"number", `1.7976931348623159e308`, "! overflow /v"},
		{"number", `1e999`, "! overflow /v"},
		{"number", `-1e999`, "! overflow /v"},
		{"number", `5e-324`, "5e-324"},
		{"number", `1e-999`, "0"},
		{"number", `2.2250738585072011e-308`, "2.225073858507201e-308"},
		{"number", `0.1000000000000000055511151231257827021181583404541015625`, "0.1"},
		{"number", `"12.5"`, "12.5"},
		{"number", `"NaN"`, "! type /v"},
		{"number", `"Infinity"`, "! type /v"},
		{"number", `"1,234.5"`, "! type /v"},
		{"number", `"1."`, "! type /v"},
		{"number", `[]`, "! type /v"},

		{"decimal", `1`, "1.00"},
		{"decimal", `-0`, "0.00"},
		{"decimal", `1234.5`, "1234.50"},
		{"decimal", `-9999.99`, "-9999.99"},
		{"decimal", `10000`, "! overflow /v"},
		{"decimal", `0.005`, "! precision /v"},
		{"decimal", `0.0500`, "0.05"},
		{"decimal", `5e-2`, "0.05"},
		{"decimal", `1e3`, "1000.00"},
		{"decimal", `1e4`, "! overflow /v"},
		{"decimal", `1e-3`, "! precision /v"},
		{"decimal", `"12.34"`, "12.34"},
		{"decimal", `0e99999999`, "0.00"},
		{"decimal18", `999999999999999.999`, "999999999999999.999"},
		{"decimal18", `1000000000000000`, "! overflow /v"},
		{"decimal38", `123456789012345678901234567890.12345678`, "123456789012345678901234567890.12345678"},
		{"decimal38", `-999999999999999999999999999999.99999999`, "-999999999999999999999999999999.99999999"},
		{"decimal38", `1000000000000000000000000000000`, "! overflow /v"},
		{"decimal38", `1234567890123456789012345678901234567890`, "! overflow /v"},
		{"decimal38", `0.123456789`, "! precision /v"},
		{"decimal38", `123456789012345678901234567890.123456780000000000000`, "123456789012345678901234567890.12345678"},
		{"decimal38", `1e29`, "100000000000000000000000000000.00000000"},
		{"decimal38", `1e30`, "! overflow /v"},

		{"boolean", `true`, "true"},
		{"boolean", `false`, "false"},
		{"boolean", `"true"`, "! type /v"},
		{"boolean", `1`, "! type /v"},

		{"timestamp", `"2025-03-04T14:45:50.155Z"`, "2025-03-04T14:45:50.155Z"},
		{"timestamp", `"2025-03-04T14:45:50Z"`, "2025-03-04T14:45:50.000Z"},
		{"timestamp", `"2025-03-04t14:45:50.1z"`, "2025-03-04T14:45:50.100Z"},
		{"timestamp", `"2025-03-04T14:45:50.155123456Z"`, "2025-03-04T14:45:50.155Z ~"},
		{"timestamp", `"2025-03-04T14:45:50.155000Z"`, "2025-03-04T14:45:50.155Z"},
		{"timestamp", `"1969-12-31T23:59:59.9999Z"`, "1969-12-31T23:59:59.999Z ~"},
		{"timestamp", `"2025-03-04T14:45:50+05:30"`, "2025-03-04T09:15:50.000Z"},
		{"timestamp", `"2025-03-04T14:45:50.25-00:30"`, "2025-03-04T15:15:50.250Z"},
		{"timestamp", `"2025\u002d03-04T14:45:50Z"`, "2025-03-04T14:45:50.000Z"},
		{"timestamp", `"2024-02-29T00:00:00Z"`, "2024-02-29T00:00:00.000Z"},
		{"timestamp", `"2025-02-29T00:00:00Z"`, "! type /v"},
		{"timestamp", `"1900-02-29T00:00:00Z"`, "! type /v"},
		{"timestamp", `"2025-02-31T00:00:00Z"`, "! type /v"},
		{"timestamp", `"2025-13-01T00:00:00Z"`, "! type /v"},
		{"timestamp", `"2025-00-01T00:00:00Z"`, "! type /v"},
		{"timestamp", `"2025-01-00T00:00:00Z"`, "! type /v"},
		{"timestamp", `"2016-12-31T23:59:60Z"`, "! type /v"},
		{"timestamp", `"2025-03-04T24:00:00Z"`, "! type /v"},
		{"timestamp", `"2025-03-04T14:60:00Z"`, "! type /v"},
		{"timestamp", `"2025-03-04 14:45:50Z"`, "! type /v"},
		{"timestamp", `"2025-03-04T14:45:50"`, "! type /v"},
		{"timestamp", `"2025-03-04T14:45:50.Z"`, "! type /v"},
		{"timestamp", `"2025-03-04T14:45:50+0530"`, "! type /v"},
		{"timestamp", `"2025-03-04T14:45:50+24:00"`, "! type /v"},
		{"timestamp", `"2025-03-04T14:45:50Zx"`, "! type /v"},
		{"timestamp", `"0000-12-31T00:00:00Z"`, "! type /v"},
		{"timestamp", `"0001-01-01T00:00:00Z"`, "0001-01-01T00:00:00.000Z"},
		{"timestamp", `"9999-12-31T23:59:59.999Z"`, "9999-12-31T23:59:59.999Z"},
		{"timestamp", `"9999-12-31T23:59:59-01:00"`, "! type /v"},
		{"timestamp", `"yesterday"`, "! type /v"},
		{"timestamp", `1741099550`, "! type /v"},
		{"jdk", `"04.03.2025 14:45:50"`, "2025-03-04T13:45:50.000Z"},
		{"jdk", `"31.02.2025 14:45:50"`, "! type /v"},
		{"jdk", `"04.03.2025 4:45:50"`, "! type /v"},
		{"jdk", `"04.03.2025 14:45:50.5"`, "! type /v"},
		{"jdk", `"30.03.2025 02:30:00"`, "! type /v"},
		{"jdk", `"31.12.2016 23:59:60"`, "! type /v"},
		{"seconds", `1741099550`, "2025-03-04T14:45:50.000Z"},
		{"seconds", `1741099550.155`, "2025-03-04T14:45:50.155Z"},
		{"seconds", `1741099550.1556`, "2025-03-04T14:45:50.155Z ~"},
		{"seconds", `"1741099550"`, "2025-03-04T14:45:50.000Z"},
		{"seconds", `-1`, "1969-12-31T23:59:59.000Z"},
		{"seconds", `-0.0001`, "1969-12-31T23:59:59.999Z ~"},
		{"seconds", `1e300`, "! overflow /v"},
		{"seconds", `253402300800`, "! overflow /v"},
		{"seconds", `253402300799`, "9999-12-31T23:59:59.000Z"},
		{"millis", `1741099550155`, "2025-03-04T14:45:50.155Z"},
		{"millis", `1.741099550155e12`, "2025-03-04T14:45:50.155Z"},
		{"millis", `9223372036854775808`, "! overflow /v"},
		{"millis", `"2025-03-04"`, "! type /v"},

		{"date", `"2025-03-04"`, "2025-03-04"},
		{"date", `"1969-12-31"`, "1969-12-31"},
		{"date", `"2025-02-31"`, "! type /v"},
		{"date", `"2025-3-4"`, "! type /v"},
		{"date", `"2025-03-04T00:00:00Z"`, "! type /v"},
		{"german", `"04.03.2025"`, "2025-03-04"},
		{"german", `"30.02.2025"`, "! type /v"},

		{"json", `{"a": [1, 2.50, "\u00e9"] }`, `{"a": [1, 2.50, "\u00e9"] }`},
		{"json", `{}`, `{}`},
		{"json", "{\"a\":\"\xff\"}", "! encoding /v"},

		{"list", `[1,2.0,"3",null]`, "[1 2 3 null]"},
		{"list", `[]`, "[]"},
		{"list", `[1,"x",2,true]`, "! type /v/1 type /v/3"},
		{"list", `{"0":1}`, "! type /v"},
		{"lists", `[["a",null],[],null,["b"]]`, `[["a" null] [] null ["b"]]`},
		{"lists", `[[1]]`, "! type /v/0/0"},
		{"struct", `{"b":["x"],"a":1}`, `{a:1 b:["x"]}`},
		{"struct", `{}`, `{a:null b:null}`},
		{"struct", `{"a":1,"a":1}`, "! duplicate_member /v/a"},
		{"struct", `{"a":"x","b":[1]}`, "! type /v/a type /v/b/0"},
		{"struct", `[]`, "! type /v"},
		{"structs", `[{"a":1,"b":["x","y"]},null,{},{"b":[]},{"a":2,"b":[null]}]`, `[{a:1 b:["x" "y"]} null {a:null b:null} {a:null b:[]} {a:2 b:[null]}]`},
		{"structs", `[{"a":1},{"a":"x"}]`, "! type /v/1/a"},
	} {
		t.Run(tt.kind+" "+tt.value, func(t *testing.T) {
			// The value stands between two rows that must come out whole whatever becomes of it.
			p := dataset{columns: "- {name: v, " + types[tt.kind] + "}\n- {name: n, logicalType: integer}"}.plan(t)
			page := `[{"n":1},{"n":2,"v":` + tt.value + `},{"v":null,"n":3}]`
			c, s, err := run(t, p, strings.NewReader(page))
			if err != nil {
				t.Fatal(err)
			}
			got := ""
			switch {
			case len(c.Rows) == 3:
				got = strings.TrimSuffix(strings.TrimPrefix(c.Rows[1], "v="), " n=2")
				if s.Warnings > 0 {
					got += " ~"
				}
			case len(c.Rows) == 2:
				got = "!"
				for _, r := range c.Rejects {
					got += strings.TrimPrefix(r, "1")
				}
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Fatalf("(-want +got)\n%s", diff)
			}
			if c.Rows[0] != "v=null n=1" || c.Rows[len(c.Rows)-1] != "v=null n=3" {
				t.Fatalf("the rows around are %q", c.Rows)
			}
		})
	}
}

func TestMembers(t *testing.T) {
	for _, tt := range []struct {
		name    string
		columns string
		page    string
		want    outcome
		unknown []RuleCount
	}{
		{
			name:    "order changes, members are missing",
			columns: "- {name: a, logicalType: integer}\n- {name: b, logicalType: integer}\n- {name: c, logicalType: integer}",
			page:    `[{"a":1,"b":2,"c":3},{"c":3,"b":2,"a":1},{"b":2},{},{"a":1,"c":3},{ "a" : 1 , "b" : 2 }]`,
			want: outcome{Rows: []string{
				"a=1 b=2 c=3", "a=1 b=2 c=3", "a=null b=2 c=null", "a=null b=null c=null", "a=1 b=null c=3", "a=1 b=2 c=null",
			}},
		},
		{
			name:    "names with escapes, spaces and Unicode",
			columns: `- {name: "Temperature (°C)", physicalName: t, logicalType: number}` + "\n" + `- {name: "a\"b", physicalName: q, logicalType: integer}`,
			page:    `[{"Temperature (°C)":1.5,"a\"b":1},{"Temperature (\u00b0C)":2.5,"\u0061\u0022b":2}]`,
			want:    outcome{Rows: []string{"t=1.5 q=1", "t=2.5 q=2"}},
		},
		{
			name:    "a name that reads as another one's escapes",
			columns: "- {name: ab, logicalType: integer}",
			page:    `[{"a\\u0062":5},{"a\u0062":7},{"ab":8,"a\\u0062":9}]`,
			want:    outcome{Rows: []string{"ab=null", "ab=7", "ab=8"}},
			unknown: []RuleCount{{RuleUnknown, `/a\u0062`, 2}},
		},
		{
			name: "names that look like the places in lists",
			columns: `- {name: "*x", physicalName: x, logicalType: array, items: {logicalType: integer}}` + "\n" +
				`- {name: "*", physicalName: y, logicalType: array, items: {logicalType: object, properties: [{name: "*", physicalName: z, logicalType: array, items: {logicalType: array, items: {logicalType: integer}}}]}}`,
			page: `[{"*x":[1,"x"]},{"*":[{"*":[[1],[2,"y"]]}]}]`,
			want: outcome{Rejects: []string{"0 type /*x/1", "1 type /*/0/*/1/1"}},
		},
		{
			name:    "unknown members in a list count once a record",
			columns: "- {name: l, logicalType: array, items: {logicalType: object, properties: [{name: a, logicalType: integer}]}}",
			page:    `[{"l":[{"b":1},{"b":2,"c":1},{"a":3,"b":1}]},{"l":[{"b":0}]},{"l":[]}]`,
			want:    outcome{Rows: []string{"l=[{a:null} {a:null} {a:3}]", "l=[{a:null}]", "l=[]"}},
			unknown: []RuleCount{{RuleUnknown, "/l/*/b", 2}, {RuleUnknown, "/l/*/c", 1}},
		},
		{
			name:    "unknown members",
			columns: "- {name: a, logicalType: integer}\n- {name: s, logicalType: object, properties: [{name: x, logicalType: integer}]}",
			page:    `[{"a":1,"new":{"deep":[1]}},{"new":1,"a":2,"s":{"x":1,"y/z":2}},{"a":3,"new":1}]`,
			want:    outcome{Rows: []string{"a=1 s=null", "a=2 s={x:1}", "a=3 s=null"}},
			unknown: []RuleCount{{RuleUnknown, "/new", 3}, {RuleUnknown, "/s/y~1z", 1}},
		},
		{
			name:    "duplicate members, known and unknown",
			columns: "- {name: a, logicalType: integer}",
			page:    `[{"a":1,"a":1},{"b":1,"a":1,"b":2},{"a":1,"\u0061":2},{"a":4}]`,
			want: outcome{
				Rows:    []string{"a=4"},
				Rejects: []string{"0 duplicate_member /a", "1 duplicate_member /b", "2 duplicate_member /a"},
			},
			unknown: []RuleCount{{RuleUnknown, "/b", 1}},
		},
		{
			name: "pointers",
			columns: "- {name: mag, logicalType: number, transformSourceObjects: [/properties/mag]}\n" +
				"- {name: lon, logicalType: number, transformSourceObjects: [/geometry/coordinates/0]}\n" +
				"- {name: second, logicalType: number, transformSourceObjects: [/geometry/coordinates/1], required: true}",
			page: `[{"properties":{"mag":1.5,"new":0},"geometry":{"coordinates":[7,8,9]}},{"geometry":{"coordinates":[7]}},{"properties":null,"geometry":{"coordinates":{"1":5}}}]`,
			want: outcome{
				Rows:    []string{"mag=1.5 lon=7 second=8", "mag=null lon=null second=5"},
				Rejects: []string{"1 required /geometry/coordinates/1"},
			},
			unknown: []RuleCount{{RuleUnknown, "/properties/new", 1}},
		},
		{
			name: "one value for two columns",
			columns: "- {name: roi, logicalType: object, properties: [{name: times, logicalType: number}, {name: percentage, logicalType: number}]}\n" +
				"- {name: percentage, logicalType: number, transformSourceObjects: [/roi/percentage], logicalTypeOptions: {minimum: 0}}\n" +
				"- {name: text, logicalType: object, physicalType: string, transformSourceObjects: [/roi]}",
			page: `[{"roi":{"times":1,"percentage":2,"x":1}},{"roi":null},{"roi":{"percentage":-1}},{"roi":{"percentage":"x","percentage":1}}]`,
			want: outcome{
				Rows:    []string{`roi={times:1 percentage:2} percentage=2 text={"times":1,"percentage":2,"x":1}`, "roi=null percentage=null text=null"},
				Rejects: []string{"2 minimum /roi/percentage", "3 type /roi/percentage", "3 duplicate_member /roi/percentage"},
			},
			unknown: []RuleCount{{RuleUnknown, "/roi/x", 1}},
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c, s, err := run(t, dataset{columns: tt.columns}.plan(t), strings.NewReader(tt.page))
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.want, c.outcome); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
			if diff := cmp.Diff(tt.unknown, s.Unknown); diff != "" {
				t.Errorf("unknown members (-want +got)\n%s", diff)
			}
		})
	}
}

// Beyond MaxUnknown names no more is kept, and what is twice in one object is still seen.
func TestManyUnknownMembers(t *testing.T) {
	var page strings.Builder
	page.WriteString("[")
	for i := range 3 * MaxUnknown {
		if i > 0 {
			page.WriteString(",")
		}
		page.WriteString(`{"a":1,"x` + strings.Repeat("y", i) + `":1}`)
	}
	last := `"z` + strings.Repeat("z", 3) + `":1`
	page.WriteString(`,{"a":1,` + last + `,` + last + `}]`)
	c, s, err := run(t, dataset{columns: "- {name: a, logicalType: integer}"}.plan(t), strings.NewReader(page.String()))
	if err != nil {
		t.Fatal(err)
	}
	if len(s.Unknown) != MaxUnknown || s.UnknownMore != 2*MaxUnknown+1 {
		t.Errorf("%d names and %d more, want %d and %d", len(s.Unknown), s.UnknownMore, MaxUnknown, 2*MaxUnknown+1)
	}
	if diff := cmp.Diff([]string{"300 duplicate_member /zzzz"}, c.Rejects); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

// What is kept of names that the contract does not have is bounded, however long they are and however many come twice.
func TestUnknownNamesAreBounded(t *testing.T) {
	var page strings.Builder
	for i := range 3 * MaxUnknown {
		name := strings.Repeat("n", maxUnknownName) + itoa(int64(i))
		page.WriteString(`{"a":1,"` + name + `":1,"s":{"` + name + `":1,"` + name + `":2}}` + "\n")
	}
	p := dataset{columns: "- {name: a, logicalType: integer}\n- {name: s, logicalType: object, properties: [{name: x, logicalType: integer}]}"}.plan(t)
	c := &collector{plan: p}
	r := p.Start(Run{ScheduledAt: scheduled}, c)
	if err := r.Page(Page{Number: 1, Records: -1}, strings.NewReader(page.String())); err != nil {
		t.Fatal(err)
	}
	if n := len(r.root.members) - r.root.known; n > 0 {
		t.Errorf("%d long names are kept", n)
	}
	s, err := r.Close()
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]RuleCount{{RuleDuplicateMember, "/s", 3 * MaxUnknown}}, s.ByRule); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
	if at := c.rejects[7].Violations[0].Pointer; at != "/s/"+strings.Repeat("n", maxUnknownName)+"7" {
		t.Errorf("the violation is at %s", at)
	}
	if s.UnknownMore != 6*MaxUnknown || len(s.Unknown) != 0 {
		t.Errorf("%d more and %v, want %d", s.UnknownMore, s.Unknown, 6*MaxUnknown)
	}
}
