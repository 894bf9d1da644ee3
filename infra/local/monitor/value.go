package monitor

import (
	"fmt"
	"slices"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource/plugin"
	"google.golang.org/protobuf/types/known/structpb"
)

func unmarshal(in *structpb.Struct) (resource.PropertyMap, error) {
	values, err := plugin.UnmarshalProperties(in, plugin.MarshalOptions{KeepUnknowns: true, KeepSecrets: true, KeepResources: true})
	if err != nil {
		return nil, fmt.Errorf("decode properties: %w", err)
	}
	return values, nil
}

// plainMap turns properties into plain values and names the members that hold secrets. Null members are left out.
func plainMap(properties resource.PropertyMap) (values map[string]any, secrets []string, err error) {
	values = make(map[string]any, len(properties))
	for key, property := range properties {
		value, err := plain(property)
		if err != nil {
			return nil, nil, fmt.Errorf("property %s: %w", key, err)
		}
		if value == nil {
			continue
		}
		values[string(key)] = value
		if property.ContainsSecrets() {
			secrets = append(secrets, string(key))
		}
	}
	slices.Sort(secrets)
	return values, secrets, nil
}

func plain(v resource.PropertyValue) (any, error) {
	switch {
	case v.IsNull():
		return nil, nil
	case v.IsBool():
		return v.BoolValue(), nil
	case v.IsNumber():
		return v.NumberValue(), nil
	case v.IsString():
		return v.StringValue(), nil
	case v.IsSecret():
		return plain(v.SecretValue().Element)
	case v.IsOutput():
		return plain(v.OutputValue().Element)
	case v.IsArray():
		list := make([]any, 0, len(v.ArrayValue()))
		for i, element := range v.ArrayValue() {
			value, err := plain(element)
			if err != nil {
				return nil, fmt.Errorf("element %d: %w", i, err)
			}
			list = append(list, value)
		}
		return list, nil
	case v.IsObject():
		values, _, err := plainMap(v.ObjectValue())
		return values, err
	case v.IsArchive():
		path, ok := v.ArchiveValue().GetPath()
		if !ok {
			return nil, fmt.Errorf("only archives that are files are supported")
		}
		return Archive{Path: path}, nil
	case v.IsResourceReference():
		ref := v.ResourceReferenceValue()
		if id, ok := ref.IDString(); ok {
			return id, nil
		}
		return string(ref.URN), nil
	}
	return nil, fmt.Errorf("a value of type %s is not supported", v.TypeString())
}
