package stack

import (
	"cmp"
	"fmt"
	"net/mail"
	"net/url"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"tributary/infra/artifact"
	"tributary/infra/component"
)

// ConfigKey is the key of the settings in Pulumi.<stack>.yaml.
const ConfigKey = "tributary:settings"

// Config is what differs between environments. Everything but the region has a default; the defaults are those of a
// stack that can be thrown away.
type Config struct {
	// Region is the AWS region.
	Region string `json:"region"`
	// AccountIDs are the accounts that may be deployed to; empty allows every account the credentials open.
	AccountIDs []string `json:"accountIds"`
	// Environment picks the contract's server and names the environment in logs and metrics; the stack's name when empty.
	Environment string `json:"environment"`
	// PermissionsBoundary is the name of the policy that limits the stack's roles, as package bootstrap makes it for each
	// stack; empty: nothing but their own policies does, and GitHub's deploy roles may make none of them.
	PermissionsBoundary string `json:"permissionsBoundary"`
	// Protect makes data hard to lose: Pulumi refuses to delete it, DynamoDB and KMS ask twice.
	Protect bool `json:"protect"`
	// Schedule is enabled or disabled for datasets that say nothing of their own.
	Schedule Switch `json:"schedule"`
	// Datasets overrides settings for single datasets, by name.
	Datasets map[string]DatasetConfig `json:"datasets"`
	// Ingest and Process size the functions of datasets that say nothing of their own.
	Ingest  FunctionConfig `json:"ingest"`
	Process FunctionConfig `json:"process"`
	// Retention says how long what is kept is kept.
	Retention RetentionConfig `json:"retention"`
	// Alerts are told when something is wrong.
	Alerts []AlertConfig `json:"alerts"`
	// QuickSight shows the newest run of each dataset; null: nobody looks at it there.
	QuickSight *QuickSightConfig `json:"quickSight"`
	// FirstDay is the first day (yyyy-MM-dd) that Athena looks at: an earlier one would read nothing and say nothing.
	FirstDay string `json:"firstDay"`
	// ScanLimitMB is how much one Athena query may read.
	ScanLimitMB int `json:"scanLimitMB"`
	// Tags are put on everything, beside project and stack.
	Tags map[string]string `json:"tags"`
	// Artifacts is the folder of the deployment packages, below the root of the project.
	Artifacts string `json:"artifacts"`
}

// Switch is enabled or disabled.
type Switch string

// The two positions of a Switch.
const (
	Enabled  Switch = "enabled"
	Disabled Switch = "disabled"
)

// DatasetConfig overrides settings for one dataset.
type DatasetConfig struct {
	// SourceURL is asked instead of the contract's server.
	SourceURL string `json:"sourceUrl"`
	// Schedule is enabled or disabled; empty: as for all.
	Schedule Switch         `json:"schedule"`
	Ingest   FunctionConfig `json:"ingest"`
	Process  FunctionConfig `json:"process"`
}

// FunctionConfig sizes a function; 0 and null: as for all.
type FunctionConfig struct {
	MemoryMB       int `json:"memoryMB"`
	TimeoutSeconds int `json:"timeoutSeconds"`
	// ReservedConcurrency sets instances aside for the function. New accounts have too few to do so.
	ReservedConcurrency *int `json:"reservedConcurrency"`
}

// RetentionConfig is in days; 0 is for ever, where it is allowed.
type RetentionConfig struct {
	Raw        int `json:"rawDays"`        // raw bytes; they outlive lake, rejects and results
	RawArchive int `json:"rawArchiveDays"` // until raw bytes move to cheaper storage; 0: never
	Lake       int `json:"lakeDays"`       // at most; 0: what each contract says
	Rejects    int `json:"rejectsDays"`
	Results    int `json:"resultsDays"`    // of Athena queries
	Noncurrent int `json:"noncurrentDays"` // until replaced and deleted objects are gone for good
	Logs       int `json:"logsDays"`
	Restore    int `json:"restoreDays"` // how far back the serving table can be restored; 0: not at all
}

// AlertConfig is someone who hears alerts.
type AlertConfig struct {
	Protocol string `json:"protocol"`
	Endpoint string `json:"endpoint"`
}

// QuickSightConfig is for accounts that have a QuickSight subscription.
type QuickSightConfig struct {
	// Principal may use data source and data sets: the ARN of a QuickSight user or group.
	Principal string `json:"principal"`
	// ServiceRole is the name of the account's QuickSight role, which gets a policy to query the lake.
	ServiceRole string `json:"serviceRole"`
	// RefreshAt is when data sets are loaded anew, every day: HH:MM, UTC.
	RefreshAt string `json:"refreshAt"`
}

func defaults() Config {
	return Config{
		Schedule:    Enabled,
		Ingest:      FunctionConfig{MemoryMB: 512, TimeoutSeconds: 900},
		Process:     FunctionConfig{MemoryMB: 1769, TimeoutSeconds: 900}, // 1769 MB is one whole vCPU
		Retention:   RetentionConfig{Rejects: 90, Results: 14, Noncurrent: 30, Logs: 30},
		FirstDay:    "2024-01-01",
		ScanLimitMB: 10 * 1024,
		Artifacts:   artifact.Dir,
	}
}

// ParseConfig reads settings strictly from JSON: its error lists every unknown key, wrong type and impossible value.
func ParseConfig(text string) (Config, error) {
	if strings.TrimSpace(text) == "" {
		return Config{}, fmt.Errorf("settings (%s) are missing: write at least {region: eu-central-1} for them, below config", ConfigKey)
	}
	c := defaults()
	problems := decode(text, &c)
	if q := c.QuickSight; q != nil {
		// QuickSight makes this role when it is first allowed to use Athena or S3.
		q.ServiceRole = cmp.Or(q.ServiceRole, "aws-quicksight-service-role-v0")
		q.RefreshAt = cmp.Or(q.RefreshAt, "06:00")
	}
	// What could not be read has been said; in its place is a value that nobody gave.
	problems = append(problems, slices.DeleteFunc(c.problems(), func(p problem) bool {
		return slices.ContainsFunc(problems, func(said problem) bool { return said.path == "" || said.path == p.path })
	})...)
	if len(problems) == 0 {
		return c, nil
	}
	lines := make([]string, len(problems))
	for i, p := range problems {
		lines[i] = "\n  - " + p.String()
	}
	return Config{}, fmt.Errorf("settings (%s) have %s:%s", ConfigKey, plural(len(problems), "problem"), strings.Join(lines, ""))
}

func plural(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}

var (
	regionName  = regexp.MustCompile(`^[a-z]{2}(-[a-z]+)+-\d$`)
	accountID   = regexp.MustCompile(`^\d{12}$`)
	environment = regexp.MustCompile(`^[a-z][a-z0-9-]*$`)
	tagText     = regexp.MustCompile(`^[\p{L}\p{Z}\p{N}_.:/=+\-@]*$`)
)

// ownTags are set by the program: on everything, but for the last, which is on what one dataset has to itself. IAM takes
// keys that differ in case alone for the same.
var ownTags = []string{projectTag, stackTag, managerTag, datasetTag}

const (
	projectTag = "Project"
	stackTag   = "Stack"
	managerTag = "ManagedBy"
	datasetTag = "Dataset"

	tagsPerResource = 50
)

// problems checks values.
func (c Config) problems() []problem {
	var p []problem
	add := func(path, format string, args ...any) { p = append(p, problem{path, fmt.Sprintf(format, args...)}) }
	oneOf := func(path string, value Switch, optional bool) {
		if value != Enabled && value != Disabled && (value != "" || !optional) {
			add(path, "%q is neither %s nor %s", value, Enabled, Disabled)
		}
	}
	between := func(path string, value, low, high int) {
		if value < low || value > high {
			add(path, "%d is not between %d and %d", value, low, high)
		}
	}
	function := func(path string, f FunctionConfig, inherits bool) {
		if !inherits || f.MemoryMB != 0 {
			between(path+".memoryMB", f.MemoryMB, 128, 10240)
		}
		if !inherits || f.TimeoutSeconds != 0 {
			between(path+".timeoutSeconds", f.TimeoutSeconds, 1, 900)
		}
		if f.ReservedConcurrency != nil && *f.ReservedConcurrency < 1 {
			add(path+".reservedConcurrency", "%d would send every event to the failure queue; null shares the account's pool", *f.ReservedConcurrency)
		}
	}

	switch {
	case c.Region == "":
		add("region", "is required, for example eu-central-1")
	case !regionName.MatchString(c.Region):
		add("region", "%q is no region, which looks like eu-central-1", c.Region)
	case strings.HasPrefix(c.Region, "cn-"):
		add("region", "%q lies in AWS's Chinese partition, where services have other names: policies that name them would let nobody in", c.Region)
	}
	for i, id := range c.AccountIDs {
		if !accountID.MatchString(id) {
			add(fmt.Sprintf("accountIds[%d]", i), "%q is not an account number of 12 digits", id)
		}
	}
	if c.Protect && len(c.AccountIDs) == 0 {
		add("accountIds", "is empty: a protected stack names the account it belongs to")
	}
	if c.Environment != "" && !environment.MatchString(c.Environment) {
		add("environment", "%q does not match %s", c.Environment, environment)
	}
	if c.PermissionsBoundary != "" && !component.IsPolicyName(c.PermissionsBoundary) {
		add("permissionsBoundary", "%q is no name of a policy (without arn:…:policy/)", c.PermissionsBoundary)
	}
	oneOf("schedule", c.Schedule, false)
	function("ingest", c.Ingest, false)
	function("process", c.Process, false)
	for _, name := range sortedKeys(c.Datasets) {
		d, path := c.Datasets[name], "datasets."+name
		if d.SourceURL != "" && !isWeb(d.SourceURL) {
			add(path+".sourceUrl", "%q is no http or https URL", d.SourceURL)
		}
		oneOf(path+".schedule", d.Schedule, true)
		function(path+".ingest", d.Ingest, true)
		function(path+".process", d.Process, true)
	}

	r := c.Retention
	between("retention.rawDays", r.Raw, 0, 36500)
	between("retention.rawArchiveDays", r.RawArchive, 0, 36500)
	between("retention.lakeDays", r.Lake, 0, 36500)
	between("retention.rejectsDays", r.Rejects, 0, 36500)
	between("retention.resultsDays", r.Results, 1, 365)
	between("retention.noncurrentDays", r.Noncurrent, 1, 3650)
	between("retention.restoreDays", r.Restore, 0, 35)
	if !slices.Contains(component.LogRetentions(), r.Logs) {
		add("retention.logsDays", "%d is none of those CloudWatch Logs knows: %v", r.Logs, component.LogRetentions())
	}
	outlives := func(path string, value int) {
		if r.Raw > 0 && (value == 0 || value > r.Raw) {
			add(path, "kept %s, they would outlive the raw bytes they are made from, which go after %s (retention.rawDays)", forDays(value), forDays(r.Raw))
		}
	}
	outlives("retention.rejectsDays", r.Rejects)
	if r.Results > 0 { // else it is wrong in any case
		outlives("retention.resultsDays", r.Results)
	}
	if r.Raw > 0 && r.RawArchive >= r.Raw {
		add("retention.rawArchiveDays", "%d is not before the end after %d days", r.RawArchive, r.Raw)
	}

	for i, a := range c.Alerts {
		path := fmt.Sprintf("alerts[%d]", i)
		switch {
		case !slices.Contains(component.SubscriptionProtocols(), a.Protocol):
			add(path+".protocol", "%q is none of %s", a.Protocol, strings.Join(component.SubscriptionProtocols(), ", "))
		case strings.HasPrefix(a.Protocol, "email"):
			// SNS takes a bare address, without a name before it.
			if address, err := mail.ParseAddress(a.Endpoint); err != nil || address.Address != a.Endpoint {
				add(path+".endpoint", "%q is no mail address", a.Endpoint)
			}
		case !strings.HasPrefix(a.Endpoint, "https://"):
			add(path+".endpoint", "%q is no https URL", a.Endpoint)
		}
		if first := slices.Index(c.Alerts, a); first < i {
			add(path, "is alerts[%d] once more", first)
		}
	}
	if q := c.QuickSight; q != nil {
		if !component.IsQuickSightPrincipal(q.Principal) {
			add("quickSight.principal", "%q is no ARN of a QuickSight user or group, which looks like arn:aws:quicksight:REGION:ACCOUNT:group/default/NAME", q.Principal)
		}
		if !component.IsRoleName(q.ServiceRole) {
			add("quickSight.serviceRole", "%q is no name of a role (without path)", q.ServiceRole)
		}
		if !component.IsTimeOfDay(q.RefreshAt) {
			add("quickSight.refreshAt", "%q is no time like 06:30", q.RefreshAt)
		}
	}
	if _, err := time.Parse(time.DateOnly, c.FirstDay); err != nil {
		add("firstDay", "%q is no day like 2024-01-31", c.FirstDay)
	}
	between("scanLimitMB", c.ScanLimitMB, 10, 100*1024*1024)
	for _, key := range sortedKeys(c.Tags) {
		path := "tags." + key
		if !tagText.MatchString(key) || key == "" || utf8.RuneCountInString(key) > 128 || strings.HasPrefix(strings.ToLower(key), "aws:") {
			add(path, "is no key of a tag: AWS takes 1 to 128 letters, digits, spaces and _.:/=+-@, not beginning with aws:")
		}
		if !tagText.MatchString(c.Tags[key]) || utf8.RuneCountInString(c.Tags[key]) > 256 {
			add(path, "%q is no value of a tag: AWS takes up to 256 letters, digits, spaces and _.:/=+-@", c.Tags[key])
		}
		if slices.ContainsFunc(ownTags, func(own string) bool { return strings.EqualFold(own, key) }) {
			add(path, "is set by the program, as are all of %s", strings.Join(ownTags, ", "))
		}
	}
	if most := tagsPerResource - len(ownTags); len(c.Tags) > most {
		add("tags", "are %d: AWS takes %d for a resource, of which the program sets %d", len(c.Tags), tagsPerResource, len(ownTags))
	}
	if c.Artifacts == "" || !filepath.IsLocal(c.Artifacts) {
		add("artifacts", "%q is no folder below the root of the project", c.Artifacts)
	}
	return p
}

func isWeb(text string) bool {
	u, err := url.Parse(text)
	return err == nil && (u.Scheme == "http" || u.Scheme == "https") && u.Host != ""
}

// ingest, process and enabled are the settings of one dataset, inherited where it has none of its own.
func (c Config) ingest(dataset string) FunctionConfig {
	return c.Datasets[dataset].Ingest.or(c.Ingest)
}

func (c Config) process(dataset string) FunctionConfig {
	return c.Datasets[dataset].Process.or(c.Process)
}

func (c Config) enabled(dataset string) bool {
	if s := c.Datasets[dataset].Schedule; s != "" {
		return s == Enabled
	}
	return c.Schedule == Enabled
}

func (f FunctionConfig) or(base FunctionConfig) FunctionConfig {
	if f.MemoryMB == 0 {
		f.MemoryMB = base.MemoryMB
	}
	if f.TimeoutSeconds == 0 {
		f.TimeoutSeconds = base.TimeoutSeconds
	}
	if f.ReservedConcurrency == nil {
		f.ReservedConcurrency = base.ReservedConcurrency
	}
	return f
}

// lakeDays is how long a dataset's rows live: what its contract says, or less where the stack keeps less.
func (c Config) lakeDays(contractDays int) int {
	if c.Retention.Lake > 0 && (contractDays == 0 || c.Retention.Lake < contractDays) {
		return c.Retention.Lake
	}
	return contractDays
}
