package cost

import (
	"math"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestOf(t *testing.T) {
	bill := Of(Usage{
		Invocations: []Invocation{{"ingest", 512, 2 * time.Second}, {"process", 2048, 500 * time.Millisecond}},
		Actions: map[string]int64{
			"s3:PutObject": 9, "s3:ListBucket": 1, "s3:GetObject": 4, "s3:GetObjectVersion": 1, "s3:DeleteObject": 3,
			"dynamodb:PutItem": 540, "sns:Publish": 1, "kms:Decrypt": 3, "kms:GenerateDataKey": 2, "secretsmanager:GetSecretValue": 1,
		},
		ItemBytes: 1500, LogBytes: 2_000_000, Scheduled: 1,
	})
	got := map[string]float64{}
	sum := 0.0
	for _, l := range bill.Lines {
		got[l.What] = l.Dollars
		sum += l.Dollars
	}
	want := map[string]float64{ // by hand, from the pages
		"Running the functions":       2 * 0.0000133334, // 0.5 GB × 2 s + 2 GB × 0.5 s
		"Starting the functions":      2 * 0.0000002,
		"Firing the schedule":         0.000001,
		"Writing and listing objects": 10 * 0.000005,
		"Reading objects":             5 * 0.0000004,
		"Putting items":               1080 * 0.000000625,
		"Publishing alerts":           0.0000005,
		"Using keys":                  5 * 0.000003,
		"Reading secrets":             0.000005,
		"Writing logs and metrics":    0.001,
		"Tracing":                     2 * 0.000005,
	}
	near := cmp.Comparer(func(a, b float64) bool { return math.Abs(a-b) < 1e-12 })
	if diff := cmp.Diff(want, got, near); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
	if math.Abs(sum-bill.Total) > 1e-12 {
		t.Errorf("total %v, the lines make %v", bill.Total, sum)
	}
}

func TestWhatIsNotUsedCostsNothing(t *testing.T) {
	if bill := Of(Usage{}); len(bill.Lines) != 0 || bill.Total != 0 {
		t.Errorf("got %+v", bill)
	}
}

func TestDollars(t *testing.T) {
	for v, want := range map[float64]string{0: "$0", 12.345: "$12.35", 1: "$1.00", 0.5: "$0.50", 0.0123: "$0.012", 0.00000266668: "$0.0000027"} {
		if got := Dollars(v); got != want {
			t.Errorf("%v: got %s, want %s", v, got, want)
		}
	}
}

func TestPriceSays(t *testing.T) {
	for want, p := range map[string]Price{
		"$0.005 for 1,000 × PUT, COPY, POST or LIST request": S3Writes,
		"$0.0000133334 per GB-second (arm64)":                LambdaCompute,
	} {
		if got := p.String(); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}

func TestMonth(t *testing.T) {
	bill := Month(Volume{Every: time.Hour, Records: 1000, Served: true})
	got := map[string]float64{}
	for _, l := range bill.Lines {
		got[l.What] = l.Dollars
	}
	want := map[string]float64{ // by hand
		"Ingest function":            730 * 1.9 * 0.5 * 0.0000133334,
		"Process function":           730 * (0.3 + 1000.0/300_000 + 1000.0/3000) * 1769 / 1024 * 0.0000133334,
		"Invocations":                1460 * 0.0000002,
		"Schedule":                   730 * 0.000001,
		"Logs":                       730 * 5000 / 1e9 * 0.5,
		"Traces":                     1460 * 0.000005,
		"Objects written and listed": 730 * 25 * 0.000005,
		"Objects read":               730 * 12 * 0.0000004,
		"Items put":                  730_000 * 0.000000625,
		"Bytes kept, after a year":   730_000 * 12 * 350 / 1e9 * 0.023,
		"Metrics":                    6.6,
		"Alarms":                     1.9,
		"Dashboard":                  3,
		"Keys":                       2,
		"Secret":                     0.4,
		"Queries":                    0.1,
	}
	near := cmp.Comparer(func(a, b float64) bool { return math.Abs(a-b) < 1e-9 })
	if diff := cmp.Diff(want, got, near); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}
