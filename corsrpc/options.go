package corsrpc

import (
	"log/slog"
	"os"

	"google.golang.org/protobuf/reflect/protoregistry"

	"github.com/corsrpc/corsrpc-go/internal/rules"
)

// Option is an option of Load: a CompileOption or a LayerOption.
type Option interface{ option() }

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

type compileOption func(*compileConfig)

func (compileOption) option()                           {}
func (o compileOption) applyToCompile(c *compileConfig) { o(c) }

type layerOption func(*layerConfig)

func (layerOption) option()                       {}
func (o layerOption) applyToLayer(c *layerConfig) { o(c) }

type compileConfig struct {
	document       *Document
	files          *protoregistry.Files
	prefixes       []string
	maxPolicyBytes int
	longList       int // how many origins a rule's message holds at most
	profile        string
	profileGiven   bool
	lookupEnv      func(name string) (string, bool)
}

func newCompileConfig(opts []CompileOption) *compileConfig {
	c := &compileConfig{files: protoregistry.GlobalFiles, maxPolicyBytes: DefaultMaxPolicyBytes, longList: rules.DefaultLongList, lookupEnv: os.LookupEnv}
	for _, o := range opts {
		o.applyToCompile(c)
	}
	return c
}

type layerConfig struct {
	logger   *slog.Logger
	observer observers
	explain  bool
	sources  map[string]*source
	shadow   *Plan
}

// WithDocument gives the document that the policy came from, so that
// violations name file, line and column. Default: none, and violations name
// field paths only.
func WithDocument(doc *Document) CompileOption {
	return compileOption(func(c *compileConfig) { c.document = doc })
}

// WithFiles gives the schema: the services whose procedures the policy
// governs. Default: protoregistry.GlobalFiles, which holds every service whose
// generated code is linked into the program. A nil registry is an empty one.
func WithFiles(files *protoregistry.Files) CompileOption {
	return compileOption(func(c *compileConfig) {
		if files == nil {
			files = new(protoregistry.Files)
		}
		c.files = files
	})
}

// WithPathPrefix says that procedures are served below a path prefix such as
// "/api", where the layer stands outside the http.StripPrefix that removes it. Path
// rules name their whole path, the prefix included; it is to be given for them too, since
// "/apiadmin/x" is "/admin/x" to a proxy behind StripPrefix.
// It may be given several times; without a prefix they are always known too.
// A layer inside StripPrefix needs none. Default: none.
func WithPathPrefix(prefix string) CompileOption {
	return compileOption(func(c *compileConfig) { c.prefixes = append(c.prefixes, prefix) })
}

// WithProfile chooses a profile of the policy, by its name; the empty name
// chooses none. Load takes the environment variable CORSRPC_PROFILE where this
// option is not given. Default: none.
func WithProfile(name string) CompileOption {
	return compileOption(func(c *compileConfig) { c.profile, c.profileGiven = name, true })
}

// WithLookupEnv sets where "${NAME}" among a policy's origins is looked up, and
// CORSRPC_PROFILE by Load. Default: os.LookupEnv, which nil means too.
func WithLookupEnv(lookup func(name string) (string, bool)) CompileOption {
	return compileOption(func(c *compileConfig) {
		if lookup == nil {
			lookup = os.LookupEnv
		}
		c.lookupEnv = lookup
	})
}

// WithMaxPolicyBytes sets the size, in bytes, beyond which a policy text
// (YAML, JSON, textproto) is refused unread. It does not hold for binary
// policies. Default: DefaultMaxPolicyBytes; zero or less means the default.
func WithMaxPolicyBytes(n int) CompileOption {
	return compileOption(func(c *compileConfig) {
		if n <= 0 {
			n = DefaultMaxPolicyBytes
		}
		c.maxPolicyBytes = n
	})
}

// WithLogger sets where the layer logs: refusals and what a shadow policy decides
// otherwise at level WARN, in bounded number; policies that are not put in force
// and sources that fail at ERROR; a profile that is chosen and a policy that is
// replaced at INFO. Default: slog.Default() at the time of the call; nil switches
// the log off.
func WithLogger(logger *slog.Logger) LayerOption {
	return layerOption(func(c *layerConfig) { c.logger = logger })
}

// WithShadow gives a candidate plan: it is decided for every request next to the
// one in force and never applied, and each difference is observed and logged. It
// takes the place of the policy's own shadow. Default: the policy's shadow, or
// none.
func WithShadow(candidate *Plan) LayerOption {
	return layerOption(func(c *layerConfig) { c.shadow = candidate })
}

// WithObserver adds one who is told of every decision; each of several is. Default:
// nobody, and no event is built.
func WithObserver(o Observer) LayerOption {
	return layerOption(func(c *layerConfig) {
		if o != nil {
			c.observer = append(c.observer, o)
		}
	})
}

// WithExplain has every refused preflight and call say in its answer why, and which
// line of the policy would grant it: in a header Corsrpc-Reason, and in the body, which
// is the error's message on RPC calls. Both are in the Network panel of the browser. It
// is for development, with a profile of its own perhaps, and never for production:
// the answers tell strangers what the policy says, and where. Default: off.
func WithExplain() LayerOption {
	return layerOption(func(c *layerConfig) { c.explain = true })
}
