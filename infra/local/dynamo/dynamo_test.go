package dynamo_test

import (
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/smithy-go"

	"tributary/infra/local/dynamo"
)

const table = "coins"

func newClient(t *testing.T) (*dynamodb.Client, *dynamo.Service, *atomic.Int64) {
	t.Helper()
	var writes atomic.Int64
	s := dynamo.NewService(func(_ *http.Request, w dynamo.Write) {
		if w.Table != table {
			t.Errorf("write to %q", w.Table)
		}
		writes.Add(1)
	})
	if err := s.Create(dynamo.Table{Name: table, ARN: "arn:aws:dynamodb:eu-west-3:0:table/coins", HashKey: "id", Attributes: map[string]string{"id": "S"}}); err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(s)
	t.Cleanup(server.Close)
	return dynamodb.NewFromConfig(aws.Config{Region: "eu-west-3", BaseEndpoint: aws.String(server.URL), RetryMaxAttempts: 1,
		Credentials: credentials.NewStaticCredentialsProvider("key", "secret", "")}), s, &writes
}

type item = map[string]types.AttributeValue

func text(s string) types.AttributeValue   { return &types.AttributeValueMemberS{Value: s} }
func number(s string) types.AttributeValue { return &types.AttributeValueMemberN{Value: s} }

func code(err error) string {
	var api smithy.APIError
	switch {
	case errors.As(err, &api):
		return api.ErrorCode()
	case err != nil:
		return err.Error()
	}
	return ""
}

// newest is a condition of the kind by which the newest record wins, with nested OR and AND.
const newest = "attribute_not_exists(#id) OR #version < :version OR (#version = :version AND (#run < :run OR (#run = :run AND #order <= :order)))"

func TestNestedConditions(t *testing.T) {
	for _, test := range []struct {
		name                string
		version, run, order string
		want                string
	}{
		{"older version", "2025-03-04T14:44:00.000Z", "9", "9", "ConditionalCheckFailedException"},
		{"newer version", "2025-03-04T14:46:00.000Z", "0", "0", ""},
		{"same version, older run", "2025-03-04T14:45:00.000Z", "4", "9", "ConditionalCheckFailedException"},
		{"same version, newer run", "2025-03-04T14:45:00.000Z", "6", "0", ""},
		{"same version and run, earlier record", "2025-03-04T14:45:00.000Z", "5", "99", "ConditionalCheckFailedException"},
		{"same version and run, later record", "2025-03-04T14:45:00.000Z", "5", "1000", ""},
		{"the same", "2025-03-04T14:45:00.000Z", "5", "100", ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			client, s, writes := newClient(t)
			put := func(version, run, order, mark string) error {
				_, err := client.PutItem(t.Context(), &dynamodb.PutItemInput{TableName: aws.String(table), ConditionExpression: aws.String(newest),
					Item:                      item{"id": text("btc"), "version": text(version), "run": text(run), "order": number(order), "mark": text(mark)},
					ExpressionAttributeNames:  map[string]string{"#id": "id", "#version": "version", "#run": "run", "#order": "order"},
					ExpressionAttributeValues: item{":version": text(version), ":run": text(run), ":order": number(order)}})
				return err
			}
			if err := put("2025-03-04T14:45:00.000Z", "5", "100", "old"); err != nil {
				t.Fatal(err)
			}
			if got := code(put(test.version, test.run, test.order, "new")); got != test.want {
				t.Errorf("code %q, want %q", got, test.want)
			}
			items, err := s.Items(table)
			if err != nil || len(items) != 1 {
				t.Fatalf("%d items, %v", len(items), err)
			}
			mark, count := `{"S":"new"}`, int64(2)
			if test.want != "" {
				mark, count = `{"S":"old"}`, 1
			}
			if string(items[0]["mark"]) != mark || writes.Load() != count {
				t.Errorf("item is %s after %d writes", items[0]["mark"], writes.Load())
			}
		})
	}
}

func TestLimitsOfAnItem(t *testing.T) {
	deep := text("x")
	for range 40 {
		deep = &types.AttributeValueMemberM{Value: item{"m": deep}}
	}
	for _, test := range []struct {
		name string
		item item
		want string
	}{
		{"all types", item{"id": text("a"), "n": number("1.50"), "b": &types.AttributeValueMemberBOOL{Value: true}, "z": &types.AttributeValueMemberNULL{Value: true},
			"l": &types.AttributeValueMemberL{Value: []types.AttributeValue{text(""), number("-0")}}, "m": &types.AttributeValueMemberM{Value: item{}}, "s": &types.AttributeValueMemberSS{Value: []string{"x"}}}, ""},
		{"empty key", item{"id": text("")}, "ValidationException"},
		{"no key", item{"other": text("a")}, "ValidationException"},
		{"key of another type", item{"id": number("1")}, "ValidationException"},
		{"38 digits", item{"id": text("a"), "n": number("12345678901234567890123456789012345678")}, ""},
		{"39 digits", item{"id": text("a"), "n": number("123456789012345678901234567890123456789")}, "ValidationException"},
		{"zeros are no digits", item{"id": text("a"), "n": number("0.000000100000000000000000000000000000000000000")}, ""},
		{"too large", item{"id": text("a"), "n": number("1E126")}, "ValidationException"},
		{"too small", item{"id": text("a"), "n": number("1E-131")}, "ValidationException"},
		{"smallest", item{"id": text("a"), "n": number("1E-130")}, ""},
		{"no number", item{"id": text("a"), "n": number("NaN")}, "ValidationException"},
		{"empty set", item{"id": text("a"), "s": &types.AttributeValueMemberSS{Value: []string{}}}, "ValidationException"},
		{"400 KB", item{"id": text("a"), "t": text(strings.Repeat("x", 400<<10))}, "ValidationException"},
		{"nested too deep", item{"id": text("a"), "m": deep}, "ValidationException"},
	} {
		t.Run(test.name, func(t *testing.T) {
			client, s, _ := newClient(t)
			_, err := client.PutItem(t.Context(), &dynamodb.PutItemInput{TableName: aws.String(table), Item: test.item})
			if got := code(err); got != test.want {
				t.Errorf("code %q, want %q: %v", got, test.want, err)
			}
			items, err := s.Items(table)
			if err != nil || (len(items) == 1) != (test.want == "") {
				t.Errorf("%d items, %v", len(items), err)
			}
		})
	}
}

func TestReadBack(t *testing.T) {
	client, s, _ := newClient(t)
	for i := range 25 {
		_, err := client.PutItem(t.Context(), &dynamodb.PutItemInput{TableName: aws.String(table), Item: item{"id": text(fmt.Sprintf("coin-%02d", 24-i)), "expires": number("1741099500")}})
		if err != nil {
			t.Fatal(err)
		}
	}
	got, err := client.GetItem(t.Context(), &dynamodb.GetItemInput{TableName: aws.String(table), Key: item{"id": text("coin-07")}, ConsistentRead: aws.Bool(true)})
	if err != nil || got.Item["expires"].(*types.AttributeValueMemberN).Value != "1741099500" {
		t.Errorf("item %v, %v", got, err)
	}
	items, err := s.Items(table)
	if err != nil || len(items) != 25 || string(items[0]["id"]) != `{"S":"coin-00"}` || string(items[24]["id"]) != `{"S":"coin-24"}` {
		t.Errorf("%d items from %s, %v", len(items), items[0]["id"], err)
	}
	_, other, _ := newClient(t)
	if err := other.Restore(table, items); err != nil {
		t.Fatal(err)
	}
	if restored, err := other.Items(table); err != nil || len(restored) != 25 {
		t.Errorf("%d restored, %v", len(restored), err)
	}
}

func TestTablesAreListed(t *testing.T) {
	client, s, _ := newClient(t)
	s.Define(dynamo.Table{Name: "another"})
	listed, err := client.ListTables(t.Context(), &dynamodb.ListTablesInput{})
	if err != nil || strings.Join(listed.TableNames, " ") != "another "+table {
		t.Errorf("listed %v, %v", listed, err)
	}
}

func TestUnknownTablesAndOperations(t *testing.T) {
	_, s, _ := newClient(t)
	for body, want := range map[string]string{"PutItem": "ResourceNotFoundException", "CreateTable": "UnknownOperationException", "DeleteTable": "UnknownOperationException"} {
		r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/", strings.NewReader(`{"TableName":"other"}`))
		r.Header.Set("X-Amz-Target", "DynamoDB_20120810."+body)
		if _, err := s.Needs(r); err == nil || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("%s: %v, want %s", body, err, want)
		}
	}
}
