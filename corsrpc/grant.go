package corsrpc

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/corsrpc/corsrpc-go/corsrpc/corsrpcv1"
	"github.com/corsrpc/corsrpc-go/internal/fetch"
	"github.com/corsrpc/corsrpc-go/internal/origin"
	"github.com/corsrpc/corsrpc-go/internal/rpc"
)

// A grant is the finished answer for the procedures or the path that one
// effective rule governs. It is immutable; procedures with equal rules share
// one.
type grant struct {
	field    string // the narrowest rule behind it: rules[3], defaults; empty for none
	selector string

	origins     *origin.Set
	originRule  *parsedRule // the layer that says them; nil for none
	anyOrigin   bool
	credentials bool
	disabled    bool

	allowMethods string   // Access-Control-Allow-Methods
	methods      []string // the same, one by one
	allowHeaders string   // Access-Control-Allow-Headers, without what a preflight adds
	headers      map[string]bool
	openHeaders  bool // names may be granted that are in neither
	request      nameList
	protocols    rpc.Protocols
	maxAge       string // Access-Control-Max-Age

	exposeHeaders string   // Access-Control-Expose-Headers: all of it under DECLARED
	exposeNames   []string // the same, one by one, sorted
	present       bool
	response      nameList

	vary string // Vary, on GET and HEAD
}

// defaultMaxAge is what browsers are told where no rule sets max_age: the
// longest that Chromium takes.
const defaultMaxAge = 7200 * time.Second

// grantKind is what the schema says of what a grant is for.
type grantKind struct {
	path bool // of a path rule
	get  bool // declared NO_SIDE_EFFECTS
}

// grant makes the answer of layers, from the widest to the narrowest, and
// checks what only their combination shows.
func (c *compiler) grant(layers []*parsedRule, kind grantKind) *grant {
	g := &grant{protocols: rpc.Connect | rpc.GRPCWeb, present: !kind.path}
	var origins, credentials, disabled *parsedRule
	maxAge := defaultMaxAge
	methods := []string{"GET", "HEAD", "POST"}
	for _, l := range layers {
		m := l.message
		g.field, g.selector = l.field, l.selector
		if len(m.GetAllowOrigins())+len(m.GetAllowOriginsFrom()) > 0 {
			origins = l
		}
		if m.AllowCredentials != nil {
			credentials, g.credentials = l, m.GetAllowCredentials()
		}
		switch {
		case m.Disabled != nil:
			disabled, g.disabled = l, m.GetDisabled()
		case g.disabled && c.saysSomething(l):
			c.failOnce(CheckRuleIneffective, l.field, "has no effect, since a wider rule is disabled", "disabled: false", disabled.field+".disabled")
		}
		if len(m.GetProtocols()) > 0 {
			g.protocols = l.protocols
		}
		if m.GetMaxAge() != nil {
			maxAge = m.GetMaxAge().AsDuration()
		}
		if len(m.GetAllowMethods()) > 0 {
			methods = l.methods
		}
		if e := m.GetExpose(); e != corsrpcv1.Exposure_EXPOSURE_UNSPECIFIED {
			g.present = e == corsrpcv1.Exposure_EXPOSURE_PRESENT
		}
		g.request = append(g.request, l.request)
		g.response = append(g.response, l.response)
	}
	slices.Reverse(g.request)
	slices.Reverse(g.response)
	if kind.path {
		g.protocols = 0
	} else {
		methods = []string{"POST"}
		if kind.get && g.protocols&rpc.Connect != 0 {
			methods = []string{"GET", "POST"}
		}
	}
	g.setOrigins(origins)
	c.checkCredentials(g, origins, credentials)
	c.someOrigin = c.someOrigin || origins != nil && !g.disabled
	g.methods, g.allowMethods = methods, strings.Join(methods, ", ")
	g.maxAge = fmt.Sprint(int64(maxAge / time.Second))
	g.setHeaders()
	g.setVary(kind)
	return g
}

// saysSomething reports whether a layer means to grant or to change something.
// Defaults without a field are no layer.
func (c *compiler) saysSomething(l *parsedRule) bool { return l != c.defaults }

// setOrigins takes the origins of the layer that says them. Grants share the
// layer's set: there may be a million origins, and as many grants as rules.
func (g *grant) setOrigins(l *parsedRule) {
	g.origins, g.originRule = noOrigins, l
	if l != nil {
		if l.set == nil {
			l.set = origin.NewSet(l.origins)
		}
		g.origins = l.set
	}
	g.anyOrigin = g.origins.Any()
}

var noOrigins = origin.NewSet(nil)

// checkCredentials refuses credentials for origins that anybody can have.
func (c *compiler) checkCredentials(g *grant, origins, credentials *parsedRule) {
	if !g.credentials || origins == nil {
		return
	}
	for i, p := range origins.origins {
		switch {
		case p.IsAny():
			c.failOnce(CheckWildcardWithCredentials, credentials.field+".allow_credentials",
				"would let every site act as its visitors: name the origins, or leave credentials out", "", origins.originField(i))
		case p.IsNull():
			c.failOnce(CheckNullWithCredentials, credentials.field+".allow_credentials",
				"would let a sandboxed frame of any site act as its visitors: leave out null, or credentials", "", origins.originField(i))
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

// fingerprint is equal for grants that answer alike.
func (g *grant) fingerprint() string {
	from := ""
	if g.originRule != nil {
		from = g.originRule.field
	}
	return fmt.Sprintf("%s\x00%s\x00%v %v\x00%s\x00%s\x00%s\x00%v\x00%v %v\x00%s\x00%s",
		g.field, from, g.credentials, g.disabled, g.allowMethods, g.allowHeaders,
		g.maxAge, g.request, g.present, g.response, g.exposeHeaders, g.vary)
}

// intern returns the plan's own copy of a grant.
func (p *Plan) intern(g *grant) *grant {
	key := g.fingerprint()
	if have, ok := p.interned[key]; ok {
		return have
	}
	p.interned[key] = g
	return g
}
