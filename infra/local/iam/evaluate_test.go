package iam_test

import (
	"slices"
	"strings"
	"testing"

	"tributary/infra/local/iam"
)

const (
	role   = "arn:aws:iam::111122223333:role/process"
	root   = "arn:aws:iam::111122223333:root"
	object = "arn:aws:s3:::raw/raw/coins/manifest.json"
	queue  = "arn:aws:sqs:eu-west-3:111122223333:failures"
	key    = "arn:aws:kms:eu-west-3:111122223333:key/1"
)

// policy wraps statements, written without their braces.
func policy(t *testing.T, name string, statements ...string) iam.Policy {
	t.Helper()
	d, err := iam.Parse(`{"Version":"2012-10-17","Statement":[{` + strings.Join(statements, `},{`) + `}]}`)
	if err != nil {
		t.Fatal(err)
	}
	return iam.Policy{Name: name, Document: d}
}

const (
	allowGet  = `"Sid":"Get","Effect":"Allow","Action":"s3:GetObject","Resource":"arn:aws:s3:::raw/raw/*"`
	everybody = `"Principal":"*"`
)

const guide = "https://docs.aws.amazon.com/IAM/latest/UserGuide/"

// pages are where AWS says what the cases expect, by what their names begin with.
var pages = map[string]string{
	"evaluation":       guide + "reference_policies_evaluation-logic_policy-eval-basics-single-account.html",
	"Action":           guide + "reference_policies_elements_action.html",
	"NotAction":        guide + "reference_policies_elements_notaction.html",
	"Resource":         guide + "reference_policies_elements_resource.html",
	"NotResource":      guide + "reference_policies_elements_notresource.html",
	"Policy variables": guide + "reference_policies_variables.html",
	"Condition":        guide + "reference_policies_elements_condition.html",
	"ForAllValues":     guide + "reference_policies_condition-single-vs-multi-valued-context-keys.html",
	"ForAnyValue":      guide + "reference_policies_condition-single-vs-multi-valued-context-keys.html",
	"service":          "https://docs.aws.amazon.com/lambda/latest/dg/permissions-function-services.html",
	"key":              "https://docs.aws.amazon.com/kms/latest/developerguide/key-policy-default.html",
	"write once":       "https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-writes-enforce.html",
}

// page finds the page that a case is taken from; operators have one together.
func page(name string) (string, bool) {
	element, _, _ := strings.Cut(name, ":")
	if url, ok := pages[element]; ok {
		return url, true
	}
	operator, _, _ := strings.Cut(strings.TrimSuffix(element, "IfExists"), " ")
	known := []string{"StringEquals", "StringNotEquals", "StringLike", "ArnLike", "ArnEquals", "Bool", "Null", "Numeric", "IpAddress", "NotIpAddress", "Date"}
	return guide + "reference_policies_elements_condition_operators.html", slices.Contains(known, operator)
}

func TestEvaluate(t *testing.T) {
	get := iam.Request{Principal: iam.Principal{Role: role}, Action: "s3:GetObject", Resource: object}
	with := func(r iam.Request, keys ...string) iam.Request {
		r.Context = map[string][]string{}
		for i := 0; i < len(keys); i += 2 {
			r.Context[keys[i]] = append(r.Context[keys[i]], keys[i+1])
		}
		return r
	}
	service := iam.Request{Principal: iam.Principal{Service: "s3.amazonaws.com"}, Action: "lambda:InvokeFunction", Resource: "arn:aws:lambda:eu-west-3:111122223333:function:process"}
	decrypt := iam.Request{Principal: iam.Principal{Role: role}, Action: "kms:Decrypt", Resource: key}
	condition := func(c string) string {
		return `"Effect":"Allow","Action":"s3:GetObject","Resource":"*","Condition":{` + c + `}`
	}

	for _, test := range []struct {
		name      string // page, by what it is about: case
		request   iam.Request
		identity  []string
		resource  []string
		exclusive bool
		want      string // allow, deny (explicit) or none (implicit)
	}{
		// Policy evaluation logic.
		{"evaluation: nothing allows by default", get, nil, nil, false, "none"},
		{"evaluation: an allow allows", get, []string{allowGet}, nil, false, "allow"},
		{"evaluation: a deny wins over an allow", get, []string{allowGet, `"Effect":"Deny","Action":"s3:*","Resource":"*"`}, nil, false, "deny"},
		{"evaluation: a deny of the resource wins over an allow of the identity", get, []string{allowGet}, []string{everybody + `,"Effect":"Deny","Action":"s3:GetObject","Resource":"arn:aws:s3:::raw/*"`}, false, "deny"},
		{"evaluation: within an account the resource's allow is enough", get, nil, []string{`"Principal":{"AWS":"` + role + `"},"Effect":"Allow","Action":"s3:GetObject","Resource":"arn:aws:s3:::raw/*"`}, false, "allow"},
		{"evaluation: naming the account only delegates", get, nil, []string{`"Principal":{"AWS":"` + root + `"},"Effect":"Allow","Action":"s3:*","Resource":"*"`}, false, "none"},
		{"evaluation: a deny that names the account meets its roles", get, []string{allowGet}, []string{`"Principal":{"AWS":"111122223333"},"Effect":"Deny","Action":"s3:*","Resource":"*"`}, false, "deny"},
		{"evaluation: a deny that names another role does not", get, []string{allowGet}, []string{`"Principal":{"AWS":"arn:aws:iam::111122223333:role/other"},"Effect":"Deny","Action":"s3:*","Resource":"*"`}, false, "allow"},
		{"evaluation: the root user is allowed", iam.Request{Principal: iam.Principal{Root: root}, Action: "s3:GetObject", Resource: object}, nil, nil, false, "allow"},
		{"evaluation: but not past a deny", iam.Request{Principal: iam.Principal{Root: root}, Action: "s3:GetObject", Resource: object}, nil, []string{everybody + `,"Effect":"Deny","Action":"s3:*","Resource":"*"`}, false, "deny"},

		// JSON elements: Action, NotAction.
		{"Action: another action", with(iam.Request{Principal: get.Principal, Action: "s3:GetObjectVersion", Resource: object}), []string{allowGet}, nil, false, "none"},
		{"Action: case does not matter", get, []string{`"Effect":"Allow","Action":"S3:getobject","Resource":"*"`}, nil, false, "allow"},
		{"Action: * is any number of characters", get, []string{`"Effect":"Allow","Action":["sqs:*","s3:Get*"],"Resource":"*"`}, nil, false, "allow"},
		{"Action: ? is one character", get, []string{`"Effect":"Allow","Action":"s3:GetObjec?","Resource":"*"`}, nil, false, "allow"},
		{"Action: ? is not none", get, []string{`"Effect":"Allow","Action":"s3:GetObject?","Resource":"*"`}, nil, false, "none"},
		{"Action: bare *", get, []string{`"Effect":"Allow","Action":"*","Resource":"*"`}, nil, false, "allow"},
		{"NotAction: all but", get, []string{`"Effect":"Allow","NotAction":"s3:Put*","Resource":"*"`}, nil, false, "allow"},
		{"NotAction: the excepted", get, []string{`"Effect":"Allow","NotAction":["sqs:*","s3:Get*"],"Resource":"*"`}, nil, false, "none"},

		// JSON elements: Resource, NotResource.
		{"Resource: case matters", get, []string{`"Effect":"Allow","Action":"s3:GetObject","Resource":"arn:aws:s3:::RAW/*"`}, nil, false, "none"},
		{"Resource: the bucket is not its objects", get, []string{`"Effect":"Allow","Action":"s3:GetObject","Resource":"arn:aws:s3:::raw"`}, nil, false, "none"},
		{"Resource: * spans slashes", get, []string{`"Effect":"Allow","Action":"s3:GetObject","Resource":"arn:aws:s3:::raw/*/manifest.json"`}, nil, false, "allow"},
		{"Resource: another prefix", get, []string{`"Effect":"Allow","Action":"s3:GetObject","Resource":"arn:aws:s3:::raw/raw/coin/*"`}, nil, false, "none"},
		{"NotResource: all but", get, []string{`"Effect":"Allow","Action":"s3:GetObject","NotResource":"arn:aws:s3:::raw/state/*"`}, nil, false, "allow"},
		{"NotResource: the excepted", get, []string{`"Effect":"Allow","Action":"s3:GetObject","NotResource":"arn:aws:s3:::raw/raw/*"`}, nil, false, "none"},
		{"Policy variables: account of the caller", with(get, "aws:principalaccount", "raw"), []string{`"Effect":"Allow","Action":"s3:GetObject","Resource":"arn:aws:s3:::${aws:PrincipalAccount}/*"`}, nil, false, "allow"},

		// JSON elements: Condition operators.
		{"StringEquals: equal", with(get, "aws:sourceaccount", "1"), []string{condition(`"StringEquals":{"aws:SourceAccount":"1"}`)}, nil, false, "allow"},
		{"StringEquals: one of several values", with(get, "aws:sourceaccount", "2"), []string{condition(`"StringEquals":{"aws:SourceAccount":["1","2"]}`)}, nil, false, "allow"},
		{"StringEquals: another", with(get, "aws:sourceaccount", "3"), []string{condition(`"StringEquals":{"aws:SourceAccount":["1","2"]}`)}, nil, false, "none"},
		{"StringEquals: no wildcards", with(get, "aws:sourceaccount", "12"), []string{condition(`"StringEquals":{"aws:SourceAccount":"1*"}`)}, nil, false, "none"},
		{"StringEquals: a missing key does not match", get, []string{condition(`"StringEquals":{"aws:SourceAccount":"1"}`)}, nil, false, "none"},
		{"StringEqualsIfExists: a missing key matches", get, []string{condition(`"StringEqualsIfExists":{"aws:SourceAccount":"1"}`)}, nil, false, "allow"},
		{"StringNotEquals: none of the values", with(get, "aws:sourceaccount", "3"), []string{condition(`"StringNotEquals":{"aws:SourceAccount":["1","2"]}`)}, nil, false, "allow"},
		{"StringNotEquals: one of the values", with(get, "aws:sourceaccount", "2"), []string{condition(`"StringNotEquals":{"aws:SourceAccount":["1","2"]}`)}, nil, false, "none"},
		{"StringNotEquals: a missing key matches", get, []string{condition(`"StringNotEquals":{"aws:SourceAccount":"1"}`)}, nil, false, "allow"},
		{"StringLike: wildcards", with(get, "s3:prefix", "raw/coins/dt=1"), []string{condition(`"StringLike":{"s3:prefix":"raw/coins/*"}`)}, nil, false, "allow"},
		{"StringLike: another prefix", with(get, "s3:prefix", "raw/coin"), []string{condition(`"StringLike":{"s3:prefix":"raw/coins/*"}`)}, nil, false, "none"},
		{"ArnLike: wildcards within a part", with(get, "aws:sourcearn", "arn:aws:cloudwatch:eu-west-3:1:alarm:dev-held"), []string{condition(`"ArnLike":{"aws:SourceArn":"arn:aws:cloudwatch:*:1:alarm:dev-*"}`)}, nil, false, "allow"},
		{"ArnLike: * does not span the colons", with(get, "aws:sourcearn", "arn:aws:sns:eu-west-3:1:topic"), []string{condition(`"ArnLike":{"aws:SourceArn":"arn:*:topic"}`)}, nil, false, "none"},
		{"ArnEquals: behaves as ArnLike", with(get, "aws:sourcearn", "arn:aws:s3:::raw"), []string{condition(`"ArnEquals":{"aws:SourceArn":"arn:aws:s3:::r*"}`)}, nil, false, "allow"},
		{"Bool: true", with(get, "aws:securetransport", "true"), []string{condition(`"Bool":{"aws:SecureTransport":true}`)}, nil, false, "allow"},
		{"Bool: false", with(get, "aws:securetransport", "false"), []string{condition(`"Bool":{"aws:SecureTransport":"true"}`)}, nil, false, "none"},
		{"Null true: the key is absent", get, []string{condition(`"Null":{"s3:if-none-match":"true"}`)}, nil, false, "allow"},
		{"Null true: the key is there", with(get, "s3:if-none-match", "*"), []string{condition(`"Null":{"s3:if-none-match":"true"}`)}, nil, false, "none"},
		{"Null false: the key is there", with(get, "s3:if-none-match", "*"), []string{condition(`"Null":{"s3:if-none-match":"false"}`)}, nil, false, "allow"},
		{"Numeric: less", with(get, "s3:max-keys", "10"), []string{condition(`"NumericLessThanEquals":{"s3:max-keys":"10"}`)}, nil, false, "allow"},
		{"IpAddress: in the range", with(get, "aws:sourceip", "127.0.0.1"), []string{condition(`"IpAddress":{"aws:SourceIp":"127.0.0.0/8"}`)}, nil, false, "allow"},
		{"NotIpAddress: in the range", with(get, "aws:sourceip", "127.0.0.1"), []string{condition(`"NotIpAddress":{"aws:SourceIp":"127.0.0.0/8"}`)}, nil, false, "none"},
		{"Date: before", with(get, "aws:currenttime", "2025-03-04T00:00:00Z"), []string{condition(`"DateLessThan":{"aws:CurrentTime":"2026-01-01T00:00:00Z"}`)}, nil, false, "allow"},
		{"Condition: all operators must hold", with(get, "aws:sourceaccount", "1", "aws:securetransport", "false"), []string{condition(`"StringEquals":{"aws:SourceAccount":"1"},"Bool":{"aws:SecureTransport":"true"}`)}, nil, false, "none"},
		{"Condition: all keys must hold", with(get, "aws:sourceaccount", "1"), []string{condition(`"StringEquals":{"aws:SourceAccount":"1","aws:PrincipalOrgID":"o"}`)}, nil, false, "none"},
		{"ForAllValues: all", with(get, "aws:tagkeys", "a", "aws:tagkeys", "b"), []string{condition(`"ForAllValues:StringEquals":{"aws:TagKeys":["a","b","c"]}`)}, nil, false, "allow"},
		{"ForAllValues: not all", with(get, "aws:tagkeys", "a", "aws:tagkeys", "z"), []string{condition(`"ForAllValues:StringEquals":{"aws:TagKeys":["a","b"]}`)}, nil, false, "none"},
		{"ForAllValues: a missing key matches", get, []string{condition(`"ForAllValues:StringEquals":{"aws:TagKeys":["a"]}`)}, nil, false, "allow"},
		{"ForAnyValue: one", with(get, "aws:tagkeys", "z", "aws:tagkeys", "b"), []string{condition(`"ForAnyValue:StringEquals":{"aws:TagKeys":["a","b"]}`)}, nil, false, "allow"},
		{"ForAnyValue: a missing key does not match", get, []string{condition(`"ForAnyValue:StringEquals":{"aws:TagKeys":["a"]}`)}, nil, false, "none"},

		// Lambda: resource-based policies.
		{"service: without a policy of the resource", service, nil, nil, false, "none"},
		{"service: named, from the right bucket", with(service, "aws:sourcearn", "arn:aws:s3:::raw", "aws:sourceaccount", "111122223333"), nil, []string{
			`"Principal":{"Service":"s3.amazonaws.com"},"Effect":"Allow","Action":"lambda:InvokeFunction","Resource":"` + service.Resource + `","Condition":{"ArnLike":{"aws:SourceArn":"arn:aws:s3:::raw"},"StringEquals":{"aws:SourceAccount":"111122223333"}}`}, false, "allow"},
		{"service: the bucket of another account", with(service, "aws:sourcearn", "arn:aws:s3:::raw", "aws:sourceaccount", "999"), nil, []string{
			`"Principal":{"Service":"s3.amazonaws.com"},"Effect":"Allow","Action":"lambda:InvokeFunction","Resource":"*","Condition":{"StringEquals":{"aws:SourceAccount":"111122223333"}}`}, false, "none"},
		{"service: another service", service, nil, []string{`"Principal":{"Service":"events.amazonaws.com"},"Effect":"Allow","Action":"lambda:*","Resource":"*"`}, false, "none"},

		// KMS Developer Guide: Key policies.
		{"key: an identity policy alone is not enough", decrypt, []string{`"Effect":"Allow","Action":"kms:Decrypt","Resource":"` + key + `"`}, []string{`"Principal":{"Service":"logs.eu-west-3.amazonaws.com"},"Effect":"Allow","Action":"kms:*","Resource":"*"`}, true, "none"},
		{"key: the statement for the account lets identity policies decide", decrypt, []string{`"Effect":"Allow","Action":"kms:Decrypt","Resource":"` + key + `"`}, []string{`"Principal":{"AWS":"` + root + `"},"Effect":"Allow","Action":"kms:*","Resource":"*"`}, true, "allow"},
		{"key: it grants nothing by itself", decrypt, nil, []string{`"Principal":{"AWS":"` + root + `"},"Effect":"Allow","Action":"kms:*","Resource":"*"`}, true, "none"},
		{"key: through another service", with(decrypt, "kms:viaservice", "sns.eu-west-3.amazonaws.com"), []string{`"Effect":"Allow","Action":"kms:Decrypt","Resource":"*","Condition":{"StringEquals":{"kms:ViaService":"s3.eu-west-3.amazonaws.com"}}`}, []string{`"Principal":{"AWS":"` + root + `"},"Effect":"Allow","Action":"kms:*","Resource":"*"`}, true, "none"},

		// S3 User Guide: Enforce conditional writes on Amazon S3 buckets.
		{"write once: without the header", with(iam.Request{Principal: get.Principal, Action: "s3:PutObject", Resource: object}, "s3:objectcreationoperation", "true"), []string{`"Effect":"Allow","Action":"s3:PutObject","Resource":"*"`}, []string{writeOnce}, false, "deny"},
		{"write once: with the header", with(iam.Request{Principal: get.Principal, Action: "s3:PutObject", Resource: object}, "s3:objectcreationoperation", "true", "s3:if-none-match", "*"), []string{`"Effect":"Allow","Action":"s3:PutObject","Resource":"*"`}, []string{writeOnce}, false, "allow"},
		{"write once: a part, which takes no header", with(iam.Request{Principal: get.Principal, Action: "s3:PutObject", Resource: object}, "s3:objectcreationoperation", "false"), []string{`"Effect":"Allow","Action":"s3:PutObject","Resource":"*"`}, []string{writeOnce}, false, "allow"},
		{"write once: a replacement by ETag", with(iam.Request{Principal: get.Principal, Action: "s3:PutObject", Resource: object}, "s3:objectcreationoperation", "true", "s3:if-match", "x"), []string{`"Effect":"Allow","Action":"s3:PutObject","Resource":"*"`}, []string{writeOnce}, false, "deny"},
	} {
		t.Run(test.name, func(t *testing.T) {
			url, known := page(test.name)
			if !known {
				t.Error("no page says what is expected")
			}
			var identity []iam.Policy
			if len(test.identity) > 0 {
				identity = []iam.Policy{policy(t, "identity", test.identity...)}
			}
			var resource *iam.Policy
			if len(test.resource) > 0 {
				p := policy(t, "resource", test.resource...)
				resource = &p
			}
			d := iam.Evaluate(test.request, identity, resource, test.exclusive)
			got := "none"
			switch {
			case d.Allowed && d.Denied:
				t.Error("allowed and denied")
			case d.Allowed:
				got = "allow"
			case d.Denied:
				got = "deny"
			}
			if got != test.want || d.Reason == "" {
				t.Errorf("%s (%s), want %s: %s", got, d.Reason, test.want, url)
			}
		})
	}
}

const writeOnce = `"Sid":"WriteOnce","Effect":"Deny","Principal":"*","Action":"s3:PutObject","Resource":"arn:aws:s3:::raw/raw/*",
	"Condition":{"Null":{"s3:if-none-match":"true"},"Bool":{"s3:ObjectCreationOperation":"true"}}`

func TestParseRefuses(t *testing.T) {
	for _, test := range []struct{ name, text, want string }{
		{"no JSON", `{`, "parse policy"},
		{"unknown element", `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Actions":"s3:*","Resource":"*"}]}`, `unknown field "Actions"`},
		{"unknown operator", `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:*","Resource":"*","Condition":{"StringMatches":{"a":"b"}}}]}`, `operator "StringMatches"`},
		{"unknown effect", `{"Version":"2012-10-17","Statement":[{"Effect":"allow","Action":"s3:*","Resource":"*"}]}`, `effect "allow"`},
		{"no action", `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Resource":"*"}]}`, "Action and NotAction"},
		{"no statement", `{"Version":"2012-10-17","Statement":[]}`, "no statement"},
		{"old version", `{"Version":"2008-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}`, "version"},
		{"principal that is text", `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":"s3.amazonaws.com","Action":"*","Resource":"*"}]}`, "want * or an object"},
		{"condition value that is an object", `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:*","Resource":"*","Condition":{"Bool":{"a":{}}}}]}`, "no string, number or boolean"},
	} {
		t.Run(test.name, func(t *testing.T) {
			if _, err := iam.Parse(test.text); err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("error %v, want %q", err, test.want)
			}
		})
	}
}

func FuzzLike(f *testing.F) {
	for _, seed := range [][2]string{{"s3:Get*", "s3:GetObject"}, {"*a*b", "xxaxxb"}, {"?", ""}, {"**", "x"}, {"a*a", "a"}} {
		f.Add(seed[0], seed[1])
	}
	f.Fuzz(func(t *testing.T, pattern, text string) {
		if len(pattern) > 12 || len(text) > 12 {
			t.Skip()
		}
		if got, want := iam.Like(pattern, text), like(pattern, text); got != want {
			t.Errorf("Like(%q, %q) is %v, want %v", pattern, text, got, want)
		}
	})
}

// like is the definition, written down.
func like(pattern, text string) bool {
	switch {
	case pattern == "":
		return text == ""
	case pattern[0] == '*':
		return like(pattern[1:], text) || text != "" && like(pattern, text[1:])
	case text == "":
		return false
	}
	return (pattern[0] == '?' || pattern[0] == text[0]) && like(pattern[1:], text[1:])
}
