package api

import (
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"

	"tributary/shared/contract"
)

// recording is a recorded response.
type recording struct{ body []byte }

// Replay makes an API that answers the first page with the bytes of a recorded file (JSON or NDJSON, plain or gzip)
// and every later page with an empty one.
func Replay(c *contract.Contract, environment, file string) (*API, error) {
	a, err := newAPI(c, environment)
	if err != nil {
		return nil, err
	}
	body, err := readRecording(file)
	if err != nil {
		return nil, fmt.Errorf("serve %s from %s: %w", c.Dataset, file, err)
	}
	a.file = recording{body: body}
	return a, nil
}

func readRecording(file string) ([]byte, error) {
	body, err := os.ReadFile(file)
	if err != nil {
		var fault *os.PathError
		if errors.As(err, &fault) {
			err = fault.Err
		}
		return nil, fmt.Errorf("read file: %w", err)
	}
	if bytes.HasPrefix(body, []byte{0x1f, 0x8b}) {
		z, err := gzip.NewReader(bytes.NewReader(body))
		if err != nil {
			return nil, fmt.Errorf("unpack file: %w", err)
		}
		if body, err = io.ReadAll(z); err != nil {
			return nil, fmt.Errorf("unpack file: %w", err)
		}
	}
	if len(bytes.TrimSpace(body)) == 0 {
		return nil, errors.New("the file is empty")
	}
	return body, nil
}

func (f recording) serve(w http.ResponseWriter, s contract.Source, at position) int {
	if at.first() {
		return send(w, http.StatusOK, f.body)
	}
	body, err := envelope(s, nil, nil, 0, "")
	if err != nil {
		return refuse(w, http.StatusInternalServerError, err.Error())
	}
	return send(w, http.StatusOK, body)
}
