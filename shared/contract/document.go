package contract

import (
	"regexp"
	"slices"
	"strings"
	"time"
)

// Names that the pipeline itself gives beside a dataset's table.
const (
	auditTable    = "pipeline_audit"
	rejectsSuffix = "_rejects"
	latestSuffix  = "_latest"
)

var (
	// A dataset's name stands in keys, function names and queue names, of which the shortest leaves this much.
	datasetName = regexp.MustCompile(`^[a-z][a-z0-9_]{0,39}$`)
	// Athena folds names to lower case and needs no quotes for these.
	tableName = regexp.MustCompile(`^[a-z][a-z0-9_]{0,127}$`)
	// stableID is the standard's form of an id.
	stableID = regexp.MustCompile(`^[A-Za-z0-9_-]{1,128}$`)
)

// builder makes the contract out of the document's parts, which refer to each other.
type builder struct {
	c       *Contract
	root    object
	custom  map[string]node // the contract's custom properties by name
	columns []columnNode    // where the columns of c stand
	index   map[string]int  // places of columns by name
}

// contract reads the document. Where there are faults, what it returns is incomplete.
func (n node) contract() *Contract {
	o := n.object("version", "kind", "apiVersion", "id", "name", "tenant", "tags", "status", "servers", "dataProduct",
		"description", "domain", "schema", "support", "price", "team", "roles", "slaDefaultElement", "slaProperties",
		"authoritativeDefinitions", "customProperties", "contractCreatedTs")
	c := &Contract{File: n.d.file, RejectThresholdPercent: 100}
	if o.yaml.Kind != mappingNode {
		return c
	}
	if v, ok := o.need("apiVersion", "write v3.1.0"); ok {
		v.oneOf("v3.1.0")
	}
	if v, ok := o.need("kind", "write DataContract"); ok {
		v.oneOf("DataContract")
	}
	if v, ok := o.need("id", "any text that names the contract for ever"); ok {
		c.ID, _ = v.nonEmpty()
		c.line.id = v.yaml.Line
	}
	if v, ok := o.need("version", "write MAJOR.MINOR.PATCH, as in \"1.0.0\""); ok {
		if text, ok := v.nonEmpty(); ok {
			version, err := ParseVersion(text)
			if err != nil {
				v.fault("is %s; want MAJOR.MINOR.PATCH, as in 1.0.0", v.describe())
			}
			c.Version = version
		}
	}
	if v, ok := o.need("status", "one of the standard's: proposed, draft, active, deprecated, retired"); ok {
		v.oneOf("proposed", "draft", "active", "deprecated", Retired)
		c.Status = v.yaml.Value
	}
	if v, ok := o.get("name"); ok {
		c.Name, _ = v.nonEmpty()
	}
	if v, ok := o.get("description"); ok {
		description := v.object("usage", "purpose", "limitations", "authoritativeDefinitions", "customProperties")
		description.prose("usage", "purpose", "limitations")
		description.annotations()
		description.noCustomProperties()
		if purpose, ok := description.get("purpose"); ok {
			c.Description = purpose.yaml.Value
		}
	}
	o.prose("tenant", "domain", "dataProduct")
	if v, ok := o.get("contractCreatedTs"); ok {
		v.moment(time.RFC3339Nano, "a timestamp as in \"2020-01-31T00:00:00Z\"")
	}
	o.refuse("slaDefaultElement", "is deprecated, and nothing looks at it: name the element in each of slaProperties")
	o.annotations()
	o.people()

	b := &builder{c: c, root: o, custom: o.customProperties(contractProperties)}
	b.dataset()
	b.slas()
	b.source()
	b.keyed()
	b.serving()
	b.threshold()
	b.servers()
	return c
}

// dataset reads the only entry of schema: its names, columns and rules.
func (b *builder) dataset() {
	c := b.c
	v, ok := b.root.need("schema", "write the dataset: name, physicalName, logicalType: object and properties")
	if !ok {
		return
	}
	items := v.list()
	if v.yaml.Kind == sequenceNode && len(items) == 0 {
		v.fault("is empty: write the dataset with name, physicalName, logicalType: object and properties")
	}
	if len(items) == 0 {
		return
	}
	for _, more := range items[1:] {
		more.fault("a second object: one contract is one dataset; write another file")
	}
	s := items[0].object("id", "name", "physicalName", "physicalType", "logicalType", "description", "businessName",
		"authoritativeDefinitions", "tags", "customProperties", "dataGranularityDescription", "properties",
		"relationships", "quality")
	if s.yaml.Kind != mappingNode {
		return
	}
	s.prose("description", "businessName", "dataGranularityDescription")
	s.annotations()
	s.noCustomProperties()
	s.refuse("relationships", "relationships to other datasets are not checked: remove them")
	if v, ok := s.need("name", "the dataset's name"); ok {
		c.Dataset, _ = v.matching(datasetName, "lower-case letters, digits and _, a letter first, 40 at most")
		c.line.dataset = v.yaml.Line
	}
	if v, ok := s.need("physicalName", "the name of the table"); ok {
		c.Table, _ = v.matching(tableName, "lower-case letters, digits and _, a letter first, 128 at most")
		c.line.table = v.yaml.Line
		switch c.Table {
		case auditTable:
			v.fault("%s is the table of the audit rows: choose another name", auditTable)
		case c.Dataset + rejectsSuffix:
			v.fault("%s is the table of the dataset's own rejects: choose another name", c.Table)
		case c.Dataset + latestSuffix:
			v.fault("%s is the view of the dataset's newest run: choose another name", c.Table)
		}
	}
	if v, ok := s.need("logicalType", "write object"); ok {
		v.oneOf("object")
	}
	if v, ok := s.get("physicalType"); ok {
		v.oneOf("table")
	}
	if v, ok := s.need("properties", "the columns"); ok {
		b.readColumns(v)
	}
	env := b.environment()
	b.derive(env)
	b.keys()
	b.qualities(s, env)
}

// annotations checks the members that the standard allows nearly everywhere and that carry text for people.
func (o object) annotations() {
	if v, ok := o.get("id"); ok && o.path != "" {
		v.matching(stableID, "letters, digits, _ and -")
	}
	if v, ok := o.get("tags"); ok {
		v.texts()
	}
	o.entries("authoritativeDefinitions", []string{"url", "type"}, "description")
}

// people checks who stands behind the contract and what it costs: text, none of which the pipeline uses.
func (o object) people() {
	o.entries("support", []string{"channel"}, "url", "description", "tool", "scope", "invitationUrl")
	o.roles()
	if v, ok := o.get("price"); ok {
		price := v.object("id", "priceAmount", "priceCurrency", "priceUnit")
		price.annotations()
		price.prose("priceCurrency", "priceUnit")
		if v, ok := price.get("priceAmount"); ok {
			v.number()
		}
	}
	if v, ok := o.get("team"); ok {
		team := v.object("id", "name", "description", "members", "tags", "customProperties", "authoritativeDefinitions")
		team.annotations()
		team.noCustomProperties()
		team.prose("name", "description")
		for _, member := range team.entries("members", []string{"username"}, "name", "description", "role", "replacedByUsername",
			"dateIn", "dateOut", "tags", "authoritativeDefinitions") {
			for _, key := range []string{"dateIn", "dateOut"} {
				if v, ok := member.get(key); ok {
					v.moment(time.DateOnly, "a date as in \"2020-01-31\"")
				}
			}
		}
	}
}

// roles checks who may do what, of the contract or of a server.
func (o object) roles() {
	o.entries("roles", []string{"role"}, "description", "access", "firstLevelApprovers", "secondLevelApprovers")
}

// entries checks a list of mappings of text, which all have the keys that are needed and may have others.
func (o object) entries(key string, needed []string, others ...string) []object {
	v, ok := o.get(key)
	if !ok {
		return nil
	}
	var entries []object
	for _, item := range v.list() {
		entry := item.object(slices.Concat([]string{"id", "customProperties"}, needed, others)...)
		for _, key := range needed {
			entry.need(key, "a text")
		}
		entry.annotations()
		entry.noCustomProperties()
		for _, key := range slices.Concat(needed, others) {
			switch key {
			case "tags", "authoritativeDefinitions", "dateIn", "dateOut":
			default:
				entry.prose(key)
			}
		}
		entries = append(entries, entry)
	}
	return entries
}

// noCustomProperties refuses custom properties where the pipeline reads none, because a misplaced one would be
// ignored in silence.
func (o object) noCustomProperties() {
	o.refuse("customProperties", "none are read here: %s stand at the top level, %s at a column",
		strings.Join(contractProperties, ", "), strings.Join(columnProperties, ", "))
}

// customProperties reads a list of {property, value} into a map; only the allowed names may occur, each once.
func (o object) customProperties(allowed []string) map[string]node {
	values := map[string]node{}
	v, ok := o.get("customProperties")
	if !ok {
		return values
	}
	for _, item := range v.list() {
		entry := item.object("id", "property", "value", "description")
		entry.annotations()
		entry.prose("description")
		name, ok := entry.need("property", "the name of the property")
		if !ok {
			continue
		}
		key, ok := name.nonEmpty()
		if !ok {
			continue
		}
		value, ok := entry.need("value", "the value of the property")
		switch _, twice := values[key]; {
		case !slices.Contains(allowed, key):
			name.fault("unknown property %q; %s", key, suggestion(key, allowed))
		case twice:
			name.fault("the property %q stands twice: remove one", key)
		case ok:
			values[key] = value
		}
	}
	return values
}
