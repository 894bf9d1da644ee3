package cloudtest_test

import (
	"context"
	"errors"
	"slices"
	"testing"
	"time"

	"tributary/shared/cloud/cloudtest"
	"tributary/shared/zone"
)

func TestStandInBucket(t *testing.T) {
	cloudtest.TestStore(t, cloudtest.NewBucket("b", nil), "p/", cloudtest.PartSize)
}

func TestStandInTable(t *testing.T) {
	cloudtest.TestTable(t, cloudtest.NewTable(nil))
}

func TestStandInSecrets(t *testing.T) {
	cloudtest.TestSecrets(t, cloudtest.Secrets{"key": ""}, "key")
}

func TestStandInQueue(t *testing.T) {
	now := time.Date(2025, 3, 4, 14, 45, 0, 0, time.UTC)
	queue := cloudtest.NewQueue("failures", nil)
	queue.Now = func() time.Time { return now }
	cloudtest.TestQueue(t, queue, queue.Send)

	queue.Send("late")
	if _, ok, err := queue.Receive(t.Context(), time.Minute); !ok || err != nil || len(queue.Visible()) != 0 {
		t.Fatalf("received %t, %v; visible %v", ok, err, queue.Visible())
	}
	now = now.Add(time.Minute)
	if visible := queue.Visible(); len(visible) != 1 || visible[0].Body != "late" {
		t.Errorf("behind its time the queue shows %v", visible)
	}
}

func TestStandInTopic(t *testing.T) {
	topic := cloudtest.NewTopic(nil)
	cloudtest.TestTopic(t, topic, func(int) []zone.Message { return topic.Messages() }, nil)
}

func TestStandInFunction(t *testing.T) {
	function := cloudtest.NewFunction("f", nil, func(_ context.Context, payload []byte) ([]byte, error) {
		if string(payload) == `{"do":"fail"}` {
			return nil, errors.New("it failed")
		}
		return payload, nil
	})
	cloudtest.TestFunction(t, function, cloudtest.NewFunction("none", nil, nil), func() string { return function.Started()[0] })
	if got := len(function.Invoked()); got != 2 {
		t.Errorf("invoked %d times, want 2", got)
	}
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
