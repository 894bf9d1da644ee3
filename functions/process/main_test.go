package main

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/google/go-cmp/cmp"
	"github.com/johannesboyne/gofakes3"
	"github.com/johannesboyne/gofakes3/backend/s3mem"
	minidyn "github.com/truora/minidyn/server"

	"tributary/shared/process"
	"tributary/shared/zone"
)

const contractPath = "../../shared/datasets/coin_markets.odcs.yaml"

// topic keeps what is published.
type topic struct {
	mu       sync.Mutex
	messages []string
}

func (s *topic) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.messages = append(s.messages, r.FormValue("Subject")+"\n"+r.FormValue("Message"))
	fmt.Fprint(w, "<PublishResponse><PublishResult><MessageId>1</MessageId></PublishResult></PublishResponse>")
}

// services starts S3, DynamoDB and SNS on this machine and points the SDK at them as a deployment would.
func services(t *testing.T) (s3Client *s3.Client, table *dynamodb.Client, alerts *topic) {
	t.Helper()
	serve := func(variable string, handler http.Handler) {
		server := httptest.NewServer(handler)
		t.Cleanup(server.Close)
		t.Setenv(variable, server.URL)
	}
	alerts = &topic{}
	serve("AWS_ENDPOINT_URL_S3", gofakes3.New(s3mem.New()).Server())
	serve("AWS_ENDPOINT_URL_DYNAMODB", minidyn.NewServer())
	serve("AWS_ENDPOINT_URL_SNS", alerts)
	for name, value := range map[string]string{
		"AWS_REGION":               "us-east-1",
		"AWS_ACCESS_KEY_ID":        "test",
		"AWS_SECRET_ACCESS_KEY":    "test",
		"TRIBUTARY_ENVIRONMENT":    "dev",
		"TRIBUTARY_STACK":          "dev",
		"TRIBUTARY_RAW_BUCKET":     "tributary-dev-raw",
		"TRIBUTARY_LAKE_BUCKET":    "tributary-dev-lake",
		"TRIBUTARY_REJECTS_BUCKET": "tributary-dev-rejects",
		"TRIBUTARY_SERVING_TABLE":  "tributary-dev-coin_markets",
		"TRIBUTARY_ALERT_TOPIC":    "arn:aws:sns:us-east-1:123456789012:alerts",
		"TRIBUTARY_CONTRACT":       contractPath,
	} {
		t.Setenv(name, value)
	}
	cfg, err := config.LoadDefaultConfig(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	s3Client, table = s3.NewFromConfig(cfg), dynamodb.NewFromConfig(cfg, func(o *dynamodb.Options) { o.DisableValidateResponseChecksum = true })
	for _, name := range []string{"raw", "lake", "rejects"} {
		if _, err := s3Client.CreateBucket(t.Context(), &s3.CreateBucketInput{Bucket: aws.String("tributary-dev-" + name)}); err != nil {
			t.Fatal(err)
		}
	}
	_, err = table.CreateTable(t.Context(), &dynamodb.CreateTableInput{
		TableName:            aws.String("tributary-dev-coin_markets"),
		BillingMode:          types.BillingModePayPerRequest,
		AttributeDefinitions: []types.AttributeDefinition{{AttributeName: aws.String("id"), AttributeType: types.ScalarAttributeTypeS}},
		KeySchema:            []types.KeySchemaElement{{AttributeName: aws.String("id"), KeyType: types.KeyTypeHash}},
	})
	if err != nil {
		t.Fatal(err)
	}
	return s3Client, table, alerts
}

// coins is a page of n coins, the last of which has a negative price.
func coins(n int) []byte {
	var b strings.Builder
	for i := range n {
		price := 100.5
		if i == n-1 {
			price = -1
		}
		fmt.Fprintf(&b, `%c{"id":"coin-%02d","symbol":"c","name":"Coin","current_price":%v,"high_24h":120,"low_24h":90,"last_updated":"2025-03-04T14:40:00.123Z"}`,
			"[,"[min(i, 1)], i, price)
	}
	return []byte(b.String() + "]")
}

// store puts a run of one page into the raw bucket.
func store(t *testing.T, client *s3.Client, run zone.Run, body []byte, records int64) {
	t.Helper()
	var page bytes.Buffer
	z := gzip.NewWriter(&page)
	if _, err := z.Write(body); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	put := func(key string, body []byte) {
		_, err := client.PutObject(t.Context(), &s3.PutObjectInput{Bucket: aws.String("tributary-dev-raw"), Key: &key, Body: bytes.NewReader(body)})
		if err != nil {
			t.Fatal(err)
		}
	}
	put(run.RawPageKey(1), page.Bytes())
	sum := sha256.Sum256(page.Bytes())
	manifest, err := json.Marshal(zone.Manifest{
		Format: zone.ManifestFormat, Dataset: run.Dataset, Run: run.ID(), ScheduledAt: run.At, Ended: zone.EndedComplete, Records: records,
		Pages: []zone.ManifestPage{{
			Page: 1, Key: run.RawPageKey(1), Bytes: int64(page.Len()), SHA256: hex.EncodeToString(sum[:]), Records: records, FetchedAt: run.At,
		}},
	})
	if err != nil {
		t.Fatal(err)
	}
	put(run.ManifestKey(), manifest)
}

func TestFunctionProcessesTheEvent(t *testing.T) {
	buckets, table, alerts := services(t)
	run := zone.NewRun("coin_markets", time.Date(2025, 3, 4, 14, 45, 0, 0, time.UTC))
	store(t, buckets, run, coins(40), 40)
	event, err := os.ReadFile("event.json")
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	processor, err := wire(t.Context(), os.Getenv, &out)
	if err != nil {
		t.Fatal(err)
	}
	processor.Now = func() time.Time { return run.At.Add(time.Minute) }
	results, err := processor.Handle(t.Context(), event)
	if err != nil {
		t.Fatal(err)
	}
	want := []process.Result{{
		Dataset: "coin_markets", Run: "20250304T144500Z", Status: process.StatusProcessed, Outcome: zone.OutcomeLoaded,
		Records: 40, Clean: 39, Rejected: 1, Items: 39, AlertID: results[0].AlertID,
	}}
	if diff := cmp.Diff(want, results); diff != "" {
		t.Error(diff)
	}
	for name, key := range map[string]string{
		"lake": run.LakeKey("coin_markets", 1), "rejects": run.RejectsKey(1),
	} {
		if _, err := buckets.HeadObject(t.Context(), &s3.HeadObjectInput{Bucket: aws.String("tributary-dev-" + name), Key: &key}); err != nil {
			t.Errorf("%s: %v", key, err)
		}
	}
	scan, err := table.Scan(t.Context(), &dynamodb.ScanInput{TableName: aws.String("tributary-dev-coin_markets")})
	if err != nil || scan.Count != 39 {
		t.Errorf("%d items, %v", scan.Count, err)
	}
	if len(alerts.messages) != 1 || !strings.HasPrefix(alerts.messages[0], "[tributary dev] coin_markets 20250304T144500Z: 1 of 40 records rejected\n") {
		t.Errorf("alerts %q", alerts.messages)
	}
	if !strings.Contains(out.String(), `"message":"run processed"`) || !strings.Contains(out.String(), `"RecordsRejected":1`) {
		t.Errorf("output:\n%s", out.String())
	}
	again, err := processor.Handle(t.Context(), event)
	if err != nil || again[0].Status != process.StatusSkipped {
		t.Errorf("second delivery: %+v, %v", again, err)
	}
}

func TestRunReportsEverythingThatIsMissing(t *testing.T) {
	set := map[string]string{
		"TRIBUTARY_ENVIRONMENT": "test", "TRIBUTARY_STACK": "test", "TRIBUTARY_RAW_BUCKET": "raw", "TRIBUTARY_LAKE_BUCKET": "lake", "TRIBUTARY_REJECTS_BUCKET": "rejects",
		"TRIBUTARY_ALERT_TOPIC": "arn:aws:sns:us-east-1:123456789012:alerts", "TRIBUTARY_CONTRACT": contractPath,
	}
	tests := []struct {
		name string
		env  map[string]string
		want []string
	}{
		{"settings", nil, []string{"TRIBUTARY_ENVIRONMENT is not set", "TRIBUTARY_REJECTS_BUCKET is not set", "TRIBUTARY_ALERT_TOPIC is not set"}},
		{"table", set, []string{"TRIBUTARY_SERVING_TABLE is not set"}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			err := run(context.Background(), func(name string) string { return test.env[name] })
			if err == nil {
				t.Fatal("no error")
			}
			for _, want := range test.want {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("error %q lacks %q", err, want)
				}
			}
		})
	}
}
