// Package front is the one endpoint of embedded AWS: an HTTP listener on 127.0.0.1 that tells the service from the
// credential scope of the signature, the caller from the access key, asks whether the caller may do what the request
// needs, and passes it to the service. A refusal is the AccessDenied that AWS would give.
//
// Signatures are not computed: credentials are random, live as long as the environment and are checked for equality.
package front

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strings"
	"time"

	"tributary/infra/local/iam"
	"tributary/infra/local/s3"
	"tributary/infra/local/sns"
	"tributary/infra/local/wire"
)

// Service is an AWS service behind the front.
type Service interface {
	http.Handler
	// Needs lists the permissions that a request needs. An error is answered as the service's own.
	Needs(r *http.Request) ([]iam.Need, error)
}

// Caller is who made a request.
type Caller struct {
	Principal iam.Principal
	Session   string // ARN as AccessDenied names it
	ID        string // unique id
}

// Front passes requests to services.
type Front struct {
	Services  map[string]Service // by the name in the credential scope
	Identify  func(accessKey, sessionToken string) (Caller, bool)
	Authorize func(iam.Request) iam.Decision
	Denied    func(Caller, iam.Need, iam.Decision)
	Now       func() time.Time
	Interfere *Interference // nil: nothing goes wrong
}

type callerKey struct{}

// CallerOf returns who made a request that the front passed on.
func CallerOf(r *http.Request) Caller {
	caller, _ := r.Context().Value(callerKey{}).(Caller)
	return caller
}

// refusal writes an error in the form of a service.
type refusal func(w http.ResponseWriter, r *http.Request, status int, code, message string)

func refuseJSON(w http.ResponseWriter, _ *http.Request, status int, code, message string) {
	wire.WriteError(w, &wire.APIError{Status: status, Code: code, Message: message})
}

func refuseQuery(w http.ResponseWriter, _ *http.Request, status int, code, message string) {
	sns.WriteError(w, &wire.APIError{Status: status, Code: code, Message: message})
}

// answers says how each service words what the front itself has to say.
var answers = map[string]struct {
	refuse refusal
	status int
	denied string
}{
	"s3":             {s3.WriteError, http.StatusForbidden, "AccessDenied"},
	"sns":            {refuseQuery, http.StatusForbidden, "AuthorizationError"},
	"sts":            {refuseQuery, http.StatusForbidden, "AccessDenied"},
	"sqs":            {refuseJSON, http.StatusForbidden, "AccessDenied"},
	"lambda":         {refuseJSON, http.StatusForbidden, "AccessDeniedException"},
	"dynamodb":       {refuseJSON, http.StatusBadRequest, "AccessDeniedException"},
	"secretsmanager": {refuseJSON, http.StatusBadRequest, "AccessDeniedException"},
}

func (f *Front) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	key, region, name, ok := scope(r)
	if !ok {
		refuseJSON(w, r, http.StatusForbidden, "MissingAuthenticationToken", "the request is not signed: Signature Version 4 is needed to tell service and caller")
		return
	}
	service, known := f.Services[name]
	form, worded := answers[name]
	if !known || !worded {
		refuseJSON(w, r, http.StatusNotImplemented, "NotImplemented", fmt.Sprintf("service %q is not part of the local environment", name))
		return
	}
	caller, ok := f.Identify(key, sessionToken(r))
	if !ok {
		form.refuse(w, r, http.StatusForbidden, "InvalidClientTokenId", "The security token included in the request is invalid: the local environment issued no such credentials")
		return
	}
	needs, err := service.Needs(r)
	if err != nil {
		var fault *wire.APIError
		if !errors.As(err, &fault) {
			fault = &wire.APIError{Status: http.StatusInternalServerError, Code: "InternalFailure", Message: err.Error()}
		}
		form.refuse(w, r, max(fault.Status, http.StatusBadRequest), fault.Code, fault.Message)
		return
	}
	for _, need := range needs {
		d := f.Authorize(iam.Request{Principal: caller.Principal, Action: need.Action, Resource: need.Resource, Context: f.keys(r, caller, region, need)})
		if d.Allowed {
			continue
		}
		f.Denied(caller, need, d)
		form.refuse(w, r, form.status, form.denied, DeniedMessage(caller, need, d))
		return
	}
	f.serve(service, name, w, r.WithContext(context.WithValue(r.Context(), callerKey{}, caller)), caller)
}

// DeniedMessage words a refusal as AWS does.
func DeniedMessage(caller Caller, need iam.Need, d iam.Decision) string {
	message := fmt.Sprintf("User: %s is not authorized to perform: %s on resource: %s ", caller.Session, need.Action, need.Resource)
	if d.Denied {
		return message + "with an explicit deny: " + d.Reason
	}
	return message + "because " + d.Reason + ": " + need.Action
}

// keys gives the condition keys that every request has. Loopback stands for TLS.
func (f *Front) keys(r *http.Request, caller Caller, region string, need iam.Need) map[string][]string {
	account := iam.AccountOf(caller.Principal.String())
	host, _, _ := net.SplitHostPort(r.RemoteAddr)
	keys := map[string][]string{
		"aws:principalarn":          {caller.Principal.String()},
		"aws:principalaccount":      {account},
		"aws:resourceaccount":       {account},
		"s3:resourceaccount":        {account},
		"aws:principalisawsservice": {"false"},
		"aws:viaawsservice":         {"false"},
		"aws:securetransport":       {"true"},
		"s3:tlsversion":             {"1.3"},
		"aws:requestedregion":       {region},
		"aws:sourceip":              {host},
		"aws:userid":                {caller.ID},
		"aws:currenttime":           {f.Now().UTC().Format(time.RFC3339)},
	}
	for name, values := range need.Context {
		keys[name] = values
	}
	return keys
}

// scope reads access key, region and service from the signature of a request, in its header or its query.
func scope(r *http.Request) (accessKey, region, service string, ok bool) {
	credential := r.URL.Query().Get("X-Amz-Credential")
	if _, fields, found := strings.Cut(r.Header.Get("Authorization"), "Credential="); found {
		credential, _, _ = strings.Cut(fields, ",")
	}
	parts := strings.Split(strings.TrimSpace(credential), "/")
	if len(parts) != 5 {
		return "", "", "", false
	}
	return parts[0], parts[2], parts[3], true
}

func sessionToken(r *http.Request) string {
	if token := r.Header.Get("X-Amz-Security-Token"); token != "" {
		return token
	}
	return r.URL.Query().Get("X-Amz-Security-Token")
}
