package e2e_test

import (
	"strings"
	"testing"
	"time"
)

// What is tried after a deployment: a run of its own, in lake and table; what goes wrong fails the command.
func TestSmoke(t *testing.T) {
	t.Run("a run", func(t *testing.T) {
		w := start(t, builtIn(t), nil)
		w.api.Begin(time.Now())
		out, err := w.operate(t, "", "smoke")
		if err != nil {
			t.Errorf("%v\n%s", err, out)
		}
		shows(t, "smoke", out, "560 records on 4 pages", "540 rows in 1 file, 20 rejected", "540 offered to the table, which holds items", "coin_markets works")
	})
	t.Run("a run that is held", func(t *testing.T) {
		w := start(t, recorded(t, `[{"id":1},{"id":2}]`), nil)
		out, err := w.operate(t, "", "smoke coin_markets")
		if err == nil || !strings.Contains(err.Error(), "the run is not in the lake, it is held") || !strings.Contains(out, "ops:status coin_markets") {
			t.Errorf("%v\n%s", err, out)
		}
	})
}
