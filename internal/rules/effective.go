package rules

import (
	"cmp"
	"encoding/binary"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/corsrpc/corsrpc-go/corsrpc/corsrpcv1"
	"github.com/corsrpc/corsrpc-go/internal/origin"
	"github.com/corsrpc/corsrpc-go/internal/rpc"
)

// Kind is the kind of target that an effective rule applies to.
type Kind struct {
	// Path is true for the rule of a path.
	Path bool
	// Get is true if the schema declares the procedures NO_SIDE_EFFECTS.
	Get bool
	// Unnamed is true for the rule of operational services that no rule of the policy names.
	Unnamed bool
}

// Effective is the rule that applies to some procedures or to a path: the merged levels, with
// the place where each value is written. It is immutable and safe for concurrent use.
type Effective struct {
	merged
	kind   Kind
	places *places
	levels []*level // from the widest to the narrowest
	byName bool     // Config.WithoutSchema

	origins           *level // originsFrom, with the profile's add_origins; nil if there is none
	request, response HeaderRules
}

// merged holds the level that each value comes from, nil for a built-in value.
type merged struct {
	originsFrom, credentialsFrom, disabledFrom, exposeFrom *level
	maxAgeFrom, protocolsFrom, methodsFrom, timingFrom     *level
	schemaDisables                                         *level // the schema's option that disables, until a rule lifts it

	protocols rpc.Protocols
}

// effective merges levels into an effective rule, and checks their combination.
func (c *compiler) effective(v view, levels []*level, kind Kind) *Effective {
	e := &Effective{merged: c.merge(levels, kind), kind: kind, places: c.places, levels: slices.Clone(levels), byName: c.config.WithoutSchema}
	e.origins = e.originsFrom
	if l := e.origins; l != nil && v.added != nil && !e.Disabled() && l.origins.Any() == 0 {
		e.origins = l.withOrigins(v.added, e.Credentials())
	}
	for _, l := range slices.Backward(levels) {
		if h := l.headers[rpc.Request].level; h != nil {
			e.request = append(e.request, h)
		}
		if h := l.headers[rpc.Response].level; h != nil {
			e.response = append(e.response, h)
		}
	}
	return e
}

// merge merges levels field by field: the last level that sets a field wins, except that an
// option of a schema may have to narrow. It checks the combination.
func (c *compiler) merge(levels []*level, kind Kind) (m merged) {
	m.protocols = rpc.OfProcedures
	for _, l := range levels {
		if l.setsOrigins() {
			m.originsFrom = l
		}
		if l.credentials != nil {
			m.credentialsFrom = l
		}
		c.mergeDisabled(&m, l)
		c.mergeProtocols(&m, l)
		if l.maxAge != nil && !(l.narrowsOnly && *l.maxAge > m.MaxAge()) {
			m.maxAgeFrom = l
		}
		if len(l.methods) > 0 {
			m.methodsFrom = l
		}
		if l.timing != nil {
			m.timingFrom = l
		}
		if l.expose != corsrpcv1.Exposure_EXPOSURE_UNSPECIFIED {
			m.exposeFrom = l
		}
	}
	if kind.Path { // the protocols of defaults are those of procedures
		if m.protocols &= rpc.MCP; m.protocols == 0 {
			m.protocolsFrom = nil
		}
	}
	c.checkCredentials(&m)
	return m
}

// mergeDisabled merges the level's disabled, and reports a rule that a wider disabled rule leaves
// without effect.
func (c *compiler) mergeDisabled(m *merged, l *level) {
	if l.disabled == nil && m.Disabled() && m.mayLift(l) && l.isRule && l.element == "" {
		c.failOnce(CodeRuleIneffective, l.field, "has no effect, because a wider rule is disabled", "disabled: false", m.disabledFrom.field+".disabled")
	}
	m.setDisabled(l)
}

// setDisabled merges the level's disabled. It tracks separately what the schema disables: a rule that
// re-enables what the policy has disabled does not thereby lift the schema's option.
func (m *merged) setDisabled(l *level) {
	switch {
	case l.disabled == nil:
	case *l.disabled:
		m.disabledFrom = l
		if l.element != "" {
			m.schemaDisables = l
		}
	case m.mayLift(l):
		m.disabledFrom, m.schemaDisables = l, nil
	default:
		m.disabledFrom = m.schemaDisables
	}
}

// mayLift reports whether a level may enable what the merged levels disable.
func (m *merged) mayLift(l *level) bool { return m.schemaDisables == nil || l.lifts(m.schemaDisables) }

// lifts reports whether a level may enable what another level has disabled. Only a rule of the
// policy that names the same element, or one inside it, may lift an option of the schema.
func (l *level) lifts(disabled *level) bool {
	return disabled.element == "" || l.element != "" ||
		l.selector == disabled.element || strings.HasPrefix(l.selector, disabled.element+".")
}

func (c *compiler) mergeProtocols(m *merged, l *level) {
	switch {
	case l.protocols == 0:
	case !l.narrowsOnly:
		m.protocols, m.protocolsFrom = l.protocols, l
	case m.protocols&l.protocols == 0:
		c.failOnce(CodeSchemaOption, l.field+".protocols", "leaves none of the protocols that the policy serves: add one of those", "")
	case m.protocols&l.protocols != m.protocols:
		m.protocols, m.protocolsFrom = m.protocols&l.protocols, l
	}
}

// checkCredentials reports credentials that are allowed for an origin that unrelated pages have.
func (c *compiler) checkCredentials(m *merged) {
	if !m.Credentials() || m.originsFrom == nil {
		return
	}
	m.originsFrom.withCredentials = true
	at := m.credentialsFrom.field + ".allow_credentials"
	for _, o := range m.originsFrom.sharedOrigins() {
		field, _ := m.originsFrom.originPlace(o.index)
		switch o.text {
		case "*":
			c.failOnce(CodeWildcardWithCredentials, at,
				"would let every site call with its visitors' credentials: list the origins instead of *, or leave allow_credentials out", "", field)
		case "null":
			c.failOnce(CodeNullWithCredentials, at,
				"would let a sandboxed frame of any site call with its visitors' credentials: leave out the origin null, or allow_credentials", "", field)
		case "file://":
			c.failOnce(CodeNullWithCredentials, at,
				"would let any local file call with its visitors' credentials: leave out the origin file://, or allow_credentials", "", field)
		default:
			c.failOnce(CodeWildcardWithCredentials, at,
				"would let every extension call with its visitors' credentials: list the origins instead of "+o.text+", or leave allow_credentials out", "", field)
		}
	}
}

// sharedOrigin is an item of allow_origins for which origin.NeverWithCredentials is true.
type sharedOrigin struct {
	index int
	text  string
}

// sharedOrigins returns the items of allow_origins for which origin.NeverWithCredentials is true.
func (l *level) sharedOrigins() []sharedOrigin {
	if !l.origins.HasShared() {
		return nil
	}
	if l.shared == nil {
		for i, text := range l.origins.Patterns().All {
			if origin.NeverWithCredentials(text) {
				l.shared = append(l.shared, sharedOrigin{i, strings.Clone(text)})
			}
		}
	}
	return l.shared
}

// withOrigins returns a copy of the level that also allows the added origins. If credentials is
// true, it leaves out the added origins that never go with credentials.
func (l *level) withOrigins(added *level, credentials bool) *level {
	have := &l.withAdded[0]
	if credentials && added.origins.HasShared() {
		have = &l.withAdded[1]
	}
	if *have == nil {
		joined := *l
		texts := &origin.StringList{}
		for _, text := range l.origins.Patterns().All {
			texts.Append(text)
		}
		joined.originRun = slices.Clone(l.originRun)
		for i, text := range added.origins.Patterns().All {
			if credentials && origin.NeverWithCredentials(text) {
				continue
			}
			run := added.originRunOf(i)
			if run.first = texts.Len(); len(joined.originRun) == 0 || run.inOneItem || !joined.originRun[len(joined.originRun)-1].extends(run) {
				joined.originRun = append(joined.originRun, run)
			}
			texts.Append(text)
		}
		joined.unset = slices.Concat(l.unset, added.unset)
		joined.origins, _ = origin.NewSetOf(texts, func([]origin.Problem) bool { return true }) // both levels were checked
		*have = &joined
	}
	return *have
}

// DefaultMaxAge is how long browsers may cache a preflight if no rule sets max_age: the longest
// time that Chromium accepts.
const DefaultMaxAge = 7200 * time.Second

// defaultMethods are the methods of a path whose rule does not set allow_methods.
var defaultMethods = []string{"GET", "HEAD", "POST"}

// defaultMethodsOfMCP are those of a path with protocols: [MCP]. A client calls by POST, opens a stream
// by GET, and ends a session by DELETE.
var defaultMethodsOfMCP = []string{"POST", "GET", "DELETE"}

// MethodsOfMCP returns the methods of a path with protocols: [MCP] whose rule does not set allow_methods.
func MethodsOfMCP() []string { return slices.Clone(defaultMethodsOfMCP) }

// Kind returns the kind of target that the rule applies to.
func (e *Effective) Kind() Kind { return e.kind }

// SetsOrigins reports whether a level sets allow_origins or allow_origins_from. If not, no
// origin is allowed.
func (e *Effective) SetsOrigins() bool { return e.origins != nil }

// Origins returns the origins of allow_origins. It is never nil.
func (e *Effective) Origins() *origin.Set {
	if e.origins == nil || e.origins.origins == nil {
		return noOrigins
	}
	return e.origins.origins
}

var noOrigins = origin.NewSet(nil)

// Sources returns the names in allow_origins_from. The caller must not change the slice.
func (e *Effective) Sources() []string {
	if e.origins == nil {
		return nil
	}
	return e.origins.sources
}

// ByName reports whether selectors were taken by name, so that it is not known which procedures exist.
func (e *Effective) ByName() bool { return e.byName }

// Unset returns the environment variables in the lists of allowed origins that are not set. There
// are none unless Config.UnsetVariables is true.
func (e *Effective) Unset() []UnsetVariable {
	if e.origins == nil {
		return nil
	}
	return e.origins.unset
}

// Credentials reports whether allow_credentials is true.
func (m *merged) Credentials() bool {
	return m.credentialsFrom != nil && *m.credentialsFrom.credentials
}

// Disabled reports whether the rule is disabled, so that no other origin may call.
func (m *merged) Disabled() bool { return m.disabledFrom != nil && *m.disabledFrom.disabled }

// Timing reports whether pages of the allowed origins may see the timing details of a call
// (timing).
func (m *merged) Timing() bool { return m.timingFrom != nil && *m.timingFrom.timing }

// MaxAge returns how long browsers may cache a preflight.
func (m *merged) MaxAge() time.Duration {
	if m.maxAgeFrom == nil {
		return DefaultMaxAge
	}
	return *m.maxAgeFrom.maxAge
}

// Protocols returns the protocols whose clients may call: MCP or 0 for a path, and others for a
// procedure.
func (m *merged) Protocols() rpc.Protocols { return m.protocols }

// ServesMCP reports whether the rule is that of a path with protocols: [MCP].
func (m *merged) ServesMCP() bool { return m.protocols&rpc.MCP != 0 }

// Present reports whether every header that a response carries is exposed (expose: PRESENT),
// rather than the declared names only.
func (e *Effective) Present() bool { return e.exposure() == corsrpcv1.Exposure_EXPOSURE_PRESENT }

func (e *Effective) exposure() corsrpcv1.Exposure {
	switch {
	case e.exposeFrom != nil:
		return e.exposeFrom.expose
	case e.kind.Path:
		return corsrpcv1.Exposure_EXPOSURE_DECLARED
	}
	return corsrpcv1.Exposure_EXPOSURE_PRESENT
}

// RequestHeaders returns the header rules for request headers.
func (e *Effective) RequestHeaders() HeaderRules { return e.request }

// ResponseHeaders returns the header rules for response headers.
func (e *Effective) ResponseHeaders() HeaderRules { return e.response }

// Methods returns the allowed HTTP methods: those of the rule for a path, those that follow
// from the schema for a procedure. The caller must not change the slice.
func (e *Effective) Methods() []string {
	switch {
	case e.kind.Path && e.methodsFrom != nil:
		return e.methodsFrom.methods
	case e.ServesMCP():
		return defaultMethodsOfMCP
	case e.kind.Path:
		return defaultMethods
	case e.kind.Get && e.protocols&rpc.Connect != 0:
		return []string{"GET", "POST"}
	}
	return []string{"POST"}
}

// GrantsContentType reports whether the rule of a path grants the request header content-type
// because of its methods: it allows another method than GET and HEAD, and no item of allow_headers
// or deny_headers covers the header. If everyone may call, allow_methods has to be written:
// a script on any page could otherwise send content types that HTML forms cannot. A path that serves
// MCP grants the header with the others of the protocol.
func (e *Effective) GrantsContentType() bool {
	if !e.kind.Path || e.ServesMCP() || e.Origins().Any() != 0 && e.methodsFrom == nil {
		return false
	}
	if _, mentioned := e.request.Lookup("content-type"); mentioned {
		return false
	}
	return slices.ContainsFunc(e.Methods(), func(method string) bool { return method != "GET" && method != "HEAD" })
}

// Narrowest returns the field of the narrowest level, such as rules[3], or "" if there is none.
func (e *Effective) Narrowest() string {
	if len(e.levels) == 0 {
		return ""
	}
	return e.levels[len(e.levels)-1].field
}

// ValueField returns the path of the field that sets a value, such as rules[3].disabled for
// "disabled", or "" if the value is built in. It takes the names of the fields that hold one
// value, allow_methods, and allow_origins.
func (e *Effective) ValueField(name string) string {
	if l := e.level(name); l != nil {
		return l.field + "." + name
	}
	return ""
}

// ValueFieldOrNarrowest returns ValueField, or Narrowest if the value is built in.
func (e *Effective) ValueFieldOrNarrowest(name string) string {
	return cmp.Or(e.ValueField(name), e.Narrowest())
}

// level returns the level that sets a value; nil if the value is built in.
func (e *Effective) level(name string) *level {
	switch name {
	case "allow_origins":
		return e.originsFrom
	case "allow_credentials":
		return e.credentialsFrom
	case "disabled":
		return e.disabledFrom
	case "expose":
		return e.exposeFrom
	case "max_age":
		return e.maxAgeFrom
	case "protocols":
		return e.protocolsFrom
	case "allow_methods":
		return e.methodsFrom
	case "timing":
		return e.timingFrom
	}
	return nil
}

// OriginsField returns the path of the list that sets the allowed origins, or the field of the
// narrowest level if there is none.
func (e *Effective) OriginsField() string {
	switch l := e.origins; {
	case l == nil:
		return e.Narrowest()
	case l.items > 0:
		return l.field + ".allow_origins"
	default:
		return l.field + ".allow_origins_from"
	}
}

// OnlySources reports whether the level that sets the allowed origins names sources only.
func (e *Effective) OnlySources() bool {
	return e.origins != nil && e.origins.items == 0 && len(e.origins.sources) > 0
}

// OriginPlace returns the place where the origin with an index in Origins is written.
func (e *Effective) OriginPlace(i int) Place {
	field, variable := e.origins.originPlace(i)
	at := e.places.of(field)
	at.Variable = variable
	return at
}

// SourceField returns the path of the item with an index in Sources.
func (e *Effective) SourceField(i int) string {
	return item(e.origins.field, "allow_origins_from", i)
}

// Place returns the place where a field is written, or the nearest field around it. It is the
// zero Place for "".
func (e *Effective) Place(field string) Place {
	if field == "" {
		return Place{}
	}
	return e.places.of(field)
}

// key returns a string that is equal for effective rules of the same levels and kind.
func (e *Effective) key() string {
	var ends [32]int // enough for most rules, so that only the key is allocated
	key, _ := e.keyOfPrefixes(ends[:0])
	return key
}

// keyOfPrefixes returns key, and appends to ends the lengths of its parts that are the keys of the
// first 0, 1, 2 ... levels.
func (e *Effective) keyOfPrefixes(ends []int) (string, []int) {
	key := fmt.Appendf(nil, "%v", e.kind)
	ends = append(ends, len(key))
	for _, l := range e.levels {
		key = binary.AppendUvarint(key, uint64(l.id))
		ends = append(ends, len(key))
	}
	return string(key), ends
}
