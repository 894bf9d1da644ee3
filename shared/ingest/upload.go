package ingest

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"tributary/shared/contract"
	"tributary/shared/record"
	"tributary/shared/source"
	"tributary/shared/zone"
)

// metaUpload is the metadata of a page that was brought by hand. Only the same file can finish
// its run.
const metaUpload = "upload"

// Uploader makes runs of files that were brought by hand: what the API would answer, or the records alone, one a line.
type Uploader struct {
	Contract *contract.Contract
	Bucket   Bucket
	Now      func() time.Time
}

// Upload stores a file as a run, pages and then the manifest, which starts processing as that of any other run. Doing it
// again finishes what was begun; another file under the same run is refused.
func (u *Uploader) Upload(ctx context.Context, run zone.Run, name string, body []byte) (Result, error) {
	var result Result
	if err := u.upload(ctx, run, name, body, &result); err != nil {
		return result, fmt.Errorf("upload %s as run %s of %s: %w", name, run.ID(), run.Dataset, err)
	}
	return result, nil
}

func (u *Uploader) upload(ctx context.Context, run zone.Run, name string, body []byte, result *Result) error {
	if _, err := u.Bucket.Head(ctx, run.ManifestKey()); err == nil {
		return errors.New("the run stands already: its manifest is never replaced; take another time")
	} else if !errors.Is(err, zone.ErrNotFound) {
		return fmt.Errorf("look for manifest: %w", err)
	}
	bodies, err := u.pages(body)
	if err != nil {
		return err
	}
	var pages []zone.ManifestPage
	for i, body := range bodies {
		page, err := u.page(ctx, run, i+1, body)
		if err != nil {
			return err
		}
		pages = append(pages, page)
		result.Bytes += page.Bytes
	}
	i := Ingester{contract: u.Contract, bucket: u.Bucket}
	result.Manifest = i.listing(run, "file:"+name, zone.EndedComplete, pages)
	if result.Stored, err = i.store(ctx, run, result.Manifest); err != nil || result.Stored {
		return err
	}
	return i.same(ctx, run, result.Manifest)
}

// same holds a manifest against the one that stands, which another upload of the same file may have stored.
func (i *Ingester) same(ctx context.Context, run zone.Run, m zone.Manifest) error {
	stands, _, err := i.read(ctx, run.ManifestKey())
	if err != nil {
		return fmt.Errorf("read manifest: %w", err)
	}
	own, err := encode(m)
	if err != nil {
		return fmt.Errorf("encode manifest: %w", err)
	}
	if !bytes.Equal(stands, own) {
		return errors.New("somebody else has stored the run meanwhile, of something else; take another time")
	}
	return nil
}

// pages makes pages of a file: the file itself where it is a page, else its lines.
func (u *Uploader) pages(body []byte) ([][]byte, error) {
	limit := u.Contract.Source.Limits.OrDefault().Body
	if len(u.Contract.Source.Records) == 0 && !u.Contract.Source.Keyed && bytes.HasPrefix(bytes.TrimSpace(body), []byte("{")) {
		// A page may be lines as well; as lines it can be divided, and each is known to be whole.
		return u.lines(body, limit)
	}
	_, unreadable := record.Count(bytes.NewReader(body), &u.Contract.Source)
	switch {
	case unreadable == nil && int64(len(body)) > limit:
		return nil, fmt.Errorf("the file has %d bytes, and limits.body of the contract is %d: raise it, or bring %s", len(body), limit,
			map[bool]string{false: "the records one a line", true: "it in parts"}[u.Contract.Source.Keyed])
	case unreadable == nil:
		return [][]byte{body}, nil
	}
	if u.Contract.Source.Keyed {
		return nil, fmt.Errorf("it is not what the API answers, where the records are the members of an object and have their keys there: %w", unreadable)
	}
	pages, err := u.lines(body, limit)
	if err != nil {
		return nil, fmt.Errorf("it is neither what the API answers (%w) nor records, one a line (%w)", unreadable, err)
	}
	return pages, nil
}

// lines gathers records that stand one a line into pages of the shape that the API gives.
func (u *Uploader) lines(body []byte, limit int64) ([][]byte, error) {
	head, tail := "[", "]"
	for i := len(u.Contract.Source.Records) - 1; i >= 0; i-- {
		member, err := json.Marshal(u.Contract.Source.Records[i])
		if err != nil {
			return nil, err
		}
		head, tail = "{"+string(member)+":"+head, tail+"}"
	}
	var pages [][]byte
	var page []byte
	number := 0
	for line := range bytes.Lines(body) {
		number++
		line = bytes.TrimSpace(line)
		if len(line) == 0 {
			continue
		}
		if line[0] != '{' || !json.Valid(line) {
			return nil, fmt.Errorf("line %d is no JSON object", number)
		}
		if page != nil && int64(len(page)+len(line)+len(tail)+2) > limit {
			pages, page = append(pages, append(page, tail...)), nil
		}
		if page == nil {
			page = append(page, head...)
		} else {
			page = append(page, ",\n"...)
		}
		page = append(page, line...)
	}
	if page == nil {
		return nil, errors.New("it is empty")
	}
	return append(pages, append(page, tail...)), nil
}

func (u *Uploader) page(ctx context.Context, run zone.Run, number int, body []byte) (zone.ManifestPage, error) {
	records, err := record.Count(bytes.NewReader(body), &u.Contract.Source)
	if err != nil {
		return zone.ManifestPage{}, fmt.Errorf("count records of page %d: %w", number, err)
	}
	page, packed, err := pack(run, number, &source.Page{Body: body, Mark: source.Mark{
		Ended: zone.EndedComplete, Records: records, FetchedAt: u.Now().UTC().Truncate(time.Millisecond),
		Digest: source.Digest(body, u.Contract.Source.Records),
	}})
	if err != nil {
		return zone.ManifestPage{}, err
	}
	metadata := page.metadata()
	metadata[metaUpload] = "true"
	object, err := u.Bucket.Put(ctx, page.entry.Key, packed, zone.PutOptions{
		Condition: zone.Condition{IfAbsent: true}, ContentType: "application/gzip", Metadata: metadata,
	})
	if errors.Is(err, zone.ErrCondition) {
		return u.standing(ctx, run, number, page)
	}
	if err != nil {
		return zone.ManifestPage{}, fmt.Errorf("store page %d: %w", number, err)
	}
	page.entry.Version = object.Version
	return page.entry, nil
}

// standing is a page that an upload before this one has stored.
func (u *Uploader) standing(ctx context.Context, run zone.Run, number int, page storedPage) (zone.ManifestPage, error) {
	object, err := u.Bucket.Head(ctx, run.RawPageKey(number))
	if err != nil {
		return zone.ManifestPage{}, fmt.Errorf("look for page %d: %w", number, err)
	}
	stands, err := readPage(number, object)
	if err != nil {
		return zone.ManifestPage{}, err
	}
	if stands.entry.SHA256 != page.entry.SHA256 {
		return zone.ManifestPage{}, fmt.Errorf("page %d of the run stands already, and is of something else; take another time", number)
	}
	return stands.entry, nil
}
