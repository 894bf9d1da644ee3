package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"

	"tributary/infra/local/screen"
	"tributary/infra/ops/console"
)

// operate runs one of the operators' commands on the state that earlier runs left in .local, and saves what it leaves.
func operate(ctx context.Context, args []string, stdout *os.File, style screen.Style) (err error) {
	o, err := console.Parse(args, time.Now(), stdout)
	if err != nil {
		return err
	}
	if o.Stack != "" || o.Outputs != "" {
		return fmt.Errorf("%w: -stack and -outputs name what is deployed; this is the local environment", errUsage)
	}
	progress := screen.NewProgress(stdout, style, time.Now)
	stop := ticking(progress)
	s, err := open(ctx, options{stack: "dev", dataset: o.Dataset, dir: o.Dir}, progress)
	stop()
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.close()) }()
	return s.command(ctx, o, stdout, style)
}

// command runs an operator's command on the environment.
func (s *session) command(ctx context.Context, o console.Options, stdout *os.File, style screen.Style) error {
	target, err := s.target()
	if err != nil {
		return err
	}
	for _, from := range s.sources {
		from.begin(o.At) // a backfill, or an ingest that is sent again, asks it
	}
	fmt.Fprintln(stdout)
	c := console.Console{Out: stdout, Style: style, Now: time.Now, AskSecret: console.AskSecret(os.Stdin, stdout)}
	failed := c.Run(ctx, o, target)
	if !o.Changes() {
		return failed
	}
	if name := s.outputs.Datasets[o.Dataset].Secret; o.Command == "secret" && failed == nil {
		if err := s.keepSecret(name); err != nil {
			return err
		}
	}
	return s.settle(ctx, stdout, failed)
}

// target is the environment as the operator sees it.
func (s *session) target() (console.Target, error) {
	credentials, err := s.env.Credentials("")
	if err != nil {
		return console.Target{}, err
	}
	exports, err := json.Marshal(s.env.Exports())
	if err != nil {
		return console.Target{}, fmt.Errorf("read outputs of the stack: %w", err)
	}
	outputs, err := console.ReadOutputs(exports)
	if err != nil {
		return console.Target{}, err
	}
	return console.Target{
		Name: "the local environment", Outputs: outputs, Contracts: s.contracts,
		AWS: aws.Config{
			Region: credentials.Region, BaseEndpoint: &s.env.Endpoint,
			Credentials: aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
				return aws.Credentials{
					AccessKeyID: credentials.AccessKeyID, SecretAccessKey: credentials.SecretAccessKey, SessionToken: credentials.SessionToken,
				}, nil
			}),
		},
	}, nil
}

// keepSecret keeps a secret that was set by hand for the runs to come. They use it for a live source: the built-in API
// has its own.
func (s *session) keepSecret(name string) error {
	value, err := s.env.Secret(name)
	if err != nil {
		return fmt.Errorf("keep secret: %w", err)
	}
	secrets := maps.Clone(s.former.Secrets)
	if secrets == nil {
		secrets = map[string]string{}
	}
	secrets[name] = value
	s.former.Secrets = secrets
	return nil
}

// farewell is how long an interrupted command waits for what is under way.
const farewell = 30 * time.Second

// settle waits until what a command has set off is done, saves what there is, and tells of what went wrong. What an
// interrupted command has done is kept as well: the same command goes on behind it.
func (s *session) settle(ctx context.Context, stdout *os.File, failed error) error {
	patient := patience
	if ctx.Err() != nil {
		patient = farewell
	}
	waiting, cancel := context.WithTimeout(context.WithoutCancel(ctx), patient)
	defer cancel()
	quiet := s.env.Quiet(waiting)
	err := s.keepState()
	faults := s.watch.faults()
	for _, fault := range faults {
		fmt.Fprintln(stdout, "  "+fault)
	}
	if len(faults) > 0 && failed == nil {
		failed = errShown
	}
	if quiet == nil && err == nil {
		return failed
	}
	return errors.Join(failed, quiet, err)
}
