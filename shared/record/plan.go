package record

import "tributary/shared/contract"

// Plan is a contract compiled for reading: immutable, to be shared by any number of readers.
type Plan struct {
	contract *contract.Contract
}

// Compile prepares a contract for reading.
func Compile(c *contract.Contract) (*Plan, error) {
	return &Plan{contract: c}, nil
}
