package corsrpc

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/corsrpc/corsrpc-go/internal/filewatch"
	"github.com/corsrpc/corsrpc-go/internal/origin"
	"github.com/corsrpc/corsrpc-go/internal/policyfile"
	"github.com/corsrpc/corsrpc-go/internal/rules"
)

// Load reads and checks a policy file and returns a layer that enforces it. It takes the options
// of ParsePolicy, Compile and New. If WithProfile is not given, the environment variable
// CORSRPC_PROFILE chooses the profile. The log names the profile.
//
// Load returns an error instead of a layer if the policy has a problem: a server whose policy does
// not load should not start. The error is a *PolicyError that lists every problem with file, line
// and column, in file order, or the error of reading the file. Options of the layer are checked
// before the file is read: the error then joins an *OptionError for each invalid one. Unknown
// sources, sources that do not load in time, and a policy that grants more than the guard of
// WithGuard, lead to the same errors as in New.
func Load(name string, opts ...Option) (*Layer, error) {
	return LoadContext(context.Background(), name, opts...)
}

// LoadContext is Load with a context that bounds how long Load waits for origin sources
// (SourceWait). The context has no other effect, and none on the returned layer.
func LoadContext(ctx context.Context, name string, opts ...Option) (*Layer, error) {
	c := newLoadConfig(opts)
	if err := errors.Join(c.layer.problems...); err != nil {
		return nil, err
	}
	maxBytes := c.parse.maxFileBytes(name)
	text, err := filewatch.Read(name, maxBytes)
	if err != nil {
		return nil, readError(err)
	}
	file := &policyFile{File: filewatch.New(name, maxBytes, text), name: name, config: c.fileConfig}
	if !c.compile.profileGiven {
		c.compile.profile, _ = c.compile.lookupEnv(profileVariable)
	}
	plan, err := compileFile(name, text, c.fileConfig)
	if err != nil {
		return nil, err
	}
	l, err := newLayer(ctx, plan, c.layer, file)
	if err != nil {
		return nil, err
	}
	if l.log != nil && c.compile.profile != "" {
		by := profileVariable
		if c.compile.profileGiven {
			by = "WithProfile"
		}
		l.log.loaded(name, c.compile.profile, by)
	}
	return l, nil
}

// loadConfig holds the options of Load.
type loadConfig struct {
	fileConfig
	layer *layerConfig
}

// fileConfig holds the options for parsing and compiling a policy file. It is immutable.
type fileConfig struct {
	parse   *parseConfig
	compile *compileConfig
}

// newLoadConfig sorts the options of Load by the step that they apply to.
func newLoadConfig(opts []Option) loadConfig {
	var parse []ParseOption
	var compile []CompileOption
	var layer []LayerOption
	for _, o := range opts {
		switch o := o.(type) {
		case ParseOption:
			parse = append(parse, o)
		case CompileOption:
			compile = append(compile, o)
		case LayerOption:
			layer = append(layer, o)
		}
	}
	c := loadConfig{fileConfig{newParseConfig(parse), newCompileConfig(compile)}, newLayerConfig(layer)}
	if slices.Contains(opts, nil) {
		c.layer.fail("Option", "the option is nil: leave it out")
	}
	if c.compile.document != nil {
		c.compile.fail("WithDocument", "", "is an option of Compile only: leave it out, since Load parses the document itself", "")
	}
	return c
}

// profileVariable is the environment variable that chooses a profile for Load.
const profileVariable = "CORSRPC_PROFILE"

// compileFile parses and compiles the text of a policy file. It reports the problems of the text,
// the options and the policy together.
func compileFile(name string, text []byte, c fileConfig) (*Plan, error) {
	config := *c.compile
	var cut map[string]*origin.StringList
	if format, ok := policyfile.FormatOf(name); ok && format == policyfile.FormatBinary {
		text, cut = policyfile.CutOrigins(text, config.longList)
	}
	doc, violations := rules.Parse(name, text, c.parse.maxPolicyBytes)
	violations = slices.Concat(c.parse.violations, violations)
	if doc == nil {
		return nil, policyError(append(violations, config.violations...))
	}
	config.document = &Document{doc}
	return compilePlan(doc.Policy(), cut, &config, violations)
}

// maxFileBytes returns how many bytes of a file are read at most: for a text, one more than the
// allowed size, so that a larger file is detected; for a binary policy 0, which means no bound.
func (c *parseConfig) maxFileBytes(name string) int64 {
	if format, ok := policyfile.FormatOf(name); ok && format == policyfile.FormatBinary {
		return 0
	}
	return max(int64(c.maxPolicyBytes), int64(c.maxPolicyBytes)+1) // max avoids an overflow
}

// readError wraps the error of reading a policy file.
func readError(err error) error { return fmt.Errorf("corsrpc: cannot read the policy: %w", err) }
