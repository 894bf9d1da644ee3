package source

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"tributary/shared/contract"
	"tributary/shared/zone"
)

const (
	tokenBody = 1 << 20
	// tokenLead is how long before its end a token is replaced.
	tokenLead = 30 * time.Second
)

// credentials are the secret of one walk and what is made from it. The secret is read before the first request that
// needs it.
type credentials struct {
	client *Client
	read   bool
	secret string // "" with an optional secret that is empty
	token  string // oauth2
	until  time.Time
	hider  hider
}

// fillHint tells how a secret gets its value.
func (c *Client) fillHint() string { return "fill it with: go tool mage ops:secret " + c.dataset }

// load reads the secret once.
func (k *credentials) load(ctx context.Context) error {
	auth := k.client.source.Auth
	if k.read || auth == nil {
		return nil
	}
	value, err := k.client.secrets.Get(ctx, k.client.secret)
	if err != nil && !errors.Is(err, zone.ErrNotFound) {
		return fmt.Errorf("fetch %s: read secret %s: %w", k.client.dataset, k.client.secret, err)
	}
	value = strings.TrimSpace(value)
	if value == "" && !auth.Optional {
		return k.fault("secret %q is empty", k.client.secret)
	}
	if controls(auth, value) {
		return k.fault("secret %q holds control characters", k.client.secret)
	}
	k.read, k.secret = true, value
	k.hider.add(value)
	return nil
}

func (k *credentials) fault(format string, args ...any) error {
	return &Error{Kind: Secretless, Dataset: k.client.dataset, Err: fmt.Errorf(format, args...), Hint: k.client.fillHint()}
}

// put adds the credentials to a request for the source's own origin.
func (k *credentials) put(ctx context.Context, r *http.Request) error {
	auth := k.client.source.Auth
	if auth == nil {
		return nil
	}
	if err := k.load(ctx); err != nil || k.secret == "" {
		return err
	}
	switch auth.Kind {
	case "bearer":
		r.Header.Set("Authorization", "Bearer "+k.secret)
	case "api_key":
		if auth.In == "query" {
			query := r.URL.Query()
			query.Set(auth.Name, k.secret)
			r.URL.RawQuery = query.Encode()
		} else {
			r.Header.Set(auth.Name, k.secret)
		}
	case "http_basic":
		user, password, err := k.pair("username", "password")
		if err != nil {
			return err
		}
		k.hider.add(password)
		k.hider.add(base64.StdEncoding.EncodeToString([]byte(user + ":" + password)))
		r.SetBasicAuth(user, password)
	case "oauth2_client_credentials":
		if k.token == "" || !k.until.IsZero() && !k.client.now().Before(k.until) {
			if err := k.refresh(ctx, auth); err != nil {
				return err
			}
		}
		r.Header.Set("Authorization", "Bearer "+k.token)
	default:
		return fmt.Errorf("fetch %s: no authentication is called %q", k.client.dataset, auth.Kind)
	}
	return nil
}

// pair reads a secret of two parts.
func (k *credentials) pair(first, second string) (string, string, error) {
	if a, b, ok := pairOf(k.secret, first, second); ok {
		return a, b, nil
	}
	return "", "", k.fault("secret %q is neither %s:%s nor a JSON object with the members %s and %s", k.client.secret, first, second, first, second)
}

// stale drops a token that the source refused and reports whether there was one to drop.
func (k *credentials) stale() bool {
	had := k.token != ""
	k.token = ""
	return had
}

// refresh asks the token endpoint (RFC 6749, 4.4), with the client's credentials in the Authorization header and, when
// that is refused, in the form: servers differ.
func (k *credentials) refresh(ctx context.Context, auth *contract.Auth) error {
	id, secret, err := k.pair("client_id", "client_secret")
	if err != nil {
		return err
	}
	k.hider.add(secret)
	endpoint, err := url.Parse(auth.TokenURL)
	if err != nil || endpoint.Host == "" {
		return fmt.Errorf("fetch %s: token URL of the contract is no URL", k.client.dataset)
	}
	if endpoint.Scheme != "https" && !k.client.plainHTTP {
		return &Error{Kind: Insecure, Dataset: k.client.dataset, Method: http.MethodPost, URL: redact(endpoint, "").String(), Err: errors.New("the token endpoint is plain http")}
	}
	form := url.Values{"grant_type": {"client_credentials"}}
	if len(auth.Scopes) > 0 {
		form.Set("scope", strings.Join(auth.Scopes, " "))
	}
	fault := k.askToken(ctx, endpoint, form, func(r *http.Request) {
		r.SetBasicAuth(url.QueryEscape(id), url.QueryEscape(secret))
	})
	if fault != nil && (fault.Status == http.StatusBadRequest || fault.Status == http.StatusUnauthorized) {
		form.Set("client_id", id)
		form.Set("client_secret", secret)
		fault = k.askToken(ctx, endpoint, form, func(*http.Request) {})
	}
	if fault != nil {
		return fault
	}
	return nil
}

func (k *credentials) askToken(ctx context.Context, endpoint *url.URL, form url.Values, sign func(*http.Request)) *Error {
	fault := &Error{Kind: Unavailable, Dataset: k.client.dataset, Method: http.MethodPost, URL: redact(endpoint, "").String()}
	ctx, cancel := context.WithTimeout(ctx, k.client.source.Limits.Timeout)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, endpoint.String(), strings.NewReader(form.Encode()))
	if err != nil {
		fault.Kind, fault.Err = Malformed, errors.New("the token URL is not usable")
		return fault
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.Header.Set("Accept", "application/json")
	r.Header.Set("User-Agent", k.client.agent)
	sign(r)
	// A token endpoint does not redirect; following would carry the client's secret elsewhere.
	client := http.Client{Transport: k.client.transport, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	response, err := client.Do(r)
	if err != nil {
		fault.Err = k.hideError(err)
		return fault
	}
	defer response.Body.Close()
	body, err := io.ReadAll(io.LimitReader(response.Body, tokenBody))
	if err != nil {
		fault.Err = k.hideError(err)
		return fault
	}
	if response.StatusCode != http.StatusOK {
		fault.Kind, fault.Status = kindOf(response.StatusCode), response.StatusCode
		fault.Body = head(k.hider.hide(string(body)))
		fault.Wait = retryAfter(response.Header, k.client.now())
		if fault.Kind == Refused || fault.Kind == Rejected {
			fault.Hint = "check the client's id and secret; " + k.client.fillHint()
		}
		return fault
	}
	var token struct {
		AccessToken string      `json:"access_token"`
		ExpiresIn   json.Number `json:"expires_in"`
	}
	decoder := json.NewDecoder(bytes.NewReader(body))
	decoder.UseNumber()
	if err := decoder.Decode(&token); err != nil || token.AccessToken == "" {
		fault.Kind, fault.Status, fault.Err = Malformed, response.StatusCode, errors.New("the answer holds no access_token")
		return fault
	}
	k.token, k.until = token.AccessToken, time.Time{}
	k.hider.add(token.AccessToken)
	if seconds, err := token.ExpiresIn.Float64(); err == nil && seconds > 0 {
		k.until = k.client.now().Add(time.Duration(seconds*float64(time.Second)) - tokenLead)
	}
	return nil
}

// hideError is a network fault without the URL that net/http adds, which may hold credentials.
func (k *credentials) hideError(err error) error {
	var wrapped *url.Error
	if errors.As(err, &wrapped) {
		err = wrapped.Err
	}
	if text := err.Error(); k.hider.hide(text) != text {
		return errors.New(k.hider.hide(text))
	}
	return err
}
