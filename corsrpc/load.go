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

// Load reads the policy file, checks it whole and returns a layer that
// enforces it. It takes the options of Compile and of New. The environment
// variable CORSRPC_PROFILE chooses a profile where WithProfile does not, and the
// log says which.
//
// The error is a *PolicyError that lists every problem in file order with
// file, line and column, or says why the file cannot be read. Nothing is
// returned then: a server whose policy does not load should not start. Options of the
// layer that are wrong are found before the file is read: the error joins *OptionErrors.
// It is as New has it where a source is unknown, or fails that SourceWait waits for.
func Load(name string, opts ...Option) (*Layer, error) {
	return LoadContext(context.Background(), name, opts...)
}

// LoadContext is Load with a context that bounds how long origin sources are waited for
// (SourceWait). Where none is, it has no effect, and it has none on the layer.
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

// loadConfig is what the options of Load say.
type loadConfig struct {
	fileConfig
	layer *layerConfig
}

// fileConfig is how a policy file is read and compiled. It is immutable.
type fileConfig struct {
	parse   *parseConfig
	compile *compileConfig
}

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
		c.layer.fail("Option", "the option is nil")
	}
	if c.compile.document != nil {
		c.compile.fail("WithDocument", "", "is for Compile: Load reads the document itself", "")
	}
	return c
}

// profileVariable is the environment variable that chooses a profile for Load.
const profileVariable = "CORSRPC_PROFILE"

// compileFile reads and compiles a policy's text. Problems of the text, of the options and
// of the policy's meaning are reported together.
func compileFile(name string, text []byte, c fileConfig) (*Plan, error) {
	config := *c.compile
	var cut map[string]*origin.Texts
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

// maxFileBytes is how much of a file is read: no more of a text than shows that it is too
// large, and all of a binary policy (0).
func (c *parseConfig) maxFileBytes(name string) int64 {
	if format, ok := policyfile.FormatOf(name); ok && format == policyfile.FormatBinary {
		return 0
	}
	return max(int64(c.maxPolicyBytes), int64(c.maxPolicyBytes)+1) // without an overflow
}

// readError is the error of a file that cannot be read.
func readError(err error) error { return fmt.Errorf("corsrpc: the policy cannot be read: %w", err) }
