package ingest

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"tributary/shared/zone"
)

// manifest is made from the standing pages and the contract alone.
func (i *Ingester) manifest(run zone.Run, ended string, pages []zone.ManifestPage) zone.Manifest {
	m := zone.Manifest{
		Format:          zone.ManifestFormat,
		Dataset:         run.Dataset,
		Run:             run.ID(),
		ScheduledAt:     run.At,
		ContractVersion: i.contract.Version.String(),
		ContractDigest:  i.contract.Digest,
		Source:          i.source.URL(),
		Ended:           ended,
		Pages:           pages,
	}
	for _, p := range pages {
		m.Records += max(0, p.Records)
	}
	return m
}

// store writes the manifest and reports whether it did: false when one stands.
func (i *Ingester) store(ctx context.Context, run zone.Run, m zone.Manifest) (bool, error) {
	var b bytes.Buffer
	encoder := json.NewEncoder(&b)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	if err := encoder.Encode(m); err != nil {
		return false, fmt.Errorf("encode manifest: %w", err)
	}
	_, err := i.bucket.Put(ctx, run.ManifestKey(), b.Bytes(), zone.PutOptions{
		Condition:   zone.Condition{IfAbsent: true},
		ContentType: "application/json",
	})
	if errors.Is(err, zone.ErrCondition) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("store manifest: %w", err)
	}
	return true, nil
}
