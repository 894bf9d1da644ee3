// Package sns is Amazon SNS in memory: topics keep what was published and pass it to queues that subscribe. It speaks
// the query protocol. E-mail and HTTP endpoints are not contacted.
package sns

import (
	"crypto/rand"
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"tributary/infra/local/iam"
	"tributary/infra/local/wire"
)

// maxMessage is the largest message with its attributes.
const maxMessage = 256 << 10

// Topic is the definition of a topic.
type Topic struct {
	Name string
	ARN  string
	Key  string // ARN of a KMS key; "" for none
}

// Subscription passes messages on.
type Subscription struct {
	ARN      string
	Topic    string // ARN
	Protocol string
	Endpoint string
	Raw      bool // without the envelope
}

// Message is a published message.
type Message struct {
	ID         string
	Topic      string // ARN
	Subject    string
	Body       string
	Attributes map[string]string
	Published  time.Time
}

// Service holds topics. It is safe for concurrent use.
type Service struct {
	now       func() time.Time
	published func(Message)
	deliver   func(Subscription, string) error

	mu     sync.Mutex
	topics map[string]*topic // by ARN
}

type topic struct {
	Topic
	subscriptions []Subscription
	messages      []Message
}

// NewService makes a service without topics. published is called for each message, deliver for each message to a
// queue that subscribes; its error is a lost message, as on AWS, and is the business of deliver's owner.
func NewService(now func() time.Time, published func(Message), deliver func(Subscription, string) error) *Service {
	return &Service{now: now, published: published, deliver: deliver, topics: map[string]*topic{}}
}

// Create makes a topic.
func (s *Service) Create(t Topic) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.topics[t.ARN] = &topic{Topic: t}
}

// Find returns the definition of a topic, by ARN or name.
func (s *Service) Find(reference string) (Topic, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	t, err := s.find(reference)
	if err != nil {
		return Topic{}, err
	}
	return t.Topic, nil
}

// PublishNeeds lists the permissions for publishing to the topic.
func (t Topic) PublishNeeds() []iam.Need {
	use := iam.KeyUse{Key: t.Key, Service: "sns", Context: map[string]string{"aws:sns:topicArn": t.ARN}}
	return append([]iam.Need{{Action: "sns:Publish", Resource: t.ARN}}, use.Needs("GenerateDataKey", "Decrypt")...)
}

// Subscribe adds a subscription.
func (s *Service) Subscribe(sub Subscription) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	t, err := s.find(sub.Topic)
	if err != nil {
		return err
	}
	t.subscriptions = append(t.subscriptions, sub)
	return nil
}

// Subscriptions lists the subscriptions of a topic, by ARN or name.
func (s *Service) Subscriptions(reference string) ([]Subscription, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	t, err := s.find(reference)
	if err != nil {
		return nil, err
	}
	return slices.Clone(t.subscriptions), nil
}

// Messages lists what was published to a topic, by ARN or name.
func (s *Service) Messages(reference string) ([]Message, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	t, err := s.find(reference)
	if err != nil {
		return nil, err
	}
	return slices.Clone(t.messages), nil
}

func (s *Service) find(reference string) (*topic, error) {
	if t, ok := s.topics[reference]; ok {
		return t, nil
	}
	for _, t := range s.topics {
		if t.Name == reference {
			return t, nil
		}
	}
	return nil, &wire.APIError{Status: http.StatusNotFound, Code: "NotFound", Message: "Topic does not exist: " + reference}
}

// Needs lists the permissions that a request needs.
func (s *Service) Needs(r *http.Request) ([]iam.Need, error) {
	form, err := parseForm(r)
	if err != nil {
		return nil, err
	}
	if form.Get("Action") != "Publish" {
		return nil, wire.Errorf("InvalidAction", "SNS action %q is not supported here", form.Get("Action"))
	}
	t, err := s.Find(form.Get("TopicArn"))
	if err != nil { // whether there is such a topic is told only to whom may publish to it
		t = Topic{ARN: form.Get("TopicArn")}
	}
	return t.PublishNeeds(), nil
}

func parseForm(r *http.Request) (url.Values, error) {
	body, err := wire.Peek(r)
	if err != nil {
		return nil, err
	}
	form, err := url.ParseQuery(string(body))
	if err != nil {
		return nil, wire.Errorf("MalformedQueryString", "%v", err)
	}
	return form, nil
}

// ServeHTTP answers a request that was authorized.
func (s *Service) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	form, err := parseForm(r)
	if err != nil {
		WriteError(w, err)
		return
	}
	m := Message{Topic: form.Get("TopicArn"), Subject: form.Get("Subject"), Body: form.Get("Message"), Attributes: map[string]string{}}
	for i := 1; form.Has(fmt.Sprintf("MessageAttributes.entry.%d.Name", i)); i++ {
		entry := fmt.Sprintf("MessageAttributes.entry.%d.", i)
		m.Attributes[form.Get(entry+"Name")] = form.Get(entry + "Value.StringValue")
	}
	if m, err = s.Publish(m); err != nil {
		WriteError(w, err)
		return
	}
	write(w, http.StatusOK, struct {
		XMLName xml.Name `xml:"http://sns.amazonaws.com/doc/2010-03-31/ PublishResponse"`
		ID      string   `xml:"PublishResult>MessageId"`
		Request string   `xml:"ResponseMetadata>RequestId"`
	}{ID: m.ID, Request: m.ID})
}

// Publish keeps a message and passes it on.
func (s *Service) Publish(m Message) (Message, error) {
	size := len(m.Body)
	for name, value := range m.Attributes {
		size += len(name) + len(value)
	}
	switch {
	case m.Body == "":
		return m, wire.Errorf("InvalidParameter", "Invalid parameter: Empty message")
	case size > maxMessage:
		return m, wire.Errorf("InvalidParameter", "Invalid parameter: Message too long")
	case len(m.Subject) > 100 || strings.ContainsFunc(m.Subject, func(r rune) bool { return r < ' ' || r > '~' }):
		return m, wire.Errorf("InvalidParameter", "Invalid parameter: Subject")
	}
	m.ID, m.Published = strings.ToLower(rand.Text()), s.now()
	s.mu.Lock()
	t, err := s.find(m.Topic)
	if err != nil {
		s.mu.Unlock()
		return m, err
	}
	t.messages = append(t.messages, m)
	subscriptions := slices.Clone(t.subscriptions)
	s.mu.Unlock()
	s.published(m)
	for _, sub := range subscriptions {
		if sub.Protocol != "sqs" {
			continue
		}
		body := m.Body
		if !sub.Raw {
			body = m.envelope()
		}
		_ = s.deliver(sub, body) // a failed delivery is not the publisher's; see NewService
	}
	return m, nil
}

func (m Message) envelope() string {
	type attribute struct{ Type, Value string }
	attributes := map[string]attribute{}
	for name, value := range m.Attributes {
		attributes[name] = attribute{Type: "String", Value: value}
	}
	encoded, _ := json.Marshal(struct { // strings always encode
		Type              string
		MessageID         string `json:"MessageId"`
		TopicARN          string `json:"TopicArn"`
		Subject           string `json:",omitempty"`
		Message           string
		Timestamp         string
		MessageAttributes map[string]attribute `json:",omitempty"`
	}{"Notification", m.ID, m.Topic, m.Subject, m.Body, m.Published.UTC().Format("2006-01-02T15:04:05.000Z"), attributes})
	return string(encoded)
}

// WriteError answers with an error in the query protocol's form.
func WriteError(w http.ResponseWriter, err error) {
	var fault *wire.APIError
	if !errors.As(err, &fault) {
		fault = &wire.APIError{Status: http.StatusInternalServerError, Code: "InternalFailure", Message: err.Error()}
	}
	status := fault.Status
	if status == 0 {
		status = http.StatusBadRequest
	}
	write(w, status, struct {
		XMLName xml.Name `xml:"http://sns.amazonaws.com/doc/2010-03-31/ ErrorResponse"`
		Type    string   `xml:"Error>Type"`
		Code    string   `xml:"Error>Code"`
		Message string   `xml:"Error>Message"`
	}{Type: "Sender", Code: fault.Code, Message: fault.Message})
}

func write(w http.ResponseWriter, status int, body any) {
	encoded, err := xml.Marshal(body)
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "text/xml")
	w.WriteHeader(status)
	_, _ = w.Write(encoded) // a client that went away needs no answer
}
