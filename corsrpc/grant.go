package corsrpc

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/corsrpc/corsrpc-go/corsrpc/corsrpcv1"
	"github.com/corsrpc/corsrpc-go/internal/fetch"
	"github.com/corsrpc/corsrpc-go/internal/origin"
	"github.com/corsrpc/corsrpc-go/internal/rpc"
)

// A grant is the finished answer for the procedures or the path that one
// effective rule governs. It is immutable; procedures with the same layers share
// one.
type grant struct {
	*effective

	id          uint64
	answers     recent[exposure] // of procedures that are not known
	preflights  recent[string]   // values of Access-Control-Request-Headers of which all is granted as it is
	origins     *origin.Set
	sources     []string    // whose sets count as well
	originRule  *parsedRule // the layer that says them; nil for none
	anyOrigin   bool
	credentials bool
	disabled    bool

	allowMethods string   // Access-Control-Allow-Methods
	methods      []string // the same, one by one
	allowHeaders string   // Access-Control-Allow-Headers, without what a preflight adds
	headers      map[string]bool
	openHeaders  bool   // names may be granted that are in neither
	maxAge       string // Access-Control-Max-Age

	exposeHeaders string   // Access-Control-Expose-Headers: all of it under DECLARED
	exposeNames   []string // the same, one by one, sorted
	present       bool

	vary string // Vary, on GET and HEAD

	says func() string // what it answers, in one form, worked out once
}

// defaultMaxAge is what browsers are told where no rule sets max_age: the
// longest that Chromium takes.
const defaultMaxAge = 7200 * time.Second

// defaultMethods are those of a path whose rule does not set allow_methods.
var defaultMethods = []string{"GET", "HEAD", "POST"}

// grantKind is what the schema says of what a grant is for.
type grantKind struct {
	path    bool // of a path rule
	get     bool // declared NO_SIDE_EFFECTS
	unnamed bool // of operational services that no rule names
}

// grant makes the answer of layers, from the widest to the narrowest, and
// checks what only their combination shows.
func (c *compiler) grant(layers []*parsedRule, kind grantKind) *grant {
	e := c.merge(layers, kind)
	g := &grant{
		effective:   e,
		id:          newID(),
		credentials: e.credentialsFrom.rule().GetAllowCredentials(),
		disabled:    e.disabledFrom.rule().GetDisabled(),
		present:     e.exposure() == corsrpcv1.Exposure_EXPOSURE_PRESENT,
		maxAge:      fmt.Sprint(int64(e.maxAgeOrDefault() / time.Second)),
		methods:     e.methodsServed(),
	}
	g.allowMethods = strings.Join(g.methods, ", ")
	c.setOrigins(g, e.originsFrom)
	c.checkCredentials(g, g.originRule, e.credentialsFrom)
	c.someOrigin = c.someOrigin || g.originRule != nil && !g.disabled
	g.setHeaders()
	g.setVary(kind)
	g.says = sync.OnceValue(g.describe) // most plans are never compared
	return g
}

// setOrigins takes the origins of the layer that says them, and those that the
// profile adds. Grants share the layer's set: there may be a million origins, and
// as many grants as rules.
func (c *compiler) setOrigins(g *grant, l *parsedRule) {
	g.origins, g.originRule = noOrigins, l
	if l != nil && c.added != nil && !g.disabled && l.origins.Any() == 0 {
		l = l.joined(c.added)
		g.originRule = l
	}
	if l != nil {
		g.origins, g.sources = l.origins, l.sources
	}
	g.anyOrigin = g.origins.Any() != 0
}

// joined is the layer with more origins.
func (l *parsedRule) joined(added *parsedRule) *parsedRule {
	if l.withAdded == nil {
		joined := *l
		texts := &origin.Texts{}
		for _, from := range []*parsedRule{l, added} {
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

var noOrigins = origin.NewSet(nil)

// checkCredentials refuses credentials for origins that anybody can have.
func (c *compiler) checkCredentials(g *grant, origins, credentials *parsedRule) {
	if !g.credentials || origins == nil {
		return
	}
	if _, null := origins.origins.Exact("null"); !null && origins.origins.Any() == 0 {
		return
	}
	for i, text := range origins.origins.Texts().All {
		if text != "*" && text != "null" {
			continue
		}
		field, _ := origins.originPlace(i)
		switch text {
		case "*":
			c.failOnce(CheckWildcardWithCredentials, credentials.field+".allow_credentials",
				"would let every site act as its visitors: name the origins, or leave credentials out", "", field)
		case "null":
			c.failOnce(CheckNullWithCredentials, credentials.field+".allow_credentials",
				"would let a sandboxed frame of any site act as its visitors: leave out null, or credentials", "", field)
		}
	}
}

// setHeaders spells out both lists of header names.
func (g *grant) setHeaders() {
	g.headers = map[string]bool{}
	var names []string
	for _, name := range append(rpc.Names(g.protocols, rpc.Request), g.request.granted()...) {
		if !g.headers[name] {
			g.headers[name] = true
			names = append(names, name)
		}
	}
	g.allowHeaders, g.openHeaders = strings.Join(names, ", "), g.request.open()

	named := slices.DeleteFunc(g.response.granted(), fetch.SafelistedResponseHeader)
	exposed := slices.Clone(named)
	if !g.present {
		exposed = append(rpc.Names(g.protocols, rpc.Response), named...)
		if g.protocols&rpc.Connect != 0 {
			for _, name := range named {
				if yes, mentioned := g.response.verdict(rpc.TrailerPrefix + name); yes || !mentioned {
					exposed = append(exposed, rpc.TrailerPrefix+name)
				}
			}
		}
	}
	slices.Sort(exposed)
	g.exposeNames = slices.Compact(exposed)
	g.exposeHeaders = strings.Join(g.exposeNames, ", ")
}

// setVary finds what a GET's answer differs by. Where everyone is allowed, it
// does not: each carries the same headers.
func (g *grant) setVary(kind grantKind) {
	switch {
	case g.constant():
	case !kind.path:
		g.vary = varyBySite
	case g.disabled:
		g.vary = varyBySite
	case g.credentials:
		g.vary = varyByMode
	default:
		g.vary = "Origin"
	}
}

const (
	varyBySite = "Origin, Sec-Fetch-Site"
	varyByMode = "Origin, Sec-Fetch-Site, Sec-Fetch-Mode"
)

// constant reports whether GET and HEAD answers carry the same Access-Control
// headers whoever asks, so that any cache may give them to anybody.
func (g *grant) constant() bool { return g.anyOrigin && !g.credentials && !g.disabled }

// grants reports whether a request header of this lower-case name is granted.
func (g *grant) grants(name string) bool {
	if g.headers[name] || rpc.InFamily(g.protocols, name) {
		return true
	}
	if !g.openHeaders {
		return false
	}
	yes, _ := g.request.verdict(name)
	return yes
}

// answersLike reports whether two grants, of two plans perhaps, answer alike, whoever
// is allowed by them.
func (g *grant) answersLike(other *grant) bool { return g == other || g.says() == other.says() }

// describe puts all that answers depend on into a text that is the same for grants that
// answer alike, whatever layers they were put together from.
func (g *grant) describe() string {
	exposes := ""
	if g.present {
		exposes = g.response.normal(false)
	}
	asked := ""
	if g.openHeaders {
		asked = g.request.normal(true)
	}
	return fmt.Sprint(g.anyOrigin, g.credentials, g.maxAge, g.protocols, g.vary,
		slices.Sorted(slices.Values(g.methods)), slices.Sorted(maps.Keys(g.headers)), asked,
		g.present, g.exposeNames, exposes)
}

// intern returns the plan's own copy of a grant: what has the same layers has the
// same answer.
func (p *Plan) intern(g *grant) *grant {
	key := fmt.Sprint(g.kind)
	for _, l := range g.layers {
		key += "\x00" + l.field
	}
	if have, ok := p.interned[key]; ok {
		return have
	}
	p.interned[key] = g
	return g
}
