package lambda

import (
	"encoding/json"
	"io"
	"net/http"
	"strconv"
)

// maxAnswer is the largest answer of a function.
const maxAnswer = 6 << 20

// runtimeAPI serves the Lambda Runtime API (2018-06-01). The first part of a path tells the process: it is in the
// address that the process was given.
func (h *Host) runtimeAPI() http.Handler {
	mux := http.NewServeMux()
	with := func(serve func(s *sandbox, w http.ResponseWriter, r *http.Request)) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			h.mu.Lock()
			s, ok := h.sandboxes[r.PathValue("sandbox")]
			h.mu.Unlock()
			if !ok {
				reply(w, http.StatusForbidden, "InvalidSandbox", "no such execution environment")
				return
			}
			serve(s, w, r)
		}
	}
	const base = "/{sandbox}/2018-06-01/runtime/"
	mux.HandleFunc("GET "+base+"invocation/next", with(h.serveNext))
	mux.HandleFunc("POST "+base+"invocation/{id}/response", with(func(s *sandbox, w http.ResponseWriter, r *http.Request) {
		serveAnswer(s, w, r, false)
	}))
	mux.HandleFunc("POST "+base+"invocation/{id}/error", with(func(s *sandbox, w http.ResponseWriter, r *http.Request) {
		serveAnswer(s, w, r, true)
	}))
	mux.HandleFunc("POST "+base+"init/error", with(serveInitError))
	return mux
}

func (h *Host) serveNext(s *sandbox, w http.ResponseWriter, r *http.Request) {
	in := s.next(r.Context())
	if in == nil {
		reply(w, http.StatusGone, "Gone", "the execution environment ends")
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Lambda-Runtime-Aws-Request-Id", in.id)
	w.Header().Set("Lambda-Runtime-Invoked-Function-Arn", in.function)
	w.Header().Set("Lambda-Runtime-Deadline-Ms", strconv.FormatInt(in.deadline.UnixMilli(), 10))
	_, _ = w.Write(in.payload) // a process that went away is seen by its end
}

func serveAnswer(s *sandbox, w http.ResponseWriter, r *http.Request, failed bool) {
	payload, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxAnswer))
	if err != nil {
		reply(w, http.StatusRequestEntityTooLarge, "RequestEntityTooLarge", err.Error())
		return
	}
	if err := s.answer(r.PathValue("id"), answer{payload: payload, failed: failed}); err != nil {
		reply(w, http.StatusBadRequest, "InvalidRequestID", err.Error())
		return
	}
	w.WriteHeader(http.StatusAccepted)
}

func serveInitError(s *sandbox, w http.ResponseWriter, r *http.Request) {
	payload, err := io.ReadAll(io.LimitReader(r.Body, 64<<10))
	if err != nil {
		reply(w, http.StatusBadRequest, "InvalidRequest", err.Error())
		return
	}
	s.mu.Lock()
	s.fault = payload
	s.mu.Unlock()
	w.WriteHeader(http.StatusAccepted)
}

func reply(w http.ResponseWriter, status int, kind, message string) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(map[string]string{"errorType": kind, "errorMessage": message}) // as above
}
