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

// Kind is what an effective rule is for.
type Kind struct {
	// Path says that it is a path's.
	Path bool
	// Get says that the schema declares the procedures NO_SIDE_EFFECTS.
	Get bool
	// Unnamed says that it is for operational services that no rule names.
	Unnamed bool
}

// Effective is the rule that holds for some procedures or for a path: levels put together,
// with the place behind each value. It is immutable and safe for concurrent use.
type Effective struct {
	merged
	kind   Kind
	places *places
	levels []*level // from the widest to the narrowest

	origins           *level // originsFrom, with what the profile adds to it; nil for none
	request, response HeaderRules
}

// merged is what levels give field by field: the level behind each value, which is nil
// where the value is built in.
type merged struct {
	originsFrom, credentialsFrom, disabledFrom, exposeFrom *level
	maxAgeFrom, protocolsFrom, methodsFrom                 *level
	schemaDisables                                         *level // which a rule has to name to lift it

	protocols rpc.Protocols
}

// effective puts levels together, and checks what only their combination shows.
func (c *compiler) effective(v view, levels []*level, kind Kind) *Effective {
	e := &Effective{merged: c.merge(levels, kind), kind: kind, places: c.places, levels: slices.Clone(levels)}
	e.origins = e.originsFrom
	if l := e.origins; l != nil && v.added != nil && !e.Disabled() && l.origins.Any() == 0 {
		e.origins = l.joined(v.added)
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

// merge puts levels together, field by field: a later one wins, but for what a
// schema says where it may only narrow. It checks what only the combination shows.
func (c *compiler) merge(levels []*level, kind Kind) (m merged) {
	m.protocols = rpc.Connect | rpc.GRPCWeb
	for _, l := range levels {
		if l.items+len(l.sources) > 0 {
			m.originsFrom = l
		}
		if l.credentials != nil {
			m.credentialsFrom = l
		}
		c.mergeDisabled(&m, l)
		c.mergeProtocols(&m, l)
		if l.maxAge != nil && !(l.shapes && *l.maxAge > m.MaxAge()) {
			m.maxAgeFrom = l
		}
		if len(l.methods) > 0 {
			m.methodsFrom = l
		}
		if l.expose != corsrpcv1.Exposure_EXPOSURE_UNSPECIFIED {
			m.exposeFrom = l
		}
	}
	if kind.Path {
		m.protocols = 0
	}
	c.checkCredentials(&m)
	return m
}

// mergeDisabled keeps what the schema disables apart: a rule that enables again
// what the policy disables does not lift it by that.
func (c *compiler) mergeDisabled(m *merged, l *level) {
	lifts := m.schemaDisables == nil || l.lifts(m.schemaDisables)
	switch {
	case l.disabled == nil:
		if m.Disabled() && lifts && l.isRule && l.element == "" {
			c.failOnce(CodeRuleIneffective, l.field, "has no effect, since a wider rule is disabled", "disabled: false", m.disabledFrom.field+".disabled")
		}
	case *l.disabled:
		m.disabledFrom = l
		if l.element != "" {
			m.schemaDisables = l
		}
	case lifts:
		m.disabledFrom, m.schemaDisables = l, nil
	default:
		m.disabledFrom = m.schemaDisables
	}
}

// lifts reports whether the level may enable again what another one disabled.
// What a schema disables, only a rule of the policy does that names the same
// element or something inside it.
func (l *level) lifts(disabled *level) bool {
	return disabled.element == "" || l.element != "" ||
		l.selector == disabled.element || strings.HasPrefix(l.selector, disabled.element+".")
}

func (c *compiler) mergeProtocols(m *merged, l *level) {
	switch {
	case l.protocols == 0:
	case !l.shapes:
		m.protocols, m.protocolsFrom = l.protocols, l
	case m.protocols&l.protocols == 0:
		c.failOnce(CodeSchemaOption, l.field+".protocols", "leaves no protocol of those that the policy serves", "")
	case m.protocols&l.protocols != m.protocols:
		m.protocols, m.protocolsFrom = m.protocols&l.protocols, l
	}
}

// checkCredentials refuses credentials for origins that anybody can have.
func (c *compiler) checkCredentials(m *merged) {
	if !m.Credentials() || m.originsFrom == nil {
		return
	}
	at := m.credentialsFrom.field + ".allow_credentials"
	for _, i := range m.originsFrom.anybodys() {
		field, _ := m.originsFrom.originPlace(i.index)
		if i.text == "*" {
			c.failOnce(CodeWildcardWithCredentials, at,
				"would let every site act as its visitors: name the origins, or leave credentials out", "", field)
		} else {
			c.failOnce(CodeNullWithCredentials, at,
				"would let a sandboxed frame of any site act as its visitors: leave out null, or credentials", "", field)
		}
	}
}

// anybodysOrigin is an item of a list of origins that anybody can have.
type anybodysOrigin struct {
	index int
	text  string
}

// anybodys returns the items of allow_origins that are * or null.
func (l *level) anybodys() []anybodysOrigin {
	if l.origins == nil {
		return nil
	}
	if _, null := l.origins.Exact("null"); !null && l.origins.Any() == 0 {
		return nil
	}
	if l.anybodysItems == nil {
		for i, text := range l.origins.Texts().All {
			if text == "*" || text == "null" {
				l.anybodysItems = append(l.anybodysItems, anybodysOrigin{i, strings.Clone(text)})
			}
		}
	}
	return l.anybodysItems
}

// joined is the level with more origins.
func (l *level) joined(added *level) *level {
	if l.withAdded == nil {
		joined := *l
		texts := &origin.Texts{}
		for _, from := range []*level{l, added} {
			for _, text := range from.origins.Texts().All {
				texts.Append(text)
			}
		}
		joined.origins, _ = origin.NewSetOf(texts, func([]origin.Problem) bool { return true }) // they are accepted
		joined.originRun = slices.Clone(l.originRun)
		for _, run := range added.originRun {
			run.first += l.origins.Len()
			joined.originRun = append(joined.originRun, run)
		}
		l.withAdded = &joined
	}
	return l.withAdded
}

// DefaultMaxAge is how long browsers may remember a preflight where no rule sets max_age:
// the longest time that Chromium takes.
const DefaultMaxAge = 7200 * time.Second

// defaultMethods are those of a path whose rule does not set allow_methods.
var defaultMethods = []string{"GET", "HEAD", "POST"}

// Kind returns what the rule is for.
func (e *Effective) Kind() Kind { return e.kind }

// SaysOrigins reports whether a level says who may call; otherwise nobody may.
func (e *Effective) SaysOrigins() bool { return e.origins != nil }

// Origins returns the origins that are allowed, besides those of the sources. It is never nil.
func (e *Effective) Origins() *origin.Set {
	if e.origins == nil || e.origins.origins == nil {
		return noOrigins
	}
	return e.origins.origins
}

var noOrigins = origin.NewSet(nil)

// Sources returns the names of the sources whose origins are allowed as well. The caller may
// not change it.
func (e *Effective) Sources() []string {
	if e.origins == nil {
		return nil
	}
	return e.origins.sources
}

// Credentials reports whether calls may carry credentials.
func (m *merged) Credentials() bool {
	return m.credentialsFrom != nil && *m.credentialsFrom.credentials
}

// Disabled reports whether no other origin may call.
func (m *merged) Disabled() bool { return m.disabledFrom != nil && *m.disabledFrom.disabled }

// MaxAge returns how long browsers may remember a preflight.
func (m *merged) MaxAge() time.Duration {
	if m.maxAgeFrom == nil {
		return DefaultMaxAge
	}
	return *m.maxAgeFrom.maxAge
}

// Protocols returns the protocols whose clients may call; none for a path.
func (m *merged) Protocols() rpc.Protocols { return m.protocols }

// Present reports whether scripts may read what each response carries (expose: PRESENT),
// rather than what is declared.
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

// RequestHeaders returns what the levels say of request headers.
func (e *Effective) RequestHeaders() HeaderRules { return e.request }

// ResponseHeaders returns what the levels say of response headers.
func (e *Effective) ResponseHeaders() HeaderRules { return e.response }

// Methods returns the HTTP methods: a path's by its rule, a procedure's by its
// schema. The caller may not change it.
func (e *Effective) Methods() []string {
	switch {
	case e.kind.Path && e.methodsFrom != nil:
		return e.methodsFrom.methods
	case e.kind.Path:
		return defaultMethods
	case e.kind.Get && e.protocols&rpc.Connect != 0:
		return []string{"GET", "POST"}
	}
	return []string{"POST"}
}

// Narrowest returns the field of the narrowest level, such as rules[3]; empty for none.
func (e *Effective) Narrowest() string {
	if len(e.levels) == 0 {
		return ""
	}
	return e.levels[len(e.levels)-1].field
}

// Said returns the path of the field that says a value, such as rules[3].disabled for
// "disabled"; empty where the value is built in. The names are those of fields that hold one
// value, allow_methods among them.
func (e *Effective) Said(name string) string {
	if l := e.level(name); l != nil {
		return l.field + "." + name
	}
	return ""
}

// SaidOrNarrowest is Said, or else Narrowest.
func (e *Effective) SaidOrNarrowest(name string) string { return cmp.Or(e.Said(name), e.Narrowest()) }

// SayingRule returns the field of the policy's rule that says a value, and false where no
// rule of the policy does.
func (e *Effective) SayingRule(name string) (field string, ok bool) {
	if l := e.level(name); l != nil && l.element == "" {
		return l.field, true
	}
	return "", false
}

// level returns the level that says a value; nil where it is built in.
func (e *Effective) level(name string) *level {
	switch name {
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
	}
	return nil
}

// OriginsField returns the path of the list that says who may call; the narrowest level
// where none does.
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

// OnlySources reports whether the level that says who may call names sources and no origins.
func (e *Effective) OnlySources() bool {
	return e.origins != nil && e.origins.items == 0 && len(e.origins.sources) > 0
}

// OriginPlace returns where the origin of an index among Origins is written.
func (e *Effective) OriginPlace(i int) Place {
	field, variable := e.origins.originPlace(i)
	at := e.places.of(field)
	at.Variable = variable
	return at
}

// SourceField returns the path of the item that names the source of an index.
func (e *Effective) SourceField(i int) string {
	return item(e.origins.field, "allow_origins_from", i)
}

// Place returns where a field is written, or the nearest field around it; the zero Place for
// the empty field.
func (e *Effective) Place(field string) Place {
	if field == "" {
		return Place{}
	}
	return e.places.of(field)
}

// DenyingRule returns the field of the narrowest level where its deny_headers name the
// lower-case name.
func (e *Effective) DenyingRule(name string) (field string, ok bool) {
	l := e.levels[len(e.levels)-1]
	return l.field, slices.ContainsFunc(l.headers[rpc.Request].items, func(i headerItem) bool {
		return i.headerRule == headerRule{name: name}
	})
}

// key returns a text that is the same for effective rules of the same levels and kind.
func (e *Effective) key() string {
	key := fmt.Appendf(nil, "%v", e.kind)
	for _, l := range e.levels {
		key = binary.AppendUvarint(key, uint64(l.id))
	}
	return string(key)
}
