package cli

import (
	"fmt"
	"slices"
	"strings"
	"sync"

	"tributary/infra/local"
	"tributary/infra/local/screen"
)

// watch follows what happens in the environment: it moves the progress along and remembers what went wrong.
type watch struct {
	mu       sync.Mutex
	progress *screen.Progress
	dataset  datasetOutputs
	raw      string // name of the raw bucket
	pages    int64
	stage    string
	wrong    []string
}

// reset begins a new run.
func (w *watch) reset(progress *screen.Progress, raw string, dataset datasetOutputs) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.progress, w.dataset, w.raw, w.pages, w.stage, w.wrong = progress, dataset, raw, 0, "", nil
}

// faults are what went wrong since reset, each once.
func (w *watch) faults() []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.Clone(w.wrong)
}

func (w *watch) event(e local.Event) {
	w.mu.Lock()
	defer w.mu.Unlock()
	switch e.Kind {
	case local.InvocationStarted:
		if e.Function == w.dataset.ProcessFunction && w.stage != "process" && w.progress != nil {
			w.stage = "process"
			w.progress.Start("process", "started by S3's event of the manifest")
		}
	case local.ObjectWritten:
		if e.Bucket == w.raw && strings.Contains(e.Key, "/page-") && w.stage == "" && w.progress != nil {
			w.pages++
			w.progress.Update(screen.Plural(w.pages, "page", "pages") + " stored, the last as " + e.Key)
		}
	case local.InvocationFailed:
		w.fault("%s failed (attempt %d): %s", e.Function, e.Attempt, e.Error)
	case local.InvocationExhausted:
		w.fault("%s was given up after %s; its event is in the failure queue", e.Function, screen.Plural(int64(e.Attempt), "attempt", "attempts"))
	case local.RecordUndelivered:
		w.fault("the event of %s was lost: the failure queue refused it: %s", e.Function, e.Error)
	case local.InvocationThrottled:
		w.fault("%s was throttled: %s", e.Function, e.Error)
	case local.EventRefused:
		w.fault("the event of %s did not reach %s: %s", e.Key, e.Function, e.Error)
	case local.AccessDenied:
		w.fault("AccessDenied: %s may not perform %s on %s: %s", e.Role, e.Action, e.Resource, e.Error)
	}
}

func (w *watch) fault(format string, args ...any) {
	if text := fmt.Sprintf(format, args...); !slices.Contains(w.wrong, text) {
		w.wrong = append(w.wrong, text)
	}
}
