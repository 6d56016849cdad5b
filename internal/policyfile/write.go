package policyfile

import (
	"strings"

	"go.yaml.in/yaml/v3"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"
)

// YAML returns the text of a YAML policy file: in block style, with the fields in the order of
// their declaration in the message, and with full enum names (EXPOSURE_PRESENT).
func YAML(policy proto.Message) (string, error) {
	text, err := protojson.MarshalOptions{UseProtoNames: true}.Marshal(policy)
	if err != nil {
		return "", err
	}
	var node yaml.Node
	if err := yaml.Unmarshal(text, &node); err != nil { // JSON is YAML
		return "", err
	}
	toBlockStyle(&node)
	var out strings.Builder
	encoder := yaml.NewEncoder(&out)
	encoder.SetIndent(2)
	err = encoder.Encode(&node)
	return out.String(), err
}

func toBlockStyle(n *yaml.Node) {
	n.Style = 0
	if n.Kind == yaml.ScalarNode && n.Tag == "!!str" {
		n.SetString(n.Value) // writes quotes only if they are needed
	}
	for _, child := range n.Content {
		toBlockStyle(child)
	}
}
