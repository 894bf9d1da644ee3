package engine

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"os"

	"tributary/shared/zone"
)

// plainRejects turns rejects into the form that peers are compared by: index, violations, record.
func plainRejects(from, to string) error {
	in, err := os.Open(from)
	if os.IsNotExist(err) {
		return os.WriteFile(to, nil, 0o644)
	}
	if err != nil {
		return fmt.Errorf("open rejects: %w", err)
	}
	defer in.Close()
	f, err := os.Create(to)
	if err != nil {
		return fmt.Errorf("create rejects: %w", err)
	}
	defer f.Close()
	out := bufio.NewWriter(f)
	encoder, decoder := json.NewEncoder(out), json.NewDecoder(bufio.NewReader(in))
	for {
		var row zone.RejectRow
		if err := decoder.Decode(&row); err == io.EOF {
			break
		} else if err != nil {
			return fmt.Errorf("read rejects: %w", err)
		}
		violations := make([]string, len(row.Violations))
		for i, v := range row.Violations {
			violations[i] = v.Pointer + ": " + v.Rule
		}
		if err := encoder.Encode(map[string]any{"index": row.Index, "violations": violations, "record": row.Record}); err != nil {
			return fmt.Errorf("write rejects: %w", err)
		}
	}
	if err := out.Flush(); err != nil {
		return fmt.Errorf("write rejects: %w", err)
	}
	return nil
}
