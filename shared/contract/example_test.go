package contract

import (
	"errors"
	"fmt"
)

func ExampleLoad() {
	c, err := Load("testdata/earthquakes.odcs.yaml")
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(c.Dataset, c.Version, c.Schedule.Expression)
	for _, column := range c.Columns[:4] {
		fmt.Println(column.Name, column.Type.Glue(), column.Path)
	}
	// Output:
	// earthquakes 1.2.3 rate(5 minutes)
	// id string [id]
	// magnitude double [properties mag]
	// place string [properties place]
	// occurred_at timestamp [properties time]
}

func ExampleFaults() {
	_, err := Parse("quakes.odcs.yaml", []byte("apiVersion: v3.1.0\nkind: Contract\nidentifier: quakes\nversion: 1.0.0\n"))
	var faults Faults
	if errors.As(err, &faults) {
		fmt.Println(faults[len(faults)-2])
		fmt.Println(faults[len(faults)-1])
	}
	// Output:
	// quakes.odcs.yaml:2:7: kind: is the text "Contract"; want DataContract
	// quakes.odcs.yaml:3:1: identifier: unknown key; known here: version, kind, apiVersion, id, name, tenant, tags, status, servers, dataProduct, description, domain, schema, support, price, team, roles, slaDefaultElement, slaProperties, authoritativeDefinitions, customProperties, contractCreatedTs
}
