package dynamo

import "fmt"

// Restore puts items back into a table; nobody is told of these writes.
func (s *Service) Restore(table string, items []Item) error {
	s.mu.RLock()
	defer s.mu.RUnlock()
	for _, item := range items {
		if err := s.call("PutItem", map[string]any{"TableName": table, "Item": item}, nil); err != nil {
			return fmt.Errorf("restore item of table %s: %w", table, err)
		}
	}
	return nil
}
