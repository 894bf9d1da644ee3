package stack

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"tributary/infra/component"
	"tributary/shared/contract"
)

// names are the physical names of a stack. They hold project and stack, so that two stacks can live in one account, and
// are known before anything exists, so that policies can name what they are about. Where a policy names a pattern, as
// those of people do so that a new dataset changes none, no name of another stack matches it.
type names struct {
	base  string // project-stack
	place component.Place
}

func newNames(project, stack string, place component.Place) names {
	return names{base: project + "-" + stack, place: place}
}

var baseName = regexp.MustCompile(`^[a-z][a-z0-9]*(-[a-z0-9]+)*$`)

// parts follow the base in names that policies match by pattern: tributary-dev-ingest-* must not match what a stack
// called dev-ingest has, so no stack is called so.
var parts = []string{ingestFunction, processFunction, schedulePart, alarmPart, applicationPart}

const (
	schedulePart    = "schedule"
	alarmPart       = "alarm"
	applicationPart = "application"
)

// check finds every name that AWS would refuse or that another stack could have.
func (n names) check(contracts []*contract.Contract) error {
	var errs []error
	fault := func(format string, args ...any) {
		errs = append(errs, fmt.Errorf("name resources after %s: %s", n.base, fmt.Sprintf(format, args...)))
	}
	if !baseName.MatchString(n.base) {
		fault("project and stack must be lower-case letters, digits and hyphens, as S3 wants them")
	}
	for _, segment := range strings.Split(n.base, "-")[1:] {
		if slices.Contains(parts, segment) {
			fault("%s stands for a part of each stack, and between hyphens another stack's policies would match these names: choose another name", segment)
		}
	}
	long := func(what, name string, most int) {
		if len(name) > most {
			fault("%s %s would have %d characters, AWS allows %d: choose a shorter name", what, name, len(name), most)
		}
	}
	long("bucket", n.bucket(resultsBucket), 63) // the longest
	for _, c := range contracts {
		long("function and role", n.function(processFunction, c.Dataset), 64) // the longer of both
		long("schedule and role", n.schedule(c.Dataset), 64)
		long("policy", n.application(c.Dataset), 128)
		if c.Serving != nil {
			long("table", n.serving(c.Table), 255)
		}
	}
	return errors.Join(errs...)
}

// The buckets of a stack.
const (
	rawBucket     = "raw"
	lakeBucket    = "lake"
	rejectsBucket = "rejects"
	resultsBucket = "results"
)

// bucket holds account and region as well: bucket names are the world's.
func (n names) bucket(kind string) string {
	return fmt.Sprintf("%s-%s-%s-%s", n.base, kind, n.place.Account, n.place.Region)
}

// The functions of a dataset.
const (
	ingestFunction  = "ingest"
	processFunction = "process"
)

func (n names) function(kind, dataset string) string { return n.base + "-" + kind + "-" + dataset }
func (n names) schedule(dataset string) string       { return n.base + "-" + schedulePart + "-" + dataset }

// alarm is how the names of a dataset's alarms begin; alarms matches those of all.
func (n names) alarm(dataset string) string { return n.base + "-" + alarmPart + "-" + dataset }
func (n names) alarms() string              { return n.alarm("*") }

func (n names) application(dataset string) string {
	return n.base + "-" + applicationPart + "-" + dataset
}

// serving follows the contract's table: a new major version comes with a new one, and the old stays readable.
func (n names) serving(table string) string { return n.base + "-" + table }

func (n names) secret(name string) string { return n.base + "/" + name }
func (n names) topic() string             { return n.base + "-alerts" }
func (n names) workgroup() string         { return n.base }

// database knows no hyphen.
func (n names) database() string { return strings.ReplaceAll(n.base, "-", "_") }
