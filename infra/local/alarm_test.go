package local_test

import (
	"strings"
	"testing"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/cloudwatch"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/kms"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/sns"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"tributary/infra/local"
)

// alarms declares an alarm on an encrypted topic with the given principal and source in both policies.
func alarms(principal, source string) pulumi.RunFunc {
	statement := func(action string) map[string]any {
		return map[string]any{"Effect": "Allow", "Principal": map[string]string{"Service": principal}, "Action": action, "Resource": "*",
			"Condition": map[string]any{"ArnLike": map[string]string{"aws:SourceArn": source}, "StringEquals": map[string]string{"aws:SourceAccount": local.Account}}}
	}
	return func(ctx *pulumi.Context) error {
		d := &deployment{ctx: ctx}
		key := try(d, func() (*kms.Key, error) {
			return kms.NewKey(ctx, "key", &kms.KeyArgs{Policy: document(
				map[string]any{"Effect": "Allow", "Principal": map[string]string{"AWS": "arn:aws:iam::000000000000:root"}, "Action": "kms:*", "Resource": "*"}, statement("kms:*"))})
		})
		if d.err != nil {
			return d.err
		}
		topic := try(d, func() (*sns.Topic, error) {
			return sns.NewTopic(ctx, "alerts", &sns.TopicArgs{Name: pulumi.String("alerts"), KmsMasterKeyId: key.Arn})
		})
		if d.err != nil {
			return d.err
		}
		try(d, func() (*sns.TopicPolicy, error) {
			return sns.NewTopicPolicy(ctx, "alerts", &sns.TopicPolicyArgs{Arn: topic.Arn, Policy: document(statement("sns:Publish"))})
		})
		try(d, func() (*cloudwatch.MetricAlarm, error) {
			return cloudwatch.NewMetricAlarm(ctx, "held", &cloudwatch.MetricAlarmArgs{Name: pulumi.String("dev-held"), ComparisonOperator: pulumi.String("GreaterThanThreshold"),
				EvaluationPeriods: pulumi.Int(1), AlarmActions: pulumi.Array{topic.Arn}})
		})
		return d.err
	}
}

func TestAlarmsMustBeAbleToPublish(t *testing.T) {
	for _, test := range []struct{ name, principal, source, want string }{
		{"right", "cloudwatch.amazonaws.com", "arn:aws:cloudwatch:eu-west-3:000000000000:alarm:dev-*", ""},
		{"other alarms", "cloudwatch.amazonaws.com", "arn:aws:cloudwatch:eu-west-3:000000000000:alarm:prod-*", "alarm held: alarmActions: AccessDenied: cloudwatch.amazonaws.com is not authorized to perform: sns:Publish"},
		{"another service", "events.amazonaws.com", "*:*:*:*:*:*", "sns:Publish"},
	} {
		t.Run(test.name, func(t *testing.T) {
			dir := t.TempDir()
			write(t, dir+"/Pulumi.yaml", "name: trial\n")
			env, err := local.Start(t.Context(), local.Options{Root: dir, Stack: "dev", Settings: map[string]any{"aws:region": "eu-west-3"}, Program: alarms(test.principal, test.source)})
			if err == nil {
				err = env.Close()
			}
			if (err == nil) != (test.want == "") || err != nil && !strings.Contains(err.Error(), test.want) {
				t.Errorf("error %v, want %q", err, test.want)
			}
		})
	}
}
