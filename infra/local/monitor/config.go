package monitor

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"tributary/infra/input"
)

// Config reads project and configuration of a stack from Pulumi.yaml and Pulumi.<stack>.yaml below root, as the Pulumi
// command line does, and lays overlay over it: values that are objects on both sides are merged member by member,
// others replaced. Keys without a namespace get the project's. A stack without a file has the overlay alone.
//
// Encrypted values cannot be read here: one that the overlay does not replace is an error.
func Config(root, stack string, overlay map[string]any) (project string, config map[string]string, err error) {
	var settings struct {
		Name string `yaml:"name"`
	}
	if err := readYAML(filepath.Join(root, "Pulumi.yaml"), &settings); err != nil {
		return "", nil, err
	}
	if settings.Name == "" {
		return "", nil, fmt.Errorf("read Pulumi.yaml in %s: it has no name", root)
	}
	var file struct {
		Config map[string]any `yaml:"config"`
	}
	name := "Pulumi." + stack + ".yaml"
	if err := readYAML(filepath.Join(root, name), &file); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return "", nil, err
	}
	values := map[string]any{}
	for key, value := range file.Config {
		values[qualify(settings.Name, key)] = value
	}
	for key, value := range overlay {
		key = qualify(settings.Name, key)
		values[key] = merge(values[key], value)
	}
	config = make(map[string]string, len(values))
	for key, value := range values {
		if object, ok := value.(map[string]any); ok && len(object) == 1 && object["secure"] != nil {
			return "", nil, fmt.Errorf("read %s: %s is encrypted and cannot be read here", name, key)
		}
		text, ok := value.(string)
		if !ok {
			encoded, err := json.Marshal(value)
			if err != nil {
				return "", nil, fmt.Errorf("read %s: encode %s: %w", name, key, err)
			}
			text = string(encoded)
		}
		config[key] = text
	}
	return settings.Name, config, nil
}

func qualify(project, key string) string {
	if strings.Contains(key, ":") {
		return key
	}
	return project + ":" + key
}

func merge(under, over any) any {
	a, ok := under.(map[string]any)
	b, ok2 := over.(map[string]any)
	if !ok || !ok2 {
		return over
	}
	merged := make(map[string]any, len(a)+len(b))
	for key, value := range a {
		merged[key] = value
	}
	for key, value := range b {
		merged[key] = merge(a[key], value)
	}
	return merged
}

func readYAML(path string, into any) error {
	data, err := os.ReadFile(path)
	if err != nil {
		return fmt.Errorf("read %s: %w", filepath.Base(path), input.Plain(err))
	}
	if err := input.YAML(data, into); err != nil {
		return fmt.Errorf("read %s: %w", filepath.Base(path), err)
	}
	return nil
}
