package cloudtest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"

	"tributary/shared/zone"
)

// Function stands in for a Lambda function.
type Function struct {
	Name   string
	Faults *Faults
	// Handle answers an Invoke; its error becomes the function's own, *zone.FunctionError. Nil: there is no such function.
	Handle func(ctx context.Context, payload []byte) ([]byte, error)

	mu      sync.Mutex
	started []string
	invoked []string
}

// NewFunction makes a function.
func NewFunction(name string, faults *Faults, handle func(ctx context.Context, payload []byte) ([]byte, error)) *Function {
	return &Function{Name: name, Faults: faults, Handle: handle}
}

// Started lists the payloads that were handed over by Start. Nobody runs the function with them.
func (f *Function) Started() []string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.Clone(f.started)
}

// Invoked lists the payloads that the function was invoked with.
func (f *Function) Invoked() []string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.Clone(f.invoked)
}

// Start is Function.Start of package cloud.
func (f *Function) Start(ctx context.Context, payload []byte) error {
	return f.call(ctx, "Start", func() error {
		f.mu.Lock()
		defer f.mu.Unlock()
		f.started = append(f.started, string(payload))
		return nil
	})
}

// Invoke is Function.Invoke of package cloud.
func (f *Function) Invoke(ctx context.Context, payload []byte) (answer []byte, err error) {
	err = f.call(ctx, "Invoke", func() error {
		f.mu.Lock()
		f.invoked = append(f.invoked, string(payload))
		f.mu.Unlock()
		var failed error
		if answer, failed = f.Handle(ctx, payload); failed != nil {
			return &zone.FunctionError{Function: f.Name, Kind: "Unhandled", Message: failed.Error()}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return answer, nil
}

func (f *Function) call(ctx context.Context, method string, effect func() error) error {
	return f.Faults.around("Function."+method, f.Name, func() error {
		if err := ctx.Err(); err != nil {
			return fmt.Errorf("call function %s: %w", f.Name, err)
		}
		if f.Handle == nil {
			return fmt.Errorf("call function %s: %w", f.Name, errors.New("there is no such function"))
		}
		return effect()
	})
}
