// Package cloudtest holds in-memory stand-ins for the adapters of package cloud, with the semantics of the services that
// the use cases rely on (versions, conditions, uploads that stay invisible), and the conformance suite that the
// stand-ins and the adapters both pass: what a test proves with a stand-in then holds for the service. The adapters pass it
// on the embedded services, below infra/local, and on the endpoint that AWS_ENDPOINT_URL names:
//
//	AWS_ENDPOINT_URL=http://127.0.0.1:5000 go test -run Conform ./shared/cloud
//
// Every call of a stand-in can be made to fail by Faults, before its effect or after it, as when an answer is lost.
package cloudtest

import (
	"errors"
	"fmt"
	"sync"
)

// ErrRepeat is returned by a Hook after an effect to make the stand-in do as the SDK does when an answer is lost: the
// request is sent again, and the caller sees only the second answer.
var ErrRepeat = errors.New("repeat the call")

// Call is one moment of one call of a stand-in.
type Call struct {
	Number int    // from 1, over everything that shares the Faults
	Method string // Bucket.Put, Upload.Complete, Table.Put, …
	Key    string // bucket and key, or what the call names
	After  bool   // the effect has happened
}

func (c Call) String() string {
	moment := "before"
	if c.After {
		moment = "after"
	}
	return fmt.Sprintf("%s call %d, %s %s", moment, c.Number, c.Method, c.Key)
}

// Faults decides which calls fail. The zero value lets all through; stand-ins may share one.
type Faults struct {
	// Hook is asked before and after every call's effect; its error becomes the call's. It may be called concurrently.
	Hook func(Call) error

	mu    sync.Mutex
	calls []Call
}

// Calls lists the calls so far, in the order they began.
func (f *Faults) Calls() []Call {
	f.mu.Lock()
	defer f.mu.Unlock()
	return append([]Call(nil), f.calls...)
}

// around runs a call's effect between the two moments at which it can fail.
func (f *Faults) around(method, key string, effect func() error) error {
	if f == nil {
		return effect()
	}
	f.mu.Lock()
	call := Call{Number: len(f.calls) + 1, Method: method, Key: key}
	f.calls = append(f.calls, call)
	hook := f.Hook
	f.mu.Unlock()
	if hook == nil {
		return effect()
	}
	if err := hook(call); err != nil {
		return fmt.Errorf("%s %s: %w", method, key, err)
	}
	if err := effect(); err != nil {
		return err
	}
	call.After = true
	if err := hook(call); errors.Is(err, ErrRepeat) {
		return effect()
	} else if err != nil {
		return fmt.Errorf("%s %s: %w", method, key, err)
	}
	return nil
}
