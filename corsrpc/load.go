package corsrpc

import (
	"crypto/sha256"
	"fmt"
	"io"
	"os"

	"github.com/corsrpc/corsrpc-go/internal/origin"
	"github.com/corsrpc/corsrpc-go/internal/policyfile"
	"github.com/corsrpc/corsrpc-go/internal/rules"
)

// DefaultMaxPolicyBytes is the size beyond which a policy text is refused
// unread, unless WithMaxPolicyBytes says otherwise.
const DefaultMaxPolicyBytes = 8 << 20

// Load reads the policy file, checks it whole and returns a layer that
// enforces it. It takes the options of Compile and of New. The environment
// variable CORSRPC_PROFILE chooses a profile where WithProfile does not, and the
// log says which.
//
// The error is a *PolicyError that lists every problem in file order with
// file, line and column, or says why the file cannot be read. Nothing is
// returned then: a server whose policy does not load should not start.
func Load(name string, opts ...Option) (*Layer, error) {
	var compileOpts []CompileOption
	var layerOpts []LayerOption
	for _, o := range opts {
		if c, ok := o.(CompileOption); ok {
			compileOpts = append(compileOpts, c)
		}
		if l, ok := o.(LayerOption); ok {
			layerOpts = append(layerOpts, l)
		}
	}
	c := newCompileConfig(compileOpts)
	text, err := readPolicyFile(name, c.maxPolicyBytes)
	if err != nil {
		return nil, err
	}
	if !c.profileGiven {
		c.profile, _ = c.lookupEnv(profileVariable)
	}
	seen := sha256.Sum256(text)
	plan, err := compileFile(name, text, *c)
	if err != nil {
		return nil, err
	}
	l, err := New(plan, layerOpts...)
	if err != nil {
		return nil, err
	}
	l.file = newPolicyFile(name, c, seen)
	if l.log != nil {
		l.log.loaded(name, c)
	}
	return l, nil
}

// profileVariable is the environment variable that chooses a profile for Load.
const profileVariable = "CORSRPC_PROFILE"

// compileFile reads and compiles a policy's text. Problems of the text and of its
// meaning are reported together.
func compileFile(name string, text []byte, config compileConfig) (*Plan, error) {
	var cut map[string]*origin.Texts
	if format, ok := policyfile.FormatOf(name); ok && format == policyfile.FormatBinary {
		text, cut = policyfile.CutOrigins(text, config.longList)
	}
	doc, violations := rules.Parse(name, text, config.maxPolicyBytes)
	if doc == nil {
		return nil, policyError(violations)
	}
	config.document = &Document{doc}
	return compile(doc.Policy(), cut, &config, violations)
}

// readPolicyFile reads no more of a text than shows that it is too large.
func readPolicyFile(name string, maxText int) ([]byte, error) {
	read := os.ReadFile // into one piece of memory: a binary policy may be large
	if format, ok := policyfile.FormatOf(name); !ok || format != policyfile.FormatBinary {
		read = func(name string) ([]byte, error) { return readUpTo(name, int64(maxText)+1) }
	}
	text, err := read(name)
	if err != nil {
		return nil, fmt.Errorf("corsrpc: the policy cannot be read: %w", err)
	}
	return text, nil
}

func readUpTo(name string, most int64) ([]byte, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return io.ReadAll(io.LimitReader(f, most))
}
