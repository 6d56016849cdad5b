package corsrpc

import (
	"log/slog"
	"os"
	"reflect"
	"slices"
	"strconv"

	"google.golang.org/protobuf/reflect/protoregistry"

	"github.com/corsrpc/corsrpc-go/internal/route"
	"github.com/corsrpc/corsrpc-go/internal/rules"
)

// Option is an option of Load: a ParseOption, a CompileOption or a LayerOption.
type Option interface{ option() }

// ParseOption changes how a policy is read from text.
type ParseOption interface {
	Option
	applyToParse(*parseConfig)
}

// CompileOption changes how a policy is compiled into a plan.
type CompileOption interface {
	Option
	applyToCompile(*compileConfig)
}

// LayerOption changes how a layer carries a plan out.
type LayerOption interface {
	Option
	applyToLayer(*layerConfig)
}

type parseOption func(*parseConfig)

func (parseOption) option()                       {}
func (o parseOption) applyToParse(c *parseConfig) { o(c) }

type compileOption func(*compileConfig)

func (compileOption) option()                           {}
func (o compileOption) applyToCompile(c *compileConfig) { o(c) }

type layerOption func(*layerConfig)

func (layerOption) option()                       {}
func (o layerOption) applyToLayer(c *layerConfig) { o(c) }

// An OptionError is an option with a value that has no meaning: a nil observer, a period of
// no length. New and Load return all of them at once, joined: errors.As finds the first.
// Options of Compile and ParsePolicy have their problems among the violations of a
// PolicyError.
type OptionError struct {
	// Option is the name of the function that makes the option, such as WithObserver.
	Option string
	// Reason says what is wrong with it, and what to write instead.
	Reason string
}

// Error returns both.
func (e *OptionError) Error() string { return "corsrpc: " + e.Option + ": " + e.Reason }

type parseConfig struct {
	maxPolicyBytes int
	violations     []rules.Violation // of the options themselves
}

// fail records a value that an option of the parser cannot have.
func (c *parseConfig) fail(option, value, reason string) {
	c.violations = append(c.violations, optionViolation(option, value, reason, ""))
}

func newParseConfig(opts []ParseOption) *parseConfig {
	c := &parseConfig{maxPolicyBytes: DefaultMaxPolicyBytes}
	for _, o := range opts {
		if o == nil {
			c.fail("ParseOption", "", "the option is nil")
			continue
		}
		o.applyToParse(c)
	}
	return c
}

type compileConfig struct {
	document     *Document
	files        *protoregistry.Files
	prefixes     []string
	longList     int // how many origins a rule's message holds at most
	profile      string
	profileGiven bool
	lookupEnv    func(name string) (string, bool)
	violations   []rules.Violation // of the options themselves
}

func newCompileConfig(opts []CompileOption) *compileConfig {
	c := &compileConfig{files: protoregistry.GlobalFiles, longList: rules.DefaultLongList, lookupEnv: os.LookupEnv}
	for _, o := range opts {
		if o == nil {
			c.fail("CompileOption", "", "the option is nil", "")
			continue
		}
		o.applyToCompile(c)
	}
	return c
}

// fail records a value that an option of the compiler cannot have.
func (c *compileConfig) fail(option, value, reason, fix string) {
	c.violations = append(c.violations, optionViolation(option, value, reason, fix))
}

func optionViolation(option, value, reason, fix string) rules.Violation {
	return rules.Violation{Code: rules.CodeOption, Place: rules.Place{Field: option}, Value: value, Reason: reason, Fix: fix}
}

type layerConfig struct {
	logger    *slog.Logger
	observers []Observer
	explain   bool
	sources   map[string]*source
	shadow    *Plan
	problems  []error // *OptionErrors
}

func newLayerConfig(opts []LayerOption) *layerConfig {
	c := &layerConfig{logger: slog.Default(), sources: map[string]*source{}}
	for _, o := range opts {
		if o == nil {
			c.fail("LayerOption", "the option is nil")
			continue
		}
		o.applyToLayer(c)
	}
	return c
}

// fail records a value that an option of the layer cannot have.
func (c *layerConfig) fail(option, reason string) {
	c.problems = append(c.problems, &OptionError{option, reason})
}

// isNil reports whether an implementation of an interface is missing: the interface is nil, or
// it holds a nil function or pointer.
func isNil(implementation any) bool {
	v := reflect.ValueOf(implementation)
	return !v.IsValid() || (v.Kind() == reflect.Func || v.Kind() == reflect.Pointer) && v.IsNil()
}

// WithDocument gives the document that the policy came from, so that
// violations name file, line and column. Default: none, and violations name
// field paths only. A nil document is an error of Compile, and any is one of Load, which
// reads the document itself.
func WithDocument(doc *Document) CompileOption {
	return compileOption(func(c *compileConfig) {
		if doc == nil || doc.document == nil {
			c.fail("WithDocument", "", "the document is nil, or not one of ParsePolicy: leave the option out where there is none", "")
			return
		}
		c.document = doc
	})
}

// WithFiles gives the schema: the services whose procedures the policy
// governs. Default: protoregistry.GlobalFiles, which holds every service whose
// generated code is linked into the program. A nil registry is an error of Compile or Load;
// new(protoregistry.Files) is an empty one.
func WithFiles(files *protoregistry.Files) CompileOption {
	return compileOption(func(c *compileConfig) {
		if files == nil {
			c.fail("WithFiles", "", "the registry is nil", "new(protoregistry.Files) for an empty one")
			return
		}
		c.files = files
	})
}

// WithPathPrefix says that procedures are served below a path prefix such as
// "/api", where the layer stands outside the http.StripPrefix that removes it. Path
// rules name their whole path, the prefix included; it is to be given for them too, since
// "/apiadmin/x" is "/admin/x" to a proxy behind StripPrefix.
// It may be given several times; without a prefix they are always known too.
// A layer inside StripPrefix needs none. A text that is not a prefix is an error of
// Compile or Load. Default: none.
func WithPathPrefix(prefix string) CompileOption {
	return compileOption(func(c *compileConfig) {
		if !route.IsPrefix(prefix) {
			c.fail("WithPathPrefix", prefix, "is not a path prefix: it begins with a slash, does not end with one, and holds nothing that is escaped in a path, and no dot segments", "")
			return
		}
		c.prefixes = append(c.prefixes, prefix)
	})
}

// WithProfile chooses a profile of the policy, by its name; the empty name
// chooses none. Load takes the environment variable CORSRPC_PROFILE where this
// option is not given. Default: none.
func WithProfile(name string) CompileOption {
	return compileOption(func(c *compileConfig) { c.profile, c.profileGiven = name, true })
}

// WithLookupEnv sets where "${NAME}" among a policy's origins is looked up, and
// CORSRPC_PROFILE by Load. A nil function is an error of Compile or Load. Default: os.LookupEnv.
func WithLookupEnv(lookup func(name string) (string, bool)) CompileOption {
	return compileOption(func(c *compileConfig) {
		if lookup == nil {
			c.fail("WithLookupEnv", "", "the function is nil: leave the option out for os.LookupEnv", "")
			return
		}
		c.lookupEnv = lookup
	})
}

// WithMaxPolicyBytes sets the size, in bytes, beyond which a policy text
// (YAML, JSON, textproto) is refused unread. It does not hold for binary
// policies. Zero or less is an error of ParsePolicy or Load. Default: DefaultMaxPolicyBytes.
func WithMaxPolicyBytes(n int) ParseOption {
	return parseOption(func(c *parseConfig) {
		if n <= 0 {
			c.fail("WithMaxPolicyBytes", strconv.Itoa(n), "is not a positive number of bytes")
			return
		}
		c.maxPolicyBytes = n
	})
}

// WithLogger sets where the layer logs: refusals and what a shadow policy decides
// otherwise at level WARN, in bounded number; policies that are not put in force
// and sources that fail at ERROR; a profile that is chosen and a policy that is
// replaced at INFO. slog.New(slog.DiscardHandler) switches the log off, so that no line is
// built; a nil logger is an error of New or Load. Default: slog.Default() at the time of the
// call.
func WithLogger(logger *slog.Logger) LayerOption {
	return layerOption(func(c *layerConfig) {
		if logger == nil || logger.Handler() == nil {
			c.fail("WithLogger", "the logger is nil; write slog.New(slog.DiscardHandler) to switch the log off")
			return
		}
		c.logger = logger
	})
}

// WithShadow gives a candidate plan: it is decided for every request next to the
// one in force and never applied, and each difference is observed and logged. It
// takes the place of the policy's own shadow. A nil or zero plan is an error of New or Load.
// Default: the policy's shadow, or none.
func WithShadow(candidate *Plan) LayerOption {
	return layerOption(func(c *layerConfig) {
		if candidate.missing() {
			c.fail("WithShadow", "the plan is nil or zero; pass what Compile returns, or leave the option out")
			return
		}
		c.shadow = candidate
	})
}

// WithObserver adds an observer of what the layer does. Several are told in the order in
// which they are given. A nil observer, and one that is given twice, is an error of New or Load. Default: none, and no
// event is built.
func WithObserver(o Observer) LayerOption {
	return layerOption(func(c *layerConfig) {
		if isNil(o) {
			c.fail("WithObserver", "the observer is nil; leave the option out where nobody is to be told")
			return
		}
		if reflect.ValueOf(o).Comparable() && slices.Contains(c.observers, o) {
			c.fail("WithObserver", "the observer is given twice, and would be told of everything twice")
			return
		}
		c.observers = append(c.observers, o)
	})
}

// WithExplain adds the reason and the remedy to answers of refused preflights and calls: in a
// header Corsrpc-Reason, and in the body, which is the error's message on RPC calls. The
// browser's Network panel shows both. It is for development, with a profile of its own
// perhaps, and never for production: the answers tell strangers what the policy says, and
// where. Default: off.
func WithExplain() LayerOption {
	return layerOption(func(c *layerConfig) { c.explain = true })
}

// DefaultMaxPolicyBytes is the size beyond which a policy text is refused
// unread, unless WithMaxPolicyBytes says otherwise.
const DefaultMaxPolicyBytes = 8 << 20
