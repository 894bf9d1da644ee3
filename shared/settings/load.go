package settings

import (
	"errors"
	"fmt"
	"net/url"
	"path/filepath"
	"regexp"
)

// Variables that the Lambda service sets.
const (
	taskRoot = "LAMBDA_TASK_ROOT"
	logLevel = "AWS_LAMBDA_LOG_LEVEL"
)

// Ingest is what the ingest function is told.
type Ingest struct {
	Environment     string
	RawBucket       string
	LakeBucket      string
	ProcessFunction string
	SourceURL       string // "": the contract's server
	SourceSecret    string // "": the name that the contract gives
	Contract        string // path
	LogLevel        string // DEBUG, INFO, WARN or ERROR
}

// Process is what the process function is told.
type Process struct {
	Environment   string
	Stack         string
	RawBucket     string
	LakeBucket    string
	RejectsBucket string
	ServingTable  string // "": the dataset is not served
	AlertTopic    string // ARN
	Contract      string // path
	LogLevel      string // DEBUG, INFO, WARN or ERROR
}

// LoadIngest reads the ingest function's settings and reports every fault at once.
func LoadIngest(getenv func(string) string) (Ingest, error) {
	r := reader{getenv: getenv}
	s := Ingest{
		Environment:     r.required(Environment, environment),
		RawBucket:       r.required(RawBucket, bucket),
		LakeBucket:      r.required(LakeBucket, bucket),
		ProcessFunction: r.required(ProcessFunction, function),
		SourceURL:       r.optional(SourceURL, httpURL),
		SourceSecret:    r.optional(SourceSecret, secretName),
		Contract:        r.contract(),
		LogLevel:        r.level(),
	}
	if err := errors.Join(r.faults...); err != nil {
		return Ingest{}, fmt.Errorf("load settings of ingest: %w", err)
	}
	return s, nil
}

// LoadProcess reads the process function's settings and reports every fault at once.
func LoadProcess(getenv func(string) string) (Process, error) {
	r := reader{getenv: getenv}
	s := Process{
		Environment:   r.required(Environment, environment),
		Stack:         r.required(Stack, environment),
		RawBucket:     r.required(RawBucket, bucket),
		LakeBucket:    r.required(LakeBucket, bucket),
		RejectsBucket: r.required(RejectsBucket, bucket),
		ServingTable:  r.optional(ServingTable, table),
		AlertTopic:    r.required(AlertTopic, topic),
		Contract:      r.contract(),
		LogLevel:      r.level(),
	}
	if err := errors.Join(r.faults...); err != nil {
		return Process{}, fmt.Errorf("load settings of process: %w", err)
	}
	return s, nil
}

// format is the shape that a value must have.
type format struct {
	want  string
	match func(string) bool
}

var (
	environment = format{"a stack name like dev", regexp.MustCompile(`^[A-Za-z][A-Za-z0-9_.-]{0,99}$`).MatchString}
	bucket      = format{"a bucket name of 3 to 63 lower-case letters, digits, dots and hyphens", regexp.MustCompile(`^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$`).MatchString}
	table       = format{"a DynamoDB table name", regexp.MustCompile(`^[A-Za-z0-9_.-]{3,255}$`).MatchString}
	function    = format{"a Lambda function name", regexp.MustCompile(`^[A-Za-z0-9_-]{1,64}$`).MatchString}
	topic       = format{"an SNS topic ARN", regexp.MustCompile(`^arn:aws[a-z-]*:sns:[a-z0-9-]+:\d{12}:[A-Za-z0-9_-]{1,256}$`).MatchString}
	secretName  = format{"a Secrets Manager name or ARN", regexp.MustCompile(`^[A-Za-z0-9/_+=.@:-]+$`).MatchString}
	httpURL     = format{"an http or https URL without user information", isHTTPURL}
)

func isHTTPURL(value string) bool {
	u, err := url.Parse(value)
	return err == nil && (u.Scheme == "http" || u.Scheme == "https") && u.Host != "" && u.User == nil
}

// reader collects the faults of the variables it reads.
type reader struct {
	getenv func(string) string
	faults []error
}

func (r *reader) required(name string, f format) string {
	if r.getenv(name) == "" {
		r.faults = append(r.faults, fmt.Errorf("%s is not set: want %s", name, f.want))
		return ""
	}
	return r.optional(name, f)
}

func (r *reader) optional(name string, f format) string {
	value := r.getenv(name)
	if value != "" && !f.match(value) {
		r.faults = append(r.faults, fmt.Errorf("%s is %q: want %s", name, value, f.want))
	}
	return value
}

func (r *reader) contract() string {
	if path := r.getenv(Contract); path != "" {
		return path
	}
	return filepath.Join(r.getenv(taskRoot), ContractFile)
}

// level reads the level that Lambda's logging configuration asks for; its TRACE and FATAL have no counterpart here.
func (r *reader) level() string {
	switch value := r.getenv(logLevel); value {
	case "", "INFO":
		return "INFO"
	case "TRACE", "DEBUG":
		return "DEBUG"
	case "WARN":
		return "WARN"
	case "ERROR", "FATAL":
		return "ERROR"
	default:
		r.faults = append(r.faults, fmt.Errorf("%s is %q: want TRACE, DEBUG, INFO, WARN, ERROR or FATAL", logLevel, value))
		return ""
	}
}
