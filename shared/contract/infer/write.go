package infer

import (
	"bytes"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"tributary/shared/contract"
)

var plainText = regexp.MustCompile(`^[A-Za-z_/][A-Za-z0-9_./-]*$`)

// words are plain texts that YAML takes for something else.
var words = []string{"true", "false", "yes", "no", "on", "off", "null", "y", "n", "nan", "inf"}

// quote writes a text as YAML, in quotes where it needs them.
func quote(text string) string {
	if plainText.MatchString(text) && !slices.Contains(words, strings.ToLower(text)) {
		return text
	}
	var b strings.Builder
	b.WriteByte('"')
	for _, r := range text {
		switch {
		case r == '"' || r == '\\':
			b.WriteByte('\\')
			b.WriteRune(r)
		case unwritten(r):
			fmt.Fprintf(&b, `\u%04x`, r)
		default:
			b.WriteRune(r)
		}
	}
	b.WriteByte('"')
	return b.String()
}

// unwritten reports whether YAML does not take a character as it is, or takes it for a break.
func unwritten(r rune) bool {
	return r < ' ' || r >= 0x7f && r < 0xa0 || r == 0x2028 || r == 0x2029 || r == 0xfeff || r == 0xfffe || r == 0xffff
}

// comment writes a text into one line of a comment.
func comment(text string) string {
	return strings.Map(func(r rune) rune {
		if unwritten(r) {
			return ' '
		}
		return r
	}, text)
}

const (
	enoughRecords   = 20   // in which what differs or comes again hardly does so by chance
	requiredRecords = 1000 // without a null, before a column is taken for one that has none: it binds, and of a hundred the next may be null
)

func (d *draft) yaml() []byte {
	var b bytes.Buffer
	p := func(format string, args ...any) { fmt.Fprintf(&b, format+"\n", args...) }
	from := "a sample file"
	if d.options.URL != "" {
		from = d.location
	}
	p("apiVersion: v3.1.0")
	p("kind: DataContract")
	p("id: %s", strings.ReplaceAll(d.dataset, "_", "-"))
	p("name: %s", d.dataset)
	p("version: 1.0.0")
	p("status: active")
	p("description:")
	p("  purpose: %s", quote(fmt.Sprintf("Records of %s, as %s gives them.", d.dataset, from)))
	p("  limitations: %s", quote(fmt.Sprintf("Types and keys were inferred from %s; comments say what else they suggest.", plural(d.records, "record"))))
	p("servers:")
	p("  - {server: source, type: api, location: %s}", quote(d.location))
	p("  - {server: local, type: local, path: %s, format: parquet}", quote(".local/lake/"+d.dataset+"/**/*.parquet"))
	p("schema:")
	p("  - name: %s", d.dataset)
	p("    physicalName: %s", d.dataset)
	p("    physicalType: table")
	p("    logicalType: object")
	p("    dataGranularityDescription: One row per record per run.")
	p("    properties:")
	for i := range d.fields {
		d.property(&b, i)
	}
	d.lineage(p)
	p("slaProperties:")
	p("  - {property: frequency, value: 1, unit: h, element: %s}", d.dataset)
	p("  - {property: latency, value: 3, unit: h, element: %s}", d.dataset)
	p("  - {property: retention, value: 730, unit: d, element: %s}", d.dataset)
	p("customProperties:")
	p("  - property: source")
	p("    value:")
	if pairs := d.constant(); len(pairs) > 0 {
		p("      query: {%s}", strings.Join(pairs, ", "))
	}
	p("      headers: {Accept: application/json}")
	p("      records: %s", quoteAlways(d.found.pointer))
	p("      pagination: %s", d.paging)
	if d.auth != "" {
		p("      auth: %s", d.auth)
	}
	if d.insecure {
		p("      insecure: true")
	}
	p("      rate: {requests: 30, per: 1m}")
	if limits := d.limits(); limits != "" {
		p("      limits: %s", limits)
	}
	if len(d.keys) > 0 {
		p("  - property: serving")
		p("    value: %s", d.serving())
	}
	p("  - property: rejectThresholdPercent")
	p("    value: 5")
	return b.Bytes()
}

// limits are those of the contract where the sample comes near to what it allows by itself; "" where it does not.
func (d *draft) limits() string {
	const room, mebi = 4, 1 << 20
	usual := contract.Limits{}.OrDefault()
	var parts []string
	body := int64(room * d.body)
	if body > usual.Body {
		parts = append(parts, fmt.Sprintf("body: %dMiB", min(body/mebi+1, 1024)))
	}
	if record := room * d.largest; record > usual.Record {
		parts = append(parts, fmt.Sprintf("record: %dMiB", min(record/mebi+1, 64)))
	}
	if len(parts) == 0 {
		return ""
	}
	return "{" + strings.Join(parts, ", ") + "}"
}

func quoteAlways(text string) string {
	if text == "" {
		return `""`
	}
	return quote(text)
}

// sentByPaging are the parameters that pagination sends itself.
var sentByPaging = regexp.MustCompile(`[a-z]+_param: ("[^"]*"|[^,}]+)`)

// constant are the parameters of the query that are the same for every page.
func (d *draft) constant() []string {
	var sent, pairs []string
	for _, m := range sentByPaging.FindAllStringSubmatch(d.paging, -1) {
		sent = append(sent, m[1])
	}
	for _, q := range d.query {
		if !slices.Contains(sent, quote(q[0])) && !slices.Contains(d.dropped(), q[0]) {
			pairs = append(pairs, quote(q[0])+": "+quoteAlways(q[1]))
		}
	}
	return pairs
}

// positions are parameters that say where in all the records an answer begins.
var positions = slices.Concat(pageParams, offsetParams, []string{"after", "before", "cursor", "page_token", "pageToken", "max_id", "since_id", "min_id"})

// dropped are the parameters of the query that led to the page which was sampled: where further pages are asked for by what
// the answer says, a run begins with the first.
func (d *draft) dropped() []string {
	var names []string
	for _, kind := range []string{"header_link", "json_link", "cursor"} {
		for _, q := range d.query {
			if strings.HasPrefix(d.paging, "{kind: "+kind) && among(q[0], positions) && !slices.Contains([]string{"0", "1", ""}, q[1]) {
				names = append(names, q[0])
			}
		}
	}
	return names
}

// property writes a column.
func (d *draft) property(b *bytes.Buffer, i int) {
	f := &d.fields[i]
	attributes := []string{"name: " + quote(f.member)}
	if f.pointer != "" {
		attributes = []string{"name: " + quote(f.column), "transformSourceObjects: [" + quote(f.pointer) + "]"}
	} else if f.column != f.member {
		attributes = append(attributes, "physicalName: "+quote(f.column))
	}
	if f.derived != "" {
		attributes = []string{"name: " + quote(f.column)}
	}
	attributes = append(attributes, typed(&f.shape)...)
	if f.derived != "" {
		attributes = append(attributes, "transformLogic: "+f.derived, "description: "+quote("The name of the member that is the record"))
	}
	if place := slices.Index(d.keys, i); place >= 0 {
		attributes = append(attributes, "primaryKey: true", fmt.Sprintf("primaryKeyPosition: %d", place+1))
	}
	if slices.Contains(d.keys, i) || i == d.newer || f.required() && f.records >= requiredRecords {
		attributes = append(attributes, "required: true")
	} else if f.required() {
		f.shape.hints = append([]string{fmt.Sprintf("required: true (never null in %s)", plural(f.records, "record"))}, f.shape.hints...)
	}
	writeProperty(b, "      ", attributes, &f.shape)
	if known := f.shape.known; len(known) > 0 {
		texts := make([]string, len(known))
		for k := range known {
			texts[k] = quote(known[k])
		}
		fmt.Fprintf(b, "        # %s\n", comment(fmt.Sprintf("quality: [{id: %s-values, metric: invalidValues, mustBe: 0, arguments: {validValues: [%s]}}] (%s)",
			strings.ReplaceAll(f.column, "_", "-"), strings.Join(texts, ", "), f.shape.evidence())))
	}
}

// evidence says what the known values were seen in.
func (s *shape) evidence() string {
	return fmt.Sprintf("%s in %s", plural(len(s.known), "value"), plural(s.of, "record"))
}

// typed are the attributes of a column's type.
func typed(s *shape) []string {
	attributes := []string{"logicalType: " + s.logical}
	if len(s.fields) == 0 && s.items == nil {
		attributes = append(attributes, "physicalType: "+quote(s.physical))
	}
	if len(s.options) > 0 {
		attributes = append(attributes, "logicalTypeOptions: {"+strings.Join(s.options, ", ")+"}")
	}
	if s.private {
		attributes = append(attributes, "classification: restricted")
	}
	if s.custom != "" {
		attributes = append(attributes, "customProperties: "+s.custom)
	}
	return attributes
}

func writeProperty(b *bytes.Buffer, indent string, attributes []string, s *shape) {
	if len(s.fields) == 0 && s.items == nil {
		fmt.Fprintf(b, "%s- {%s}\n", indent, strings.Join(attributes, ", "))
	} else {
		for k, a := range attributes {
			lead := "  "
			if k == 0 {
				lead = "- "
			}
			fmt.Fprintf(b, "%s%s%s\n", indent, lead, a)
		}
		writeInner(b, indent+"  ", s)
	}
	for _, h := range s.hints {
		fmt.Fprintf(b, "%s  # %s\n", indent, comment(h))
	}
	if s.bounds != "" {
		fmt.Fprintf(b, "%s  # %s\n", indent, s.bounds)
	}
}

// writeInner writes the members of an object or the elements of an array.
func writeInner(b *bytes.Buffer, indent string, s *shape) {
	if s.items != nil {
		fmt.Fprintf(b, "%sitems:\n", indent)
		for _, a := range typed(s.items) {
			fmt.Fprintf(b, "%s  %s\n", indent, a)
		}
		writeInner(b, indent+"  ", s.items)
		return
	}
	if len(s.fields) == 0 {
		return
	}
	fmt.Fprintf(b, "%sproperties:\n", indent)
	for k := range s.fields {
		f := &s.fields[k]
		attributes := []string{"name: " + quote(f.member)}
		if f.column != f.member {
			attributes = append(attributes, "physicalName: "+quote(f.column))
		}
		writeProperty(b, indent+"  ", append(attributes, typed(&f.shape)...), &f.shape)
		if known := f.shape.known; len(known) > 0 { // rules are for columns
			texts := make([]string, len(known))
			for k := range known {
				texts[k] = regexp.QuoteMeta(known[k])
			}
			fmt.Fprintf(b, "%s    # %s\n", indent, comment(fmt.Sprintf("pattern: %s (%s)", quote("^("+strings.Join(texts, "|")+")$"), f.shape.evidence())))
		}
	}
}

// lineageName is a name for a column of the lineage that no member has.
func (d *draft) lineageName(name string) string {
	for slices.ContainsFunc(d.fields, func(f field) bool { return f.column == name }) {
		name = "run_" + name
	}
	return name
}

// lineage writes the columns that say where a row comes from, under names that no member has.
func (d *draft) lineage(p func(string, ...any)) {
	free := d.lineageName
	key := ""
	if len(d.keys) > 0 {
		key = fmt.Sprintf(", primaryKey: true, primaryKeyPosition: %d", len(d.keys)+1)
	}
	p("      - {name: %s, logicalType: timestamp, physicalType: timestamp%s, required: true, transformLogic: run.scheduledAt, description: The run that brought this row}", free("run_at"), key)
	p("      - {name: %s, logicalType: timestamp, physicalType: timestamp, required: true, transformLogic: run.fetchedAt, description: When the page that holds this row was fetched}", free("fetched_at"))
	p("      - {name: %s, logicalType: integer, physicalType: bigint, required: true, logicalTypeOptions: {format: i64}, transformLogic: record.page, description: %s}", free("raw_page"), quote("The raw page of the run that holds this row, from 1"))
	p("      - {name: %s, logicalType: integer, physicalType: bigint, required: true, logicalTypeOptions: {format: i64}, transformLogic: record.index, description: %s}", free("raw_index"), quote("The row's place in that page, from 0"))
}

const servedAttributes = 8

// serving projects the key, the version and the first scalar columns into DynamoDB.
func (d *draft) serving() string {
	parts := []string{"partitionKey: " + quote(d.fields[d.keys[0]].column)}
	if len(d.keys) > 1 {
		parts = append(parts, "sortKey: "+quote(d.fields[d.keys[1]].column))
	}
	version := d.lineageName("run_at")
	if d.newer >= 0 {
		version = d.fields[d.newer].column
	}
	parts = append(parts, "version: "+quote(version))
	var attributes []string
	for i := range d.fields {
		if len(attributes) < servedAttributes && !slices.Contains(d.keys, i) && i != d.newer && d.fields[i].shape.scalar() {
			attributes = append(attributes, quote(d.fields[i].column))
		}
	}
	if len(attributes) > 0 {
		parts = append(parts, "attributes: ["+strings.Join(attributes, ", ")+"]")
	}
	return "{" + strings.Join(parts, ", ") + "}"
}
