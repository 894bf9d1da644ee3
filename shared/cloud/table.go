package cloud

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/ratelimit"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"tributary/shared/zone"
)

// Attempts of a put that DynamoDB throttles: about a minute, so that a put outlasts an on-demand table's growth into a new
// peak.
const (
	putAttempts   = 10
	putMaxBackoff = 20 * time.Second
)

// Throttled is how a client repeats puts that DynamoDB throttles. The SDK's own way gives up for all of them once a few
// hundred were throttled in a row, by a quota that is meant for services in distress; a run puts as many at once as a
// table may refuse while it grows.
func Throttled() aws.Retryer { return throttled(retry.NewExponentialJitterBackoff(putMaxBackoff)) }

func throttled(backoff retry.BackoffDelayer) aws.Retryer {
	return retry.NewStandard(func(o *retry.StandardOptions) {
		o.MaxAttempts, o.Backoff, o.RateLimiter = putAttempts, backoff, ratelimit.None
	})
}

// Table is a DynamoDB table that keeps the newest item of every key.
type Table struct {
	client *dynamodb.Client
	name   string
}

// NewTable makes the adapter of the named table.
func NewTable(client *dynamodb.Client, name string) *Table {
	return &Table{client: client, name: name}
}

// Put writes the item unless the table holds a newer one of the same key, and reports whether it wrote. Newer is the
// greater version attribute, then the greater zone.ItemOrder; an item without version is older than any with one. Equal
// in both is the same record under the same contract, and is written again.
//
// Errors say which record made the item, never its keys.
//
// IAM: dynamodb:PutItem; with a customer key kms:Decrypt.
func (t *Table) Put(ctx context.Context, item zone.Item) (bool, error) {
	input := &dynamodb.PutItemInput{TableName: &t.name, Item: attributeMap(item.Attributes)}
	condition, names, values := newestWins(item)
	input.ConditionExpression, input.ExpressionAttributeNames, input.ExpressionAttributeValues = &condition, names, values
	_, err := t.client.PutItem(ctx, input)
	var refused *types.ConditionalCheckFailedException
	switch {
	case errors.As(err, &refused):
		return false, nil
	case err != nil:
		return false, fmt.Errorf("put %s into %s: %w", item.Place(), t.name, err)
	}
	return true, nil
}

// Get reads the item that has the keys of the one that is given, as it stands now. A missing one is zone.ErrNotFound.
// Errors do not say the keys.
//
// IAM: dynamodb:GetItem.
func (t *Table) Get(ctx context.Context, item zone.Item) (zone.Item, error) {
	key := map[string]types.AttributeValue{item.PartitionKey: attributeValue(item.Attributes[item.PartitionKey])}
	if item.SortKey != "" {
		key[item.SortKey] = attributeValue(item.Attributes[item.SortKey])
	}
	out, err := t.client.GetItem(ctx, &dynamodb.GetItemInput{TableName: &t.name, Key: key, ConsistentRead: aws.Bool(true)})
	if err == nil && len(out.Item) == 0 {
		err = zone.ErrNotFound
	}
	if err != nil {
		return zone.Item{}, fmt.Errorf("get item from %s: %w", t.name, err)
	}
	item.Attributes = attributesOf(out.Item)
	return item, nil
}

func newestWins(item zone.Item) (condition string, names map[string]string, values map[string]types.AttributeValue) {
	names = map[string]string{"#key": item.PartitionKey, "#version": item.Version, "#order": zone.ItemOrder}
	values = map[string]types.AttributeValue{":order": attributeValue(item.Attributes[zone.ItemOrder])}
	version, ok := item.Attributes[item.Version]
	if !ok {
		return "attribute_not_exists(#key) OR (attribute_not_exists(#version) AND #order <= :order)", names, values
	}
	values[":version"] = attributeValue(version)
	return "attribute_not_exists(#key) OR attribute_not_exists(#version) OR #version < :version OR " +
		"(#version = :version AND #order <= :order)", names, values
}

func attributeMap(attributes map[string]zone.Attribute) map[string]types.AttributeValue {
	m := make(map[string]types.AttributeValue, len(attributes))
	for name, a := range attributes {
		m[name] = attributeValue(a)
	}
	return m
}

func attributeValue(a zone.Attribute) types.AttributeValue {
	switch a.Kind {
	case zone.AttributeString:
		return &types.AttributeValueMemberS{Value: a.Text}
	case zone.AttributeNumber:
		return &types.AttributeValueMemberN{Value: a.Text}
	case zone.AttributeBool:
		return &types.AttributeValueMemberBOOL{Value: a.Bool}
	case zone.AttributeList:
		list := make([]types.AttributeValue, len(a.List))
		for i, element := range a.List {
			list[i] = attributeValue(element)
		}
		return &types.AttributeValueMemberL{Value: list}
	case zone.AttributeMap:
		return &types.AttributeValueMemberM{Value: attributeMap(a.Map)}
	default:
		return &types.AttributeValueMemberNULL{Value: true}
	}
}

func attributesOf(m map[string]types.AttributeValue) map[string]zone.Attribute {
	attributes := make(map[string]zone.Attribute, len(m))
	for name, v := range m {
		attributes[name] = attributeOf(v)
	}
	return attributes
}

// attributeOf is the inverse of attributeValue. Types that Put does not write come back as null.
func attributeOf(v types.AttributeValue) zone.Attribute {
	switch v := v.(type) {
	case *types.AttributeValueMemberS:
		return zone.StringAttribute(v.Value)
	case *types.AttributeValueMemberN:
		return zone.NumberAttribute(v.Value)
	case *types.AttributeValueMemberBOOL:
		return zone.Attribute{Kind: zone.AttributeBool, Bool: v.Value}
	case *types.AttributeValueMemberL:
		list := make([]zone.Attribute, len(v.Value))
		for i, element := range v.Value {
			list[i] = attributeOf(element)
		}
		return zone.Attribute{Kind: zone.AttributeList, List: list}
	case *types.AttributeValueMemberM:
		return zone.Attribute{Kind: zone.AttributeMap, Map: attributesOf(v.Value)}
	default:
		return zone.Attribute{}
	}
}
