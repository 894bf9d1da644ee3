package contract

import (
	"math/big"
	"regexp"
	"slices"
	"time"

	"cel.dev/cel-go/cel"
)

// Contract is one dataset as its ODCS file describes it, checked and ready to be compiled by package record.
// Everything in it is immutable after Load.
type Contract struct {
	File        string // as given to Load, for messages
	ID          string
	Name        string
	Version     Version
	Status      string // proposed, draft, active, deprecated or Retired
	Description string // description.purpose

	Dataset string // schema[0].name: names keys, functions, schedule; ^[a-z][a-z0-9_]*$
	Table   string // schema[0].physicalName: Glue table and prefix in the lake; a breaking change needs a new one

	Columns []Column   // in the order of the file, which is the order of the Parquet schema and of Glue
	Uniques [][]string // sets of column names whose values, together, may occur once in a run (from unique, primaryKey, duplicateValues)
	Rules   []Rule     // cross-field CEL rules
	Metrics []Metric   // library metrics judged over the run

	RejectThresholdPercent float64 // above it the whole run is held; 100 where the contract names none

	Source  Source
	Serving *Serving // nil: no DynamoDB table

	Schedule  Schedule
	Latency   time.Duration // freshness objective; 0: none declared
	Retention time.Duration // of the lake; 0: for ever

	env  *cel.Env                         // in which the expressions were checked
	line struct{ id, dataset, table int } // where names stand, for clashes between contracts
	text []string                         // the lines of the file, to quote what a violation goes back to

	Digest string // lower-case hex SHA-256 over what changes results: columns, rules, serving; not URL, rate, schedule or text
}

// Retired is the status of a contract that may be removed: nobody reads its tables any more.
const Retired = "retired"

// Version is the contract's semantic version. Order is by number, never by text.
type Version struct{ Major, Minor, Patch int }

// Kind is the type of a column, independent of how the source spells it. DESIGN: the table of types in the package doc.
type Kind uint8

// The kinds: how Parquet and Glue hold each.
const (
	String    Kind = iota + 1 // BYTE_ARRAY UTF8, string
	Integer                   // INT64, bigint
	Double                    // DOUBLE, double
	Decimal                   // DECIMAL(Precision, Scale): INT64 up to 18 digits, else FIXED_LEN_BYTE_ARRAY(16)
	Boolean                   // BOOLEAN, boolean
	Timestamp                 // INT64 TIMESTAMP_MILLIS UTC, timestamp
	Date                      // INT32 DATE, date
	JSON                      // array or object without declared members: its JSON text, BYTE_ARRAY UTF8, string
	List                      // LIST of Elem, array<…>
	Struct                    // group of Fields, struct<…>
)

// Type is a column's type.
type Type struct {
	Kind      Kind
	Precision int        // Decimal
	Scale     int        // Decimal
	Time      TimeFormat // Timestamp, Date
	Elem      *Column    // List: the element, with its own constraints; its Name is "element"
	Fields    []Column   // Struct
}

// TimeFormat says which texts or numbers a timestamp or date column accepts.
type TimeFormat struct {
	Epoch   time.Duration  // 0: text; time.Second or time.Millisecond: an epoch number
	Pattern string         // the JDK pattern of the contract; "" is RFC 3339, or yyyy-MM-dd for dates
	Layout  string         // the same as a Go layout; "" with Pattern ""
	Zone    *time.Location // of texts without an offset; UTC unless the contract says otherwise
}

// Column is one column, struct field or list element.
type Column struct {
	Name        string   // column (Athena) name: physicalName, or name
	Member      string   // JSON member: name
	Path        []string // JSON Pointer tokens of the value below the record, or below the item of the innermost array; nil for a derived column
	Derived     *Expr    // transformLogic; nil for a column that is read
	Description string
	Type        Type

	Required       bool   // null or missing is a violation
	Key            int    // primaryKeyPosition, 0 when not in the primary key
	Strict         bool   // numeric strings are not numbers
	Classification string // "", public, internal, confidential, restricted

	Constraints Constraints
	Line        int // of the property in the file, for messages
}

// Masked reports whether values of the column are hidden everywhere but in the rejects store.
func (c *Column) Masked() bool {
	return c.Classification == "restricted" || c.Classification == "confidential"
}

// KeyMasked reports whether the keys of records are hidden likewise: a column that shows them is.
func (c *Contract) KeyMasked() bool { return c.maskedKey() != nil }

func (c *Contract) maskedKey() *Column {
	for i := range c.Columns {
		if d := c.Columns[i].Derived; d != nil && len(d.Columns) == 0 && c.Columns[i].Masked() && slices.Contains(d.Context, RecordKey) {
			return &c.Columns[i]
		}
	}
	return nil
}

// Constraints are the logicalTypeOptions of a column. Nil or zero: not declared. Bounds on numbers are exact, as they
// are written: a double is compared with the double nearest to its bound, so that 0.1 does not exceed a maximum of 0.1.
// Bounds on timestamps and dates are in the column's own unit (epoch milliseconds, epoch days).
type Constraints struct {
	MinLength, MaxLength               *int // in Unicode code points (JSON Schema)
	Pattern                            *regexp.Regexp
	Format                             string // uuid, uri, email, hostname, ipv4, ipv6; "" for the formats that are types
	Minimum, Maximum                   *big.Rat
	ExclusiveMinimum, ExclusiveMaximum *big.Rat
	MultipleOf                         *big.Rat
	MinItems, MaxItems                 *int
	UniqueItems                        bool
	Enum                               []string // invalidValues with validValues; of integers their decimal text
	Missing                            []string // missingValues: texts that are no value
}

// Expr is a CEL expression that has been type-checked against the columns, run and record.
type Expr struct {
	Source  string
	AST     *cel.Ast
	Columns []string // names of the columns it reads, sorted
	Context []string // which of RunScheduledAt, RunFetchedAt, RecordPage, RecordIndex it reads, sorted
	Line    int
}

// Severity says what a broken rule does to the row.
type Severity uint8

// The severities. Error is what a rule has that says none.
const (
	Error   Severity = iota // the row is rejected, or, for a metric, the run is held
	Warning                 // counted and reported; the row is kept
)

// String gives the severity as the contract writes it.
func (s Severity) String() string {
	if s == Warning {
		return "warning"
	}
	return "error"
}

// Rule is a cross-field rule: quality of type custom, engine cel. A null operand makes it pass.
type Rule struct {
	ID       string // unique in the contract; the rule's name in rejects and metrics
	Expr     Expr
	Severity Severity
	Line     int
}

// Metric is a library metric that needs the whole run: rowCount, nullValues, missingValues, invalidValues,
// duplicateValues with an operator that a single row cannot decide.
type Metric struct {
	ID       string
	Name     string   // rowCount, nullValues, …
	Columns  []string // empty for rowCount
	Operator string   // mustBe, mustBeGreaterOrEqualTo, …
	Bounds   []float64
	Percent  bool           // unit: percent
	Missing  []string       // missingValues: texts that count as missing
	Valid    []string       // invalidValues: validValues
	Pattern  *regexp.Regexp // invalidValues: pattern
	Severity Severity
	Line     int

	MissingNull bool // missingValues: null counts as missing
}

// Source is where records come from and how they are fetched.
type Source struct {
	URLs       map[string]string // by environment of the servers entries of type api; "" is the entry without one
	Query      []Pair            // sorted by key
	Headers    []Pair
	Records    []string // JSON Pointer tokens of the array of records; empty is the document itself
	Keyed      bool     // the records are the members of an object there, each under its key
	Pagination Pagination
	Auth       *Auth
	Rate       Rate
	Limits     Limits
	Cursor     *Cursor
	Insecure   bool // plain http is allowed
}

// Pair is a name and its value.
type Pair struct{ Name, Value string }

// Pagination follows dlt's REST source in kinds and names.
type Pagination struct {
	Kind string // single_page, page_number, offset, cursor, json_link, header_link

	BasePage           int      // page_number
	PageParam          string   // page_number
	PageBodyPath       []string // page_number: in the request's body, in place of PageParam
	MaximumPage        int      // page_number; 0: none
	TotalPath          []string
	StopAfterEmptyPage bool
	Limit              int // offset
	OffsetParam        string
	LimitParam         string
	OffsetBodyPath     []string // offset: likewise
	LimitBodyPath      []string
	MaximumOffset      int
	CursorPath         []string // cursor
	CursorParam        string
	CursorBodyPath     []string
	HasMorePath        []string
	NextURLPath        []string // json_link
	LinksNextKey       string   // header_link; default "next"
}

// Auth names the secret and how it is sent.
type Auth struct {
	Kind     string // bearer, api_key, http_basic, oauth2_client_credentials
	Secret   string // Secrets Manager name, never a value
	In       string // api_key: header or query
	Name     string // api_key: the header or parameter
	TokenURL string // oauth2
	Scopes   []string
	Optional bool // the API also answers without a key: an empty secret sends none
}

// Rate is the declared request rate; zero Requests: unlimited.
type Rate struct {
	Requests int
	Per      time.Duration
}

// Limits refuse what is too large or too slow.
type Limits struct {
	Body    int64         // bytes of one uncompressed response
	Timeout time.Duration // of one request
	Record  int           // bytes of one record
	Records int64         // of one run
	Pages   int
}

// Cursor is the incremental cursor, in dlt's names.
type Cursor struct {
	Path         []string
	Param        string
	InitialValue string
	EndValue     string
	EndParam     string
	Lag          time.Duration
	OnMissing    string // raise, include: without a say in where the next run starts
}

// Serving is the DynamoDB projection.
type Serving struct {
	PartitionKey string        // column names throughout
	SortKey      string        // "": none
	Version      string        // newer is decided by this column, then by run, page, index
	Attributes   []string      // further columns, besides keys and version
	TTL          time.Duration // after the run's scheduled time; 0: none
}

// Schedule is when the source is asked.
type Schedule struct {
	Expression string // EventBridge Scheduler's: cron(…) or rate(…)
	Frequency  time.Duration

	longest time.Duration // between two runs, where a cron expression says so
}

// Gap is the longest time between two runs.
func (s Schedule) Gap() time.Duration { return max(s.Frequency, s.longest) }

// Leaf is one primitive column of the Parquet schema. Every column, field and element is OPTIONAL in Parquet, so that
// a later, looser contract changes no file's type: a flat column has MaxDef 1, a field of a struct 2, and a list adds
// one repeated and one optional level.
type Leaf struct {
	Path           []string // external Parquet path without the root: roi, times · tags, list, element
	Column         *Column  // the leaf's own column: the field or element, not the struct or list around it
	Top            int      // index in Contract.Columns of the column it belongs to
	MaxDef, MaxRep int
}
