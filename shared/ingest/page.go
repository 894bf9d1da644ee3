package ingest

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"net/url"
	"strconv"
	"sync"
	"time"

	"github.com/klauspost/compress/gzip"

	"tributary/shared/source"
	"tributary/shared/zone"
)

// Metadata of a raw page.
const (
	metaNext    = "next"       // position of the next page, query-escaped: S3 keeps printable ASCII
	metaEnded   = "ended"      // in place of next: why there is no next page
	metaRecords = "records"    // -1: not readable
	metaFetched = "fetched-at" // RFC 3339
	metaDigest  = "digest"     // source.Digest of the page
	metaSHA256  = "sha256"     // hex SHA-256 of the object

	// Of a source with an incremental cursor, query-escaped: where the run starts and is to end, and what the page's records hold.
	metaFrom      = "cursor-from"
	metaTo        = "cursor-to"
	metaLeast     = "cursor-least"
	metaGreatest  = "cursor-greatest"
	metaAscending = "cursor-ascending"
)

// maxMetadata is what S3 keeps of an object's metadata, names and values together.
const maxMetadata = 2048

// storedPage is a page in the raw zone: its line in the manifest, and what a walk needs to go on behind it.
type storedPage struct {
	entry zone.ManifestPage
	mark  source.Mark
}

// compressors are kept: each takes most of a megabyte, whatever it compresses.
var compressors = sync.Pool{New: func() any { return gzip.NewWriter(nil) }}

// pack compresses a page. The same page gives the same object: the gzip header has no name and no time.
func pack(run zone.Run, number int, p *source.Page) (storedPage, []byte, error) {
	var b bytes.Buffer
	w := compressors.Get().(*gzip.Writer)
	defer compressors.Put(w)
	w.Reset(&b)
	if _, err := w.Write(p.Body); err != nil {
		return storedPage{}, nil, fmt.Errorf("compress page %d: %w", number, err)
	}
	if err := w.Close(); err != nil {
		return storedPage{}, nil, fmt.Errorf("compress page %d: %w", number, err)
	}
	digest := sha256.Sum256(b.Bytes())
	page := storedPage{mark: p.Mark, entry: zone.ManifestPage{
		Page:      number,
		Key:       run.RawPageKey(number),
		Bytes:     int64(b.Len()),
		SHA256:    hex.EncodeToString(digest[:]),
		Records:   p.Records,
		FetchedAt: p.FetchedAt,
	}}
	size := 0
	for name, value := range page.metadata() {
		size += len(name) + len(value)
	}
	if size > maxMetadata {
		return storedPage{}, nil, fmt.Errorf("store page %d: the position of the next page is too long: metadata of %d bytes, S3 keeps %d", number, size, maxMetadata)
	}
	return page, b.Bytes(), nil
}

func (p storedPage) metadata() map[string]string {
	m := map[string]string{
		metaRecords: strconv.FormatInt(p.mark.Records, 10),
		metaFetched: p.mark.FetchedAt.Format(time.RFC3339Nano),
		metaDigest:  p.mark.Digest,
		metaSHA256:  p.entry.SHA256,
	}
	if p.mark.Ended != "" {
		m[metaEnded] = p.mark.Ended
	} else {
		m[metaNext] = url.QueryEscape(p.mark.Next)
	}
	if p.mark.From != "" {
		m[metaFrom] = url.QueryEscape(p.mark.From)
	}
	if p.mark.To != "" {
		m[metaTo] = url.QueryEscape(p.mark.To)
	}
	if s := p.mark.Span; s.Greatest != "" {
		m[metaLeast], m[metaGreatest] = url.QueryEscape(s.Least), url.QueryEscape(s.Greatest)
		m[metaAscending] = strconv.FormatBool(s.Ascending)
	}
	return m
}

// readPage is the page that metadata tells of.
func readPage(number int, o zone.Object) (storedPage, error) {
	var faults []error
	get := func(name string) string {
		if o.Metadata[name] == "" {
			faults = append(faults, fmt.Errorf("metadata %s is missing", name))
		}
		return o.Metadata[name]
	}
	records, err := strconv.ParseInt(get(metaRecords), 10, 64)
	if err != nil {
		faults = append(faults, fmt.Errorf("metadata %s: %w", metaRecords, err))
	}
	fetched, err := time.Parse(time.RFC3339Nano, get(metaFetched))
	if err != nil {
		faults = append(faults, fmt.Errorf("metadata %s: %w", metaFetched, err))
	}
	unescape := func(name string) string {
		value, err := url.QueryUnescape(o.Metadata[name])
		if err != nil {
			faults = append(faults, fmt.Errorf("metadata %s: %w", name, err))
		}
		return value
	}
	p := storedPage{
		mark: source.Mark{
			Next: unescape(metaNext), Ended: o.Metadata[metaEnded], Records: records, FetchedAt: fetched.UTC(), Digest: get(metaDigest),
			From: unescape(metaFrom), To: unescape(metaTo),
			Span: source.Span{
				Least: unescape(metaLeast), Greatest: unescape(metaGreatest), Ascending: o.Metadata[metaAscending] == "true",
			},
		},
		entry: zone.ManifestPage{
			Page: number, Key: o.Key, Version: o.Version, Bytes: o.Size, SHA256: get(metaSHA256),
			Records: records, FetchedAt: fetched.UTC(),
		},
	}
	if len(faults) > 0 {
		return storedPage{}, fmt.Errorf("read standing page %s: %w", o.Key, errors.Join(faults...))
	}
	return p, nil
}
