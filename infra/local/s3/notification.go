package s3

import (
	"encoding/json"
	"fmt"
	"net/url"
	"strings"
	"time"
)

// Event says that an object was created.
type Event struct {
	Name      string // below ObjectCreated: Put, Copy, CompleteMultipartUpload
	Object    Object
	Time      time.Time
	Region    string
	Principal string // unique id of who wrote
	SourceIP  string
	Account   string // the bucket's owner
}

func newEvent(name string, o Object) Event { return Event{Name: name, Object: o, Time: o.Modified} }

// Rule is one function of a bucket's notification configuration.
type Rule struct {
	ID       string
	Function string   // ARN
	Events   []string // s3:ObjectCreated:* and the like
	Prefix   string   // literal
	Suffix   string
}

// Matches tells whether the rule wants an event.
func (r Rule) Matches(e Event) bool {
	if !strings.HasPrefix(e.Object.Key, r.Prefix) || !strings.HasSuffix(e.Object.Key, r.Suffix) {
		return false
	}
	for _, name := range r.Events {
		if name == "s3:ObjectCreated:"+e.Name || name == "s3:ObjectCreated:*" {
			return true
		}
	}
	return false
}

// CheckRules refuses what S3 refuses: unknown events and rules of which one key could meet two for the same event.
func CheckRules(rules []Rule) error {
	for i, a := range rules {
		for _, name := range a.Events {
			if !strings.HasPrefix(name, "s3:ObjectCreated:") {
				return fmt.Errorf("notification %q: event %s is not sent here, only s3:ObjectCreated", a.ID, name)
			}
		}
		for _, b := range rules[:i] {
			if sameEvent(a, b) && oneBegins(a.Prefix, b.Prefix) && oneEnds(a.Suffix, b.Suffix) {
				return fmt.Errorf("configurations overlap: notifications %q and %q have the same event type, and a key can meet both filters", b.ID, a.ID)
			}
		}
	}
	return nil
}

func sameEvent(a, b Rule) bool {
	for _, x := range a.Events {
		for _, y := range b.Events {
			if x == y || strings.HasSuffix(x, ":*") || strings.HasSuffix(y, ":*") {
				return true
			}
		}
	}
	return false
}

func oneBegins(a, b string) bool { return strings.HasPrefix(a, b) || strings.HasPrefix(b, a) }
func oneEnds(a, b string) bool   { return strings.HasSuffix(a, b) || strings.HasSuffix(b, a) }

// Message is the document that S3 sends to the function of a rule.
func (e Event) Message(rule Rule) ([]byte, error) {
	type object struct {
		Key       string `json:"key"` // form-encoded
		Size      int64  `json:"size"`
		ETag      string `json:"eTag"`
		Version   string `json:"versionId,omitempty"`
		Sequencer string `json:"sequencer"`
	}
	type owner struct {
		PrincipalID string `json:"principalId"`
	}
	type record struct {
		EventVersion string            `json:"eventVersion"`
		EventSource  string            `json:"eventSource"`
		Region       string            `json:"awsRegion"`
		EventTime    string            `json:"eventTime"`
		EventName    string            `json:"eventName"`
		User         owner             `json:"userIdentity"`
		Request      map[string]string `json:"requestParameters"`
		Response     map[string]string `json:"responseElements"`
		S3           struct {
			SchemaVersion string `json:"s3SchemaVersion"`
			Configuration string `json:"configurationId"`
			Bucket        struct {
				Name  string `json:"name"`
				Owner owner  `json:"ownerIdentity"`
				ARN   string `json:"arn"`
			} `json:"bucket"`
			Object object `json:"object"`
		} `json:"s3"`
	}
	r := record{
		EventVersion: "2.6", EventSource: "aws:s3", Region: e.Region, EventTime: e.Time.UTC().Format("2006-01-02T15:04:05.000Z"),
		EventName: "ObjectCreated:" + e.Name, User: owner{PrincipalID: "AWS:" + e.Principal},
		Request:  map[string]string{"sourceIPAddress": e.SourceIP},
		Response: map[string]string{"x-amz-request-id": fmt.Sprintf("%016X", e.Object.sequence), "x-amz-id-2": "local"},
	}
	r.S3.SchemaVersion, r.S3.Configuration = "1.0", rule.ID
	r.S3.Bucket.Name, r.S3.Bucket.ARN = e.Object.Bucket, "arn:aws:s3:::"+e.Object.Bucket
	r.S3.Bucket.Owner.PrincipalID = e.Account
	r.S3.Object = object{Key: strings.ReplaceAll(url.QueryEscape(e.Object.Key), "%2F", "/"), Size: e.Object.Size, ETag: strings.Trim(e.Object.ETag, `"`),
		Version: e.Object.Version, Sequencer: fmt.Sprintf("%018X", e.Object.sequence)}
	message, err := json.Marshal(map[string]any{"Records": []record{r}})
	if err != nil {
		return nil, fmt.Errorf("encode event of %s/%s: %w", e.Object.Bucket, e.Object.Key, err)
	}
	return message, nil
}
