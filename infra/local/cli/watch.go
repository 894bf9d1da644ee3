package cli

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"sync"

	"tributary/infra/local"
	"tributary/infra/local/screen"
	"tributary/shared/zone"
)

// watch follows what happens in the environment: it moves the progress along and remembers what went wrong.
type watch struct {
	mu       sync.Mutex
	progress *screen.Progress
	buckets  outputs
	dataset  datasetOutputs
	asked    func() string // what the source was asked, in words; nil: do not tell

	processing                    bool
	pages, files, items, messages int64
	wrong                         []wrong
	forgiving                     bool // attempts may fail: faults were asked for, and retries must mend them

	ended []local.Event // attempts of functions, of the whole session
}

// wrong is a fault, and how often it came.
type wrong struct {
	text  string
	times int64
}

// reset begins a run of a dataset.
func (w *watch) reset(progress *screen.Progress, o outputs, dataset datasetOutputs, asked func() string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.progress, w.buckets, w.dataset, w.asked = progress, o, dataset, asked
	w.processing, w.pages, w.files, w.items, w.messages, w.wrong = false, 0, 0, 0, 0, nil
}

// faults are what went wrong since reset, each once.
func (w *watch) faults() []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	var all []string
	for _, f := range w.wrong {
		if f.times > 1 {
			f.text = fmt.Sprintf("%d times: %s", f.times, f.text)
		}
		all = append(all, f.text)
	}
	return all
}

// since are the attempts of functions that ended, but for the first so many.
func (w *watch) since(many int) []local.Event {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.Clone(w.ended[many:])
}

func (w *watch) event(e local.Event) {
	w.mu.Lock()
	defer w.mu.Unlock()
	switch e.Kind {
	case local.InvocationStarted:
		if e.Function == w.dataset.ProcessFunction && !w.processing {
			w.processing = true
			w.progress.Start("process", "started by S3's event of the manifest")
		}
	case local.ObjectWritten:
		switch {
		case e.Bucket == w.buckets.RawBucket && strings.Contains(e.Key, "/page-"):
			w.pages++
		case e.Bucket == w.buckets.LakeBucket && !strings.HasPrefix(e.Key, zone.AuditPrefix), e.Bucket == w.buckets.RejectsBucket:
			w.files++
		}
		w.tell()
	case local.ItemWritten:
		w.items++
		w.tell()
	case local.MessagePublished:
		w.messages++
		w.tell()
	case local.InvocationEnded:
		w.ended = append(w.ended, e)
	case local.InvocationFailed:
		w.ended = append(w.ended, e)
		if !w.forgiving {
			w.fault("%s failed: %s", e.Function, message(e.Error))
		}
		w.progress.Update(fmt.Sprintf("attempt %d failed: %s", e.Attempt, causeFirst(message(e.Error))))
	case local.InvocationExhausted:
		w.progress.Fail()
		w.fault("%s was given up after %s; its event is in the failure queue", e.Function, screen.Plural(int64(e.Attempt), "attempt", "attempts"))
	case local.RecordUndelivered:
		w.fault("the event of %s was lost: the failure queue refused it: %s", e.Function, e.Error)
	case local.InvocationThrottled:
		w.fault("%s was throttled: %s", e.Function, e.Error)
	case local.EventRefused:
		w.fault("the event of %s did not reach %s: %s", e.Key, e.Function, e.Error)
	case local.AccessDenied:
		w.fault("AccessDenied: %s may not perform %s on %s: %s", e.Role, e.Action, e.Resource, e.Error)
	default:
	}
}

// tell says how far the stage at work is.
func (w *watch) tell() {
	if w.processing {
		detail := screen.Plural(w.files, "file", "files")
		if w.dataset.ServingTable != "" {
			detail += ", " + screen.Plural(w.items, "item", "items")
		}
		w.progress.Update(detail + ", " + screen.Plural(w.messages, "alert", "alerts"))
		return
	}
	if w.asked != nil {
		w.progress.Update(strings.TrimSuffix(screen.Plural(w.pages, "page", "pages")+" in "+w.asked(), " in "))
	}
}

func (w *watch) fault(format string, args ...any) {
	text := fmt.Sprintf(format, args...)
	for i := range w.wrong {
		if w.wrong[i].text == text {
			w.wrong[i].times++
			return
		}
	}
	w.wrong = append(w.wrong, wrong{text, 1})
}

// message takes the message out of a function's error as Lambda writes it.
func message(text string) string {
	var e struct {
		Message string `json:"errorMessage"`
	}
	if json.Unmarshal([]byte(text), &e) == nil && e.Message != "" {
		return e.Message
	}
	return text
}

// causeFirst turns an error's text round, the innermost cause to the front: a line of the screen may hold no more of it.
func causeFirst(text string) string {
	parts := clauses(text)
	at := len(parts) - 1
	// A cause of one word before it, such as connect, or a status before the body that came with it, belongs to it.
	if at > 0 && (strings.HasPrefix(parts[at], `"`) || !strings.Contains(parts[at-1], " ")) {
		at--
	}
	if at == 0 {
		return text
	}
	return strings.Join(parts[at:], ": ") + " (" + strings.Join(parts[:at], ": ") + ")"
}

// clauses splits an error's text at its colons, but for those inside quotes.
func clauses(text string) []string {
	var parts []string
	begin, quoted := 0, false
	for i := 0; i < len(text); i++ {
		switch {
		case quoted && text[i] == '\\':
			i++
		case text[i] == '"':
			quoted = !quoted
		case !quoted && strings.HasPrefix(text[i:], ": "):
			parts = append(parts, text[begin:i])
			begin = i + len(": ")
		}
	}
	return append(parts, text[begin:])
}
