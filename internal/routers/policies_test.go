package routers

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"regexp"
	"slices"
	"strings"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protodesc"
	"google.golang.org/protobuf/reflect/protoregistry"
	"google.golang.org/protobuf/types/descriptorpb"

	"github.com/corsrpc/corsrpc-go/corsrpc"
)

// policy is a policy whose meaning does not depend on the layer's inheritance: every rule has
// all values that it could inherit.
type policy struct {
	prefix    string // the prefix of WithPathPrefix, with which path rules begin
	defaults  grant
	selectors []rule
	paths     []rule
	free      []string // routes without a rule, without the prefix

	layer  *corsrpc.Layer
	routes []*route
}

type rule struct {
	name string // the selector or the pattern
	grant
}

// grant holds the origins that may call, and with what.
type grant struct {
	kind        kind
	origins     string // separated by spaces; "*" is every origin
	credentials bool
	disabled    bool
}

type kind uint8

const (
	kindNone kind = iota // not governed by a rule
	kindPath
	kindProcedure
	kindShape // an unknown path with the form of a procedure; defaults govern requests that can be calls
)

func (g grant) as(k kind) grant { g.kind = k; return g }

// governsAs reports whether two grants allow the same governed calls.
func (g grant) governsAs(other grant) bool {
	if g.isOfProcedure() && other.isOfProcedure() {
		g.kind = other.kind
	}
	return g == other
}

func (g grant) isOfProcedure() bool { return g.kind == kindProcedure || g.kind == kindShape }

// names reports whether the grant lists the origin, or every origin.
func (g grant) names(origin string) bool {
	return g.origins == "*" || slices.Contains(strings.Fields(g.origins), origin)
}

func (g grant) yaml() string {
	if g.disabled {
		return "disabled: true"
	}
	list := strings.Fields(g.origins)
	for i, o := range list {
		list[i] = fmt.Sprintf("%q", o)
	}
	return fmt.Sprintf("allow_origins: [%s], allow_credentials: %t, disabled: false", strings.Join(list, ", "), g.credentials)
}

func (p *policy) yaml() string {
	var b strings.Builder
	fmt.Fprintf(&b, "defaults: {%s}\n", p.defaults.yaml())
	if len(p.selectors)+len(p.paths) > 0 {
		b.WriteString("rules:\n")
	}
	for _, r := range p.selectors {
		risks := ""
		if strings.HasPrefix(r.name, "other.") {
			risks = ", accept_risks: [UNKNOWN_SELECTORS]"
		}
		fmt.Fprintf(&b, "  - {selector: %q, %s%s}\n", r.name, r.yaml(), risks)
	}
	for _, r := range p.paths {
		fmt.Fprintf(&b, "  - {path: %q, %s}\n", r.name, r.yaml())
	}
	return b.String()
}

var procedures = []string{
	"acme.v1.Admin.Close", "acme.v1.Admin.List", "acme.v1.Catalog.Get", "acme.v1.Catalog.List",
	"acme.account.v1.AccountService.Me", "acme.account.v1.AccountService.Close", "Echo.Say",
}

// shapes lists paths with the form of a procedure, of services outside the schema.
var shapes = []string{"/other.v1.Thing/Do", "/john.doe/posts"}

var schema = newSchema()

func newSchema() *protoregistry.Files {
	files := map[string]*descriptorpb.FileDescriptorProto{}
	var set descriptorpb.FileDescriptorSet
	for _, name := range procedures {
		service, method := cutLast(name)
		pkg, service := cutLast(service)
		f := files[pkg]
		if f == nil {
			f = &descriptorpb.FileDescriptorProto{
				Name: proto.String(pkg + "/a.proto"), Syntax: proto.String("proto3"), Package: proto.String(pkg),
				MessageType: []*descriptorpb.DescriptorProto{{Name: proto.String("M")}},
			}
			files[pkg], set.File = f, append(set.File, f)
		}
		if n := len(f.Service); n == 0 || f.Service[n-1].GetName() != service {
			f.Service = append(f.Service, &descriptorpb.ServiceDescriptorProto{Name: &service})
		}
		message := "." + strings.TrimPrefix(pkg+".M", ".")
		m := &descriptorpb.MethodDescriptorProto{Name: &method, InputType: &message, OutputType: &message}
		if method != "Close" {
			m.Options = &descriptorpb.MethodOptions{IdempotencyLevel: descriptorpb.MethodOptions_NO_SIDE_EFFECTS.Enum()}
		}
		last := f.Service[len(f.Service)-1]
		last.Method = append(last.Method, m)
	}
	registry, err := protodesc.NewFiles(&set)
	if err != nil {
		panic(err)
	}
	return registry
}

func cutLast(name string) (parent, last string) {
	i := strings.LastIndexByte(name, '.')
	return name[:max(i, 0)], name[i+1:]
}

var procedureShape = regexp.MustCompile(`^/([A-Za-z_]\w*\.)*[A-Za-z_]\w*/[A-Za-z_]\w*$`)

// procedureGrant returns the grant of the procedure with a path, or the zero grant.
func (p *policy) procedureGrant(path string) grant {
	if !procedureShape.MatchString(path) {
		return grant{}
	}
	g, _ := p.resolve(strings.Replace(path[1:], "/", ".", 1))
	return g
}

// procedurePath returns the path of a procedure's full name.
func procedurePath(name string) string {
	service, method := cutLast(name)
	return "/" + service + "/" + method
}

// resolve returns the grant of the narrowest selector that matches a procedure. ok is true if
// its service is known or a selector matches it.
func (p *policy) resolve(name string) (g grant, ok bool) {
	service, _ := cutLast(name)
	for at := name; at != ""; at, _ = cutLast(at) {
		for _, r := range p.selectors {
			if r.name == at && (at == name || at == service) || r.name == at+".*" && at != name {
				return r.as(kindProcedure), true
			}
		}
	}
	known := slices.ContainsFunc(procedures, func(other string) bool { return strings.HasPrefix(other, service+".") })
	if !known {
		return p.defaults.as(kindShape), false
	}
	return p.defaults.as(kindProcedure), true
}

// compile creates the layer, through the public API only, and the routes.
func (p *policy) compile() error {
	doc, err := corsrpc.ParsePolicy("cors.yaml", []byte(p.yaml()))
	if err != nil {
		return err
	}
	opts := []corsrpc.CompileOption{corsrpc.WithDocument(doc), corsrpc.WithFiles(schema)}
	if p.prefix != "" {
		opts = append(opts, corsrpc.WithPathPrefix(p.prefix))
	}
	plan, err := corsrpc.Compile(doc.Policy(), opts...)
	if err != nil {
		return err
	}
	p.layer, err = corsrpc.New(plan, corsrpc.WithLogger(slog.New(slog.DiscardHandler)), corsrpc.WithObserver(corsrpc.ObserverFunc(note)))
	p.addRoutes()
	return err
}

// note stores the layer's decision in the visit of the request.
func note(ctx context.Context, e corsrpc.Event) {
	if v, ok := ctx.Value(visitKey{}).(*visit); ok && e.Kind == corsrpc.EventDecision {
		v.decision = e.Decision
	}
}

// route is a handler and its rule.
type route struct {
	pattern
	owner string // the procedure or the pattern of the rule; empty without a rule
	grant grant
}

// addRoutes adds a route for every rule, and for some paths without a rule, except those that
// ServeMux does not accept.
func (p *policy) addRoutes() {
	mux := http.NewServeMux()
	add := func(text, owner string, g grant) {
		if registers(mux, text, http.NotFoundHandler()) {
			p.routes = append(p.routes, &route{pattern: parsePattern(text), owner: owner, grant: g})
		}
	}
	for _, name := range procedures {
		g, _ := p.resolve(name)
		add(procedurePath(name), name, g)
	}
	for _, r := range p.paths {
		if text, ok := strings.CutPrefix(r.name, p.prefix); ok && strings.HasPrefix(text, "/") {
			add(text, r.name, r.as(kindPath))
		}
	}
	for _, path := range shapes {
		name := strings.ReplaceAll(path[1:], "/", ".")
		g, covered := p.resolve(name)
		if r, ok := p.pathRule(p.prefix + path); ok && !covered {
			g = r.as(kindPath)
		}
		add(path, name, g)
	}
	for _, text := range p.free {
		var owner string
		var g grant
		if r, ok := p.pathRule(p.prefix + text); ok {
			owner, g = r.name, r.as(kindPath)
		}
		add(text, owner, g)
	}
	narrowestFirst(p.routes, func(r *route) pattern { return r.pattern })
}

// pathRule returns the narrowest path rule that matches every path of a pattern.
func (p *policy) pathRule(text string) (rule, bool) {
	rules := slices.Clone(p.paths)
	narrowestFirst(rules, func(r rule) pattern { return parsePattern(r.name) })
	for _, r := range rules {
		if parsePattern(r.name).covers(parsePattern(text)) {
			return r, true
		}
	}
	return rule{}, false
}
