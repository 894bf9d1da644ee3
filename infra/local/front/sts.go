package front

import (
	"encoding/xml"
	"net/http"
	"net/url"

	"tributary/infra/local/iam"
	"tributary/infra/local/wire"
)

// Identity is the part of AWS STS that tells callers who they are.
type Identity struct{}

// Needs needs nothing: everybody may ask.
func (Identity) Needs(r *http.Request) ([]iam.Need, error) {
	body, err := wire.Peek(r)
	if err != nil {
		return nil, err
	}
	form, err := url.ParseQuery(string(body))
	if err != nil || form.Get("Action") != "GetCallerIdentity" {
		return nil, wire.Errorf("InvalidAction", "STS action %q is not supported here", form.Get("Action"))
	}
	return nil, nil
}

func (Identity) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	caller := CallerOf(r)
	encoded, err := xml.Marshal(struct {
		XMLName xml.Name `xml:"https://sts.amazonaws.com/doc/2011-06-15/ GetCallerIdentityResponse"`
		ARN     string   `xml:"GetCallerIdentityResult>Arn"`
		UserID  string   `xml:"GetCallerIdentityResult>UserId"`
		Account string   `xml:"GetCallerIdentityResult>Account"`
	}{ARN: caller.Session, UserID: caller.ID, Account: iam.AccountOf(caller.Session)})
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "text/xml")
	_, _ = w.Write(encoded) // a client that went away needs no answer
}
