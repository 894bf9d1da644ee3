package cli

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"tributary/infra/local"
	"tributary/infra/local/files"
	"tributary/shared/contract"
)

func TestAlarmsThatConcern(t *testing.T) {
	var all []local.AlarmState
	for _, name := range []string{
		"tributary-dev-alarm-coins-freshness", "tributary-dev-alarm-coins_eur-freshness", "tributary-dev-alarm-orders-held", "tributary-dev-alarm-air-freshness", "tributary-dev-keys",
	} {
		all = append(all, local.AlarmState{Name: name})
	}
	stored := []files.Object{
		{Bucket: "raw", Key: "raw/orders/dt=2025-03-04/run=20250304T144500Z/page-00001.json.gz"},
		{Bucket: "lake", Key: "air/dt=2025-03-04/20250304T144500Z-00001.parquet"},
	}
	var got []string
	for _, a := range concerning(all, []*contract.Contract{{Dataset: "coins"}}, stored) {
		got = append(got, a.Name)
	}
	if diff := cmp.Diff([]string{"tributary-dev-alarm-coins-freshness", "tributary-dev-alarm-orders-held", "tributary-dev-keys"}, got); diff != "" {
		t.Errorf("alarms (-want +got):\n%s", diff)
	}
}
