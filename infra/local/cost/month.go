package cost

import (
	"fmt"
	"math"
	"strings"
	"time"
)

// Prices of what stands, by month.
var (
	Keys         = Price{"KMS", "key", 1, 1.00, "https://aws.amazon.com/kms/pricing/"}
	Secrets      = Price{"Secrets Manager", "secret", 1, 0.40, "https://aws.amazon.com/secrets-manager/pricing/"}
	AlarmsPerMon = Price{"CloudWatch", "alarm", 1, 0.10, "https://aws.amazon.com/cloudwatch/pricing/"}
	Metrics      = Price{"CloudWatch", "custom metric", 1, 0.30, "https://aws.amazon.com/cloudwatch/pricing/"}
	Dashboards   = Price{"CloudWatch", "dashboard", 1, 3.00, "https://aws.amazon.com/cloudwatch/pricing/"}
	Scans        = Price{"Athena", "TB scanned", 1, 5.00, "https://aws.amazon.com/athena/pricing/"}
)

// Volume is one dataset's load.
type Volume struct {
	Name    string
	Every   time.Duration // between runs
	Records int           // of a run
	Served  bool          // each of them is put into DynamoDB
}

// What is assumed of a record and of the functions, as measured on records of CoinGecko.
const (
	hoursOfMonth = 730
	pageRecords  = 250
	rawBytes     = 160.0 // of a record, gzip
	lakeBytes    = 190.0 // Parquet with snappy
	ingestGB     = 0.5
	ingestPage   = 400 * time.Millisecond // mostly the API's answer
	processGB    = 1769.0 / 1024
	startUp      = 300 * time.Millisecond // of a function, cold, with its first requests
	decoded      = 300_000.0              // records a second
	putPerSecond = 3000.0
	monthsKept   = 12 // bytes that have gathered after a year
	lists        = 13 // requests of a run that look back and around
	controls     = 8  // objects of a run beside its pages: manifest, audit, lake, rejects
	ownMetrics   = 17 // and a metric for each rule that rejects
	usualRules   = 5
	logBytes     = 5000.0 // of both functions in a run
	alarms       = 19
	queriedGB    = 20.0 // scanned by readers, at most, in a month: workgroup and partitions keep it small
)

// Month is what a dataset of that volume costs a month, with what a stack costs that stands still.
func Month(v Volume) Bill {
	var b Bill
	runs := math.Floor(hoursOfMonth * float64(time.Hour) / float64(v.Every))
	records, pages := float64(v.Records), math.Ceil(float64(v.Records)/pageRecords)
	ingest := startUp.Seconds() + pages*ingestPage.Seconds()
	process := startUp.Seconds() + records/decoded
	if v.Served {
		process += records / putPerSecond
	}
	b.add("Ingest function", runs*ingest*ingestGB, LambdaCompute, fmt.Sprintf("%s runs × %.1f s × %.1f GB", count(runs), ingest, ingestGB))
	b.add("Process function", runs*process*processGB, LambdaCompute, fmt.Sprintf("%s runs × %.1f s × %.3f GB", count(runs), process, processGB))
	b.add("Invocations", 2*runs, LambdaRequests, count(runs)+" runs × 2")
	b.add("Schedule", runs, Schedules, count(runs)+" runs")
	b.add("Objects written and listed", runs*(pages+controls+lists), S3Writes, fmt.Sprintf("%s runs × (%s pages + %d + %d)", count(runs), count(pages), controls, lists))
	b.add("Objects read", runs*(pages+controls), S3Reads, fmt.Sprintf("%s runs × (%s pages + %d)", count(runs), count(pages), controls))
	if v.Served {
		b.add("Items put", runs*records, DynamoWrites, fmt.Sprintf("%s runs × %s records × 1 unit", count(runs), count(records)))
	}
	kept := runs * records * monthsKept * (rawBytes + lakeBytes) / 1e9
	b.add("Bytes kept, after a year", kept, S3Storage, fmt.Sprintf("12 months × %s records × (%.0f B raw + %.0f B Parquet)", count(runs*records), rawBytes, lakeBytes))
	b.add("Logs", runs*logBytes/1e9, LogBytes, fmt.Sprintf("%s runs × %.0f B, metrics included", count(runs), logBytes))
	b.add("Traces", 2*runs, Traces, count(runs)+" runs × 2, before sampling")
	b.add("Metrics", ownMetrics+usualRules, Metrics, fmt.Sprintf("%d of the dataset and %d rules that reject", ownMetrics, usualRules))
	b.add("Alarms", alarms, AlarmsPerMon, fmt.Sprintf("%d of the dataset", alarms))
	b.add("Secret", 1, Secrets, "1 of the dataset")
	b.add("Dashboard", 1, Dashboards, "1 of the stack")
	b.add("Keys", 2, Keys, "2 of the stack: data and alerts")
	b.add("Queries", queriedGB/1000, Scans, fmt.Sprintf("%.0f GB scanned", queriedGB))
	return b
}

// Volumes are the three that the README tells.
var Volumes = []Volume{
	{Name: "small", Every: time.Hour, Records: 1000, Served: true},
	{Name: "medium", Every: 15 * time.Minute, Records: 10_000, Served: true},
	{Name: "large, not served", Every: 5 * time.Minute, Records: 100_000},
}

// MonthTable writes the bills of volumes side by side as Markdown.
func MonthTable(volumes []Volume) string {
	var b strings.Builder
	b.WriteString("| a month, us-east-1, " + AsOf + " | price")
	for _, v := range volumes {
		fmt.Fprintf(&b, " | %s: %s records every %s", v.Name, count(float64(v.Records)), strings.TrimSuffix(strings.TrimSuffix(v.Every.String(), "0s"), "0m"))
	}
	b.WriteString(" |\n|---|---|" + strings.Repeat("---:|", len(volumes)) + "\n")
	type row struct {
		price Price
		cells []string
	}
	var order []string
	rows := map[string]row{}
	totals := make([]float64, len(volumes))
	for i, v := range volumes {
		bill := Month(v)
		totals[i] = bill.Total
		for _, l := range bill.Lines {
			if _, there := rows[l.What]; !there {
				order = append(order, l.What)
				rows[l.What] = row{l.Price, make([]string, len(volumes))}
			}
			rows[l.What].cells[i] = Dollars(l.Dollars) + " = " + l.How
		}
	}
	for _, what := range order {
		fmt.Fprintf(&b, "| %s | %s", what, rows[what].price)
		for _, c := range rows[what].cells {
			if c == "" {
				c = "–"
			}
			b.WriteString(" | " + c)
		}
		b.WriteString(" |\n")
	}
	b.WriteString("| **together** | ")
	for _, total := range totals {
		fmt.Fprintf(&b, " | **%s**", Dollars(total))
	}
	b.WriteString(" |\n")
	return b.String()
}
