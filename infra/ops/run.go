package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/config"

	"tributary/infra/input"
	"tributary/infra/local/screen"
	"tributary/infra/ops/console"
	"tributary/shared/contract"
)

// run wires a command to the stack that it names.
func run(ctx context.Context, args []string, stdout *os.File) error {
	o, err := console.Parse(args, time.Now(), stdout)
	if err != nil {
		return err
	}
	if o.Stack == "" && o.Outputs == "" {
		return fmt.Errorf("%w: this works on what is deployed: give -stack=NAME, or -outputs=FILE with what `pulumi stack output --json` prints", console.ErrUsage)
	}
	root, err := findRoot()
	if err != nil {
		return err
	}
	contracts, err := contract.LoadDir(filepath.Join(root, "shared", "datasets"))
	if err != nil {
		return fmt.Errorf("load contracts: %w", err)
	}
	text, err := outputsOf(ctx, root, o)
	if err != nil {
		return err
	}
	outputs, err := console.ReadOutputs(text)
	if err != nil {
		return err
	}
	// The stack's region, wherever one's own default is.
	aws, err := config.LoadDefaultConfig(ctx, config.WithRegion(outputs.Region))
	if err != nil {
		return fmt.Errorf("load AWS configuration: %w", err)
	}
	if _, err := aws.Credentials.Retrieve(ctx); err != nil {
		return fmt.Errorf("find AWS credentials: %w\nLog in as for the aws command line, or set AWS_PROFILE, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY", err)
	}
	name := "stack " + o.Stack
	if o.Stack == "" {
		name = o.Outputs
	}
	style := screen.StyleOf(stdout, screen.Auto, os.Getenv)
	c := console.Console{Out: stdout, Style: style, Now: time.Now, AskSecret: console.AskSecret(os.Stdin, stdout)}
	return c.Run(ctx, o, console.Target{Name: name, AWS: aws, Outputs: outputs, Contracts: contracts})
}

// outputsOf reads the stack's outputs from the file that was given, or has pulumi tell them.
func outputsOf(ctx context.Context, root string, o console.Options) ([]byte, error) {
	if o.Outputs != "" {
		text, err := os.ReadFile(o.Outputs)
		if err != nil {
			return nil, fmt.Errorf("read outputs of the stack from %s: %w", o.Outputs, input.Plain(err))
		}
		return text, nil
	}
	cmd := exec.CommandContext(ctx, "pulumi", "stack", "output", "--json", "--stack", o.Stack)
	cmd.Dir = root
	text, err := cmd.Output()
	var exit *exec.ExitError
	switch {
	case errors.Is(err, exec.ErrNotFound):
		return nil, fmt.Errorf("read outputs of stack %s: pulumi is not installed here; where it is, write them with `pulumi stack output --json --stack %s >FILE`, and give -outputs=FILE", o.Stack, o.Stack)
	case errors.As(err, &exit):
		return nil, fmt.Errorf("read outputs of stack %s: pulumi: %s\n`pulumi stack ls` shows which stacks there are", o.Stack, strings.TrimSpace(string(exit.Stderr)))
	case err != nil:
		return nil, fmt.Errorf("read outputs of stack %s: %w", o.Stack, err)
	}
	return text, nil
}

// findRoot walks up from the working directory to the folder with Pulumi.yaml.
func findRoot() (string, error) {
	dir, err := os.Getwd()
	if err != nil {
		return "", fmt.Errorf("find root of the project: %w", err)
	}
	for at := dir; ; at = filepath.Dir(at) {
		if _, err := os.Stat(filepath.Join(at, "Pulumi.yaml")); err == nil {
			return at, nil
		}
		if at == filepath.Dir(at) {
			return "", fmt.Errorf("find root of the project: no Pulumi.yaml in %s or above", dir)
		}
	}
}
