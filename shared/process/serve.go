package process

import (
	"context"
	"encoding/binary"
	"fmt"
	"math"
	"slices"
	"strconv"
	"time"

	"golang.org/x/sync/errgroup"

	"tributary/shared/contract"
	"tributary/shared/record"
	"tributary/shared/zone"
)

// DynamoDB's limits on items.
const (
	maxPartitionKey = 2048
	maxSortKey      = 1024
	maxItem         = 400 << 10
	itemOverhead    = 512 // what the lineage attributes add to an item, generously
)

// projection takes the served columns out of batches and makes them into items, when the run's verdict stands.
type projection struct {
	contract *contract.Contract
	plan     *record.Plan
	names    []string // served columns: partition key, sort key, version, attributes
	columns  []int    // their indexes
	leaves   []int    // the first leaf of each
	version  int      // index in names

	// One of the two. Where no key comes twice nothing is to be folded, and the columns are kept as they are.
	queue *queue // pieces of record.Batch.AppendColumns
	spool *spool // items by key
	rows  int64  // that came: as many as items in the queue, at least as many in the spool

	unservable string // why a clean record cannot be an item; "" while all can
	key        []byte
	order      []byte
	item       []byte
	piece      []byte
}

func newProjection(c *contract.Contract, plan *record.Plan, o *Options) (*projection, error) {
	p := &projection{contract: c, plan: plan, names: c.Serving.Columns(), version: 1}
	if keyIsUnique(c) {
		p.queue = newQueue(o.SpoolDir, o.SpoolMemory, o.SpoolLimit)
	} else {
		p.spool = newSpool(o.SpoolDir, o.SpoolMemory, o.SpoolLimit)
	}
	if c.Serving.SortKey != "" {
		p.version = 2
	}
	for _, name := range p.names {
		for _, reserved := range zone.ItemReserved() {
			if name == reserved {
				return nil, fmt.Errorf("serve %s: column %s has the name of an attribute that every item has: rename it by physicalName", c.Dataset, name)
			}
		}
		index := -1
		for i := range c.Columns {
			if c.Columns[i].Name == name {
				index = i
			}
		}
		if index < 0 {
			return nil, fmt.Errorf("serve %s: the contract has no column %s", c.Dataset, name)
		}
		p.columns = append(p.columns, index)
		p.leaves = append(p.leaves, len(contract.Leaves(c.Columns[:index])))
	}
	return p, nil
}

// keyIsUnique reports whether the contract's own rules leave one clean record of a key in a run, so that nothing has to
// be folded.
func keyIsUnique(c *contract.Contract) bool {
	return slices.ContainsFunc(c.Uniques, func(columns []string) bool {
		return !slices.ContainsFunc(columns, func(name string) bool {
			return name != c.Serving.PartitionKey && name != c.Serving.SortKey
		})
	})
}

// batch spools the rows of a batch.
func (p *projection) batch(b *record.Batch) error {
	p.rows += int64(b.Rows)
	if p.queue == nil {
		return b.Each(p.columns, func(row int, values []record.Value) error {
			p.row(b, row, values)
			p.key = p.key[:0]
			for i := range p.version {
				p.key = appendAttribute(p.key, &values[i])
			}
			p.order = appendOrdered(p.order[:0], &values[p.version])
			return p.spool.add(p.key, p.order, p.item)
		})
	}
	if p.unservable == "" && !p.servable(b) {
		if err := b.Each(p.columns, func(row int, values []record.Value) error {
			p.row(b, row, values)
			return nil
		}); err != nil {
			return err
		}
	}
	p.piece = b.AppendColumns(p.piece[:0], p.columns)
	return p.queue.add(p.piece)
}

// row makes the item of a row, and notes what DynamoDB would refuse.
func (p *projection) row(b *record.Batch, row int, values []record.Value) {
	page, index := b.Page[row], b.Index[row]
	p.item = binary.AppendUvarint(p.item[:0], uint64(page))
	p.item = binary.AppendUvarint(p.item, uint64(index))
	for i := range values {
		if p.item = appendAttribute(p.item, &values[i]); i < p.version {
			p.checkKey(i, &values[i], page, index)
		}
	}
	if len(p.item) > maxItem-itemOverhead && p.unservable == "" {
		p.unservable = fmt.Sprintf("record %d of page %d makes an item of more than DynamoDB's 400 KiB", index, page)
	}
}

// servable reports whether the columns alone show that every row of the batch can be an item: no key is null or empty,
// and the longest values together are small enough. If not, the rows must be looked at.
func (p *projection) servable(b *record.Batch) bool {
	const fixed = 64 // bytes of a value of fixed width, generously
	size := fixed    // page and index
	for i, leaf := range p.leaves {
		v := &b.Vectors[leaf]
		if i < p.version && v.Nulls > 0 {
			return false
		}
		switch p.contract.Columns[p.columns[i]].Type.Kind {
		case contract.List, contract.Struct:
			return false
		case contract.String, contract.JSON:
			shortest, longest := lengths(v.Bytes)
			if i < p.version && (shortest == 0 || longest > min(maxPartitionKey, maxSortKey)) {
				return false
			}
			size += longest + fixed
		default:
			size += fixed
		}
	}
	return size <= maxItem-itemOverhead
}

// lengths gives the shortest and the longest of texts as a record.Vector has them.
func lengths(texts []byte) (shortest, longest int) {
	shortest = math.MaxInt
	for at := 0; at < len(texts); {
		n := int(binary.LittleEndian.Uint32(texts[at:]))
		shortest, longest = min(shortest, n), max(longest, n)
		at += 4 + n
	}
	return shortest, longest
}

// seal ends the spooling: what does not fit is told now, before anything is made visible.
func (p *projection) seal() error {
	if p.queue != nil {
		return p.queue.seal()
	}
	return p.spool.seal()
}

// each calls fn for the newest item of every key, after seal. The bytes are valid during the call.
func (p *projection) each(fn func(item []byte) error) error {
	if p.queue == nil {
		return p.spool.each(fn)
	}
	var b record.Batch
	return p.queue.each(func(piece []byte) error {
		p.plan.ReadColumns(piece, p.columns, &b)
		return b.Each(p.columns, func(row int, values []record.Value) error {
			p.row(&b, row, values)
			return fn(p.item)
		})
	})
}

// count is the number of items, after seal.
func (p *projection) count() (items int64, err error) {
	if p.queue != nil {
		return p.rows, nil
	}
	err = p.spool.each(func([]byte) error {
		items++
		return nil
	})
	return items, err
}

func (p *projection) close() error {
	if p.queue != nil {
		return p.queue.close()
	}
	return p.spool.close()
}

// checkKey notes a key that DynamoDB would refuse.
func (p *projection) checkKey(i int, v *record.Value, page int32, index int64) {
	limit := maxPartitionKey
	if i > 0 {
		limit = maxSortKey
	}
	if p.unservable != "" {
		return
	}
	switch {
	case v.Null, v.Kind == contract.String && len(v.Text) == 0:
		p.unservable = fmt.Sprintf("key column %s is empty in record %d of page %d, and DynamoDB takes no empty key", p.names[i], index, page)
	case len(v.Text) > limit:
		p.unservable = fmt.Sprintf("key column %s has %d bytes in record %d of page %d, and DynamoDB takes at most %d",
			p.names[i], len(v.Text), index, page, limit)
	}
}

// Tags of spooled values. Numbers and times stay binary: they become text when the item is put, and most of the time of
// a put is waiting.
const (
	tagNull      = 'z'
	tagString    = 's'
	tagDecimal   = 'n'
	tagInteger   = 'i'
	tagDouble    = 'd'
	tagTimestamp = 'p'
	tagDate      = 'a'
	tagTrue      = 't'
	tagFalse     = 'f'
	tagList      = 'l'
	tagMap       = 'm'
)

func appendAttribute(b []byte, v *record.Value) []byte {
	if v.Null {
		return append(b, tagNull)
	}
	switch v.Kind {
	case contract.Integer:
		return binary.AppendVarint(append(b, tagInteger), v.Int)
	case contract.Double:
		f := v.Float
		if f == 0 {
			f = 0 // DynamoDB has no -0
		}
		return binary.LittleEndian.AppendUint64(append(b, tagDouble), math.Float64bits(f))
	case contract.Decimal:
		return appendText(b, tagDecimal, v.Text)
	case contract.Boolean:
		if v.Int != 0 {
			return append(b, tagTrue)
		}
		return append(b, tagFalse)
	case contract.Timestamp:
		return binary.AppendVarint(append(b, tagTimestamp), v.Int)
	case contract.Date:
		return binary.AppendVarint(append(b, tagDate), v.Int)
	case contract.List:
		b = binary.AppendUvarint(append(b, tagList), uint64(len(v.Items)))
		for i := range v.Items {
			b = appendAttribute(b, &v.Items[i])
		}
		return b
	case contract.Struct:
		b = binary.AppendUvarint(append(b, tagMap), uint64(len(v.Fields)))
		for i := range v.Fields {
			b = appendText(b, tagString, []byte(v.Fields[i].Name))
			b = appendAttribute(b, &v.Fields[i].Value)
		}
		return b
	default:
		return appendText(b, tagString, v.Text)
	}
}

func appendText(b []byte, tag byte, text []byte) []byte {
	return append(binary.AppendUvarint(append(b, tag), uint64(len(text))), text...)
}

// itemDecoder reads spooled items back. They are our own bytes: what does not fit panics.
type itemDecoder struct{ b []byte }

func (d *itemDecoder) uvarint() uint64 {
	v, n := binary.Uvarint(d.b)
	d.b = d.b[n:]
	return v
}

func (d *itemDecoder) varint() int64 {
	v, n := binary.Varint(d.b)
	d.b = d.b[n:]
	return v
}

func (d *itemDecoder) double() float64 {
	v := binary.LittleEndian.Uint64(d.b)
	d.b = d.b[8:]
	return math.Float64frombits(v)
}

func (d *itemDecoder) text() string {
	n := d.uvarint()
	text := string(d.b[:n])
	d.b = d.b[n:]
	return text
}

func (d *itemDecoder) attribute() zone.Attribute {
	tag := d.b[0]
	d.b = d.b[1:]
	switch tag {
	case tagString:
		return zone.StringAttribute(d.text())
	case tagDecimal:
		return zone.NumberAttribute(d.text())
	case tagInteger:
		return zone.NumberAttribute(strconv.FormatInt(d.varint(), 10))
	case tagDouble:
		return zone.NumberAttribute(numberText(d.double()))
	case tagTimestamp:
		return zone.TimestampAttribute(d.varint())
	case tagDate:
		return zone.StringAttribute(time.Unix(d.varint()*86400, 0).UTC().Format(time.DateOnly))
	case tagTrue, tagFalse:
		return zone.Attribute{Kind: zone.AttributeBool, Bool: tag == tagTrue}
	case tagList:
		list := make([]zone.Attribute, d.uvarint())
		for i := range list {
			list[i] = d.attribute()
		}
		return zone.Attribute{Kind: zone.AttributeList, List: list}
	case tagMap:
		members := map[string]zone.Attribute{}
		for range d.uvarint() {
			name := d.attribute().Text
			if value := d.attribute(); value.Kind != zone.AttributeNull {
				members[name] = value
			}
		}
		return zone.Attribute{Kind: zone.AttributeMap, Map: members}
	default:
		return zone.Attribute{}
	}
}

// numberText writes a number as people do; only the very large and the very small get an exponent.
func numberText(f float64) string {
	if size := math.Abs(f); size != 0 && (size < 1e-7 || size >= 1e21) {
		return strconv.FormatFloat(f, 'e', -1, 64)
	}
	return strconv.FormatFloat(f, 'f', -1, 64)
}

// decode makes the item of a spooled record of the run, under the claim of a number.
func (p *projection) decode(spooled []byte, run zone.Run, claim int64, expires time.Time) zone.Item {
	d := itemDecoder{b: spooled}
	page, index := d.uvarint(), d.uvarint()
	s, v := p.contract.Serving, p.contract.Version
	attributes := make(map[string]zone.Attribute, len(p.names)+len(zone.ItemReserved()))
	attributes[zone.ItemRun] = zone.StringAttribute(run.ID())
	attributes[zone.ItemPage] = zone.NumberAttribute(strconv.FormatUint(page, 10))
	attributes[zone.ItemIndex] = zone.NumberAttribute(strconv.FormatUint(index, 10))
	attributes[zone.ItemContract] = zone.StringAttribute(v.String())
	attributes[zone.ItemOrder] = zone.StringAttribute(fmt.Sprintf("%s/%09d/%012d/%09d.%09d.%09d/%09d",
		run.ID(), page, index, v.Major, v.Minor, v.Patch, claim))
	if s.TTL > 0 {
		attributes[zone.ItemExpires] = zone.NumberAttribute(strconv.FormatInt(expires.Unix(), 10))
	}
	for _, name := range p.names {
		if a := d.attribute(); a.Kind != zone.AttributeNull {
			attributes[name] = a
		}
	}
	return zone.Item{PartitionKey: s.PartitionKey, SortKey: s.SortKey, Version: s.Version, Attributes: attributes}
}

// tooManyItems is the verdict on a run whose items cannot be put in what is left of the invocation; nil for any other, and
// where no time is set. It comes before anything is visible: an attempt that is cut off among its items would be made again
// and again.
func (j *job) tooManyItems(p *projection) (*verdict, error) {
	if p == nil || j.deadline.IsZero() || j.expired() {
		return nil, nil
	}
	inTime := int64(j.deadline.Sub(j.Now()).Seconds() * float64(j.options.PutRate))
	if p.rows <= inTime {
		return nil, nil
	}
	items, err := p.count()
	if err != nil {
		return nil, fmt.Errorf("count items: %w", err)
	}
	if items == 0 || items <= inTime {
		return nil, nil
	}
	return &verdict{outcome: zone.OutcomeTooLarge, hasty: true, reason: fmt.Sprintf(
		"serve %d items: at %d a second they take longer than the function may run; give it more time, serve fewer keys, or split the run",
		items, j.options.PutRate)}, nil
}

// expires is when the run's items end.
func (j *job) expires() time.Time { return j.run.At.Add(j.Contract.Serving.TTL) }

func (j *job) expired() bool {
	return j.Contract.Serving.TTL > 0 && !j.expires().After(j.Now())
}

// serve offers the run's items to the table, a bounded number at a time, and counts them. The items of a run that has
// expired are not brought back.
func (j *job) serve(ctx context.Context, p *projection, claim int64) (int64, error) {
	if j.expired() {
		return 0, nil
	}
	expires := j.expires()
	group, putting := errgroup.WithContext(ctx)
	group.SetLimit(j.options.Puts)
	var items int64
	err := p.each(func(spooled []byte) error {
		if err := putting.Err(); err != nil {
			return err
		}
		items++
		item := p.decode(spooled, j.run, claim, expires)
		group.Go(func() error {
			_, err := j.Table.Put(putting, item)
			return err
		})
		return nil
	})
	if failed := group.Wait(); failed != nil {
		return 0, fmt.Errorf("serve items: %w", failed)
	}
	if err != nil {
		return 0, fmt.Errorf("serve items: %w", err)
	}
	return items, nil
}
