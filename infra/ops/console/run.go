package console

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/aws/smithy-go"

	"tributary/infra/command"
	"tributary/infra/local/screen"
)

// ErrShown stands for failures that were printed already.
var ErrShown = errors.New("not all went well")

// Console is where commands are given: what they print, and what they ask.
type Console struct {
	Out   io.Writer
	Style screen.Style
	Now   func() time.Time
	// Sleep waits for what is under way; nil for the real clock.
	Sleep func(context.Context, time.Duration) error
	// AskSecret reads a secret.
	AskSecret func(prompt string) (string, error)
}

// Run runs a command on a target.
func (c Console) Run(ctx context.Context, o Options, t Target) error {
	out := &command.Output{To: c.Out}
	c.Out = out
	pipelines, absent, err := t.pipelines(o.Dataset)
	if err != nil {
		return err
	}
	run := map[string]func(context.Context, Options, pipeline) error{
		"status": c.status, "replay": c.replay, "release": c.release, "redrive": c.redrive,
		"backfill": c.backfill, "rejects": c.rejects, "upload": c.upload, "secret": c.secret, "smoke": c.smoke,
	}[o.Command]
	var errs []error
	shown := false
	for i, p := range pipelines {
		if i > 0 {
			c.say("")
		}
		c.head(o, t, p.contract.Dataset)
		if err := run(ctx, o, p); errors.Is(err, ErrShown) {
			shown = true
		} else if err != nil {
			errs = append(errs, t.explain(o, err))
		}
		if ctx.Err() != nil {
			break
		}
	}
	if len(absent) > 0 {
		c.say("\n%s does not have %s: a contract is here, and was not deployed.", t.Name, strings.Join(absent, ", "))
	}
	if out.Err() != nil {
		errs = append(errs, out.Err())
	}
	if len(errs) == 0 && shown {
		return ErrShown
	}
	return errors.Join(errs...)
}

// explain says what somebody lacks who may not do what the command does.
func (t Target) explain(o Options, err error) error {
	var answer smithy.APIError
	if !errors.As(err, &answer) || t.Outputs.OperatorPolicy == "" {
		return err
	}
	if code := answer.ErrorCode(); !strings.HasPrefix(code, "AccessDenied") && code != "Forbidden" {
		return err
	}
	if o.Command == "smoke" {
		return fmt.Errorf("%w\nops:smoke reads the lake and the serving table, which operators do not: it is for whoever deploys, whose policy go tool mage infra:bootstrap prints", err)
	}
	return fmt.Errorf("%w\nWhoever operates %s needs its policy %s", err, t.Name, t.Outputs.OperatorPolicy)
}
