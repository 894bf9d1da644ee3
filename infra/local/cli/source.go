package cli

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"time"

	"tributary/infra/command"
	"tributary/infra/local/api"
	"tributary/infra/local/screen"
	"tributary/shared/contract"
)

// seed makes the built-in records; another one would make other coins.
const seed = 1

// source is where a dataset's records come from in this run.
type source struct {
	url   string
	about string   // in words, for the screen
	api   *api.API // nil: a live URL
	stop  func() error
}

// builtIn asks for made-up records where a sample would be taken.
const builtIn = "built-in"

// startSource serves the sample that a dataset was made of, its built-in API where there is none, or a recorded file in
// their place; a live URL is only named.
func startSource(ctx context.Context, c *contract.Contract, environment, from, sample string) (*source, error) {
	if isURL(from) {
		return &source{url: from, about: from + " (live)", stop: func() error { return nil }}, nil
	}
	var (
		a     *api.API
		err   error
		about string
	)
	if _, missing := os.Stat(sample); from == "" && missing == nil {
		from = sample
	}
	if from == "" || from == builtIn {
		a, err = api.New(c, environment, seed)
		about = "built-in API: made-up records, dirty on purpose"
	} else {
		a, err = api.Replay(c, environment, from)
		about = relative(from) + " (recorded, served as it is)"
		if from == sample {
			about = relative(from) + " (the sample that the contract was made of; -from=" + builtIn + " makes records up)"
		}
	}
	if err != nil {
		return nil, err
	}
	var config net.ListenConfig
	listener, err := config.Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("serve %s: %w", c.Dataset, err)
	}
	address := "http://" + listener.Addr().String() + a.Path()
	server := &http.Server{Handler: a, ErrorLog: command.ServerLog(), ReadHeaderTimeout: time.Minute}
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = server.Serve(listener) // ends with ErrServerClosed at stop
	}()
	return &source{
		url: address, about: about + ", at " + address, api: a,
		stop: func() error {
			err := server.Close()
			<-done
			return err
		},
	}, nil
}

// begin says which run is about to ask.
func (s *source) begin(at time.Time) {
	if s.api != nil {
		s.api.Begin(at)
	}
}

// requests says in words what was asked since begin.
func (s *source) requests() string {
	if s.api == nil {
		return ""
	}
	asked := s.api.Requests()
	if len(asked) == 0 {
		return ""
	}
	var refused []int
	count := map[int]int64{}
	for _, r := range asked {
		if count[r.Status]++; r.Status != http.StatusOK && count[r.Status] == 1 {
			refused = append(refused, r.Status)
		}
	}
	text := screen.Plural(int64(len(asked)), "request", "requests")
	for _, status := range refused {
		text += fmt.Sprintf(", %d answered with %d", count[status], status)
	}
	return text
}

// choose picks the datasets to run.
func choose(contracts []*contract.Contract, name, from string) ([]*contract.Contract, error) {
	var names []string
	for _, c := range contracts {
		if c.Dataset == name {
			return []*contract.Contract{c}, nil
		}
		names = append(names, c.Dataset)
	}
	switch {
	case len(contracts) == 0:
		return nil, errors.New("shared/datasets holds no contract")
	case name != "":
		return nil, fmt.Errorf("%w: there is no dataset %s; there is %s", errUsage, name, strings.Join(names, ", "))
	case from != "" && len(contracts) > 1:
		return nil, fmt.Errorf("%w: -from needs a dataset, one of %s: go tool mage run DATASET -from=…", errUsage, strings.Join(names, ", "))
	}
	return contracts, nil
}

// samplePath is where dataset:new keeps the sample of a dataset.
func samplePath(root, dataset string) string {
	return filepath.Join(root, ".local", "samples", dataset+".json")
}
