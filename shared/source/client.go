package source

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/url"
	"sort"
	"strings"
	"time"

	"tributary/shared/contract"
)

// Secrets reads secrets by name or ARN. One that does not exist, or was never filled, is zone.ErrNotFound.
type Secrets interface {
	Get(ctx context.Context, name string) (string, error)
}

// Options are the optional parts of a client.
type Options struct {
	URL       string            // asked in place of the contract's server; http in it is a leave to go without TLS
	Secret    string            // name or ARN of the secret, in place of the contract's name
	Transport http.RoundTripper // nil: http.DefaultTransport
	Now       func() time.Time  // nil: time.Now
	Sleep     func(context.Context, time.Duration) error
	Rand      func() float64 // jitter, from 0 to below 1
}

// Client asks the source of one dataset in one environment. Its walks, one behind the other, keep the declared rate
// together.
type Client struct {
	dataset   string
	agent     string
	source    contract.Source
	base      *url.URL
	pager     pager
	secrets   Secrets
	secret    string
	plainHTTP bool
	transport http.RoundTripper
	now       func() time.Time
	sleep     func(context.Context, time.Duration) error
	rand      func() float64
	window    window
}

// New makes the client of a contract's source. Secrets may be nil when the contract declares no authentication.
func New(c *contract.Contract, environment string, secrets Secrets, o Options) (*Client, error) {
	base, err := baseURL(c, environment, o.URL)
	if err != nil {
		return nil, fmt.Errorf("make source of %s: %w", c.Dataset, err)
	}
	pager, err := newPager(c.Source.Pagination)
	if err != nil {
		return nil, fmt.Errorf("make source of %s: %w", c.Dataset, err)
	}
	client := &Client{
		dataset:   c.Dataset,
		agent:     fmt.Sprintf("tributary (dataset %s; contract %s)", c.Dataset, c.Version),
		source:    c.Source,
		base:      base,
		pager:     pager,
		secrets:   secrets,
		secret:    o.Secret,
		plainHTTP: c.Source.Insecure || base.Scheme == "http",
		transport: o.Transport,
		now:       o.Now,
		sleep:     o.Sleep,
		rand:      o.Rand,
		window:    window{rate: c.Source.Rate},
	}
	client.source.Limits = c.Source.Limits.OrDefault()
	if c.Source.Auth != nil {
		if secrets == nil {
			return nil, fmt.Errorf("make source of %s: its authentication needs secrets and none can be read", c.Dataset)
		}
		if client.secret == "" {
			client.secret = c.Source.Auth.Secret
		}
	}
	if client.transport == nil {
		client.transport = http.DefaultTransport
	}
	if client.now == nil {
		client.now = time.Now
	}
	if client.sleep == nil {
		client.sleep = sleep
	}
	if client.rand == nil {
		client.rand = rand.Float64
	}
	return client, nil
}

// URL is what the first page is asked from, without credentials.
func (c *Client) URL() string {
	return redact(c.resource(), c.keyParam()).String()
}

// baseURL chooses the URL of an environment. Plain http needs the contract's or the override's word.
func baseURL(c *contract.Contract, environment, override string) (*url.URL, error) {
	text, insecure := override, true
	if text == "" {
		insecure = c.Source.Insecure
		var ok bool
		if text, ok = c.Source.URL(environment); !ok {
			return nil, fmt.Errorf("the contract has no server of type api for environment %q, only for %s", environment, environments(c.Source.URLs))
		}
	}
	u, err := url.Parse(text)
	switch {
	case err != nil:
		return nil, fmt.Errorf("read source URL: %w", err)
	case u.Host == "" || u.Scheme != "http" && u.Scheme != "https":
		return nil, fmt.Errorf("source URL %q is no http or https URL", text)
	case u.User != nil:
		return nil, fmt.Errorf("source URL of host %s holds user information: declare auth and a secret", u.Host)
	case u.Scheme == "http" && !insecure:
		return nil, fmt.Errorf("source URL %q is plain http and the contract does not allow it", text)
	}
	u.Fragment = ""
	return u, nil
}

func environments(urls map[string]string) string {
	names := make([]string, 0, len(urls))
	for name := range urls {
		names = append(names, fmt.Sprintf("%q", name))
	}
	sort.Strings(names)
	if len(names) == 0 {
		return "none"
	}
	return strings.Join(names, ", ")
}

// resource is the contract's URL with the contract's query; names in the query replace those in the URL.
func (c *Client) resource() *url.URL {
	u := *c.base
	query := u.Query()
	for _, p := range c.source.Query {
		query.Set(p.Name, p.Value)
	}
	u.RawQuery = query.Encode()
	return &u
}

func (c *Client) keyParam() string {
	if a := c.source.Auth; a != nil && a.Kind == "api_key" && a.In == "query" {
		return a.Name
	}
	return ""
}

// sleep waits, or returns early with the context's error.
func sleep(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return nil
	}
}
