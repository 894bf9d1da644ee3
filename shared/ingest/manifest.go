package ingest

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"

	"tributary/shared/source"
	"tributary/shared/zone"
)

// manifest is made from the standing pages and the contract alone.
func (i *Ingester) manifest(run zone.Run, walk *source.Walk, b brought) zone.Manifest {
	m := i.listing(run, i.source.URL(), b.ended, b.pages)
	m.Reason = b.reason
	if i.contract.Source.Cursor != nil {
		m.Cursor = &zone.CursorRange{From: walk.From(), To: walk.Reach(), End: walk.To()}
	}
	return m
}

// listing is a manifest of pages, wherever they come from.
func (i *Ingester) listing(run zone.Run, from, ended string, pages []zone.ManifestPage) zone.Manifest {
	m := zone.Manifest{
		Format:          zone.ManifestFormat,
		Dataset:         run.Dataset,
		Run:             run.ID(),
		ScheduledAt:     run.At,
		ContractVersion: i.contract.Version.String(),
		ContractDigest:  i.contract.Digest,
		Source:          from,
		Ended:           ended,
		Pages:           pages,
	}
	for _, p := range pages {
		m.Records += max(0, p.Records)
	}
	return m
}

// metaAttempt is the metadata of a manifest by which its writer knows it again.
const metaAttempt = "attempt"

// store writes the manifest and reports whether it did: false when one stands by another one's hand.
func (i *Ingester) store(ctx context.Context, run zone.Run, m zone.Manifest) (bool, error) {
	body, err := encode(m)
	if err != nil {
		return false, fmt.Errorf("encode manifest: %w", err)
	}
	attempt := rand.Text()
	_, err = i.bucket.Put(ctx, run.ManifestKey(), body, zone.PutOptions{
		Condition:   zone.Condition{IfAbsent: true},
		ContentType: "application/json",
		Metadata:    map[string]string{metaAttempt: attempt},
	})
	if errors.Is(err, zone.ErrCondition) {
		// It may be one's own success whose answer was lost.
		stands, err := i.bucket.Head(ctx, run.ManifestKey())
		if err != nil {
			return false, fmt.Errorf("look for manifest: %w", err)
		}
		return stands.Metadata[metaAttempt] == attempt, nil
	}
	if err != nil {
		return false, fmt.Errorf("store manifest: %w", err)
	}
	return true, nil
}

// encode writes a document for people as well: indented, with & < > as they are.
func encode(document any) ([]byte, error) {
	var b bytes.Buffer
	encoder := json.NewEncoder(&b)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	err := encoder.Encode(document)
	return b.Bytes(), err
}
