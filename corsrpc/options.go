package corsrpc

import (
	"log/slog"
	"os"
	"reflect"
	"slices"
	"strconv"

	"google.golang.org/protobuf/reflect/protoregistry"

	"github.com/corsrpc/corsrpc-go/internal/planaccess"
	"github.com/corsrpc/corsrpc-go/internal/route"
	"github.com/corsrpc/corsrpc-go/internal/rules"
)

// Option is an option of Load: a ParseOption, a CompileOption or a LayerOption.
type Option interface{ option() }

// ParseOption configures the parsing of a policy.
type ParseOption interface {
	Option
	applyToParse(*parseConfig)
}

// CompileOption configures the compilation of a policy.
type CompileOption interface {
	Option
	applyToCompile(*compileConfig)
}

// LayerOption configures a layer.
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

// OptionError is the error of a layer option with an invalid value, such as a nil observer or a
// negative period. New and Load return those of all invalid options, joined; errors.As finds the
// first. Invalid options of ParsePolicy and Compile are violations of a PolicyError instead.
type OptionError struct {
	// Option is the name of the function that makes the option, such as WithObserver.
	Option string
	// Reason says what is wrong with the value, and what to write instead.
	Reason string
}

// Error returns the option and the reason.
func (e *OptionError) Error() string { return "corsrpc: " + e.Option + ": " + e.Reason }

// parseConfig holds the options of ParsePolicy.
type parseConfig struct {
	maxPolicyBytes int
	violations     []rules.Violation // of the options themselves
}

// fail records an invalid value of an option.
func (c *parseConfig) fail(option, value, reason string) {
	c.violations = append(c.violations, optionViolation(option, value, reason, ""))
}

// newParseConfig applies options to the defaults.
func newParseConfig(opts []ParseOption) *parseConfig {
	c := &parseConfig{maxPolicyBytes: DefaultMaxPolicyBytes}
	for _, o := range opts {
		if o == nil {
			c.fail("ParseOption", "", "the option is nil: leave it out")
			continue
		}
		o.applyToParse(c)
	}
	return c
}

// compileConfig holds the options of Compile.
type compileConfig struct {
	document     *Document
	files        *protoregistry.Files
	prefixes     []string
	longList     int // the number of origins beyond which a list is kept apart from the policy's message
	profile      string
	profileGiven bool
	lookupEnv    func(name string) (string, bool)
	forTool      planaccess.Tool
	violations   []rules.Violation // of the options themselves
}

// newCompileConfig applies options to the defaults.
func newCompileConfig(opts []CompileOption) *compileConfig {
	c := &compileConfig{files: protoregistry.GlobalFiles, longList: rules.DefaultLongList, lookupEnv: os.LookupEnv}
	for _, o := range opts {
		if o == nil {
			c.fail("CompileOption", "", "the option is nil: leave it out", "")
			continue
		}
		o.applyToCompile(c)
	}
	return c
}

// fail records an invalid value of an option.
func (c *compileConfig) fail(option, value, reason, fix string) {
	c.violations = append(c.violations, optionViolation(option, value, reason, fix))
}

// optionViolation returns the violation of an invalid option.
func optionViolation(option, value, reason, fix string) rules.Violation {
	return rules.Violation{Code: rules.CodeOption, Place: rules.Place{Field: option}, Value: value, Reason: reason, Fix: fix}
}

// layerConfig holds the options of a layer.
type layerConfig struct {
	logger    *slog.Logger
	observers []Observer
	explain   bool
	sources   map[string]*source
	shadow    *Plan
	guard     *Plan
	problems  []error // each an *OptionError
}

// newLayerConfig applies options to the defaults.
func newLayerConfig(opts []LayerOption) *layerConfig {
	c := &layerConfig{logger: slog.Default(), sources: map[string]*source{}}
	for _, o := range opts {
		if o == nil {
			c.fail("LayerOption", "the option is nil: leave it out")
			continue
		}
		o.applyToLayer(c)
	}
	return c
}

// fail records an invalid value of an option.
func (c *layerConfig) fail(option, reason string) {
	c.problems = append(c.problems, &OptionError{option, reason})
}

// isNil reports whether an interface value is nil or holds a nil function or pointer.
func isNil(implementation any) bool {
	v := reflect.ValueOf(implementation)
	return !v.IsValid() || (v.Kind() == reflect.Func || v.Kind() == reflect.Pointer) && v.IsNil()
}

// WithDocument gives Compile the document that the policy comes from, so that violations have a
// file, a line and a column. Default: none, and violations have field paths only. A nil document
// is an error of Compile. Load parses the document itself: this option is an error there.
func WithDocument(doc *Document) CompileOption {
	return compileOption(func(c *compileConfig) {
		if doc == nil || doc.document == nil {
			c.fail("WithDocument", "", "the document is nil or was not returned by ParsePolicy: leave the option out if there is no document", "")
			return
		}
		c.document = doc
	})
}

// WithFiles sets the schema: the services whose procedures the policy governs. Default:
// protoregistry.GlobalFiles, which has every service whose generated code is linked into the
// program. A nil registry is an error of Compile or Load; new(protoregistry.Files) is an empty
// one.
func WithFiles(files *protoregistry.Files) CompileOption {
	return compileOption(func(c *compileConfig) {
		if files == nil {
			c.fail("WithFiles", "", "the registry is nil", "new(protoregistry.Files) for an empty registry")
			return
		}
		c.files = files
	})
}

// WithPathPrefix adds a path prefix below which procedures are served, such as "/api". It is
// needed if the layer is outside of the http.StripPrefix that removes the prefix; a layer inside
// of it needs none. Path rules still contain the whole path, with the prefix. Give the option
// even if the policy has path rules only: behind StripPrefix, a proxy may take "/apiadmin/x" for
// "/admin/x".
//
// The option may be given several times; procedures are always served without a prefix too. An
// invalid prefix is an error of Compile or Load. Default: none.
func WithPathPrefix(prefix string) CompileOption {
	return compileOption(func(c *compileConfig) {
		if !route.IsPrefix(prefix) {
			c.fail("WithPathPrefix", prefix, "is not a path prefix: it has to begin with a slash, and must not end with one or contain dot segments or characters that are escaped in a path", "")
			return
		}
		c.prefixes = append(c.prefixes, prefix)
	})
}

// WithProfile chooses a profile of the policy by name. The empty name chooses none. If the option
// is not given, Load reads the environment variable CORSRPC_PROFILE. Default: none.
func WithProfile(name string) CompileOption {
	return compileOption(func(c *compileConfig) { c.profile, c.profileGiven = name, true })
}

// WithLookupEnv sets the function that looks up environment variables: "${NAME}" in the policy's
// origins, and CORSRPC_PROFILE in Load. A nil function is an error of Compile or Load. Default:
// os.LookupEnv.
func WithLookupEnv(lookup func(name string) (string, bool)) CompileOption {
	return compileOption(func(c *compileConfig) {
		if lookup == nil {
			c.fail("WithLookupEnv", "", "the function is nil: leave the option out to use os.LookupEnv", "")
			return
		}
		c.lookupEnv = lookup
	})
}

// WithMaxPolicyBytes sets the maximum size of a policy text (YAML, JSON, textproto) in bytes.
// Longer texts are refused without being parsed. Binary policies have no maximum. Zero or less is
// an error of ParsePolicy or Load. Default: DefaultMaxPolicyBytes.
func WithMaxPolicyBytes(n int) ParseOption {
	return parseOption(func(c *parseConfig) {
		if n <= 0 {
			c.fail("WithMaxPolicyBytes", strconv.Itoa(n), "is not a positive number of bytes")
			return
		}
		c.maxPolicyBytes = n
	})
}

// WithLogger sets the logger of the layer. The layer logs at level ERROR failed reloads and
// failures of origin sources; at WARN refused requests and differences of a shadow policy, both
// bounded in number, and likely mistakes in the set-up; at INFO reloads and the chosen profile.
// slog.New(slog.DiscardHandler) turns the log off, and no record is built. A nil logger is an error
// of New or Load. Default: slog.Default() at the time of the call.
func WithLogger(logger *slog.Logger) LayerOption {
	return layerOption(func(c *layerConfig) {
		if logger == nil || logger.Handler() == nil {
			c.fail("WithLogger", "the logger is nil: write slog.New(slog.DiscardHandler) to turn the log off")
			return
		}
		c.logger = logger
	})
}

// WithShadow sets a candidate plan. The layer decides every request by it too, without applying
// the decision, and logs and observes each difference. It replaces the shadow of the policy. A nil
// or zero plan is an error of New or Load. Default: the policy's shadow, if it has one.
func WithShadow(candidate *Plan) LayerOption {
	return layerOption(func(c *layerConfig) {
		if candidate.missing() {
			c.fail("WithShadow", "the plan is nil or zero: pass a plan that Compile returns, or leave the option out")
			return
		}
		c.shadow = candidate
	})
}

// WithObserver adds an observer. Observers are called in the order in which they are given; a
// panic in one is recovered. A nil observer, and an observer that is given twice, are errors of
// New or Load. Default: none, and no event is built.
func WithObserver(o Observer) LayerOption {
	return layerOption(func(c *layerConfig) {
		if isNil(o) {
			c.fail("WithObserver", "the observer is nil: leave the option out if there is no observer")
			return
		}
		if reflect.ValueOf(o).Comparable() && slices.Contains(c.observers, o) {
			c.fail("WithObserver", "the same observer is passed twice, and would receive every event twice: pass the observer once")
			return
		}
		c.observers = append(c.observers, o)
	})
}

// WithExplain lets the script of a page read why its call is refused. connect-web, grpc-web,
// protobuf-ts and nice-grpc-web show the reason and the remedy in the message of their error. A
// plain fetch gets them as the text of the response. The header field Corsrpc-Reason has them too.
// Use it in development only, never in production: such answers show parts of the policy, with file
// and line. Default: off.
//
// Only pages of explainable origins get other answers than in production: http and https pages on
// loopback, and pages whose origin a rule of the policy in force names or matches by a pattern. Not
// explainable are origins that only "*", null, file://, an origin source, a pattern such as
// moz-extension://*, or a pattern that needs the risk PUBLIC_SUFFIX allows.
//
// A browser does not send a call whose preflight fails. So the layer answers a preflight that the
// policy refuses as if it were granted, once (Access-Control-Max-Age: 0), and refuses the call
// itself. A handler gets only requests that it would get without WithExplain. For this the layer
// remembers the names of request headers, at most 64, that such preflights asked for. They are lost
// when the program ends, and other instances behind a load balancer do not have them: a call with
// a header that is not granted may then reach the handler.
//
// Only the log has the reason of these refusals:
//   - requests in mode no-cors, and upgrades, whose response no script can read,
//   - calls that lack only allow_credentials and carry no cookie,
//   - calls with a header that browsers or proxies add themselves, such as Cache-Control, and calls
//     with a header that proxies drop or act on, such as x_tenant and X-HTTP-Method-Override,
//   - requests under enforcement: OBSERVE.
func WithExplain() LayerOption {
	return layerOption(func(c *layerConfig) { c.explain = true })
}

// DefaultMaxPolicyBytes is the maximum size of a policy text, in bytes, without
// WithMaxPolicyBytes.
const DefaultMaxPolicyBytes = 8 << 20
