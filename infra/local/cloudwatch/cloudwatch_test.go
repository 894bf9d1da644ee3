package cloudwatch_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"tributary/infra/local/cloudwatch"
)

func TestParseEMF(t *testing.T) {
	at := time.UnixMilli(1741099500000).UTC()
	coins := map[string]string{"Dataset": "coins"}
	for _, test := range []struct {
		name, line string
		want       []cloudwatch.Datum
	}{
		{"plain text", "hello", nil},
		{"JSON without metrics", `{"level":"INFO","msg":"_aws"}`, nil},
		{"one metric in two dimension sets", `{"_aws":{"Timestamp":1741099500000,"CloudWatchMetrics":[{"Namespace":"T","Dimensions":[["Dataset"],[]],"Metrics":[{"Name":"Records","Unit":"Count"}]}]},"Dataset":"coins","Records":30}`,
			[]cloudwatch.Datum{
				{Namespace: "T", Name: "Records", Dimensions: coins, Value: 30, Unit: "Count", Time: at},
				{Namespace: "T", Name: "Records", Dimensions: map[string]string{}, Value: 30, Unit: "Count", Time: at},
			}},
		{"several values", `{"_aws":{"Timestamp":1741099500000,"CloudWatchMetrics":[{"Namespace":"T","Dimensions":[["Dataset"]],"Metrics":[{"Name":"Seconds"}]}]},"Dataset":"coins","Seconds":[1.5,2]}`,
			[]cloudwatch.Datum{{Namespace: "T", Name: "Seconds", Dimensions: coins, Value: 1.5, Time: at}, {Namespace: "T", Name: "Seconds", Dimensions: coins, Value: 2, Time: at}}},
		{"dimension without value", `{"_aws":{"Timestamp":1,"CloudWatchMetrics":[{"Namespace":"T","Dimensions":[["Dataset"]],"Metrics":[{"Name":"N"}]}]},"N":1}`, nil},
		{"dimension that is no text", `{"_aws":{"Timestamp":1,"CloudWatchMetrics":[{"Namespace":"T","Dimensions":[["Dataset"]],"Metrics":[{"Name":"N"}]}]},"Dataset":1,"N":1}`, nil},
		{"metric without value", `{"_aws":{"Timestamp":1,"CloudWatchMetrics":[{"Namespace":"T","Dimensions":[[]],"Metrics":[{"Name":"N"}]}]}}`, nil},
	} {
		t.Run(test.name, func(t *testing.T) {
			if diff := cmp.Diff(test.want, cloudwatch.ParseEMF(test.line)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestPasses(t *testing.T) {
	for _, test := range []struct {
		name, line, least string
		want              bool
	}{
		{"at the level", `{"level":"INFO"}`, "INFO", true},
		{"below", `{"level":"DEBUG"}`, "INFO", false},
		{"above, in lower case", `{"level":"error"}`, "WARN", true},
		{"a metric line without level counts as INFO", `{"_aws":{}}`, "WARN", false},
		{"text counts as INFO", "hello", "INFO", true},
		{"no level set", `{"level":"TRACE"}`, "", true},
	} {
		t.Run(test.name, func(t *testing.T) {
			if got := cloudwatch.Passes(test.line, test.least); got != test.want {
				t.Errorf("%v, want %v", got, test.want)
			}
		})
	}
}
