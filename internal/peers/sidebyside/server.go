package sidebyside

import (
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protodesc"
	"google.golang.org/protobuf/reflect/protoregistry"
	"google.golang.org/protobuf/types/descriptorpb"

	"github.com/corsrpc/corsrpc-go/corsrpc"
	"github.com/corsrpc/corsrpc-go/corsrpc/corsbrowser"
	"github.com/corsrpc/corsrpc-go/internal/rpc"
)

// Host is the origin of the servers, as the pages call them.
const Host = "https://api.example.dev"

// The paths of the servers. The first procedure is declared without side effects, the second is not. The other
// paths are files or resources.
const (
	Me     = "/acme.v1.AccountService/Me"
	Buy    = "/acme.v1.AccountService/Buy"
	Health = "/grpc.health.v1.Health/Check"
	File   = "/files/report.pdf"
)

// Ran is the response field by which a handler shows that it ran. The outcomes do not count it among the exposed ones.
const Ran = "X-Handler"

// Server is what the calls are made to.
type Server struct{ option corsbrowser.Option }

// Handler returns the server of a handler, which is called without a network.
func Handler(h http.Handler) Server { return Server{corsbrowser.WithHandler(h)} }

// At returns the server of a program that listens at a URL such as http://127.0.0.1:41234. The requests keep the host
// of [Host] in the field Host.
func At(t testing.TB, base string) Server {
	t.Helper()
	u, err := url.Parse(base)
	if err != nil || u.Host == "" {
		t.Fatalf("%q is not the URL of a server", base)
	}
	transport := &http.Transport{DisableCompression: true}
	t.Cleanup(transport.CloseIdleConnections)
	return Server{corsbrowser.WithTransport(programTransport{u, transport})}
}

// Through returns the server that a transport reaches. The transport gets the requests as the browser makes them, for
// [Host], and may change where they go.
func Through(transport http.RoundTripper) Server {
	return Server{corsbrowser.WithTransport(transport)}
}

// programTransport sends requests for [Host] to a program.
type programTransport struct {
	base *url.URL
	next http.RoundTripper
}

// RoundTrip sends a request to the program.
func (p programTransport) RoundTrip(r *http.Request) (*http.Response, error) {
	sent := r.Clone(r.Context())
	sent.Host = r.URL.Host
	sent.URL.Scheme, sent.URL.Host = p.base.Scheme, p.base.Host
	response, err := p.next.RoundTrip(sent)
	if err == nil {
		response.Request = r
	}
	return response, err
}

// API returns the handler behind each middleware, and the backend of each proxy. It answers OPTIONS with 405 as the
// handlers of connect-go do. Every other request gets 200, [Ran], and fields as an application, a server and
// gRPC-Web set them.
func API() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodOptions {
			w.WriteHeader(http.StatusMethodNotAllowed)
			return
		}
		h := w.Header()
		h.Set(Ran, "ran")
		h.Set("X-Request-Id", "1")
		h.Set("X-Total", "2")
		h.Set("Etag", `"3"`)
		h.Set("Trailer-X-Request-Id", "4")
		h.Set("Content-Type", "application/json")
		if rpc.IsGRPCWeb(r.Header.Get("Content-Type")) {
			h.Set("Content-Type", "application/grpc-web+proto")
			h.Set("Grpc-Status", "5")
			h.Set("Grpc-Message", "none")
		}
		w.WriteHeader(http.StatusOK)
	})
}

// Layer returns the middleware of a policy in YAML, for the schema of the servers. The options are those of
// corsrpc.Compile and corsrpc.New. It fails the test if the policy does not load.
func Layer(t testing.TB, policy string, opts ...corsrpc.Option) func(http.Handler) http.Handler {
	t.Helper()
	doc, err := corsrpc.ParsePolicy("cors.yaml", []byte(policy))
	if err != nil {
		t.Fatalf("%v\n%s", err, policy)
	}
	compile := []corsrpc.CompileOption{corsrpc.WithDocument(doc), corsrpc.WithFiles(Schema())}
	layerOptions := []corsrpc.LayerOption{corsrpc.WithLogger(slog.New(slog.DiscardHandler))}
	for _, o := range opts {
		switch o := o.(type) {
		case corsrpc.CompileOption:
			compile = append(compile, o)
		case corsrpc.LayerOption:
			layerOptions = append(layerOptions, o)
		}
	}
	plan, err := corsrpc.Compile(doc.Policy(), compile...)
	if err != nil {
		t.Fatalf("%v\n%s", err, policy)
	}
	layer, err := corsrpc.New(plan, layerOptions...)
	if err != nil {
		t.Fatal(err)
	}
	return layer.Wrap
}

// Defaults returns the policy whose defaults are these lines, such as "allow_credentials: true".
func Defaults(lines ...string) string {
	return "defaults:\n  " + strings.Join(lines, "\n  ") + "\n"
}

// Schema returns the schema of the servers: the service acme.v1.AccountService and the health check.
func Schema() *protoregistry.Files {
	method := func(name string, level descriptorpb.MethodOptions_IdempotencyLevel) *descriptorpb.MethodDescriptorProto {
		return &descriptorpb.MethodDescriptorProto{
			Name: &name, InputType: proto.String(".acme.v1.M"), OutputType: proto.String(".acme.v1.M"), Options: &descriptorpb.MethodOptions{IdempotencyLevel: &level},
		}
	}
	service := func(name string, methods ...*descriptorpb.MethodDescriptorProto) []*descriptorpb.ServiceDescriptorProto {
		return []*descriptorpb.ServiceDescriptorProto{{Name: &name, Method: methods}}
	}
	files, err := protodesc.NewFiles(&descriptorpb.FileDescriptorSet{File: []*descriptorpb.FileDescriptorProto{
		{
			Name: proto.String("account.proto"), Syntax: proto.String("proto3"), Package: proto.String("acme.v1"),
			MessageType: []*descriptorpb.DescriptorProto{{Name: proto.String("M")}},
			Service: service(
				"AccountService", method("Me", descriptorpb.MethodOptions_NO_SIDE_EFFECTS),
				method("Buy", descriptorpb.MethodOptions_IDEMPOTENCY_UNKNOWN),
			),
		},
		{
			Name: proto.String("health.proto"), Syntax: proto.String("proto3"), Package: proto.String("grpc.health.v1"), Dependency: []string{"account.proto"},
			Service: service("Health", method("Check", descriptorpb.MethodOptions_IDEMPOTENCY_UNKNOWN)),
		},
	}})
	if err != nil {
		panic(err) //nolint:forbidigo // the schema is a constant
	}
	return files
}
