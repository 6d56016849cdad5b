package bench

import (
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"testing"

	connectcors "connectrpc.com/cors"
	"github.com/gorilla/handlers"
	"github.com/rs/cors"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protodesc"
	"google.golang.org/protobuf/reflect/protoregistry"
	"google.golang.org/protobuf/types/descriptorpb"

	"github.com/corsrpc/corsrpc-go/corsrpc"
	"github.com/corsrpc/corsrpc-go/corsrpc/corsrpcv1"
	"github.com/corsrpc/corsrpc-go/internal/route"
)

// A setting is a policy from which the handler of each implementation is built.
type setting struct {
	exact    []string
	patterns []string // https://*.host
	// The numbers of more origins and patterns. The last of each allows the page. They are made when they are used, so
	// that they do not take memory in other contests.
	moreOrigins, morePatterns int
	expose                    []string // the headers of the handler's responses that are not safelisted

	others    []string // those that the page may not read; known to the handler by hand only
	anonymous bool     // without credentials
	quiet     bool     // without a log of refusals

	// The fields below are only for corsrpc.
	procedures int
	rules      int // rules that govern one procedure each
	more       int // rules that govern no procedure
}

// page is the origin that calls.
const page = "https://app.example.com"

// procedure is the path that is called.
const procedure = "/acme.v1.CatalogService/M0"

// An implementation is a CORS middleware.
type implementation struct {
	name string
	peer bool // another library, which searches its list linearly
	wrap func(testing.TB, setting, http.Handler) http.Handler
}

var implementations = []implementation{
	{"floor", false, wrapFloor},
	{"corsrpc", false, wrapLayer},
	{"rs", true, wrapRS},
	{"gorilla", true, wrapGorilla},
}

// allExact returns all exact origins.
func (s setting) allExact() []string { return slices.Concat(s.exact, origins(s.moreOrigins)) }

// allPatterns returns all patterns.
func (s setting) allPatterns() []string { return slices.Concat(s.patterns, patterns(s.morePatterns)) }

func wrapFloor(_ testing.TB, s setting, next http.Handler) http.Handler {
	f := &floor{credentials: !s.anonymous, logs: !s.quiet, allow: allowHeaders, origins: map[string]bool{}, wildcards: map[string]bool{}, next: next}
	f.paths = route.New(route.Config[pathKind]{Same: func(a, b pathKind) bool { return a == b }, Uncovered: pathGoverned, Unnamed: pathOperational})
	f.paths.AddService("acme.v1.CatalogService")
	f.paths.AddMethod("acme.v1.CatalogService", "M0", pathGoverned)
	for _, o := range s.allExact() {
		f.origins[o] = true
	}
	for _, p := range s.allPatterns() { // https://*.host only
		f.wildcards[strings.TrimPrefix(p, "https://*.")] = true
	}
	exposed := slices.Sorted(slices.Values(s.expose))
	f.carries = slices.Concat(exposed, s.others)
	f.expose = strings.ToLower(strings.Join(exposed, ", "))
	return f
}

// allowHeaders is the Access-Control-Allow-Headers of a policy without allow_headers.
const allowHeaders = "content-type, connect-protocol-version, connect-timeout-ms, connect-content-encoding, connect-accept-encoding, content-encoding, x-grpc-web, x-user-agent, grpc-timeout, grpc-encoding, grpc-accept-encoding, grpc-message-type, user-agent"

// wrapLayer wraps a handler in a layer with a log, as in a server, unless the setting is quiet.
func wrapLayer(t testing.TB, s setting, next http.Handler) http.Handler {
	handler := slog.Handler(slog.NewTextHandler(io.Discard, nil)) // unlike slog.DiscardHandler, which turns the log off
	if s.quiet {
		handler = slog.DiscardHandler
	}
	layer := newLayer(t, s, corsrpc.WithLogger(slog.New(handler)))
	return layer.Wrap(next)
}

func newLayer(t testing.TB, s setting, opts ...corsrpc.LayerOption) *corsrpc.Layer {
	t.Helper()
	plan, err := corsrpc.Compile(s.policy(), corsrpc.WithFiles(schema(t, max(1, s.procedures))))
	if err != nil {
		t.Fatal(err)
	}
	layer, err := corsrpc.New(plan, opts...)
	if err != nil {
		t.Fatal(err)
	}
	return layer
}

func (s setting) policy() *corsrpcv1.Policy {
	policy := &corsrpcv1.Policy{Defaults: &corsrpcv1.Rule{
		AllowOrigins:     slices.Concat(s.allExact(), s.allPatterns()),
		AllowCredentials: proto.Bool(!s.anonymous),
	}}
	for i := range s.rules {
		policy.Rules = append(policy.Rules, &corsrpcv1.Rule{
			Selector:     fmt.Sprintf("acme.v1.CatalogService.M%d", i),
			AllowHeaders: []string{fmt.Sprintf("x-of-%d", i)},
		})
	}
	for i := range s.more {
		policy.Rules = append(policy.Rules, &corsrpcv1.Rule{
			Selector:     fmt.Sprintf("acme.v1.elsewhere.p%d.*", i),
			AllowHeaders: []string{fmt.Sprintf("x-of-%d", i)},
			AcceptRisks:  []corsrpcv1.Risk{corsrpcv1.Risk_RISK_UNKNOWN_SELECTORS},
		})
	}
	return policy
}

// schema returns a schema of one service with many methods.
func schema(t testing.TB, procedures int) *protoregistry.Files {
	t.Helper()
	service := &descriptorpb.ServiceDescriptorProto{Name: proto.String("CatalogService")}
	for i := range procedures {
		service.Method = append(service.Method, &descriptorpb.MethodDescriptorProto{
			Name: proto.String(fmt.Sprintf("M%d", i)), InputType: proto.String(".acme.v1.M"), OutputType: proto.String(".acme.v1.M"),
		})
	}
	files, err := protodesc.NewFiles(&descriptorpb.FileDescriptorSet{File: []*descriptorpb.FileDescriptorProto{{
		Name: proto.String("catalog.proto"), Syntax: proto.String("proto3"), Package: proto.String("acme.v1"),
		MessageType: []*descriptorpb.DescriptorProto{{Name: proto.String("M")}},
		Service:     []*descriptorpb.ServiceDescriptorProto{service},
	}}})
	if err != nil {
		t.Fatal(err)
	}
	return files
}

// wrapRS uses the header lists of connectrpc.com/cors, which connect-go's documentation
// recommends.
func wrapRS(_ testing.TB, s setting, next http.Handler) http.Handler {
	return cors.New(cors.Options{
		AllowedOrigins:   slices.Concat(s.allExact(), s.allPatterns()),
		AllowedMethods:   connectcors.AllowedMethods(),
		AllowedHeaders:   connectcors.AllowedHeaders(),
		ExposedHeaders:   slices.Concat(connectcors.ExposedHeaders(), s.expose),
		AllowCredentials: true,
		MaxAge:           7200,
	}).Handler(next)
}

// wrapGorilla uses a function that looks up wildcards as the floor does, since gorilla has no
// wildcards.
func wrapGorilla(t testing.TB, s setting, next http.Handler) http.Handler {
	options := []handlers.CORSOption{
		handlers.AllowedOrigins(s.allExact()),
		handlers.AllowedMethods(connectcors.AllowedMethods()),
		handlers.AllowedHeaders(connectcors.AllowedHeaders()),
		handlers.ExposedHeaders(slices.Concat(connectcors.ExposedHeaders(), s.expose)),
		handlers.AllowCredentials(),
		handlers.MaxAge(600), // the largest value that it accepts
	}
	if len(s.patterns)+s.morePatterns > 0 {
		f := wrapFloor(t, s, nil).(*floor)
		options = append(options, handlers.AllowedOriginValidator(func(from string) bool {
			allowed, _ := f.allows(from)
			return allowed
		}))
	}
	return handlers.CORS(options...)(next)
}
