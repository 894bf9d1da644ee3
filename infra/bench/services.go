package bench

import (
	"context"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"net"
	"net/http"
	"strconv"
	"sync/atomic"
	"time"

	"tributary/infra/local/s3"
)

// services are the S3 and DynamoDB of a function that is measured: S3 is the local environment's; the table takes every
// item as the newest and keeps none.
type services struct {
	store   *s3.Store
	items   atomic.Int64 // put
	servers []*http.Server
	urls    []string // of S3 and DynamoDB
}

func newServices(ctx context.Context) (*services, error) {
	s := &services{store: s3.NewStore(time.Now)}
	for _, name := range []string{"raw", "lake", "rejects"} {
		if err := s.store.CreateBucket(buckets + name); err != nil {
			return nil, fmt.Errorf("create bucket %s: %w", name, err)
		}
	}
	objects := s3.NewHandler(s.store, func(*http.Request, s3.Event) {})
	for _, handler := range []http.Handler{objects, http.HandlerFunc(s.serveTable)} {
		listener, err := new(net.ListenConfig).Listen(ctx, "tcp", "127.0.0.1:0")
		if err != nil {
			return nil, errors.Join(fmt.Errorf("listen as AWS: %w", err), s.close())
		}
		server := &http.Server{ReadHeaderTimeout: time.Minute, Handler: handler}
		go server.Serve(listener) //nolint:errcheck // it ends with Close
		s.servers = append(s.servers, server)
		s.urls = append(s.urls, "http://"+listener.Addr().String())
	}
	return s, nil
}

// serveTable answers every put.
func (s *services) serveTable(w http.ResponseWriter, r *http.Request) {
	const nothing = "{}"
	if _, err := io.Copy(io.Discard, r.Body); err != nil || r.Header.Get("X-Amz-Target") != "DynamoDB_20120810.PutItem" {
		http.Error(w, "this table takes PutItem", http.StatusBadRequest)
		return
	}
	s.items.Add(1)
	w.Header().Set("Content-Type", "application/x-amz-json-1.0")
	w.Header().Set("X-Amz-Crc32", strconv.FormatUint(uint64(crc32.ChecksumIEEE([]byte(nothing))), 10)) // the SDK checks it
	_, _ = io.WriteString(w, nothing)                                                                  // a function that has gone is seen by its end
}

// variables point a function's SDK here.
func (s *services) variables() []string {
	return []string{"AWS_ENDPOINT_URL_S3=" + s.urls[0], "AWS_ENDPOINT_URL_DYNAMODB=" + s.urls[1]}
}

// put stores a raw object.
func (s *services) put(key string, body []byte) error {
	if _, err := s.store.Put(buckets+"raw", key, body, nil, s3.Condition{}); err != nil {
		return fmt.Errorf("store %s: %w", key, err)
	}
	return nil
}

func (s *services) close() error {
	var faults []error
	for _, server := range s.servers {
		faults = append(faults, server.Close())
	}
	return errors.Join(faults...)
}

// counter counts what passes.
type counter struct {
	to    io.Writer
	bytes int64
}

func (c *counter) Write(p []byte) (int, error) {
	n, err := c.to.Write(p)
	c.bytes += int64(n)
	return n, err
}
