package zone

import (
	"fmt"
	"math/big"
	"strings"
	"time"
)

// Attributes of every item of a serving table besides the contract's columns. They say which record made the item.
const (
	ItemRun      = "run_id"
	ItemPage     = "raw_page"
	ItemIndex    = "raw_index"
	ItemContract = "contract_version"
	// ItemOrder decides between items of the same key and version: run, page, index, contract version and the number of the
	// run's claim (AuditRow.Claim), each at a fixed width, so that the order of the text is the order of the records, and of
	// the same record that of those who claimed its run.
	ItemOrder = "lineage"
	// ItemExpires is the table's TTL attribute: epoch seconds.
	ItemExpires = "expires_at"
)

// ItemReserved lists the attributes that no served column may be called.
func ItemReserved() []string {
	return []string{ItemRun, ItemPage, ItemIndex, ItemContract, ItemOrder, ItemExpires}
}

// AttributeKind is the DynamoDB type of an attribute.
type AttributeKind uint8

// The types that contract columns map to. Null values are absent attributes, but NULL elements of lists.
const (
	AttributeNull AttributeKind = iota
	AttributeString
	AttributeNumber
	AttributeBool
	AttributeList
	AttributeMap
)

// Attribute is one value of an item.
type Attribute struct {
	Kind AttributeKind
	Text string // AttributeString, AttributeNumber
	Bool bool
	List []Attribute
	Map  map[string]Attribute
}

// Item is one item of a serving table.
type Item struct {
	PartitionKey string // names of attributes
	SortKey      string // "": none
	Version      string // decides which of two items is newer, before ItemOrder
	Attributes   map[string]Attribute
}

// Place tells which record made the item, for messages: its keys may be classified.
func (i Item) Place() string {
	return fmt.Sprintf("item of record %s on page %s of run %s", i.Attributes[ItemIndex].Text, i.Attributes[ItemPage].Text, i.Attributes[ItemRun].Text)
}

// StringAttribute makes an S.
func StringAttribute(text string) Attribute { return Attribute{Kind: AttributeString, Text: text} }

// NumberAttribute makes an N from a decimal text.
func NumberAttribute(text string) Attribute { return Attribute{Kind: AttributeNumber, Text: text} }

// TimestampAttribute makes the text of a time, in milliseconds since 1970: of fixed width, so that it sorts.
func TimestampAttribute(milliseconds int64) Attribute {
	return StringAttribute(time.UnixMilli(milliseconds).UTC().Format("2006-01-02T15:04:05.000Z"))
}

// Replaces reports whether the item takes the place of another of its key, whose attributes are old: by the greater
// version, then by the ItemOrder that is no smaller. Without a version an item is older than any with one, and versions of
// two types have no order.
func (i Item) Replaces(old map[string]Attribute) bool {
	before, had := old[i.Version]
	after, has := i.Attributes[i.Version]
	switch {
	case had != has:
		return has
	case had && before.Kind != after.Kind:
		return false
	case had:
		if order := after.compare(before); order != 0 {
			return order > 0
		}
	}
	return old[ItemOrder].Text <= i.Attributes[ItemOrder].Text
}

// compare orders numbers by value, and texts by their bytes.
func (a Attribute) compare(b Attribute) int {
	if a.Kind == AttributeNumber {
		x, ok := new(big.Rat).SetString(a.Text)
		y, also := new(big.Rat).SetString(b.Text)
		if ok && also {
			return x.Cmp(y)
		}
	}
	return strings.Compare(a.Text, b.Text)
}
