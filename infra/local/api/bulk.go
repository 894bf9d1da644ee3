package api

import (
	"bufio"
	"fmt"
	"io"
	"strings"
	"time"
)

// WriteCoins writes clean made-up coins as NDJSON, any number of them, each with an id of its own: for benchmarks.
func WriteCoins(w io.Writer, count int, seed uint64, at time.Time) error {
	out := bufio.NewWriterSize(w, 1<<20)
	for i := range count {
		o := coin(i, seed, at)
		for m := range o {
			if o[m].name == "id" {
				o[m].text = fmt.Sprintf(`%s-%d"`, strings.TrimSuffix(o[m].text, `"`), i)
			}
		}
		if _, err := fmt.Fprintln(out, o); err != nil {
			return fmt.Errorf("write coin %d: %w", i, err)
		}
	}
	if err := out.Flush(); err != nil {
		return fmt.Errorf("write coins: %w", err)
	}
	return nil
}
