package cloudtest_test

import (
	"errors"
	"slices"
	"testing"

	"tributary/shared/cloud/cloudtest"
	"tributary/shared/zone"
)

func TestStandInBucket(t *testing.T) {
	cloudtest.TestStore(t, cloudtest.NewBucket("b", nil), "p/", cloudtest.PartSize, cloudtest.Lacks{})
}

func TestStandInTable(t *testing.T) {
	cloudtest.TestTable(t, cloudtest.NewTable(nil))
}

func TestFaults(t *testing.T) {
	failure := errors.New("planted")
	for _, after := range []bool{false, true} {
		faults := &cloudtest.Faults{Hook: func(c cloudtest.Call) error {
			if c.After == after {
				return failure
			}
			return nil
		}}
		bucket := cloudtest.NewBucket("b", faults)
		_, err := bucket.Put(t.Context(), "k", nil, zone.PutOptions{})
		if !errors.Is(err, failure) {
			t.Errorf("error %v, want %v", err, failure)
		}
		if _, ok := bucket.Bodies()["k"]; ok != after {
			t.Errorf("object there: %v, want %v", ok, after)
		}
		want := []cloudtest.Call{{Number: 1, Method: "Bucket.Put", Key: "b/k"}}
		if !slices.Equal(faults.Calls(), want) {
			t.Errorf("calls %v, want %v", faults.Calls(), want)
		}
	}
}
