package corsrpc

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/corsrpc/corsrpc-go/corsrpc/corsrpcv1"
	"github.com/corsrpc/corsrpc-go/internal/origin"
	"github.com/corsrpc/corsrpc-go/internal/policyfile"
)

// DefaultMaxPolicyBytes is the size beyond which a policy text is refused
// unread, unless WithMaxPolicyBytes says otherwise.
const DefaultMaxPolicyBytes = 8 << 20

// Document is a policy that was read from text, with the place of each value.
// It is immutable and safe for concurrent use.
type Document struct {
	name   string
	policy *corsrpcv1.Policy
	file   *policyfile.File
}

// Policy returns the policy that the text says. The caller may not change it.
func (d *Document) Policy() *corsrpcv1.Policy { return d.policy }

// Name returns the name that the text was parsed under.
func (d *Document) Name() string { return d.name }

// Position returns the place of the value at the field path, such as
// rules[1].allow_origins[0], and false where the text does not set it or its
// format has no places (textproto and binary).
func (d *Document) Position(field string) (Position, bool) {
	if d.file == nil {
		return Position{}, false
	}
	p, ok := d.file.Position(field)
	return Position(p), ok
}

// ParsePolicy reads a policy from text, in the format that the extension of
// name says: .yaml or .yml, .json, .textproto or .txtpb, .binpb or .pb.
//
// The error is a *PolicyError that lists every problem of the text in file
// order; the document is then nil. What the policy says is checked by Compile.
// Of the options only WithMaxPolicyBytes has a meaning here.
func ParsePolicy(name string, text []byte, opts ...CompileOption) (*Document, error) {
	doc, violations := readDocument(name, text, newCompileConfig(opts))
	if len(violations) > 0 {
		return nil, &PolicyError{violations}
	}
	return doc, nil
}

// readDocument returns what could be read along with the problems, so that
// Load reports those of the text and those of its meaning together. The
// document is nil where nothing can be made of the text.
func readDocument(name string, text []byte, c *compileConfig) (*Document, []Violation) {
	doc := &Document{name: name, policy: &corsrpcv1.Policy{}}
	doc.file = policyfile.Parse(name, text, doc.policy, c.maxPolicyBytes)
	violations := make([]Violation, len(doc.file.Problems))
	for i, p := range doc.file.Problems {
		violations[i] = Violation{
			Check: Check(p.Code), Field: p.Field, Value: p.Value, File: name,
			Position: Position(p.Pos), Reason: p.Reason, Fix: p.Fix,
		}
	}
	if doc.file.Fatal {
		return nil, violations
	}
	return doc, violations
}

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
	doc, violations := readDocument(name, text, &config)
	if doc == nil {
		return nil, &PolicyError{violations}
	}
	config.document = doc
	return compile(doc.policy, cut, &config, violations)
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

// places is the document without the policy.
func (d *Document) places() *Document {
	if d == nil {
		return nil
	}
	return &Document{name: d.name, file: d.file}
}

// position finds the place of a field, or of the nearest field around it.
func (d *Document) position(field string) Position {
	for d != nil && field != "" {
		if p, ok := d.Position(field); ok {
			return p
		}
		field = field[:max(strings.LastIndexByte(field, '.'), 0)]
	}
	return Position{}
}

// errNilPolicy is what Compile answers to a missing policy.
var errNilPolicy = errors.New("corsrpc: Compile was given no policy: pass doc.Policy() of a document, or a message")
