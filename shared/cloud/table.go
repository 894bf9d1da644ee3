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

// Any reports whether the table holds an item.
//
// IAM: dynamodb:Scan, of one item.
func (t *Table) Any(ctx context.Context) (bool, error) {
	out, err := t.client.Scan(ctx, &dynamodb.ScanInput{TableName: &t.name, Limit: aws.Int32(1), ConsistentRead: aws.Bool(true)})
	if err != nil {
		return false, fmt.Errorf("look for an item in %s: %w", t.name, err)
	}
	return len(out.Items) > 0, nil
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
