package main

import (
	"fmt"
	"io"
	"slices"

	"tributary/infra/bootstrap"
)

func run(stacks []string, root string, out io.Writer) error {
	project, err := bootstrap.ReadProject(root)
	if err != nil {
		return err
	}
	if len(stacks) > 0 {
		var chosen []bootstrap.Stack
		for _, name := range stacks {
			i := slices.IndexFunc(project.Stacks, func(s bootstrap.Stack) bool { return s.Name == name })
			if i < 0 {
				return fmt.Errorf("find stack %s: there is no Pulumi.%s.yaml", name, name)
			}
			chosen = append(chosen, project.Stacks[i])
		}
		project.Stacks = chosen
	}
	return bootstrap.New(project).Write(out)
}
