package local

import (
	"context"
	"net/http"

	"tributary/infra/local/front"
	"tributary/infra/local/iam"
	"tributary/infra/local/remote"
	"tributary/infra/local/s3"
	"tributary/infra/local/sns"
)

// passOn has requests for what another endpoint holds go there, once they are authorized. The embedded services still know
// what the program declared, and with it what requests need.
func (e *Env) passOn(services map[string]front.Service) {
	services["s3"] = &s3.Elsewhere{Store: e.objects, Holder: e.elsewhere.Service("s3"), Stat: e.elsewhere.Stat, Created: e.objectCreated}
	for _, name := range []string{"sqs", "sns", "secretsmanager"} {
		services[name] = passing{needs: services[name].Needs, Handler: e.elsewhere.Service(name)}
	}
}

// passing is a service that another endpoint answers for.
type passing struct {
	needs func(*http.Request) ([]iam.Need, error)
	http.Handler
}

func (p passing) Needs(r *http.Request) ([]iam.Need, error) { return p.needs(r) }

// heldElsewhere says how the types that hold something are made at another endpoint, before the
// makers here. All other types
// are of package local alone there too: roles, policies and keys are evaluated at the front, which no request goes around;
// functions, permissions, schedules, notifications and log groups drive what happens.
var heldElsewhere = map[string]func(context.Context, *Env, *remote.Endpoint, *declared) error{
	"aws:s3/bucketV2:BucketV2": func(ctx context.Context, _ *Env, r *remote.Endpoint, d *declared) error {
		return r.CreateBucket(ctx, d.out("bucket"), d.region)
	},
	"aws:s3/bucketVersioningV2:BucketVersioningV2": func(ctx context.Context, _ *Env, r *remote.Endpoint, d *declared) error {
		return r.SetVersioning(ctx, d.text("bucket"), d.text("versioningConfiguration", "status"))
	},
	"aws:s3/bucketServerSideEncryptionConfigurationV2:BucketServerSideEncryptionConfigurationV2": func(ctx context.Context, e *Env, r *remote.Endpoint, d *declared) error {
		bucketKey, _ := d.in("rules", "bucketKeyEnabled").(bool)
		key, err := e.key(d.text("rules", "applyServerSideEncryptionByDefault", "kmsMasterKeyId"))
		if err != nil {
			return err
		}
		return r.SetEncryption(ctx, d.text("bucket"), key, bucketKey)
	},
	"aws:dynamodb/table:Table": func(ctx context.Context, _ *Env, r *remote.Endpoint, d *declared) error {
		return r.CreateTable(ctx, table(*d))
	},
	"aws:sqs/queue:Queue": func(ctx context.Context, _ *Env, r *remote.Endpoint, d *declared) error {
		return r.CreateQueue(ctx, d.out("name"), d.arn())
	},
	"aws:sns/topic:Topic": func(ctx context.Context, e *Env, r *remote.Endpoint, d *declared) error {
		return r.CreateTopic(ctx, sns.Topic{Name: d.out("name"), ARN: d.arn()}, func(queue string) string {
			return e.known.Scope(d.Resource).ARN("sqs", queue)
		})
	},
	"aws:sns/topicSubscription:TopicSubscription": func(ctx context.Context, _ *Env, r *remote.Endpoint, d *declared) error {
		return r.Subscribe(ctx, subscription(*d))
	},
	"aws:secretsmanager/secret:Secret": func(ctx context.Context, _ *Env, r *remote.Endpoint, d *declared) error {
		arn, err := r.CreateSecret(ctx, d.out("name"))
		d.id, d.outputs["arn"] = arn, arn // its last letters are made up there
		return err
	},
}
