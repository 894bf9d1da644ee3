package bootstrap

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"tributary/infra/input"
)

// ReadProject reads name and stacks from Pulumi.yaml and Pulumi.STACK.yaml in root. Of the settings it takes what the
// grants depend on; whether they are right, the program says.
func ReadProject(root string) (Project, error) {
	var p Project
	var project struct {
		Name string `yaml:"name"`
	}
	if err := readYAML(filepath.Join(root, "Pulumi.yaml"), &project); err != nil {
		return p, err
	}
	p.Name = project.Name
	if p.Name == "" {
		return p, errors.New("read Pulumi.yaml: it has no name")
	}
	paths, err := filepath.Glob(filepath.Join(root, "Pulumi.*.yaml"))
	if err != nil {
		return p, fmt.Errorf("list stacks: %w", err)
	}
	if len(paths) == 0 {
		return p, fmt.Errorf("list stacks: no Pulumi.STACK.yaml in %s", root)
	}
	for _, path := range paths {
		file := filepath.Base(path)
		var config struct {
			Config map[string]any `yaml:"config"`
		}
		if err := readYAML(path, &config); err != nil {
			return p, err
		}
		settings, _ := config.Config[p.Name+":settings"].(map[string]any)
		s := Stack{Name: strings.TrimSuffix(strings.TrimPrefix(file, "Pulumi."), ".yaml")}
		s.Region, _ = settings["region"].(string)
		s.Protect, _ = settings["protect"].(bool)
		switch {
		case s.Name == "bootstrap":
			return p, fmt.Errorf("read %s: no stack can be called bootstrap: its resources would carry the names of what deploys them", file)
		case s.Region == "":
			return p, fmt.Errorf("read %s: config.%s:settings.region is missing: grants name the region", file, p.Name)
		}
		p.Stacks = append(p.Stacks, s)
	}
	return p, nil
}

func readYAML(path string, into any) error {
	text, err := os.ReadFile(path)
	if err != nil {
		return fmt.Errorf("read %s: %w", filepath.Base(path), input.Plain(err))
	}
	if err := input.YAML(text, into); err != nil {
		return fmt.Errorf("read %s: %w", filepath.Base(path), err)
	}
	return nil
}
