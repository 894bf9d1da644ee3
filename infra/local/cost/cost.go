// Package cost says what AWS would charge for what a run used, line by line and with the arithmetic, at the list prices of
// us-east-1. It refuses nothing and knows no account: free tiers, taxes, discounts and what a stack costs while it stands
// still (keys, alarms, dashboards, stored bytes) are left out, and the caller says so.
package cost

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
)

// Region and AsOf say what the prices are those of.
const (
	Region = "us-east-1"
	AsOf   = "2026-11"
)

// Price is what so many units of something cost.
type Price struct {
	Service string
	Unit    string  // one of them, such as request
	Per     float64 // units
	Dollars float64 // for them
	Page    string  // where AWS says so
}

// The list prices.
var (
	LambdaCompute  = Price{"Lambda", "GB-second (arm64)", 1, 0.0000133334, "https://aws.amazon.com/lambda/pricing/"}
	LambdaRequests = Price{"Lambda", "request", 1e6, 0.20, "https://aws.amazon.com/lambda/pricing/"}
	S3Writes       = Price{"S3", "PUT, COPY, POST or LIST request", 1000, 0.005, "https://aws.amazon.com/s3/pricing/"}
	S3Reads        = Price{"S3", "GET or other request", 1000, 0.0004, "https://aws.amazon.com/s3/pricing/"}
	S3Storage      = Price{"S3", "GB-month", 1, 0.023, "https://aws.amazon.com/s3/pricing/"}
	DynamoWrites   = Price{"DynamoDB", "write request unit", 1e6, 0.625, "https://aws.amazon.com/dynamodb/pricing/on-demand/"}
	SNSRequests    = Price{"SNS", "request", 1e6, 0.50, "https://aws.amazon.com/sns/pricing/"}
	KMSRequests    = Price{"KMS", "request", 10_000, 0.03, "https://aws.amazon.com/kms/pricing/"}
	SecretCalls    = Price{"Secrets Manager", "API call", 10_000, 0.05, "https://aws.amazon.com/secrets-manager/pricing/"}
	Schedules      = Price{"EventBridge Scheduler", "invocation", 1e6, 1.00, "https://aws.amazon.com/eventbridge/pricing/"}
	LogBytes       = Price{"CloudWatch", "GB of logs", 1, 0.50, "https://aws.amazon.com/cloudwatch/pricing/"}
	Traces         = Price{"X-Ray", "trace", 1e6, 5.00, "https://aws.amazon.com/xray/pricing/"}
)

func (p Price) String() string {
	if p.Per == 1 {
		return "$" + plain(p.Dollars) + " per " + p.Unit
	}
	return "$" + plain(p.Dollars) + " for " + count(p.Per) + " × " + p.Unit
}

// Usage is what a run used.
type Usage struct {
	Invocations []Invocation
	Actions     map[string]int64 // allowed requests by IAM action, such as s3:PutObject
	ItemBytes   int64            // of a usual item; 0: none was written
	LogBytes    int64
	Scheduled   int64 // firings of schedules
}

// Invocation is one run of a function.
type Invocation struct {
	Function string
	MemoryMB int
	Took     time.Duration
}

// Line is one sum of a bill.
type Line struct {
	What     string
	Quantity float64
	Price    Price
	Dollars  float64
	How      string // the arithmetic
}

// Bill is what a run cost.
type Bill struct {
	Lines []Line
	Total float64
}

// s3Writes are the actions that S3 charges as writes; a list is one of them, deleting and aborting are free.
var s3Writes = []string{"s3:PutObject", "s3:ListBucket", "s3:ListBucketVersions", "s3:ListMultipartUploadParts"}

// Of makes the bill of a run.
func Of(u Usage) Bill {
	var b Bill
	gbSeconds, requests := 0.0, int64(len(u.Invocations))
	var parts []string
	for _, in := range u.Invocations {
		gb := float64(in.MemoryMB) / 1024
		gbSeconds += gb * in.Took.Seconds()
		parts = append(parts, fmt.Sprintf("%s %.3f GB × %.3f s", in.Function, gb, in.Took.Seconds()))
	}
	b.add("Running the functions", gbSeconds, LambdaCompute, strings.Join(parts, " + "))
	b.add("Starting the functions", float64(requests), LambdaRequests, count(float64(requests))+" invocations")
	b.add("Firing the schedule", float64(u.Scheduled), Schedules, "")
	writes, reads := int64(0), u.Actions["s3:GetObject"]+u.Actions["s3:GetObjectVersion"]
	var what []string
	for _, action := range s3Writes {
		if n := u.Actions[action]; n > 0 {
			writes += n
			what = append(what, count(float64(n))+" "+strings.TrimPrefix(action, "s3:"))
		}
	}
	b.add("Writing and listing objects", float64(writes), S3Writes, strings.Join(what, " + "))
	b.add("Reading objects", float64(reads), S3Reads, "")
	puts := u.Actions["dynamodb:PutItem"]
	units := max(1, int64(math.Ceil(float64(u.ItemBytes)/1024)))
	b.add("Putting items", float64(puts*units), DynamoWrites,
		fmt.Sprintf("%s puts × %d unit of 1 KB for an item of %s bytes", count(float64(puts)), units, count(float64(u.ItemBytes))))
	b.add("Publishing alerts", float64(u.Actions["sns:Publish"]), SNSRequests, "deliveries by email or HTTPS are charged apart")
	keys := u.Actions["kms:Decrypt"] + u.Actions["kms:GenerateDataKey"]
	b.add("Using keys", float64(keys), KMSRequests, "every use counted, as if no bucket key spared one")
	b.add("Reading secrets", float64(u.Actions["secretsmanager:GetSecretValue"]), SecretCalls, "")
	b.add("Writing logs and metrics", float64(u.LogBytes)/1e9, LogBytes, count(float64(u.LogBytes))+" bytes")
	b.add("Tracing", float64(requests), Traces, "one trace for each invocation, before sampling")
	return b
}

func (b *Bill) add(what string, quantity float64, p Price, how string) {
	if quantity == 0 {
		return
	}
	l := Line{What: what, Quantity: quantity, Price: p, Dollars: quantity / p.Per * p.Dollars, How: how}
	b.Lines, b.Total = append(b.Lines, l), b.Total+l.Dollars
}

// Dollars writes a sum so that its first two digits are seen.
func Dollars(v float64) string {
	if v == 0 {
		return "$0"
	}
	if v >= 1 {
		return "$" + strconv.FormatFloat(v, 'f', 2, 64)
	}
	return "$" + strconv.FormatFloat(v, 'f', 1-int(math.Floor(math.Log10(v))), 64)
}

// Amount writes a quantity.
func (l Line) Amount() string {
	if l.Quantity == math.Trunc(l.Quantity) {
		return count(l.Quantity)
	}
	return strconv.FormatFloat(l.Quantity, 'f', max(0, 3-int(math.Floor(math.Log10(l.Quantity)))), 64)
}

func plain(v float64) string { return strconv.FormatFloat(v, 'f', -1, 64) }

func count(v float64) string {
	digits := strconv.FormatFloat(v, 'f', 0, 64)
	for i := len(digits) - 3; i > 0; i -= 3 {
		digits = digits[:i] + "," + digits[i:]
	}
	return digits
}
