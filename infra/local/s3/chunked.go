package s3

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
)

// unchunk turns a body in aws-chunked coding, which most SDKs use for streams, into the plain bytes. Signatures of
// chunks are not checked; a checksum in the trailer becomes a header, which the store checks.
func unchunk(r *http.Request) error {
	if !strings.HasPrefix(r.Header.Get("X-Amz-Content-Sha256"), "STREAMING-") {
		return nil
	}
	size, err := strconv.ParseInt(r.Header.Get("X-Amz-Decoded-Content-Length"), 10, 64)
	if err != nil || size < 0 {
		return errors.New("X-Amz-Decoded-Content-Length is missing or no number")
	}
	var body bytes.Buffer
	in := bufio.NewReader(r.Body)
	for {
		line, err := in.ReadString('\n')
		if err != nil {
			return fmt.Errorf("read chunk header: %w", err)
		}
		length, _, _ := strings.Cut(strings.TrimSpace(line), ";")
		n, err := strconv.ParseInt(length, 16, 64)
		if err != nil || n < 0 {
			return fmt.Errorf("chunk size %q is no hexadecimal number", length)
		}
		if n == 0 {
			break
		}
		if _, err := io.CopyN(&body, in, n); err != nil {
			return fmt.Errorf("read chunk: %w", err)
		}
		if _, err := in.Discard(len("\r\n")); err != nil {
			return fmt.Errorf("read end of chunk: %w", err)
		}
	}
	for {
		line, err := in.ReadString('\n')
		name, value, found := strings.Cut(strings.TrimSpace(line), ":")
		if found && strings.HasPrefix(strings.ToLower(name), "x-amz-checksum-") {
			r.Header.Set(name, strings.TrimSpace(value))
		}
		if err != nil {
			break
		}
	}
	coding := strings.Trim(strings.Replace(r.Header.Get("Content-Encoding"), "aws-chunked", "", 1), ", ")
	if coding == "" {
		r.Header.Del("Content-Encoding")
	} else {
		r.Header.Set("Content-Encoding", coding)
	}
	r.Header.Del("X-Amz-Content-Sha256")
	r.Header.Set("Content-Length", strconv.FormatInt(size, 10))
	r.ContentLength, r.Body = size, io.NopCloser(&body)
	return nil
}
