package main

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"strings"
	"time"
)

const (
	largest = 64 << 20
	timeout = 30 * time.Second
)

// sample is what was read.
type sample struct {
	body []byte
	url  string // "" for a file
	link string // the Link header
}

// read reads a file, or asks an address once.
func read(ctx context.Context, from string) (sample, error) {
	u, err := url.Parse(from)
	if err == nil && (u.Scheme == "http" || u.Scheme == "https") {
		return ask(ctx, u)
	}
	f, err := os.Open(from) //nolint:gosec // G703: the user names this file
	if err != nil {
		return sample{}, err
	}
	defer f.Close()
	body, err := limited(f)
	if err != nil {
		return sample{}, err
	}
	if bytes.HasPrefix(body, []byte{0x1f, 0x8b}) {
		z, err := gzip.NewReader(bytes.NewReader(body))
		if err != nil {
			return sample{}, fmt.Errorf("unpack %s: %w", from, err)
		}
		if body, err = limited(z); err != nil {
			return sample{}, fmt.Errorf("unpack %s: %w", from, err)
		}
	}
	return sample{body: body}, nil
}

func limited(r io.Reader) ([]byte, error) {
	body, err := io.ReadAll(io.LimitReader(r, largest+1))
	if err == nil && len(body) > largest {
		err = fmt.Errorf("it has more than %d MiB: a page or a part of the records is enough", largest>>20)
	}
	return body, err
}

func ask(ctx context.Context, u *url.URL) (sample, error) {
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, u.String(), nil) //nolint:gosec // G704: the user asks for this address
	if err != nil {
		return sample{}, errors.New("the address is not well formed")
	}
	request.Header.Set("Accept", "application/json")
	request.Header.Set("User-Agent", "tributary (dataset:new)")
	response, err := http.DefaultClient.Do(request) //nolint:gosec // G704: the user asks for this address
	if err != nil {
		var fault *url.Error
		if errors.As(err, &fault) {
			err = fault.Err // without the address, which may hold a key
		}
		return sample{}, fmt.Errorf("ask %s: %w", u.Host, err)
	}
	defer response.Body.Close()
	body, err := limited(response.Body)
	if err != nil {
		return sample{}, fmt.Errorf("read the answer of %s: %w", u.Host, err)
	}
	if response.StatusCode != http.StatusOK {
		first := strings.ToValidUTF8(string(body[:min(len(body), 200)]), "\uFFFD")
		return sample{}, fmt.Errorf("%s answered %s: %s", u.Host, response.Status, strings.TrimSpace(first))
	}
	return sample{body: body, url: u.String(), link: response.Header.Get("Link")}, nil
}
