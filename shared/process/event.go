package process

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"strings"

	"tributary/shared/zone"
)

// request asks for one run.
type request struct {
	run     zone.Run
	version string // of the manifest; "": the newest
	force   bool   // process a run that is done
}

// notification is what is read of S3's event message. Its eventVersion grows, so it is not looked at.
type notification struct {
	Event   string `json:"Event"` // s3:TestEvent, sent when the notification is configured
	Records []struct {
		EventSource string `json:"eventSource"`
		EventName   string `json:"eventName"`
		S3          struct {
			Bucket struct {
				Name string `json:"name"`
			} `json:"bucket"`
			Object struct {
				Key       string `json:"key"` // form-URL-encoded
				VersionID string `json:"versionId"`
			} `json:"object"`
		} `json:"s3"`
	} `json:"Records"`
	Replay *zone.Replay `json:"replay"`
}

// parseEvent reads an invocation's payload: an S3 notification, whose records are told apart by key, or a replay.
func parseEvent(payload []byte) ([]request, error) {
	var n notification
	err := json.Unmarshal(payload, &n)
	if shape := new(json.UnmarshalTypeError); errors.As(err, &shape) {
		err = fmt.Errorf("it has JSON's %s where another kind of value belongs", shape.Value)
	}
	if err != nil {
		return nil, fmt.Errorf("read event: neither an S3 notification nor a replay: %w", err)
	}
	if n.Replay != nil {
		run, err := zone.ParseRunID(n.Replay.Dataset, n.Replay.Run)
		if err != nil {
			return nil, fmt.Errorf("read event: %w", err)
		}
		return []request{{run: run, force: n.Replay.Force}}, nil
	}
	if n.Event == "s3:TestEvent" {
		return nil, nil
	}
	if len(n.Records) == 0 {
		return nil, errors.New("read event: neither an S3 notification nor a replay")
	}
	var requests []request
	for i, r := range n.Records {
		if r.EventSource != "aws:s3" || !strings.HasPrefix(r.EventName, "ObjectCreated:") {
			return nil, fmt.Errorf("read event: record %d is %s of %s, want ObjectCreated of aws:s3", i, r.EventName, r.EventSource)
		}
		key, err := url.QueryUnescape(r.S3.Object.Key)
		if err != nil {
			return nil, fmt.Errorf("read event: record %d: decode key %q: %w", i, r.S3.Object.Key, err)
		}
		run, err := zone.ParseManifestKey(key)
		if err != nil {
			return nil, fmt.Errorf("read event: record %d: %w", i, err)
		}
		requests = append(requests, request{run: run, version: r.S3.Object.VersionID})
	}
	return requests, nil
}
