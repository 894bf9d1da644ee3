package engine

import "tributary/shared/contract"

// extent is how much of a contract is looked after.
type extent int

const (
	types       extent = iota // columns that are read, each value exactly its type; no rule
	constraints               // and what the contract says of single columns: required, bounds, lengths
	expressions               // and derived columns and CEL rules
	everything                // and keys and metrics of the run
)

// only is the contract cut down to an extent. Under everything it is the contract.
func only(c *contract.Contract, e extent) *contract.Contract {
	cut := *c
	if e < everything {
		cut.Uniques, cut.Metrics = nil, nil
	}
	if e < expressions {
		cut.Rules, cut.Columns = nil, nil
		for _, column := range c.Columns {
			if column.Derived == nil {
				cut.Columns = append(cut.Columns, column)
			}
		}
	}
	if e < constraints {
		cut.Serving = nil // what is served must fit DynamoDB, which is a rule too
		cut.Columns = unconstrained(cut.Columns)
	}
	return &cut
}

func unconstrained(columns []contract.Column) []contract.Column {
	free := make([]contract.Column, len(columns))
	for i, c := range columns {
		c.Required, c.Constraints = false, contract.Constraints{}
		c.Type.Fields = unconstrained(c.Type.Fields)
		if c.Type.Elem != nil {
			c.Type.Elem = &unconstrained([]contract.Column{*c.Type.Elem})[0]
		}
		free[i] = c
	}
	return free
}
