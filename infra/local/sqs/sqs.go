// Package sqs is Amazon SQS in memory: standard queues with visibility time-outs. It speaks the JSON protocol; what it
// does not know (FIFO queues, dead-letter redrive, delays) is refused.
package sqs

import (
	"crypto/md5" //nolint:gosec // SQS gives the MD5 of a message
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"tributary/infra/local/iam"
	"tributary/infra/local/wire"
)

// Queue is the definition of a queue.
type Queue struct {
	Name       string
	URL        string
	ARN        string
	Key        string // ARN of a KMS key; "" for SSE-SQS or none
	Visibility time.Duration
	MaxBytes   int
}

// Message is a message in a queue.
type Message struct {
	ID         string
	Body       string
	Attributes map[string]Attribute
	Sent       time.Time

	receipt  string
	visible  time.Time
	received int
}

// Attribute is a message attribute.
type Attribute struct {
	DataType    string `json:"DataType"`
	StringValue string `json:"StringValue,omitempty"`
	BinaryValue []byte `json:"BinaryValue,omitempty"`
}

// Service holds queues. It is safe for concurrent use.
type Service struct {
	now  func() time.Time
	sent func(Queue, Message)

	mu     sync.Mutex
	queues map[string]*queue // by name
}

type queue struct {
	Queue
	messages []*Message
}

// NewService makes a service without queues. sent is called for each message that was sent.
func NewService(now func() time.Time, sent func(Queue, Message)) *Service {
	return &Service{now: now, sent: sent, queues: map[string]*queue{}}
}

// Create makes a queue.
func (s *Service) Create(q Queue) error {
	if strings.HasSuffix(q.Name, ".fifo") {
		return wire.Errorf("UnsupportedOperation", "queue %s: FIFO queues are not supported", q.Name)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, taken := s.queues[q.Name]; taken {
		return wire.Errorf("QueueNameExists", "queue %s exists", q.Name)
	}
	s.queues[q.Name] = &queue{Queue: q}
	return nil
}

// Find returns the definition of a queue by URL, ARN or name.
func (s *Service) Find(reference string) (Queue, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	q, err := s.find(reference)
	if err != nil {
		return Queue{}, err
	}
	return q.Queue, nil
}

func (s *Service) find(reference string) (*queue, error) {
	name := reference[strings.LastIndexAny(reference, "/:")+1:]
	q, ok := s.queues[name]
	if !ok || reference != name && reference != q.URL && reference != q.ARN {
		return nil, &wire.APIError{Code: "QueueDoesNotExist", Message: "The specified queue does not exist: " + reference}
	}
	return q, nil
}

// Send puts a message into a queue.
func (s *Service) Send(reference, body string, attributes map[string]Attribute) (Message, error) {
	s.mu.Lock()
	q, err := s.find(reference)
	if err != nil {
		s.mu.Unlock()
		return Message{}, err
	}
	size := len(body)
	for name, a := range attributes {
		size += len(name) + len(a.DataType) + len(a.StringValue) + len(a.BinaryValue)
	}
	if size > q.MaxBytes {
		s.mu.Unlock()
		return Message{}, wire.Errorf("InvalidParameterValue", "One or more parameters are invalid. Reason: Message must be shorter than %d bytes.", q.MaxBytes)
	}
	m := &Message{ID: strings.ToLower(rand.Text()), Body: body, Attributes: attributes, Sent: s.now()}
	q.messages = append(q.messages, m)
	definition, copied := q.Queue, *m
	s.mu.Unlock()
	s.sent(definition, copied)
	return copied, nil
}

// Restore puts a message back into a queue; nobody is told of it.
func (s *Service) Restore(reference, body string, sent time.Time) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	q, err := s.find(reference)
	if err != nil {
		return err
	}
	q.messages = append(q.messages, &Message{ID: strings.ToLower(rand.Text()), Body: body, Sent: sent})
	return nil
}

// Messages lists what a queue holds, oldest first, whether visible or not.
func (s *Service) Messages(reference string) ([]Message, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	q, err := s.find(reference)
	if err != nil {
		return nil, err
	}
	list := make([]Message, len(q.messages))
	for i, m := range q.messages {
		list[i] = *m
	}
	return list, nil
}

var operations = map[string]func(s *Service, body []byte) (any, error){
	"SendMessage":             (*Service).sendMessage,
	"ReceiveMessage":          (*Service).receiveMessage,
	"DeleteMessage":           (*Service).deleteMessage,
	"ChangeMessageVisibility": (*Service).changeVisibility,
	"GetQueueUrl":             (*Service).queueURL,
	"GetQueueAttributes":      (*Service).queueAttributes,
	"ListQueues":              (*Service).listQueues,
}

// Needs lists the permissions that a request needs.
func (s *Service) Needs(r *http.Request) ([]iam.Need, error) {
	operation := wire.Operation(r)
	if _, ok := operations[operation]; !ok {
		return nil, wire.Errorf("UnsupportedOperation", "SQS operation %q is not supported here", operation)
	}
	if operation == "ListQueues" {
		return []iam.Need{{Action: "sqs:ListQueues", Resource: "*"}}, nil
	}
	var in struct{ QueueURL, QueueName string }
	if err := wire.Decode(r, &in); err != nil {
		return nil, err
	}
	q, err := s.Find(in.QueueURL + in.QueueName)
	if err != nil {
		return nil, err
	}
	return q.Needs(operation), nil
}

// Needs lists the permissions for an operation on the queue.
func (q Queue) Needs(operation string) []iam.Need {
	needs := []iam.Need{{Action: "sqs:" + operation, Resource: q.ARN}}
	use := iam.KeyUse{Key: q.Key, Service: "sqs", Context: map[string]string{"aws:sqs:arn": q.ARN}}
	switch operation {
	case "SendMessage":
		needs = append(needs, use.Needs("GenerateDataKey", "Decrypt")...)
	case "ReceiveMessage":
		needs = append(needs, use.Needs("Decrypt")...)
	}
	return needs
}

// ServeHTTP answers a request that was authorized.
func (s *Service) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	serve, ok := operations[wire.Operation(r)]
	if !ok {
		wire.WriteError(w, wire.Errorf("UnsupportedOperation", "SQS operation %q is not supported here", wire.Operation(r)))
		return
	}
	body, err := wire.Peek(r)
	if err != nil {
		wire.WriteError(w, err)
		return
	}
	answer, err := serve(s, body)
	wire.Answer(w, answer, err)
}

func decode(body []byte, into any) error {
	if err := json.Unmarshal(body, into); err != nil {
		return wire.Errorf("InvalidParameterValue", "%v", err)
	}
	return nil
}

func (s *Service) sendMessage(body []byte) (any, error) {
	var in struct {
		QueueURL          string
		MessageBody       string
		MessageAttributes map[string]Attribute
	}
	if err := decode(body, &in); err != nil {
		return nil, err
	}
	m, err := s.Send(in.QueueURL, in.MessageBody, in.MessageAttributes)
	if err != nil {
		return nil, err
	}
	answer := map[string]string{"MessageId": m.ID, "MD5OfMessageBody": digest(m.Body)}
	if len(m.Attributes) > 0 {
		answer["MD5OfMessageAttributes"] = attributesDigest(m.Attributes)
	}
	return answer, nil
}

func (s *Service) receiveMessage(body []byte) (any, error) {
	var in struct {
		QueueURL            string
		MaxNumberOfMessages int
		VisibilityTimeout   *int
	}
	if err := decode(body, &in); err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	q, err := s.find(in.QueueURL)
	if err != nil {
		return nil, err
	}
	hidden := q.Visibility
	if in.VisibilityTimeout != nil {
		hidden = time.Duration(*in.VisibilityTimeout) * time.Second
	}
	type message struct {
		ID                     string               `json:"MessageId"`
		Receipt                string               `json:"ReceiptHandle"`
		Digest                 string               `json:"MD5OfBody"`
		Body                   string               `json:"Body"`
		Attributes             map[string]string    `json:"Attributes"`
		MessageAttributes      map[string]Attribute `json:"MessageAttributes,omitempty"`
		MD5OfMessageAttributes string               `json:"MD5OfMessageAttributes,omitempty"`
	}
	list := []message{}
	now := s.now()
	for _, m := range q.messages {
		if len(list) == max(in.MaxNumberOfMessages, 1) {
			break
		}
		if m.visible.After(now) {
			continue
		}
		m.receipt, m.visible = rand.Text(), now.Add(hidden)
		m.received++
		out := message{ID: m.ID, Receipt: m.receipt, Digest: digest(m.Body), Body: m.Body, MessageAttributes: m.Attributes, Attributes: map[string]string{
			"SentTimestamp":           strconv.FormatInt(m.Sent.UnixMilli(), 10),
			"ApproximateReceiveCount": strconv.Itoa(m.received),
		}}
		if len(m.Attributes) > 0 {
			out.MD5OfMessageAttributes = attributesDigest(m.Attributes)
		}
		list = append(list, out)
	}
	return map[string]any{"Messages": list}, nil
}

func (s *Service) deleteMessage(body []byte) (any, error) {
	var in struct{ QueueURL, ReceiptHandle string }
	if err := decode(body, &in); err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	q, err := s.find(in.QueueURL)
	if err != nil {
		return nil, err
	}
	before := len(q.messages)
	q.messages = slices.DeleteFunc(q.messages, func(m *Message) bool { return m.receipt != "" && m.receipt == in.ReceiptHandle })
	if len(q.messages) == before {
		return nil, wire.Errorf("ReceiptHandleIsInvalid", "The input receipt handle is not a valid receipt handle.")
	}
	return struct{}{}, nil
}

func (s *Service) changeVisibility(body []byte) (any, error) {
	var in struct {
		QueueURL, ReceiptHandle string
		VisibilityTimeout       int
	}
	if err := decode(body, &in); err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	q, err := s.find(in.QueueURL)
	if err != nil {
		return nil, err
	}
	for _, m := range q.messages {
		if m.receipt != "" && m.receipt == in.ReceiptHandle {
			m.visible = s.now().Add(time.Duration(in.VisibilityTimeout) * time.Second)
			return struct{}{}, nil
		}
	}
	return nil, wire.Errorf("ReceiptHandleIsInvalid", "The input receipt handle is not a valid receipt handle.")
}

func (s *Service) queueURL(body []byte) (any, error) {
	var in struct{ QueueName string }
	if err := decode(body, &in); err != nil {
		return nil, err
	}
	q, err := s.Find(in.QueueName)
	return map[string]string{"QueueUrl": q.URL}, err
}

func (s *Service) listQueues(body []byte) (any, error) {
	var in struct{ QueueNamePrefix string }
	if err := decode(body, &in); err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	urls := []string{}
	for _, q := range s.queues {
		if strings.HasPrefix(q.Name, in.QueueNamePrefix) {
			urls = append(urls, q.URL)
		}
	}
	slices.Sort(urls)
	return map[string]any{"QueueUrls": urls}, nil
}

func (s *Service) queueAttributes(body []byte) (any, error) {
	var in struct{ QueueURL string }
	if err := decode(body, &in); err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	q, err := s.find(in.QueueURL)
	if err != nil {
		return nil, err
	}
	hidden := 0
	for _, m := range q.messages {
		if m.visible.After(s.now()) {
			hidden++
		}
	}
	return map[string]any{"Attributes": map[string]string{
		"QueueArn":                              q.ARN,
		"ApproximateNumberOfMessages":           strconv.Itoa(len(q.messages) - hidden),
		"ApproximateNumberOfMessagesNotVisible": strconv.Itoa(hidden),
		"ApproximateNumberOfMessagesDelayed":    "0",
		"VisibilityTimeout":                     strconv.Itoa(int(q.Visibility.Seconds())),
	}}, nil
}

func digest(text string) string {
	sum := md5.Sum([]byte(text)) //nolint:gosec // as above
	return hex.EncodeToString(sum[:])
}
