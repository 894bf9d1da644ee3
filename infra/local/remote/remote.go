// Package remote holds what the embedded services would hold (objects, items, topics, queues, secrets) at another endpoint
// that imitates AWS: moto, LocalStack and their like. Requests of functions and commands still come to the front, which
// tells the caller and decides by the deployed policies; what it lets through is signed anew and passed on as it is, and the
// answer goes back as it is. So what is tried there is storage, conditions, versions and messages by another hand than
// ours; roles, schedules, functions, events and failure queues are driven by package local, whatever the endpoint has of them.
//
// It is not for AWS itself: the credentials are made up, the account is that of the local environment, and buckets are
// emptied and removed at the end. Nothing that is there already is touched: a name that is taken is an error.
package remote

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httputil"
	"net/url"
	"slices"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/aws/aws-sdk-go-v2/service/sns"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/smithy-go/middleware"
	smithyhttp "github.com/aws/smithy-go/transport/http"

	embeddedsns "tributary/infra/local/sns"
)

// accountHeader tells moto the account; others take it from an access key of twelve digits.
const accountHeader = "X-Moto-Account-Id"

// Endpoint is the other endpoint, in one region. It is safe for concurrent use.
type Endpoint struct {
	credentials     aws.Credentials
	account         string
	address, region string
	proxy           *httputil.ReverseProxy

	objects *s3.Client
	items   *dynamodb.Client
	queues  *sqs.Client
	topics  *sns.Client
	secrets *secretsmanager.Client

	mu     sync.Mutex
	remove []func(context.Context) error // what was made, in its order
	heard  map[string]*subscriber        // by ARN of the topic
}

// subscriber is the queue that hears what a topic publishes.
type subscriber struct {
	url      string
	messages []embeddedsns.Message
}

// Open names an endpoint by its URL. Nothing is asked of it yet, nor can be before In.
func Open(address, account string) (*Endpoint, error) {
	to, err := url.Parse(address)
	if err != nil || to.Host == "" {
		return nil, fmt.Errorf("read endpoint %q: it is no URL like http://127.0.0.1:5000", address)
	}
	e := &Endpoint{
		credentials: aws.Credentials{AccessKeyID: account, SecretAccessKey: "made-up"}, account: account, address: address,
		heard: map[string]*subscriber{},
	}
	e.proxy = &httputil.ReverseProxy{
		// The host stays: endpoints build addresses, such as those of queues, from the one they are called by.
		Rewrite: func(r *httputil.ProxyRequest) {
			r.Out.URL.Scheme, r.Out.URL.Host, r.Out.Host = to.Scheme, to.Host, r.In.Host
		},
		Transport: signing{e, &http.Transport{DisableCompression: true, MaxIdleConnsPerHost: 100}},
		ErrorHandler: func(w http.ResponseWriter, _ *http.Request, err error) {
			http.Error(w, err.Error(), http.StatusBadGateway)
		},
	}
	return e, nil
}

// In says which region all is made in, before anything is. There is one.
func (e *Endpoint) In(region string) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.region == region {
		return nil
	}
	if e.region != "" {
		return fmt.Errorf("make resources in %s: those before are in %s, and another endpoint is used in one region alone", region, e.region)
	}
	e.region = region
	config := aws.Config{
		Region: region, BaseEndpoint: &e.address,
		Credentials: credentials.StaticCredentialsProvider{Value: e.credentials},
		APIOptions:  []func(*middleware.Stack) error{smithyhttp.AddHeaderValue(accountHeader, e.account)},
	}
	e.objects = s3.NewFromConfig(config, func(o *s3.Options) {
		o.UsePathStyle, o.DisableLogOutputChecksumValidationSkipped = true, true
	})
	e.items, e.queues = dynamodb.NewFromConfig(config), sqs.NewFromConfig(config)
	e.topics, e.secrets = sns.NewFromConfig(config), secretsmanager.NewFromConfig(config)
	return nil
}

type serviceKey struct{}

// Service passes requests on to a service, by its name in signatures.
func (e *Endpoint) Service(name string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		e.proxy.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), serviceKey{}, name)))
	})
}

// Close removes what was made, the last first.
func (e *Endpoint) Close(ctx context.Context) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	var faults []error
	for _, remove := range slices.Backward(e.remove) {
		faults = append(faults, remove(ctx))
	}
	e.remove = nil
	return errors.Join(faults...)
}

// made keeps how to remove what was made.
func (e *Endpoint) made(remove func(context.Context) error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.remove = append(e.remove, remove)
}

// same holds the ARN that the endpoint gave against the one that the program was told.
func same(got *string, want string) error {
	if aws.ToString(got) != want {
		return fmt.Errorf("the endpoint calls it %s, the program %s: it must take the account from an access key of twelve digits or from %s", aws.ToString(got), want, accountHeader)
	}
	return nil
}

// signing signs a request as the front's own.
type signing struct {
	endpoint *Endpoint
	next     http.RoundTripper
}

func (s signing) RoundTrip(r *http.Request) (*http.Response, error) {
	service, _ := r.Context().Value(serviceKey{}).(string)
	s.endpoint.mu.Lock()
	region := s.endpoint.region
	s.endpoint.mu.Unlock()
	hash := r.Header.Get("X-Amz-Content-Sha256")
	if hash == "" {
		body := []byte{}
		if r.Body != nil {
			var err error
			if body, err = io.ReadAll(r.Body); err != nil {
				return nil, fmt.Errorf("read request: %w", err)
			}
			r.Body = io.NopCloser(bytes.NewReader(body))
		}
		sum := sha256.Sum256(body)
		hash = hex.EncodeToString(sum[:])
	}
	for _, name := range []string{"Authorization", "X-Amz-Security-Token", "X-Amz-Date"} {
		r.Header.Del(name)
	}
	r.Header.Set(accountHeader, s.endpoint.account)
	if err := v4.NewSigner().SignHTTP(r.Context(), s.endpoint.credentials, r, hash, service, region, time.Now()); err != nil {
		return nil, fmt.Errorf("sign request: %w", err)
	}
	return s.next.RoundTrip(r)
}
