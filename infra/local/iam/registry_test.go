package iam_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"tributary/infra/local/iam"
)

const trust = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"scheduler.amazonaws.com"},"Action":"sts:AssumeRole",
	"Condition":{"StringEquals":{"aws:SourceAccount":"111122223333","aws:SourceArn":"arn:aws:scheduler:eu-west-3:111122223333:schedule-group/coins"}}}]}`

func document(statement string) string {
	return `{"Version":"2012-10-17","Statement":[{` + statement + `}]}`
}

func newRegistry(t *testing.T) *iam.Registry {
	t.Helper()
	g := iam.NewRegistry()
	for _, err := range []error{
		g.PutRole(role, trust),
		g.PutRolePolicy(role, "inline", document(`"Sid":"CallSend","Effect":"Allow","Action":["sqs:SendMessage","sqs:ReceiveMessage"],"Resource":"`+queue+`"`)),
		g.PutPolicy("arn:aws:iam::111122223333:policy/readers", document(allowGet)),
		g.Attach(role, "arn:aws:iam::111122223333:policy/readers"),
		g.PutResourcePolicy("arn:aws:s3:::raw", document(`"Sid":"NeverDelete","Effect":"Deny","Principal":"*","Action":"s3:DeleteObject","Resource":"arn:aws:s3:::raw/*"`), false),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	return g
}

func TestRegistryAuthorizes(t *testing.T) {
	g := newRegistry(t)
	for _, test := range []struct {
		name             string
		principal        iam.Principal
		action, resource string
		want             iam.Decision
	}{
		{"inline policy", iam.Principal{Role: role}, "sqs:SendMessage", queue, iam.Decision{Allowed: true, Reason: "allowed by inline (CallSend)"}},
		{"attached policy", iam.Principal{Role: role}, "s3:GetObject", object, iam.Decision{Allowed: true, Reason: "allowed by arn:aws:iam::111122223333:policy/readers (Get)"}},
		{"policy of the object's bucket", iam.Principal{Root: root}, "s3:DeleteObject", object, iam.Decision{Denied: true, Reason: "explicitly denied by policy of arn:aws:s3:::raw (NeverDelete)"}},
		{"no policy", iam.Principal{Role: role}, "sqs:DeleteMessage", queue, iam.Decision{Reason: "no identity-based policy allows it"}},
		{"no such role", iam.Principal{Role: role + "2"}, "sqs:SendMessage", queue, iam.Decision{Reason: "no role " + role + "2"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			got := g.Authorize(iam.Request{Principal: test.principal, Action: test.action, Resource: test.resource})
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
	g.Authorize(iam.Request{Principal: iam.Principal{Role: role}, Action: "sqs:SendMessage", Resource: queue})
	var sent int
	for _, use := range g.Used() {
		if use.Action == "sqs:SendMessage" && use.Principal == role {
			sent = use.Count
		}
	}
	if sent != 2 || len(g.Used()) != 5 {
		t.Errorf("%d times of %d uses", sent, len(g.Used()))
	}
	want := []iam.Grant{
		{Role: role, Policy: "inline", Sid: "CallSend", Action: "sqs:SendMessage", Resource: queue},
		{Role: role, Policy: "inline", Sid: "CallSend", Action: "sqs:ReceiveMessage", Resource: queue},
		{Role: role, Policy: "arn:aws:iam::111122223333:policy/readers", Sid: "Get", Action: "s3:GetObject", Resource: "arn:aws:s3:::raw/raw/*"},
	}
	if diff := cmp.Diff(want, g.Grants()); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff(want[1:2], iam.Unused(g.Grants(), g.Used())); diff != "" {
		t.Errorf("unused: %s", diff)
	}
}

func TestAssume(t *testing.T) {
	g := newRegistry(t)
	for _, test := range []struct {
		name, service, role, group string
		want                       bool
	}{
		{"the group", "scheduler.amazonaws.com", role, "coins", true},
		{"another group", "scheduler.amazonaws.com", role, "stars", false},
		{"another service", "lambda.amazonaws.com", role, "coins", false},
		{"no such role", "scheduler.amazonaws.com", role + "2", "coins", false},
	} {
		t.Run(test.name, func(t *testing.T) {
			d := g.Assume(test.service, test.role, map[string][]string{
				"aws:sourceaccount": {"111122223333"}, "aws:sourcearn": {"arn:aws:scheduler:eu-west-3:111122223333:schedule-group/" + test.group}})
			if d.Allowed != test.want {
				t.Errorf("%+v", d)
			}
		})
	}
}

func TestRegistryRefuses(t *testing.T) {
	g := newRegistry(t)
	for _, test := range []struct {
		name string
		err  error
		want string
	}{
		{"trust without principal", g.PutRole(role, document(`"Effect":"Allow","Action":"sts:AssumeRole"`)), "no Principal"},
		{"identity policy with principal", g.PutRolePolicy(role, "x", document(everybody+`,"Effect":"Allow","Action":"s3:*","Resource":"*"`)), "an identity policy has no Principal"},
		{"identity policy without resource", g.PutPolicy("x", document(`"Effect":"Allow","Action":"s3:*"`)), "no Resource"},
		{"policy of no role", g.PutRolePolicy(role+"2", "x", document(allowGet)), "no role"},
		{"AWS's own policy", g.Attach(role, "arn:aws:iam::aws:policy/AdministratorAccess"), "no policy arn:aws:iam::aws"},
		{"policy of a resource without principal", g.PutResourcePolicy(queue, document(allowGet), false), "no Principal"},
	} {
		t.Run(test.name, func(t *testing.T) {
			if test.err == nil || !strings.Contains(test.err.Error(), test.want) {
				t.Errorf("error %v, want %q", test.err, test.want)
			}
		})
	}
}

func TestNeedsOfAKey(t *testing.T) {
	use := iam.KeyUse{Key: key, Service: "s3", Context: map[string]string{"aws:s3:arn": "arn:aws:s3:::raw"}}
	context := map[string][]string{"kms:viaservice": {"s3.eu-west-3.amazonaws.com"}, "kms:calleraccount": {"111122223333"}, "kms:encryptioncontext:aws:s3:arn": {"arn:aws:s3:::raw"}}
	want := []iam.Need{{Action: "kms:GenerateDataKey", Resource: key, Context: context}, {Action: "kms:Decrypt", Resource: key, Context: context}}
	if diff := cmp.Diff(want, use.Needs("GenerateDataKey", "Decrypt")); diff != "" {
		t.Error(diff)
	}
	if none := (iam.KeyUse{Service: "s3"}).Needs("Decrypt"); none != nil {
		t.Errorf("without a key: %v", none)
	}
}

// Permissions boundaries for IAM entities: the effective permissions are those that policies and boundary both allow.
func TestBoundary(t *testing.T) {
	const boundary = "arn:aws:iam::111122223333:policy/boundary"
	for _, test := range []struct {
		name, action, resource, boundary string
		want                             string // allow, deny or none
	}{
		{"both allow", "sqs:SendMessage", queue, `"Effect":"Allow","Action":"sqs:*","Resource":"*"`, "allow"},
		{"the boundary does not", "sqs:SendMessage", queue, `"Effect":"Allow","Action":"s3:*","Resource":"*"`, "none"},
		{"the boundary denies", "sqs:SendMessage", queue, `"Effect":"Deny","Action":"sqs:*","Resource":"*"`, "deny"},
		{"the boundary alone gives nothing", "sns:Publish", "arn:aws:sns:eu-west-3:111122223333:alerts", `"Effect":"Allow","Action":"*","Resource":"*"`, "none"},
		{"a managed policy is limited too", "s3:GetObject", object, `"Effect":"Allow","Action":"sqs:*","Resource":"*"`, "none"},
	} {
		g := newRegistry(t)
		for _, err := range []error{g.PutPolicy(boundary, document(test.boundary)), g.Bound(role, boundary)} {
			if err != nil {
				t.Fatal(err)
			}
		}
		d := g.Authorize(iam.Request{Principal: iam.Principal{Role: role}, Action: test.action, Resource: test.resource})
		got := map[[2]bool]string{{true, false}: "allow", {false, true}: "deny", {false, false}: "none"}[[2]bool{d.Allowed, d.Denied}]
		if got != test.want {
			t.Errorf("%s: %s, want %s (%s)", test.name, got, test.want, d.Reason)
		}
	}
	g := newRegistry(t)
	if err := g.Bound(role, boundary); err == nil || !strings.Contains(err.Error(), "no policy "+boundary) {
		t.Errorf("a boundary that is not there: %v", err)
	}
	if err := g.Bound("arn:aws:iam::111122223333:role/nobody", boundary); err == nil || !strings.Contains(err.Error(), "no role") {
		t.Errorf("a role that is not there: %v", err)
	}
}
