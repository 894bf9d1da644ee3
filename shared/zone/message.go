package zone

// Message is what people are told about a run.
type Message struct {
	Subject    string            // at most 100 ASCII characters
	Body       string            // at most 256 KiB with the attributes
	Attributes map[string]string // for subscription filters
}
