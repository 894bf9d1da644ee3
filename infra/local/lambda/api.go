package lambda

import (
	"encoding/base64"
	"errors"
	"io"
	"net/http"
	"strings"

	"tributary/infra/local/iam"
	"tributary/infra/local/wire"
)

const invocations = "/2015-03-31/functions/"

// API answers lambda:Invoke.
type API struct{ Host *Host }

func (a API) function(r *http.Request) (Function, error) {
	name, operation, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, invocations), "/")
	if r.Method != http.MethodPost || operation != "invocations" {
		return Function{}, &wire.APIError{Status: http.StatusNotImplemented, Code: "NotImplemented", Message: "of Lambda only Invoke is supported here"}
	}
	name = strings.TrimSuffix(name[strings.LastIndexByte(strings.TrimSuffix(name, ":$LATEST"), ':')+1:], ":$LATEST")
	f, err := a.Host.Function(name)
	if errors.Is(err, ErrNoFunction) {
		return f, &wire.APIError{Status: http.StatusNotFound, Code: "ResourceNotFoundException", Message: "Function not found: " + name}
	}
	return f, err
}

// Needs lists the permissions that a request needs.
func (a API) Needs(r *http.Request) ([]iam.Need, error) {
	f, err := a.function(r)
	return []iam.Need{{Action: "lambda:InvokeFunction", Resource: f.ARN}}, err
}

func (a API) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	f, err := a.function(r)
	if err != nil {
		wire.WriteError(w, err)
		return
	}
	payload, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxAnswer))
	if err != nil {
		wire.WriteError(w, &wire.APIError{Status: http.StatusRequestEntityTooLarge, Code: "RequestTooLargeException", Message: err.Error()})
		return
	}
	switch kind := r.Header.Get("X-Amz-Invocation-Type"); kind {
	case "DryRun":
		w.WriteHeader(http.StatusNoContent)
	case "Event":
		if _, err := a.Host.InvokeAsync(f.Name, payload); err != nil {
			wire.WriteError(w, err)
			return
		}
		w.WriteHeader(http.StatusAccepted)
	case "", "RequestResponse":
		result, err := a.Host.Invoke(r.Context(), f.Name, payload)
		if errors.Is(err, ErrThrottled) {
			err = &wire.APIError{Status: http.StatusTooManyRequests, Code: "TooManyRequestsException", Message: "Rate Exceeded."}
		}
		if err != nil {
			wire.WriteError(w, err)
			return
		}
		w.Header().Set("X-Amz-Executed-Version", "$LATEST")
		w.Header().Set("X-Amzn-Requestid", result.RequestID)
		if result.Error != "" {
			w.Header().Set("X-Amz-Function-Error", result.Error)
		}
		if r.Header.Get("X-Amz-Log-Type") == "Tail" {
			w.Header().Set("X-Amz-Log-Result", base64.StdEncoding.EncodeToString([]byte(result.Log)))
		}
		_, _ = w.Write(result.Payload) // a client that went away needs no answer
	default:
		wire.WriteError(w, wire.Errorf("InvalidParameterValueException", "invocation type %q", kind))
	}
}
