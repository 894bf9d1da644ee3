package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"tributary/infra/input"
)

const (
	largest = 16 << 20 // of a sample that is looked at, in bytes; of small records it takes fifty times as much memory
	timeout = 30 * time.Second
)

// sample is what was read.
type sample struct {
	body []byte
	url  string // "" for a file
	link string // the Link header
	cut  bool   // the source has more than was read
}

// read reads a file, or asks an address once.
func read(ctx context.Context, from string) (sample, error) {
	u, err := input.Address(from)
	switch {
	case err != nil:
		return sample{}, err
	case u != nil:
		return ask(ctx, u)
	}
	in, err := input.Open(from)
	if err != nil {
		return sample{}, fmt.Errorf("%s: %w", input.Shown(from), err)
	}
	defer in.Close()
	s, err := limited(in)
	if err != nil {
		return sample{}, fmt.Errorf("%s: %w", input.Shown(from), err)
	}
	return s, nil
}

// limited reads a sample, of a large one the beginning.
func limited(r io.Reader) (sample, error) {
	body, err := io.ReadAll(io.LimitReader(r, largest+1))
	if err != nil || len(body) <= largest {
		return sample{body: body}, err
	}
	whole, ok := cut(body[:largest])
	if !ok {
		return sample{}, fmt.Errorf("it has more than %d MiB in one value: a page or a part of the records is enough", largest>>20)
	}
	return sample{body: whole, cut: true}, nil
}

func ask(ctx context.Context, u *url.URL) (sample, error) {
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, u.String(), nil)
	if err != nil {
		return sample{}, errors.New("the address is not well formed")
	}
	request.Header.Set("Accept", "application/json")
	request.Header.Set("User-Agent", "tributary (dataset:new)")
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		var fault *url.Error
		if errors.As(err, &fault) {
			err = fault.Err // without the address, which may hold a key
		}
		return sample{}, fmt.Errorf("ask %s: %w", u.Host, err)
	}
	defer response.Body.Close()
	s, err := limited(response.Body)
	if err != nil {
		return sample{}, fmt.Errorf("read the answer of %s: %w", u.Host, err)
	}
	if response.StatusCode != http.StatusOK {
		const shown = 200
		first := unsaid(u, string(s.body[:min(len(s.body), 100*shown)])) // before it is cut, which may cut what is looked for
		first = strings.ToValidUTF8(first[:min(len(first), shown)], "\uFFFD")
		return sample{}, fmt.Errorf("%s answered %s: %s", u.Host, response.Status, strings.TrimSpace(first))
	}
	s.url, s.link = u.String(), strings.Join(response.Header.Values("Link"), ", ")
	return s, nil
}

// unsaid is what a source says of a request without what the request had in its query and of its user: some repeat it.
func unsaid(u *url.URL, text string) string {
	const short = 4 // nothing that opens a door
	given := []string{}
	for _, values := range u.Query() {
		given = append(given, values...)
	}
	if u.User != nil {
		password, _ := u.User.Password()
		given = append(given, u.User.Username(), password)
	}
	slices.SortFunc(given, func(a, b string) int { return len(b) - len(a) }) // one may be a part of another
	for _, value := range given {
		if len(value) >= short {
			text = strings.NewReplacer(value, "…", url.QueryEscape(value), "…").Replace(text)
		}
	}
	return text
}
