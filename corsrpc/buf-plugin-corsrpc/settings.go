package main

import (
	"fmt"
	"slices"
	"strings"

	"buf.build/go/bufplugin/option"
	"google.golang.org/protobuf/reflect/protoregistry"

	"github.com/corsrpc/corsrpc-go/corsrpc"
	"github.com/corsrpc/corsrpc-go/corsrpc/corsrpcv1"
	"github.com/corsrpc/corsrpc-go/internal/filewatch"
	"github.com/corsrpc/corsrpc-go/internal/planaccess"
	"github.com/corsrpc/corsrpc-go/internal/policyfile"
)

// The options of the plugin in buf.yaml.
const (
	optionPolicy        = "policy"
	optionProfile       = "profile"
	optionSchemaOptions = "schema_options"
)

// settings are the options of the plugin.
type settings struct {
	// policy is the name of the policy's file, and text what it holds; empty if no policy is given.
	policy string
	text   []byte
	// profile is the profile of the policy; empty if there is none.
	profile string
	// schemaOptions says how far the schema is trusted. It is for the rules that work without a policy.
	schemaOptions corsrpcv1.SchemaOptions
}

// readSettings reads the options of the plugin, and the file of the policy.
func readSettings(options option.Options) (*settings, error) {
	values := map[string]string{}
	known := []string{optionPolicy, optionProfile, optionSchemaOptions}
	var err error
	options.Range(func(key string, value any) {
		text, ok := value.(string)
		switch {
		case err != nil:
		case !slices.Contains(known, key):
			err = fmt.Errorf("the plugin has no option %q: its options are %s", key, strings.Join(known, ", "))
			if nearest, ok := policyfile.Nearest(key, known); ok {
				err = fmt.Errorf("the plugin has no option %q: write %s", key, nearest)
			}
		case !ok:
			err = fmt.Errorf("the option %s of the plugin is not a text: write %[1]s: %s", key, map[string]string{
				optionPolicy: "cors.yaml", optionProfile: "dev", optionSchemaOptions: "FULL",
			}[key])
		}
		values[key] = text
	})
	if err != nil {
		return nil, err
	}
	s := &settings{policy: values[optionPolicy], profile: values[optionProfile]}
	trust := values[optionSchemaOptions]
	switch {
	case s.policy == "" && s.profile != "":
		return nil, fmt.Errorf("the plugin has the option profile without a policy: add policy: cors.yaml, or leave profile out")
	case s.policy != "" && trust != "":
		return nil, fmt.Errorf("the plugin has the options policy and schema_options: leave schema_options out, since the policy has its own")
	case trust == "", trust == "SHAPE":
		s.schemaOptions = corsrpcv1.SchemaOptions_SCHEMA_OPTIONS_SHAPE
	case trust == "FULL":
		s.schemaOptions = corsrpcv1.SchemaOptions_SCHEMA_OPTIONS_FULL
	default:
		return nil, fmt.Errorf("the option schema_options of the plugin is %q: write SHAPE or FULL", trust)
	}
	if s.policy == "" {
		return s, nil
	}
	if s.text, err = filewatch.Read(s.policy, 0); err != nil {
		return nil, fmt.Errorf("the option policy of the plugin, whose path begins where buf runs: %w", err)
	}
	return s, nil
}

// compile compiles the policy for a schema. If byName is true, a selector may select nothing in it. The error is a
// *corsrpc.PolicyError if the policy or an option of the schema has problems.
func (s *settings) compile(files *protoregistry.Files, byName bool) (*corsrpc.Plan, error) {
	var options []any
	for _, o := range append(toolOptions(files, byName), corsrpc.WithProfile(s.profile)) {
		options = append(options, o)
	}
	plan, err := planaccess.CompileText(s.policy, s.text, options...)
	if err != nil {
		return nil, err
	}
	return plan.(*corsrpc.Plan), nil
}

// toolOptions returns the options of a compilation that does not know the environment of a server.
func toolOptions(files *protoregistry.Files, byName bool) []corsrpc.CompileOption {
	unset := func(string) (string, bool) { return "", false }
	tool := planaccess.Option(planaccess.Tool{UnsetVariables: true, WithoutSchema: byName})
	return []corsrpc.CompileOption{corsrpc.WithFiles(files), corsrpc.WithLookupEnv(unset), tool.(corsrpc.CompileOption)}
}
