package iam

import "strings"

// Covers tells whether the grant's action and resource fit what was asked; its conditions are not looked at.
func (g Grant) Covers(u Use) bool {
	return g.Role == u.Principal && Like(strings.ToLower(g.Action), strings.ToLower(u.Action)) && Like(g.Resource, u.Resource)
}

// Unused lists the grants that none of the allowed requests needed.
func Unused(grants []Grant, uses []UseCount) []Grant {
	var unused []Grant
	for _, g := range grants {
		needed := false
		for _, u := range uses {
			needed = needed || u.Allowed && g.Covers(u.Use)
		}
		if !needed {
			unused = append(unused, g)
		}
	}
	return unused
}
