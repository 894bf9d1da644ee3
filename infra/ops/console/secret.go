package console

import (
	"context"
	"fmt"
	"strings"

	"tributary/shared/ops"
)

func (c Console) secret(ctx context.Context, o Options, p pipeline) error {
	auth := p.contract.Source.Auth
	if auth == nil {
		return fmt.Errorf("fill secret of %s: its source asks for none", p.contract.Dataset)
	}
	if p.outputs.Secret == "" {
		return fmt.Errorf("fill secret of %s: the stack's outputs name none: deploy it first, with pulumi up", p.contract.Dataset)
	}
	value, err := c.AskSecret(fmt.Sprintf("  %s for %s: ", strings.ReplaceAll(auth.Kind, "_", " "), p.outputs.Secret))
	if err != nil {
		return fmt.Errorf("read secret of %s: %w", p.contract.Dataset, err)
	}
	if err := ops.FillSecret(ctx, p.secrets, p.contract, p.outputs.Secret, strings.TrimSpace(value)); err != nil {
		return err
	}
	c.field("secret", "%s is set; the next run uses it", p.outputs.Secret)
	c.next(o.hint("sends again what failed for want of it", "redrive %s", p.contract.Dataset))
	return nil
}
