package record

// The rules that every record is held to, whatever its contract says. The rules of the contract have the names of
// ODCS (required, minimum, maxLength, …), and its CEL rules their own ids.
const (
	RuleJSON            = "json"             // a line that is no JSON
	RuleTooLarge        = "too_large"        // the record exceeds limits.record
	RuleDepth           = "depth"            // nested deeper than MaxDepth
	RuleDuplicateMember = "duplicate_member" // an object names a member twice
	RuleEncoding        = "encoding"         // invalid UTF-8 or half a surrogate pair
	RuleType            = "type"             // a value of another type, or a record that is no object
	RuleOverflow        = "overflow"         // a number or time that its type cannot hold
	RulePrecision       = "precision"        // digits that a decimal's scale would lose
	RuleMore            = "more"             // violations beyond MaxViolations, counted only
	RuleServing         = "serving"          // a served number that DynamoDB cannot hold
	RuleDerived         = "derived"          // a derived column whose expression fails
	RuleRequired        = "required"
	RuleMinimum         = "minimum"
	RuleMaximum         = "maximum"
	RuleAboveMinimum    = "exclusiveMinimum"
	RuleBelowMaximum    = "exclusiveMaximum"
	RuleMultipleOf      = "multipleOf"
	RuleMinLength       = "minLength"
	RuleMaxLength       = "maxLength"
	RulePattern         = "pattern"
	RuleFormat          = "format"
	RuleEnum            = "enum"
	RuleMissing         = "missingValues"
	RuleMinItems        = "minItems"
	RuleMaxItems        = "maxItems"
	RuleUniqueItems     = "uniqueItems"
	RuleUnique          = "unique"
)

// MaxViolations is how many violations of one record are listed; a list of a million wrong values has as many.
const MaxViolations = 1000

// RejectHead is how much of an oversized record a Reject keeps.
const RejectHead = 64 << 10

// Reject is a record that does not become a row, with every reason. It is valid during Sink.Reject only.
type Reject struct {
	Page   int    // from 1
	Index  int64  // among the records of the page, from 0
	Key    string // the name of the member that it is, where records are the members of an object
	Block  int64  // of the input
	Offset int64  // of the record in the uncompressed page
	Bytes  int64  // its length there

	Record    []byte // the exact text; when Truncated its first RejectHead bytes
	Truncated bool
	SHA256    string // lower-case hex, of the whole record, only when Truncated

	Violations []Violation
}

// Violation is one reason for a reject.
type Violation struct {
	Pointer string // JSON Pointer below the record; "" is the record itself
	Rule    string
	Message string
	Value   string // the offending JSON text, shortened; "" where there is none
}
