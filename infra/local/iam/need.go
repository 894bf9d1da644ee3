package iam

import "strings"

// Need is a permission that a request needs.
type Need struct {
	Action   string
	Resource string
	Context  map[string][]string // condition keys, in lower case
}

// KeyUse is what a service needs of a KMS key on the caller's behalf.
type KeyUse struct {
	Key     string // ARN
	Service string // through which the key is used, such as s3
	Context map[string]string
}

// Needs lists the permissions for the given operations on the key.
func (u KeyUse) Needs(operations ...string) []Need {
	if u.Key == "" {
		return nil
	}
	region := strings.Split(u.Key+":::::", ":")[3]
	context := map[string][]string{
		"kms:viaservice":    {u.Service + "." + region + ".amazonaws.com"},
		"kms:calleraccount": {AccountOf(u.Key)},
	}
	for name, value := range u.Context {
		context["kms:encryptioncontext:"+strings.ToLower(name)] = []string{value}
	}
	needs := make([]Need, len(operations))
	for i, operation := range operations {
		needs[i] = Need{Action: "kms:" + operation, Resource: u.Key, Context: context}
	}
	return needs
}
