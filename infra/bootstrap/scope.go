package bootstrap

import (
	"fmt"
	"strings"
)

// Project is what the template is for.
type Project struct {
	Name   string
	Stacks []Stack
}

// Stack is an environment that may be deployed to the account.
type Stack struct {
	Name   string
	Region string
	// Protect is that of the stack's settings: its data are not to be deleted by a deployment.
	Protect bool
}

// prefix begins the names of what the template makes.
func (p Project) prefix() string { return p.Name + "-bootstrap" }

// BoundaryName is the name of the policy that limits the roles of a stack, for its setting permissionsBoundary.
func BoundaryName(project, stack string) string { return project + "-bootstrap-" + stack + "-boundary" }

// scope names what belongs to a stack, as package stack does.
type scope struct {
	project string
	stack   Stack
}

func (s scope) base() string     { return s.project + "-" + s.stack.Name }
func (s scope) database() string { return strings.ReplaceAll(s.base(), "-", "_") }
func (s scope) boundary() string {
	return global("iam", "policy/"+BoundaryName(s.project, s.stack.Name))
}

// arn is in the stack's region, global in none, bucket in no account either.
func (s scope) arn(service, resource string) string {
	return fmt.Sprintf("arn:${AWS::Partition}:%s:%s:${AWS::AccountId}:%s", service, s.stack.Region, resource)
}

func global(service, resource string) string {
	return fmt.Sprintf("arn:${AWS::Partition}:%s::${AWS::AccountId}:%s", service, resource)
}

func bucket(pattern string) string { return "arn:${AWS::Partition}:s3:::" + pattern }

// tagged is the condition that a key is the stack's, which has no name of its own. The program's provider tags
// everything so.
func (s scope) tagged() Condition {
	return Condition{"StringEquals": {"aws:ResourceTag/Project": s.project, "aws:ResourceTag/Stack": s.stack.Name}}
}

// via is the condition that AWS services ask KMS in the caller's name.
func (s scope) via(services ...string) Condition {
	names := make([]string, len(services))
	for i, service := range services {
		names[i] = fmt.Sprintf("%s.%s.amazonaws.com", service, s.stack.Region)
	}
	return Condition{"StringEquals": {"kms:ViaService": names}}
}
