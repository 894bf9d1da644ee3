package cli

import (
	"slices"
	"strings"

	"tributary/infra/local"
	"tributary/infra/local/files"
	"tributary/infra/local/screen"
	"tributary/shared/contract"
	"tributary/shared/zone"
)

// alarmStates are the stack's alarms as they stand, without those of datasets that have no run here and were not asked for
// one: that nothing of theirs is fresh is no news.
func (s *session) alarmStates(asked []*contract.Contract) ([]screen.Alarm, error) {
	states, err := s.env.Alarms()
	if err != nil {
		return nil, err
	}
	var alarms []screen.Alarm
	for _, a := range concerning(states, asked, s.former.Objects) {
		alarms = append(alarms, screen.Alarm{Name: a.Name, State: string(a.State), Why: a.Why, Meaning: a.Description})
	}
	return alarms, nil
}

// concerning are the alarms of datasets that were asked for a run or have left one, and those of none.
func concerning(alarms []local.AlarmState, asked []*contract.Contract, stored []files.Object) []local.AlarmState {
	return slices.DeleteFunc(slices.Clone(alarms), func(a local.AlarmState) bool {
		_, rest, ok := strings.Cut(a.Name, "-alarm-")
		dataset, _, _ := strings.Cut(rest, "-") // no dataset has a hyphen in its name
		return ok && !slices.ContainsFunc(asked, func(c *contract.Contract) bool { return c.Dataset == dataset }) &&
			!slices.ContainsFunc(stored, func(o files.Object) bool {
				return o.Bucket == "raw" && strings.HasPrefix(o.Key, zone.RawPrefix(dataset))
			})
	})
}
