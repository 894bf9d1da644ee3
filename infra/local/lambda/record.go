package lambda

import (
	"encoding/json"
	"fmt"
	"time"
)

// failureRecord is what Lambda sends to the destination of an asynchronous invocation that failed for good.
func failureRecord(f Function, id string, now time.Time, attempts int, payload []byte, last Result) ([]byte, error) {
	type request struct {
		ID        string `json:"requestId"`
		Function  string `json:"functionArn"`
		Condition string `json:"condition"`
		Count     int    `json:"approximateInvokeCount"`
	}
	type response struct {
		Status  int    `json:"statusCode"`
		Version string `json:"executedVersion"`
		Error   string `json:"functionError"`
	}
	record := struct {
		Version         string          `json:"version"`
		Timestamp       string          `json:"timestamp"`
		RequestContext  request         `json:"requestContext"`
		RequestPayload  json.RawMessage `json:"requestPayload"`
		ResponseContext *response       `json:"responseContext,omitempty"`
		ResponsePayload json.RawMessage `json:"responsePayload,omitempty"`
	}{
		Version: "1.0", Timestamp: now.UTC().Format("2006-01-02T15:04:05.000Z"), RequestPayload: payload,
		RequestContext: request{ID: id, Function: f.ARN + ":$LATEST", Condition: "RetriesExhausted", Count: attempts},
	}
	if attempts > 0 {
		record.ResponseContext = &response{Status: 200, Version: "$LATEST", Error: last.Error}
		if json.Valid(last.Payload) {
			record.ResponsePayload = last.Payload
		}
	}
	encoded, err := json.Marshal(record)
	if err != nil {
		return nil, fmt.Errorf("encode failure of %s: %w", f.Name, err)
	}
	return encoded, nil
}
