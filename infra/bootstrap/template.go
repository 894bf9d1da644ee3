package bootstrap

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"
	"unicode"
)

// Template is the CloudFormation template of a project.
type Template struct {
	Version     string               `json:"AWSTemplateFormatVersion"`
	Description string               `json:"Description"`
	Parameters  map[string]parameter `json:"Parameters"`
	Conditions  map[string]any       `json:"Conditions"`
	Resources   map[string]resource  `json:"Resources"`
	Outputs     map[string]output    `json:"Outputs"`
}

type parameter struct {
	Type        string
	Default     string
	Description string
	Allowed     []string `json:"AllowedValues,omitempty"`
}

type resource struct {
	Type           string
	Condition      string         `json:",omitempty"`
	DeletionPolicy string         `json:",omitempty"`
	UpdateReplace  string         `json:"UpdateReplacePolicy,omitempty"`
	Properties     map[string]any `json:",omitempty"`
}

type output struct {
	Description string
	Condition   string `json:",omitempty"`
	Value       any
}

// New makes the template.
func New(p Project) Template {
	t := Template{
		Version:     "2010-09-09",
		Description: fmt.Sprintf("What %s needs in an account before its first pulumi up: state, key, roles of GitHub Actions, boundaries", p.Name),
		Parameters: map[string]parameter{
			"GitHubProvider":  {Type: "String", Description: "ARN of the account's identity provider for " + issuer + "; empty: make one where a subject is given (an account can have but one)"},
			"PreviewSubjects": {Type: "CommaDelimitedList", Description: fmt.Sprintf("Subjects that may preview, as in %s:pull_request,%[1]s:ref:refs/heads/main; empty: no role", subjectPrefix)},
			"QuickSight": {Type: "String", Default: "no", Allowed: []string{"no", "yes"},
				Description: "yes: deployments may attach a policy of theirs, which no boundary limits, to the account's QuickSight role"},
		},
		Conditions: map[string]any{
			"Previews":   not(equals(join("", ref("PreviewSubjects")), "")),
			"QuickSight": equals(ref("QuickSight"), "yes"),
		},
		Resources: map[string]resource{},
		Outputs:   map[string]output{},
	}
	t.state(p)
	someone := []any{named("Previews")}
	for _, s := range p.Stacks {
		someone = append(someone, named(t.stack(p, scope{p.Name, s})))
	}
	t.provider(someone)
	t.preview(p)
	return t
}

func (t Template) state(p Project) {
	account := map[string]any{"AWS": sub("arn:${AWS::Partition}:iam::${AWS::AccountId}:root")}
	t.Resources["Key"] = resource{
		Type: "AWS::KMS::Key", DeletionPolicy: "Retain", UpdateReplace: "Retain",
		Properties: map[string]any{
			"Description": "Pulumi state and secrets of " + p.Name, "EnableKeyRotation": true, "PendingWindowInDays": 30,
			"KeyPolicy": document(Statement{Sid: "IAMDecides", Effect: "Allow", Principal: account, Action: []string{"kms:*"}, Resource: []string{"*"}}),
			"Tags":      tags(p),
		},
	}
	t.Resources["KeyAlias"] = resource{Type: "AWS::KMS::Alias", Properties: map[string]any{"AliasName": "alias/" + p.prefix(), "TargetKeyId": ref("Key")}}
	t.Resources["StateBucket"] = resource{
		Type: "AWS::S3::Bucket", DeletionPolicy: "Retain", UpdateReplace: "Retain",
		Properties: map[string]any{
			"BucketName":              sub(p.prefix() + "-${AWS::AccountId}-${AWS::Region}"),
			"VersioningConfiguration": map[string]any{"Status": "Enabled"},
			"BucketEncryption": map[string]any{"ServerSideEncryptionConfiguration": []any{map[string]any{
				"BucketKeyEnabled":              true,
				"ServerSideEncryptionByDefault": map[string]any{"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": arnOf("Key")},
			}}},
			"OwnershipControls": map[string]any{"Rules": []any{map[string]any{"ObjectOwnership": "BucketOwnerEnforced"}}},
			"PublicAccessBlockConfiguration": map[string]any{
				"BlockPublicAcls": true, "BlockPublicPolicy": true, "IgnorePublicAcls": true, "RestrictPublicBuckets": true,
			},
			// Former states are how one comes back from a broken one.
			"LifecycleConfiguration": map[string]any{"Rules": []any{map[string]any{
				"Id": "former-states", "Status": "Enabled",
				"NoncurrentVersionExpiration":    map[string]any{"NoncurrentDays": 365},
				"AbortIncompleteMultipartUpload": map[string]any{"DaysAfterInitiation": 2},
			}}},
			"Tags": tags(p),
		},
	}
	t.Resources["StateBucketPolicy"] = resource{
		Type: "AWS::S3::BucketPolicy",
		Properties: map[string]any{"Bucket": ref("StateBucket"), "PolicyDocument": document(Statement{
			Sid: "OnlyTLS", Effect: "Deny", Principal: map[string]any{"AWS": "*"}, Action: []string{"s3:*"},
			Resource:  []string{"${StateBucket.Arn}", "${StateBucket.Arn}/*"},
			Condition: Condition{"Bool": {"aws:SecureTransport": "false"}},
		})},
	}
	t.Outputs["PulumiBackend"] = output{
		Description: "For pulumi login, and for the variables PULUMI_BACKEND_… of the repository",
		Value:       sub("s3://${StateBucket}?region=${AWS::Region}&awssdk=v2"),
	}
	t.Outputs["SecretsProvider"] = output{
		Description: "For pulumi stack init STACK --secrets-provider, with the stack's name for STACK",
		Value:       sub("awskms://alias/" + p.prefix() + "?region=${AWS::Region}&awssdk=v2&context_stack=STACK"),
	}
}

// provider is made where there is none and one of the conditions holds, each of which has a role that trusts it.
func (t Template) provider(someone []any) {
	t.Conditions["MakeGitHubProvider"] = all(equals(ref("GitHubProvider"), ""), some(someone...))
	t.Resources["GitHubIdentities"] = resource{
		Type: "AWS::IAM::OIDCProvider", Condition: "MakeGitHubProvider",
		Properties: map[string]any{"Url": "https://" + issuer, "ClientIdList": []string{audience}},
	}
}

// theProvider is the one that was made, or given.
var theProvider = map[string]any{"Fn::If": []any{"MakeGitHubProvider", ref("GitHubIdentities"), ref("GitHubProvider")}}

// subjectPrefix is what GitHub puts before the last part of a subject, with the ids of owner and repository; repositories
// older than 15 July 2026 have names alone.
const subjectPrefix = "repo:OWNER@ID/REPO@ID"

// stack returns the name of the condition under which the stack has a deploy role.
func (t Template) stack(p Project, s scope) (deploys string) {
	id := logical(s.stack.Name)
	prefix := p.prefix() + "-" + s.stack.Name
	t.Resources[id+"Boundary"] = managed(BoundaryName(p.Name, s.stack.Name), "What roles of "+s.base()+" can do at most", s.boundaryDocument(), "")
	subject := id + "Subject"
	deploys = id + "Deploys"
	t.Parameters[subject] = parameter{
		Type:        "String",
		Description: fmt.Sprintf("Subject that may deploy %s, as in %s:environment:%s; empty: no role", s.base(), subjectPrefix, s.stack.Name),
	}
	t.Conditions[deploys] = not(equals(ref(subject), ""))
	with := id + "DeploysQuickSight"
	t.Conditions[with] = all(named(deploys), named("QuickSight"))

	var policies []any
	add := func(name string, d Document, condition string) {
		key := id + "Deploy" + logical(name)
		t.Resources[key] = managed(prefix+"-deploy-"+name, "Deploys "+s.base()+": "+name, d, condition)
		if condition == deploys {
			policies = append(policies, ref(key))
		} else {
			policies = append(policies, map[string]any{"Fn::If": []any{condition, ref(key), ref("AWS::NoValue")}})
		}
	}
	for _, g := range groups {
		add(string(g), s.deployDocument(g), deploys)
	}
	add("state", document(slices.Concat(p.stateStatements(s.stack.Name), p.writeStateStatements(s.stack.Name), s.smokeStatements())...), deploys)
	add(string(quickSight), s.deployDocument(quickSight), with)
	role := id + "DeployRole"
	t.Resources[role] = githubRole(prefix+"-deploy", "Deploys "+s.base()+" from GitHub Actions", deploys, trust(theProvider, ref(subject)), policies, p)
	t.Outputs[role] = output{
		Description: "For the repository's variable AWS_DEPLOY_ROLE_" + strings.ToUpper(s.stack.Name), Condition: deploys, Value: arnOf(role),
	}
	return deploys
}

func (t Template) preview(p Project) {
	const previews = "Previews"
	stacks := make([]string, len(p.Stacks))
	for i, s := range p.Stacks {
		stacks[i] = s.Name
	}
	t.Resources["PreviewPolicy"] = managed(p.prefix()+"-preview", "Previews "+p.Name+": reads state and nothing else", document(p.stateStatements(stacks...)...), previews)
	policies := []any{ref("PreviewPolicy")}
	t.Resources["PreviewRole"] = githubRole(p.prefix()+"-preview", "Previews changes of "+p.Name+" from GitHub Actions, and changes nothing",
		previews, trust(theProvider, ref("PreviewSubjects")), policies, p)
	t.Outputs["PreviewRole"] = output{
		Description: "For the repository's variables AWS_PREVIEW_ROLE_…, one for each stack that lives in this account", Condition: previews, Value: arnOf("PreviewRole"),
	}
}

func managed(name, description string, d Document, condition string) resource {
	return resource{Type: "AWS::IAM::ManagedPolicy", Condition: condition, Properties: map[string]any{
		"ManagedPolicyName": name, "Description": description, "PolicyDocument": d,
	}}
}

func githubRole(name, description, condition string, trust Document, policies []any, p Project) resource {
	return resource{Type: "AWS::IAM::Role", Condition: condition, Properties: map[string]any{
		"RoleName": name, "Description": description, "MaxSessionDuration": 3600,
		"AssumeRolePolicyDocument": trust, "ManagedPolicyArns": policies, "Tags": tags(p),
	}}
}

// tags keep the stacks' roles from what the template makes: they are for keys of their own stack.
func tags(p Project) []any {
	return []any{map[string]string{"Key": "Project", "Value": p.Name}, map[string]string{"Key": "Stack", "Value": "bootstrap"}}
}

// logical is a logical id: dev-2 becomes Dev2.
func logical(name string) string {
	var b strings.Builder
	for _, word := range strings.FieldsFunc(name, func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) }) {
		b.WriteString(strings.ToUpper(word[:1]) + word[1:])
	}
	return b.String()
}

func ref(name string) any            { return map[string]string{"Ref": name} }
func arnOf(name string) any          { return map[string]any{"Fn::GetAtt": []string{name, "Arn"}} }
func sub(text string) any            { return map[string]string{"Fn::Sub": text} }
func equals(a, b any) any            { return map[string]any{"Fn::Equals": []any{a, b}} }
func named(condition string) any     { return map[string]any{"Condition": condition} }
func all(conditions ...any) any      { return map[string]any{"Fn::And": conditions} }
func some(conditions ...any) any     { return map[string]any{"Fn::Or": conditions} }
func not(condition any) any          { return map[string]any{"Fn::Not": []any{condition}} }
func join(by string, values any) any { return map[string]any{"Fn::Join": []any{by, values}} }

// inlineBytes is how long a template can be that is handed over as it is; a longer one must lie in a bucket, and an empty
// account has none.
const inlineBytes = 51200

// Write prints the template as CloudFormation reads it, without room between its words: see inlineBytes.
func (t Template) Write(out io.Writer) error {
	tree, err := t.tree()
	if err != nil {
		return err
	}
	var text bytes.Buffer
	e := json.NewEncoder(&text)
	e.SetEscapeHTML(false)
	if err := e.Encode(tree); err != nil {
		return fmt.Errorf("encode template: %w", err)
	}
	if text.Len() > inlineBytes {
		return fmt.Errorf("write template: it has %d bytes, CloudFormation takes %d without a bucket: ask for the stacks of one account at a time, as in infra:bootstrap dev", text.Len(), inlineBytes)
	}
	if _, err := out.Write(text.Bytes()); err != nil {
		return fmt.Errorf("write template: %w", err)
	}
	return nil
}

// tree is the template with its functions.
func (t Template) tree() (any, error) {
	text, err := json.Marshal(t)
	if err != nil {
		return nil, fmt.Errorf("encode template: %w", err)
	}
	var tree any
	if err := json.Unmarshal(text, &tree); err != nil {
		return nil, fmt.Errorf("encode template: %w", err)
	}
	return substituted(tree), nil
}

// substituted has Fn::Sub around every text with a ${…}, which documents are full of.
func substituted(v any) any {
	switch v := v.(type) {
	case map[string]any:
		if _, ok := v["Fn::Sub"]; ok {
			return v
		}
		for key, value := range v {
			v[key] = substituted(value)
		}
		return v
	case []any:
		for i, value := range v {
			v[i] = substituted(value)
		}
		return v
	case string:
		if strings.Contains(v, "${") {
			return map[string]any{"Fn::Sub": v}
		}
		return v
	default:
		return v
	}
}
