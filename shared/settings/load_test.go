package settings

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func env(pairs map[string]string) func(string) string {
	return func(name string) string { return pairs[name] }
}

func TestLoadIngest(t *testing.T) {
	tests := []struct {
		name    string
		env     map[string]string
		want    Ingest
		wantErr string
	}{
		{
			name: "least",
			env: map[string]string{
				"TRIBUTARY_ENVIRONMENT":      "dev",
				"TRIBUTARY_RAW_BUCKET":       "tributary-dev-raw",
				"TRIBUTARY_LAKE_BUCKET":      "tributary-dev-lake",
				"TRIBUTARY_PROCESS_FUNCTION": "tributary-dev-process-coins",
				"LAMBDA_TASK_ROOT":           "/var/task",
			},
			want: Ingest{
				Environment:     "dev",
				RawBucket:       "tributary-dev-raw",
				LakeBucket:      "tributary-dev-lake",
				ProcessFunction: "tributary-dev-process-coins",
				Contract:        "/var/task/contract.odcs.yaml",
				LogLevel:        "INFO",
			},
		},
		{
			name: "everything",
			env: map[string]string{
				"TRIBUTARY_ENVIRONMENT":      "prod",
				"TRIBUTARY_RAW_BUCKET":       "tributary-prod-raw",
				"TRIBUTARY_LAKE_BUCKET":      "tributary-prod-lake",
				"TRIBUTARY_PROCESS_FUNCTION": "tributary-prod-process-coins",
				"TRIBUTARY_SOURCE_URL":       "http://127.0.0.1:4567/coins/markets",
				"TRIBUTARY_SOURCE_SECRET":    "arn:aws:secretsmanager:eu-central-1:123456789012:secret:tributary/prod/coingecko-AbCdEf",
				"TRIBUTARY_CONTRACT":         "some/file.odcs.yaml",
				"AWS_LAMBDA_LOG_LEVEL":       "TRACE",
			},
			want: Ingest{
				Environment:     "prod",
				RawBucket:       "tributary-prod-raw",
				LakeBucket:      "tributary-prod-lake",
				ProcessFunction: "tributary-prod-process-coins",
				SourceURL:       "http://127.0.0.1:4567/coins/markets",
				SourceSecret:    "arn:aws:secretsmanager:eu-central-1:123456789012:secret:tributary/prod/coingecko-AbCdEf",
				Contract:        "some/file.odcs.yaml",
				LogLevel:        "DEBUG",
			},
		},
		{
			name: "every fault at once",
			env: map[string]string{
				"TRIBUTARY_RAW_BUCKET":       "Raw_Bucket",
				"TRIBUTARY_PROCESS_FUNCTION": "a function",
				"TRIBUTARY_SOURCE_URL":       "ftp://example.com/",
				"TRIBUTARY_SOURCE_SECRET":    "two words",
				"AWS_LAMBDA_LOG_LEVEL":       "LOUD",
			},
			wantErr: "load settings of ingest: TRIBUTARY_ENVIRONMENT is not set: want a stack name like dev\n" +
				"TRIBUTARY_RAW_BUCKET is \"Raw_Bucket\": want a bucket name of 3 to 63 lower-case letters, digits, dots and hyphens\n" +
				"TRIBUTARY_LAKE_BUCKET is not set: want a bucket name of 3 to 63 lower-case letters, digits, dots and hyphens\n" +
				"TRIBUTARY_PROCESS_FUNCTION is \"a function\": want a Lambda function name\n" +
				"TRIBUTARY_SOURCE_URL is \"ftp://example.com/\": want an http or https URL without user information\n" +
				"TRIBUTARY_SOURCE_SECRET is \"two words\": want a Secrets Manager name or ARN\n" +
				"AWS_LAMBDA_LOG_LEVEL is \"LOUD\": want TRACE, DEBUG, INFO, WARN, ERROR or FATAL",
		},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			got, err := LoadIngest(env(test.env))
			if diff := cmp.Diff(test.wantErr, text(err)); diff != "" {
				t.Errorf("error (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("settings (-want +got):\n%s", diff)
			}
		})
	}
}

func TestLoadProcess(t *testing.T) {
	tests := []struct {
		name    string
		env     map[string]string
		want    Process
		wantErr string
	}{
		{
			name: "served",
			env: map[string]string{
				"TRIBUTARY_ENVIRONMENT":    "test",
				"TRIBUTARY_STACK":          "dev",
				"TRIBUTARY_RAW_BUCKET":     "raw",
				"TRIBUTARY_LAKE_BUCKET":    "lake",
				"TRIBUTARY_REJECTS_BUCKET": "rejects",
				"TRIBUTARY_SERVING_TABLE":  "tributary-dev-coin_markets",
				"TRIBUTARY_ALERT_TOPIC":    "arn:aws:sns:eu-central-1:123456789012:tributary-dev-alerts",
			},
			want: Process{
				Environment:   "test",
				Stack:         "dev",
				RawBucket:     "raw",
				LakeBucket:    "lake",
				RejectsBucket: "rejects",
				ServingTable:  "tributary-dev-coin_markets",
				AlertTopic:    "arn:aws:sns:eu-central-1:123456789012:tributary-dev-alerts",
				Contract:      "contract.odcs.yaml",
				LogLevel:      "INFO",
			},
		},
		{
			name: "every fault at once",
			env: map[string]string{
				"TRIBUTARY_ENVIRONMENT":   "9",
				"TRIBUTARY_RAW_BUCKET":    "raw",
				"TRIBUTARY_SERVING_TABLE": "a/b",
				"TRIBUTARY_ALERT_TOPIC":   "alerts",
			},
			wantErr: "load settings of process: TRIBUTARY_ENVIRONMENT is \"9\": want a stack name like dev\n" +
				"TRIBUTARY_STACK is not set: want a stack name like dev\n" +
				"TRIBUTARY_LAKE_BUCKET is not set: want a bucket name of 3 to 63 lower-case letters, digits, dots and hyphens\n" +
				"TRIBUTARY_REJECTS_BUCKET is not set: want a bucket name of 3 to 63 lower-case letters, digits, dots and hyphens\n" +
				"TRIBUTARY_SERVING_TABLE is \"a/b\": want a DynamoDB table name\n" +
				"TRIBUTARY_ALERT_TOPIC is \"alerts\": want an SNS topic ARN",
		},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			got, err := LoadProcess(env(test.env))
			if diff := cmp.Diff(test.wantErr, text(err)); diff != "" {
				t.Errorf("error (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("settings (-want +got):\n%s", diff)
			}
		})
	}
}

func text(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}
