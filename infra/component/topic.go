package component

import (
	"fmt"
	"slices"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/sns"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

// TopicType is the type token of Topic.
const TopicType = typePrefix + "Topic"

// Subscription is someone who hears alerts.
type Subscription struct {
	Protocol string // one of SubscriptionProtocols
	Endpoint string
}

// SubscriptionProtocols are the protocols a subscription may have.
func SubscriptionProtocols() []string { return []string{"email", "email-json", "https"} }

// TopicArgs describe a topic for alerts.
type TopicArgs struct {
	Place         Place
	Topic         string // physical name
	KeyArn        pulumi.StringInput
	Alarms        string // name pattern of the CloudWatch alarms that publish to it
	Subscriptions []Subscription
}

// Validate reports every fault of the arguments.
func (a TopicArgs) Validate() error {
	var f faults
	a.Place.check(&f)
	f.name("Topic", a.Topic, functionName, 256)
	f.require("Alarms", a.Alarms)
	if a.KeyArn == nil {
		f.add("KeyArn", "is required")
	}
	for i, s := range a.Subscriptions {
		field := fmt.Sprintf("Subscriptions[%d]", i)
		if !slices.Contains(SubscriptionProtocols(), s.Protocol) {
			f.add(field+".Protocol", "%q is none of %v", s.Protocol, SubscriptionProtocols())
		}
		f.require(field+".Endpoint", s.Endpoint)
	}
	return f.err()
}

// Topic is an encrypted topic to which functions and alarms publish, with its subscriptions.
type Topic struct {
	pulumi.ResourceState

	Arn pulumi.StringOutput
	// Policy stands when alarms can publish.
	Policy *sns.TopicPolicy
}

// NewTopic declares a topic.
func NewTopic(ctx *pulumi.Context, name string, args TopicArgs, opts ...pulumi.ResourceOption) (*Topic, error) {
	t := &Topic{}
	if err := register(ctx, TopicType, name, args.Validate, t, opts); err != nil {
		return nil, err
	}
	topic, err := sns.NewTopic(ctx, name, &sns.TopicArgs{
		Name:           pulumi.String(args.Topic),
		KmsMasterKeyId: args.KeyArn.ToStringOutput().ToStringPtrOutput(),
	}, pulumi.Parent(t))
	if err != nil {
		return nil, fmt.Errorf("declare topic %s: %w", args.Topic, err)
	}
	t.Policy, err = sns.NewTopicPolicy(ctx, name, &sns.TopicPolicyArgs{
		Arn:    topic.Arn,
		Policy: pulumi.String(TopicDocument(args.Place, args.Topic, args.Alarms).Text()),
	}, pulumi.Parent(t))
	if err != nil {
		return nil, fmt.Errorf("declare policy of topic %s: %w", args.Topic, err)
	}
	for _, s := range args.Subscriptions {
		// Named after what it is, so that adding one does not replace another.
		if _, err := sns.NewTopicSubscription(ctx, fmt.Sprintf("%s-%s-%s", name, s.Protocol, s.Endpoint), &sns.TopicSubscriptionArgs{
			Topic:    topic.Arn,
			Protocol: pulumi.String(s.Protocol),
			Endpoint: pulumi.String(s.Endpoint),
		}, pulumi.Parent(t)); err != nil {
			return nil, fmt.Errorf("declare subscription of %s to topic %s: %w", s.Endpoint, args.Topic, err)
		}
	}
	t.Arn = topic.Arn
	if err := ctx.RegisterResourceOutputs(t, pulumi.Map{"arn": t.Arn}); err != nil {
		return nil, fmt.Errorf("register outputs of topic %s: %w", args.Topic, err)
	}
	return t, nil
}
