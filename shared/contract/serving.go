package contract

import (
	"slices"
	"time"
)

// serving reads the projection into DynamoDB.
func (b *builder) serving() {
	v, ok := b.custom["serving"]
	if !ok {
		return
	}
	o := v.object("partitionKey", "sortKey", "version", "attributes", "ttl")
	s := &Serving{}
	b.c.Serving = s
	taken := map[string]string{}
	use := func(n node, role string) *Column {
		name, ok := n.nonEmpty()
		if !ok || len(b.c.Columns) == 0 { // without columns, that is the fault
			return nil
		}
		c := b.column(name)
		if c == nil {
			n.fault("no column is called %s; %s", name, suggestion(name, b.names()))
			return nil
		}
		if other, twice := taken[name]; twice {
			n.fault("%s is served already, as %s: remove one", name, other)
			return nil
		}
		taken[name] = role
		return c
	}
	key := func(name, hint string, to *string, must bool) {
		n, ok := o.get(name)
		if must {
			n, ok = o.need(name, hint)
		}
		if !ok {
			return
		}
		c := use(n, name)
		if c == nil {
			return
		}
		*to = c.Name
		switch c.Type.Kind {
		case 0, String, Integer, Decimal, Timestamp, Date:
		default:
			n.fault("%s is %s; a key is a string, integer, decimal, timestamp or date", c.Name, c.Type.Glue())
		}
		if !c.Required {
			n.fault("%s may be null, and a key may not: add required: true to the column", c.Name)
		}
		if name == "partitionKey" && c.runConstant() {
			n.fault("%s is the same in all rows of a run: use the record's own key", c.Name)
		}
	}
	key("partitionKey", "the column that identifies an item", &s.PartitionKey, true)
	key("sortKey", "", &s.SortKey, false)
	if n, ok := o.need("version", "the column that says which of two rows is newer, as in updated_at"); ok {
		if c := use(n, "version"); c != nil {
			s.Version = c.Name
			switch c.Type.Kind {
			case 0, Integer, Double, Decimal, Timestamp, Date:
			default:
				n.fault("%s is %s; a version is a number, timestamp or date, which have an order", c.Name, c.Type.Glue())
			}
			if !c.Required {
				n.fault("%s may be null, and then nothing is newer: add required: true to the column", c.Name)
			}
		}
	}
	if n, ok := o.get("attributes"); ok {
		for _, item := range n.list() {
			if c := use(item, "an attribute"); c != nil {
				s.Attributes = append(s.Attributes, c.Name)
			}
		}
	}
	if n, ok := o.get("ttl"); ok {
		if s.TTL = n.duration(100 * 366 * 24 * time.Hour); s.TTL%time.Second != 0 {
			n.fault("is %q; DynamoDB counts whole seconds", n.yaml.Value)
		}
	}
}

// Columns names all columns that are served: keys, version, attributes.
func (s *Serving) Columns() []string {
	names := []string{s.PartitionKey}
	if s.SortKey != "" {
		names = append(names, s.SortKey)
	}
	return slices.Concat(names, []string{s.Version}, s.Attributes)
}
