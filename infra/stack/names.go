package stack

import (
	"fmt"
	"regexp"
	"strings"

	"tributary/infra/component"
)

// names are the physical names of a stack. They hold project and stack, so that two stacks can live in one account, and
// are known before anything exists, so that policies can name what they are about.
type names struct {
	base  string // project-stack
	place component.Place
}

var baseName = regexp.MustCompile(`^[a-z][a-z0-9]*(-[a-z0-9]+)*$`)

func newNames(project, stack string, place component.Place) (names, error) {
	n := names{base: project + "-" + stack, place: place}
	if !baseName.MatchString(n.base) {
		return names{}, fmt.Errorf("name resources after %s: project and stack must be lower-case letters, digits and hyphens, as S3 wants them", n.base)
	}
	if longest := n.bucket(resultsBucket); len(longest) > 63 {
		return names{}, fmt.Errorf("name resources after %s: bucket %s would have %d characters, S3 allows 63: choose a shorter stack name", n.base, longest, len(longest))
	}
	return n, nil
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
func (n names) schedule(dataset string) string       { return n.base + "-schedule-" + dataset }

// serving follows the contract's table: a new major version comes with a new one, and the old stays readable.
func (n names) serving(table string) string { return n.base + "-" + table }

func (n names) secret(name string) string { return n.base + "/" + name }
func (n names) topic() string             { return n.base + "-alerts" }
func (n names) alarms() string            { return n.base + "-*" }
func (n names) workgroup() string         { return n.base }

// database knows no hyphen.
func (n names) database() string { return strings.ReplaceAll(n.base, "-", "_") }
