package cloud

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"golang.org/x/sync/errgroup"

	"tributary/shared/zone"
)

// busy is a DynamoDB that throttles the first puts of every key.
type busy struct {
	throttles func(key string) int

	mu    sync.Mutex
	asked map[string]int
	put   map[string]bool
}

func (b *busy) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	var in struct {
		Item map[string]struct{ S string }
	}
	if err := json.NewDecoder(r.Body).Decode(&in); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	key := in.Item["id"].S
	b.mu.Lock()
	defer b.mu.Unlock()
	b.asked[key]++
	w.Header().Set("Content-Type", "application/x-amz-json-1.0")
	if b.asked[key] <= b.throttles(key) {
		w.WriteHeader(http.StatusBadRequest)
		_, _ = io.WriteString(w, `{"__type":"com.amazonaws.dynamodb.v20120810#ThrottlingException","message":"Rate of requests exceeds the allowed throughput"}`)
		return
	}
	b.put[key] = true
	_, _ = io.WriteString(w, `{}`)
}

func (b *busy) table(t *testing.T) *Table {
	t.Helper()
	b.asked, b.put = map[string]int{}, map[string]bool{}
	server := httptest.NewServer(b)
	t.Cleanup(server.Close)
	transport := &http.Transport{MaxIdleConnsPerHost: 32}
	t.Cleanup(transport.CloseIdleConnections)
	return NewTable(dynamodb.New(dynamodb.Options{
		Region: "eu-central-1", BaseEndpoint: &server.URL, Credentials: credentials.NewStaticCredentialsProvider("test", "test", ""),
		HTTPClient: &http.Client{Transport: transport},
		Retryer:    throttled(retry.BackoffDelayerFunc(func(int, error) (time.Duration, error) { return 0, nil })),
	}), "people")
}

func itemOf(key string) zone.Item {
	return zone.Item{PartitionKey: "id", Version: "at", Attributes: map[string]zone.Attribute{
		"id": zone.StringAttribute(key), zone.ItemOrder: zone.StringAttribute("1"), zone.ItemRun: zone.StringAttribute("20250304T144500Z"),
		zone.ItemPage: zone.NumberAttribute("2"), zone.ItemIndex: zone.NumberAttribute("7"),
	}}
}

// TestThrottledPutsGoThrough throttles 1000 puts, 32 at once, up to five times each: 3000 refusals, where the SDK's quota
// lets 100 pass.
func TestThrottledPutsGoThrough(t *testing.T) {
	b := &busy{throttles: func(key string) int { return len(strings.Trim(key, "0123456789")) }}
	table := b.table(t)
	group, ctx := errgroup.WithContext(t.Context())
	group.SetLimit(32)
	want := 0
	for n := range 1000 {
		times := 1 + n%5
		want += times + 1
		group.Go(func() error {
			applied, err := table.Put(ctx, itemOf(fmt.Sprintf("%d%s", n, strings.Repeat("x", times))))
			if err == nil && !applied {
				err = fmt.Errorf("put %d was refused", n)
			}
			return err
		})
	}
	if err := group.Wait(); err != nil {
		t.Fatal(err)
	}
	asked := 0
	for _, n := range b.asked {
		asked += n
	}
	if len(b.put) != 1000 || asked != want {
		t.Errorf("%d items were put in %d requests, want 1000 in %d", len(b.put), asked, want)
	}
}

func TestThrottlingEnds(t *testing.T) {
	b := &busy{throttles: func(string) int { return 100 }}
	_, err := b.table(t).Put(t.Context(), itemOf("secret"))
	want := "put item of record 7 on page 2 of run 20250304T144500Z into people: "
	if err == nil || !strings.HasPrefix(err.Error(), want) || strings.Contains(err.Error(), "secret") || b.asked["secret"] != putAttempts {
		t.Errorf("error %v after %d requests", err, b.asked["secret"])
	}
}
