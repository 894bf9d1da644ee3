package contract

import (
	"fmt"
	"slices"
	"strings"
)

// servers reads where the records come from and where the lake lies.
func (b *builder) servers() {
	v, ok := b.root.need("servers", "write at least {server: source, type: api, location: https://…}")
	if !ok {
		return
	}
	b.c.Source.URLs = map[string]string{}
	names := map[string]int{}
	broken := false
	for _, item := range v.list() {
		before := len(v.d.faults)
		b.server(item, names)
		broken = broken || len(v.d.faults) > before
	}
	if len(b.c.Source.URLs) == 0 && !broken && v.yaml.Kind == sequenceNode {
		v.fault("none is of type api: write where the records come from, as in {server: source, type: api, location: https://…}")
	}
}

func (b *builder) server(n node, names map[string]int) {
	o := n.object("id", "server", "type", "description", "environment", "roles", "customProperties",
		"location", "path", "format", "endpointUrl", "delimiter")
	if o.yaml.Kind != mappingNode {
		return
	}
	o.prose("description")
	o.annotations()
	o.noCustomProperties()
	o.roles()
	if v, ok := o.need("server", "a name for the server"); ok {
		if name, ok := v.nonEmpty(); ok {
			if line := names[name]; line > 0 {
				v.fault("a second server %s, the first is in line %d: give it a name of its own", name, line)
			}
			names[name] = n.yaml.Line
		}
	}
	environment := ""
	if v, ok := o.get("environment"); ok {
		environment, _ = v.nonEmpty()
	}
	kind := ""
	if v, ok := o.need("type", "api, local or s3"); ok {
		kind, _ = v.oneOf("api", "local", "s3")
	}
	for _, only := range []struct {
		key   string
		kinds []string
	}{
		{"location", []string{"api", "s3"}}, {"path", []string{"local"}}, {"format", []string{"local", "s3"}},
		{"endpointUrl", []string{"s3"}}, {"delimiter", nil},
	} {
		if kind != "" && !slices.Contains(only.kinds, kind) {
			o.refuse(only.key, "is not used by a server of type %s: remove it", kind)
		}
	}
	switch kind {
	case "api":
		b.api(o, environment)
	case "local", "s3":
		b.lake(o, kind)
	}
}

// api reads the address of the source for one environment, or for all that have none of their own.
func (b *builder) api(o object, environment string) {
	v, ok := o.need("location", "the address of the API")
	if !ok {
		return
	}
	u, ok := v.address()
	if !ok {
		return
	}
	if u.Scheme == "http" && !b.c.Source.Insecure {
		v.fault("is plain http: use https, or add insecure: true to the source property")
	}
	if _, twice := b.c.Source.URLs[environment]; twice {
		where := "environment " + environment
		if environment == "" {
			where = "all environments that have none of their own: add environment"
		}
		v.fault("a second api server for %s", where)
		return
	}
	b.c.Source.URLs[environment] = u.String()
}

// lake checks that other tools look where the table is written.
func (b *builder) lake(o object, kind string) {
	if v, ok := o.need("format", "write parquet"); ok {
		v.oneOf("parquet")
	}
	key, example := "path", ".local/lake/%s/**/*.parquet"
	if kind == "s3" {
		key, example = "location", "s3://BUCKET/%s/**/*.parquet"
	}
	v, ok := o.need(key, fmt.Sprintf("where the lake lies, as in "+example, b.c.Table))
	if !ok {
		return
	}
	text, ok := v.nonEmpty()
	if ok && b.c.Table != "" && !slices.Contains(strings.Split(text, "/"), b.c.Table) {
		v.fault("does not lead to the table %s: write "+example, b.c.Table, b.c.Table)
	}
	if ok && kind == "s3" && !strings.HasPrefix(text, "s3://") {
		v.fault("is %q; want s3://BUCKET/…", text)
	}
	if v, ok := o.get("endpointUrl"); ok {
		v.address()
	}
}

// URL is the address of the source for an environment (a stack's name): its own, or the one for all others.
func (s *Source) URL(environment string) (string, bool) {
	if url, ok := s.URLs[environment]; ok {
		return url, true
	}
	url, ok := s.URLs[""]
	return url, ok
}
