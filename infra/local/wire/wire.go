// Package wire speaks AWS's JSON protocol on the server's side: the operation in X-Amz-Target, a JSON object as body,
// and errors with a __type. Services without a fault of their own in it need no more than a table of operations.
package wire

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"net/http"
	"strconv"
	"strings"
)

// maxBody is the largest request body that is read into memory.
const maxBody = 16 << 20

// APIError is an error as a service answers it.
type APIError struct {
	Status  int // 400 when zero
	Code    string
	Message string
}

func (e *APIError) Error() string { return e.Code + ": " + e.Message }

// Errorf makes an error with status 400.
func Errorf(code, format string, args ...any) *APIError {
	return &APIError{Code: code, Message: fmt.Sprintf(format, args...)}
}

// Operation reads the operation's name from X-Amz-Target.
func Operation(r *http.Request) string {
	target := r.Header.Get("X-Amz-Target")
	return target[strings.LastIndexByte(target, '.')+1:]
}

// Peek reads the body and leaves it to be read again.
func Peek(r *http.Request) ([]byte, error) {
	body, err := io.ReadAll(io.LimitReader(r.Body, maxBody+1))
	if err != nil {
		return nil, fmt.Errorf("read request: %w", err)
	}
	if len(body) > maxBody {
		return nil, Errorf("RequestEntityTooLarge", "the request has more than %d bytes", maxBody)
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	return body, nil
}

// Decode reads the body as a JSON object into a value and leaves it to be read again.
func Decode(r *http.Request, into any) error {
	body, err := Peek(r)
	if err != nil {
		return err
	}
	if err := json.Unmarshal(body, into); err != nil {
		return Errorf("SerializationException", "%v", err)
	}
	return nil
}

// Answer writes a JSON answer, or the error.
func Answer(w http.ResponseWriter, body any, err error) {
	if err != nil {
		WriteError(w, err)
		return
	}
	write(w, http.StatusOK, body)
}

// WriteError writes an error; one that is no APIError is the service's own failure.
func WriteError(w http.ResponseWriter, err error) {
	var fault *APIError
	if !errors.As(err, &fault) {
		fault = &APIError{Status: http.StatusInternalServerError, Code: "InternalFailure", Message: err.Error()}
	}
	status := fault.Status
	if status == 0 {
		status = http.StatusBadRequest
	}
	w.Header().Set("X-Amzn-Errortype", fault.Code)
	write(w, status, map[string]string{"__type": fault.Code, "message": fault.Message})
}

func write(w http.ResponseWriter, status int, body any) {
	encoded, err := json.Marshal(body)
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/x-amz-json-1.1")
	w.Header().Set("X-Amz-Crc32", strconv.FormatUint(uint64(crc32.ChecksumIEEE(encoded)), 10)) // DynamoDB's SDKs check it
	w.WriteHeader(status)
	_, _ = w.Write(encoded) // a client that went away needs no answer
}
