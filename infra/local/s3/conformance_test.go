package s3_test

import (
	"testing"

	"tributary/shared/cloud"
	"tributary/shared/cloud/cloudtest"
)

func TestConformance(t *testing.T) {
	for name, key := range map[string]string{"plain": "", "under a key": "arn:aws:kms:eu-west-3:000000000000:key/1"} {
		t.Run(name, func(t *testing.T) {
			s := newService(t)
			if err := s.store.SetEncryption(bucket, key, true); err != nil {
				t.Fatal(err)
			}
			cloudtest.TestStore(t, cloud.NewBucket(s.client, bucket), "p/", cloud.PartSize)
		})
	}
}
