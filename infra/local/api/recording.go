package api

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"

	"tributary/infra/input"
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
	body, err := input.File(file)
	if err != nil {
		return nil, err
	}
	if len(bytes.TrimSpace(body)) == 0 {
		return nil, errors.New("the file is empty")
	}
	return body, nil
}

func (f recording) serve(w http.ResponseWriter, r *http.Request, s contract.Source) int {
	first, err := asksForFirst(s, r)
	if err != nil {
		return refuse(w, http.StatusBadRequest, err.Error())
	}
	if first {
		return send(w, http.StatusOK, f.linked(s, r))
	}
	body, err := envelope(s, r, held(s, nil, 0), 0, "")
	if err != nil {
		return refuse(w, http.StatusInternalServerError, err.Error())
	}
	return send(w, http.StatusOK, body)
}

// asksForFirst reports whether a request is for the beginning. Cursors are those of the recorded source, whatever they say.
func asksForFirst(s contract.Source, r *http.Request) (bool, error) {
	if s.Pagination.Kind == "cursor" {
		return r.URL.Query().Get(s.Pagination.CursorParam) == "", nil
	}
	at, err := readPosition(s, r.URL.Query())
	return at.first(), err
}

// linked is the recorded body, with the address of its next page led here: the recorded one is the source's own.
func (f recording) linked(s contract.Source, r *http.Request) []byte {
	if s.Pagination.Kind != "json_link" {
		return f.body
	}
	var doc any
	if json.Unmarshal(f.body, &doc) != nil {
		return f.body
	}
	for _, token := range s.Pagination.NextURLPath {
		members, _ := doc.(map[string]any)
		doc = members[token]
	}
	link, ok := doc.(string)
	if !ok {
		return f.body
	}
	here := quoted(nextURL(r, "1"))
	for _, form := range [][]byte{quoted(link), bytes.ReplaceAll(quoted(link), []byte("/"), []byte(`\/`))} {
		if at := bytes.Index(f.body, form); at >= 0 {
			return slices.Concat(f.body[:at], here, f.body[at+len(form):])
		}
	}
	return f.body
}

func quoted(text string) []byte {
	raw, _ := encode(text) // a string always encodes
	return raw
}
