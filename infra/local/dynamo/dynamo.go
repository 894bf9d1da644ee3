// Package dynamo is Amazon DynamoDB in memory: minidyn behind the checks that it leaves out (unknown operations, the
// size of an item, sets and keys that are empty, numbers out of range).
package dynamo

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"hash/crc32"
	"maps"
	"net/http"
	"slices"
	"sort"
	"strconv"
	"sync"

	"github.com/truora/minidyn/server"

	"tributary/infra/local/iam"
	"tributary/infra/local/wire"
)

// Table is the definition of a table.
type Table struct {
	Name       string
	ARN        string
	HashKey    string
	RangeKey   string            // "" for none
	Attributes map[string]string // types of the keys: S, N or B
}

// Item is a stored item in DynamoDB's JSON: {"id":{"S":"a"}}.
type Item map[string]json.RawMessage

// Write tells of a write that went through.
type Write struct {
	Operation string
	Table     string
}

// Service holds tables. It is safe for concurrent use.
type Service struct {
	written  func(*http.Request, Write)
	holder   http.Handler // has the tables
	embedded bool         // the holder is ours, which leaves out some of DynamoDB

	mu     sync.RWMutex // minidyn's list of tables has no lock of its own
	tables map[string]Table
}

// NewService makes a service without tables. written is called for each item that was put, updated or deleted.
func NewService(written func(*http.Request, Write)) *Service {
	return &Service{written: written, holder: server.NewServer(), embedded: true, tables: map[string]Table{}}
}

// Elsewhere makes a service whose tables another DynamoDB holds, which the handler passes requests on to. Create is its
// business; Define tells of a table that it has.
func Elsewhere(holder http.Handler, written func(*http.Request, Write)) *Service {
	return &Service{written: written, holder: holder, tables: map[string]Table{}}
}

// Define tells of a table that the holder has.
func (s *Service) Define(t Table) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.tables[t.Name] = t
}

// Create makes a table.
func (s *Service) Create(t Table) error {
	type attribute struct{ AttributeName, AttributeType string }
	type key struct{ AttributeName, KeyType string }
	in := struct {
		TableName            string
		BillingMode          string
		AttributeDefinitions []attribute
		KeySchema            []key
	}{TableName: t.Name, BillingMode: "PAY_PER_REQUEST", KeySchema: []key{{t.HashKey, "HASH"}}}
	if t.RangeKey != "" {
		in.KeySchema = append(in.KeySchema, key{t.RangeKey, "RANGE"})
	}
	for _, k := range in.KeySchema {
		if t.Attributes[k.AttributeName] == "" {
			return fmt.Errorf("create table %s: no attribute definition of key %s", t.Name, k.AttributeName)
		}
	}
	if len(t.Attributes) != len(in.KeySchema) {
		return fmt.Errorf("create table %s: attribute definitions must be those of the keys, %d for %d keys", t.Name, len(t.Attributes), len(in.KeySchema))
	}
	for name, kind := range t.Attributes {
		in.AttributeDefinitions = append(in.AttributeDefinitions, attribute{name, kind})
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.call("CreateTable", in, nil); err != nil {
		return fmt.Errorf("create table %s: %w", t.Name, err)
	}
	s.tables[t.Name] = t
	return nil
}

// Items lists what a table holds, sorted by key.
func (s *Service) Items(name string) ([]Item, error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	t, ok := s.tables[name]
	if !ok {
		return nil, fmt.Errorf("read table %s: it does not exist", name)
	}
	var items []Item
	var start json.RawMessage
	for {
		in := map[string]any{"TableName": name}
		if start != nil {
			in["ExclusiveStartKey"] = start
		}
		var out struct {
			Items            []Item
			LastEvaluatedKey json.RawMessage
		}
		if err := s.call("Scan", in, &out); err != nil {
			return nil, fmt.Errorf("read table %s: %w", name, err)
		}
		items = append(items, out.Items...)
		if start = out.LastEvaluatedKey; len(start) == 0 || bytes.Equal(start, []byte("{}")) || bytes.Equal(start, []byte("null")) {
			break
		}
	}
	sort.SliceStable(items, func(i, j int) bool {
		a, b := items[i], items[j]
		if c := bytes.Compare(a[t.HashKey], b[t.HashKey]); c != 0 {
			return c < 0
		}
		return bytes.Compare(a[t.RangeKey], b[t.RangeKey]) < 0
	})
	return items, nil
}

func (s *Service) call(operation string, in, out any) error {
	body, err := json.Marshal(in)
	if err != nil {
		return fmt.Errorf("encode %s: %w", operation, err)
	}
	r, err := http.NewRequestWithContext(context.Background(), http.MethodPost, "/", bytes.NewReader(body))
	if err != nil {
		return fmt.Errorf("make request %s: %w", operation, err)
	}
	r.Header.Set("Content-Type", "application/x-amz-json-1.0")
	r.Header.Set("X-Amz-Target", "DynamoDB_20120810."+operation)
	w := &answer{header: http.Header{}, status: http.StatusOK}
	s.holder.ServeHTTP(w, r)
	if w.status != http.StatusOK {
		return fmt.Errorf("%s: %s", operation, bytes.TrimSpace(w.body.Bytes()))
	}
	if out == nil {
		return nil
	}
	if err := json.Unmarshal(w.body.Bytes(), out); err != nil {
		return fmt.Errorf("read answer of %s: %w", operation, err)
	}
	return nil
}

// answer keeps what minidyn answers.
type answer struct {
	header http.Header
	status int
	body   bytes.Buffer
}

func (a *answer) Header() http.Header         { return a.header }
func (a *answer) WriteHeader(status int)      { a.status = status }
func (a *answer) Write(p []byte) (int, error) { return a.body.Write(p) }

// single maps the operations on one table; the value tells whether they write.
var single = map[string]bool{
	"PutItem": true, "UpdateItem": true, "DeleteItem": true, "GetItem": false, "Query": false, "Scan": false, "DescribeTable": false,
}

// Needs lists the permissions that a request needs.
func (s *Service) Needs(r *http.Request) ([]iam.Need, error) {
	operation := wire.Operation(r)
	if operation == "ListTables" {
		return []iam.Need{{Action: "dynamodb:ListTables", Resource: "*"}}, nil
	}
	var in struct {
		TableName    string
		RequestItems map[string]json.RawMessage
	}
	if err := wire.Decode(r, &in); err != nil {
		return nil, err
	}
	var tables []string
	switch operation {
	case "BatchWriteItem", "BatchGetItem":
		for name := range in.RequestItems {
			tables = append(tables, name)
		}
		sort.Strings(tables)
	default:
		if _, known := single[operation]; !known {
			return nil, wire.Errorf("UnknownOperationException", "DynamoDB operation %q is not supported here", operation)
		}
		tables = []string{in.TableName}
	}
	s.mu.RLock()
	defer s.mu.RUnlock()
	needs := make([]iam.Need, 0, len(tables))
	for _, name := range tables {
		t, ok := s.tables[name]
		if !ok {
			return nil, &wire.APIError{Code: "ResourceNotFoundException", Message: "Requested resource not found: Table: " + name + " not found"}
		}
		needs = append(needs, iam.Need{Action: "dynamodb:" + operation, Resource: t.ARN})
	}
	return needs, nil
}

// ServeHTTP answers a request that was authorized.
func (s *Service) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	operation := wire.Operation(r)
	var in struct {
		TableName string
		Item      map[string]any
	}
	if err := wire.Decode(r, &in); err != nil {
		wire.WriteError(w, err)
		return
	}
	s.mu.RLock()
	defer s.mu.RUnlock()
	if operation == "ListTables" && s.embedded {
		wire.Answer(w, map[string]any{"TableNames": slices.Sorted(maps.Keys(s.tables))}, nil)
		return
	}
	if operation == "PutItem" && s.embedded {
		if err := checkItem(in.Item, s.tables[in.TableName]); err != nil {
			wire.WriteError(w, err)
			return
		}
	}
	out := &answer{header: w.Header(), status: http.StatusOK}
	s.holder.ServeHTTP(out, r)
	if out.status == http.StatusOK && single[operation] {
		s.written(r, Write{Operation: operation, Table: in.TableName})
	}
	w.Header().Set("X-Amz-Crc32", strconv.FormatUint(uint64(crc32.ChecksumIEEE(out.body.Bytes())), 10)) // SDKs check it
	w.WriteHeader(out.status)
	_, _ = w.Write(out.body.Bytes()) // a client that went away needs no answer
}
