package iam

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
)

// Registry holds the roles and policies of one account, decides requests by them and keeps every decision. It is safe
// for concurrent use.
type Registry struct {
	mu        sync.Mutex
	roles     map[string]*role    // by ARN
	managed   map[string]Policy   // by ARN
	resources map[string]*Policy  // by ARN of the resource
	exclusive map[string]struct{} // resources whose policy alone lets callers in
	used      map[Use]int
}

type role struct {
	trust    *Policy
	inline   map[string]Policy
	attached []string
	boundary string // ARN of a managed policy; "": none
}

// Use is a kind of request that was decided, with the outcome.
type Use struct {
	Principal string
	Action    string
	Resource  string
	Allowed   bool
	Reason    string
}

// UseCount is a use and how often it happened.
type UseCount struct {
	Use
	Count int
}

// NewRegistry makes an empty registry.
func NewRegistry() *Registry {
	return &Registry{
		roles: map[string]*role{}, managed: map[string]Policy{}, resources: map[string]*Policy{},
		exclusive: map[string]struct{}{}, used: map[Use]int{},
	}
}

// PutRole stores a role with its trust policy.
func (g *Registry) PutRole(arn, trust string) error {
	document, err := Parse(trust)
	if err != nil {
		return fmt.Errorf("store trust policy of %s: %w", arn, err)
	}
	for i := range document.Statement {
		if document.Statement[i].Principal == nil {
			return fmt.Errorf("store trust policy of %s: statement %d has no Principal", arn, i+1)
		}
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	g.roles[arn] = &role{trust: &Policy{Name: "trust policy of " + arn, Document: document}, inline: map[string]Policy{}}
	return nil
}

// PutRolePolicy stores an inline policy of a role.
func (g *Registry) PutRolePolicy(arn, name, text string) error {
	document, err := parseIdentity(text)
	if err != nil {
		return fmt.Errorf("store policy %s of %s: %w", name, arn, err)
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	r, ok := g.roles[arn]
	if !ok {
		return fmt.Errorf("store policy %s: no role %s", name, arn)
	}
	r.inline[name] = Policy{Name: name, Document: document}
	return nil
}

// PutPolicy stores a managed policy.
func (g *Registry) PutPolicy(arn, text string) error {
	document, err := parseIdentity(text)
	if err != nil {
		return fmt.Errorf("store policy %s: %w", arn, err)
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	g.managed[arn] = Policy{Name: arn, Document: document}
	return nil
}

func parseIdentity(text string) (*Document, error) {
	document, err := Parse(text)
	if err != nil {
		return nil, err
	}
	for i, s := range document.Statement {
		if s.Principal != nil {
			return nil, fmt.Errorf("statement %d: an identity policy has no Principal", i+1)
		}
		if len(s.Resource)+len(s.NotResource) == 0 {
			return nil, fmt.Errorf("statement %d: no Resource", i+1)
		}
	}
	return document, nil
}

// Attach attaches a managed policy to a role. A policy that is not stored here, such as one of AWS's own, is an error.
func (g *Registry) Attach(roleARN, policyARN string) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	r, ok := g.roles[roleARN]
	if !ok {
		return fmt.Errorf("attach policy %s: no role %s", policyARN, roleARN)
	}
	if _, ok := g.managed[policyARN]; !ok {
		return fmt.Errorf("attach policy to %s: no policy %s", roleARN, policyARN)
	}
	r.attached = append(r.attached, policyARN)
	return nil
}

// Bound limits a role to what a managed policy allows, whatever its own policies and those of resources say.
func (g *Registry) Bound(roleARN, policyARN string) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	r, ok := g.roles[roleARN]
	if !ok {
		return fmt.Errorf("set boundary %s: no role %s", policyARN, roleARN)
	}
	if _, ok := g.managed[policyARN]; !ok {
		return fmt.Errorf("set boundary of %s: no policy %s", roleARN, policyARN)
	}
	r.boundary = policyARN
	return nil
}

// PutResourcePolicy stores the policy of a resource, replacing what it had. With exclusive the policy alone decides
// whom it lets in, as that of a KMS key does.
func (g *Registry) PutResourcePolicy(arn, text string, exclusive bool) error {
	document, err := Parse(text)
	if err != nil {
		return fmt.Errorf("store policy of %s: %w", arn, err)
	}
	for i := range document.Statement {
		if document.Statement[i].Principal == nil {
			return fmt.Errorf("store policy of %s: statement %d has no Principal", arn, i+1)
		}
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	g.resources[arn] = &Policy{Name: "policy of " + arn, Document: document}
	if exclusive {
		g.exclusive[arn] = struct{}{}
	}
	return nil
}

// HasResourcePolicy tells whether the resource has a policy of its own.
func (g *Registry) HasResourcePolicy(arn string) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	_, ok := g.resources[arn]
	return ok
}

// AddResourceStatement adds a statement to the policy of a resource, as lambda:AddPermission does.
func (g *Registry) AddResourceStatement(arn string, statement Statement) {
	g.mu.Lock()
	defer g.mu.Unlock()
	p, ok := g.resources[arn]
	if !ok {
		p = &Policy{Name: "policy of " + arn, Document: &Document{}}
	}
	document := *p.Document
	document.Statement = append(slices.Clone(document.Statement), statement)
	g.resources[arn] = &Policy{Name: p.Name, Document: &document}
}

// Authorize decides a request and keeps the decision.
func (g *Registry) Authorize(r Request) Decision {
	g.mu.Lock()
	defer g.mu.Unlock()
	d := g.decide(r)
	g.used[Use{Principal: r.Principal.String(), Action: r.Action, Resource: r.Resource, Allowed: d.Allowed, Reason: d.Reason}]++
	return d
}

func (g *Registry) decide(r Request) Decision {
	var identity []Policy
	var boundary string
	if r.Principal.Role != "" {
		caller, ok := g.roles[r.Principal.Role]
		if !ok {
			return Decision{Reason: "no role " + r.Principal.Role}
		}
		for _, name := range slices.Sorted(maps.Keys(caller.inline)) {
			identity = append(identity, caller.inline[name])
		}
		for _, arn := range caller.attached {
			identity = append(identity, g.managed[arn])
		}
		boundary = caller.boundary
	}
	owner := r.Resource
	if bucket, _, isObject := strings.Cut(r.Resource, "/"); isObject && strings.HasPrefix(r.Resource, "arn:aws:s3:::") {
		owner = bucket
	}
	_, exclusive := g.exclusive[owner]
	d := Evaluate(r, identity, g.resources[owner], exclusive)
	if boundary == "" || !d.Allowed {
		return d
	}
	// A boundary gives nothing: it must allow as well, also what a resource's policy allows the role.
	if limit := Evaluate(r, []Policy{g.managed[boundary]}, nil, false); !limit.Allowed {
		return Decision{Denied: limit.Denied, Reason: d.Reason + ", but not by the permissions boundary " + boundary}
	}
	return d
}

// Assume decides whether a service may take a role.
func (g *Registry) Assume(service, roleARN string, context map[string][]string) Decision {
	g.mu.Lock()
	defer g.mu.Unlock()
	request := Request{Principal: Principal{Service: service}, Action: "sts:AssumeRole", Resource: roleARN, Context: context}
	d := Decision{Reason: "no role " + roleARN}
	if r, ok := g.roles[roleARN]; ok {
		d = Evaluate(request, nil, r.trust, true)
	}
	g.used[Use{Principal: service, Action: request.Action, Resource: roleARN, Allowed: d.Allowed, Reason: d.Reason}]++
	return d
}

// Used lists what was asked and how it was decided, sorted.
func (g *Registry) Used() []UseCount {
	g.mu.Lock()
	defer g.mu.Unlock()
	uses := make([]UseCount, 0, len(g.used))
	for use, count := range g.used {
		uses = append(uses, UseCount{Use: use, Count: count})
	}
	slices.SortFunc(uses, func(a, b UseCount) int {
		return strings.Compare(a.Principal+"\x00"+a.Action+"\x00"+a.Resource+"\x00"+a.Reason, b.Principal+"\x00"+b.Action+"\x00"+b.Resource+"\x00"+b.Reason)
	})
	return uses
}

// Grant is an action that a role's policies allow on a pattern of resources.
type Grant struct {
	Role     string
	Policy   string
	Sid      string
	Action   string
	Resource string
}

// Grants lists what the roles' own policies allow, sorted by role, policy and statement.
func (g *Registry) Grants() []Grant {
	g.mu.Lock()
	defer g.mu.Unlock()
	var grants []Grant
	for _, arn := range slices.Sorted(maps.Keys(g.roles)) {
		r := g.roles[arn]
		var policies []Policy
		for _, name := range slices.Sorted(maps.Keys(r.inline)) {
			policies = append(policies, r.inline[name])
		}
		for _, attached := range r.attached {
			policies = append(policies, g.managed[attached])
		}
		for _, p := range policies {
			for _, s := range p.Document.Statement {
				if !s.Allow {
					continue
				}
				for _, action := range s.Action {
					for _, resource := range s.Resource {
						grants = append(grants, Grant{Role: arn, Policy: p.Name, Sid: s.Sid, Action: action, Resource: resource})
					}
				}
			}
		}
	}
	return grants
}
