package corsenvoy

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"reflect"
	"runtime/debug"
	"strings"
	"sync"
	"sync/atomic"

	extprocv3 "github.com/envoyproxy/go-control-plane/envoy/service/ext_proc/v3"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/structpb"
)

// Policy decides on requests: a *corsrpc.Layer or a *corsrpc.Plan. The handler that its Wrap returns runs
// the handler that it is given at most once, and before it returns.
type Policy interface {
	Wrap(next http.Handler) http.Handler
}

// Route says from where in Envoy's configuration a request comes.
type Route struct {
	// Host is the Host or :authority of the request, as the browser sent it.
	Host string
	// Metadata is the initial metadata of Envoy's stream. Envoy's configuration writes it, in
	// grpc_initial_metadata of the filter or of a route (ExtProcPerRoute), and browsers cannot.
	Metadata metadata.MD
	// Attributes are those that the filter's configuration names in request_attributes; nil if there are
	// none.
	Attributes *structpb.Struct
}

// Processor serves Envoy's external processing protocol. It is safe for concurrent use. New and NewForRoutes
// make processors.
type Processor struct {
	extprocv3.UnimplementedExternalProcessorServer

	choose   func(Route) Policy
	log      *slog.Logger
	reported sync.Map    // the faults of Envoy's configuration that were logged: each once
	seen     atomic.Bool // whether a response has come
}

// Option is an option of New and NewForRoutes.
type Option func(*Processor) error

// WithLogger sets the logger for faults of Envoy's configuration, and for panics of a policy's observers. Nil
// is an error. Default: slog.Default(). Layers have loggers of their own.
func WithLogger(log *slog.Logger) Option {
	return func(p *Processor) error {
		if log == nil {
			return errors.New("corsenvoy: WithLogger: the logger is nil: leave the option out, or pass slog.New(slog.DiscardHandler)")
		}
		p.log = log
		return nil
	}
}

// New returns a processor that enforces one policy for all requests. It returns an error if the policy is nil.
func New(policy Policy, options ...Option) (*Processor, error) {
	if isNil(policy) {
		return nil, errors.New("corsenvoy: New: the policy is nil: pass a *corsrpc.Layer or a *corsrpc.Plan")
	}
	return NewForRoutes(func(Route) Policy { return policy }, options...)
}

// NewForRoutes returns a processor that takes the policy of each request from a function, which is called
// concurrently. A request for which the function returns nil is answered with 421 (RFC 9110, section 15.5.20).
// NewForRoutes returns an error if the function is nil.
func NewForRoutes(choose func(Route) Policy, options ...Option) (*Processor, error) {
	p := &Processor{choose: choose, log: slog.Default()}
	var problems []error
	if choose == nil {
		problems = append(problems, errors.New("corsenvoy: NewForRoutes: the function is nil: pass one that returns the policy of a request"))
	}
	for _, o := range options {
		if o == nil {
			problems = append(problems, errors.New("corsenvoy: an option is nil: leave it out"))
			continue
		}
		problems = append(problems, o(p))
	}
	if err := errors.Join(problems...); err != nil {
		return nil, err
	}
	return p, nil
}

// Register registers the processor as a service of a gRPC server.
func (p *Processor) Register(server grpc.ServiceRegistrar) {
	extprocv3.RegisterExternalProcessorServer(server, p)
}

// Process serves the stream of one request. It returns an error for every stream that ends before the request,
// and the response if it needs a look, are decided on.
func (p *Processor) Process(stream grpc.BidiStreamingServer[extprocv3.ProcessingRequest, extprocv3.ProcessingResponse]) error {
	first, err := stream.Recv()
	if err != nil {
		return undecided(err)
	}
	if first.GetObservabilityMode() {
		return p.misconfigured(codes.FailedPrecondition, "Envoy's filter has observability_mode: it lets every request through, whatever the policy says. "+
			"Remove observability_mode from the filter. To let requests through and log what the policy would refuse, write enforcement: OBSERVE in the policy")
	}
	switch message := first.GetRequest().(type) {
	case *extprocv3.ProcessingRequest_RequestHeaders:
		return p.decide(stream, message.RequestHeaders, attributesOf(first))
	case *extprocv3.ProcessingRequest_ResponseHeaders:
		if err := p.alone(message.ResponseHeaders); err != nil {
			return err
		}
		return stream.Send(continueResponse(nil)) // a filter before this one has answered the request
	default:
		return p.misconfigured(codes.InvalidArgument, fmt.Sprintf("the first message of a stream is a %T, and not the header of a request: set request_header_mode to SEND in processing_mode", message))
	}
}

// alone returns an error for a response without its request if the response is that of a server: no processor has decided
// on the request.
func (p *Processor) alone(response *extprocv3.HttpHeaders) error {
	header, code := responseOf(response.GetHeaders())
	if len(header[upstreamTime]) > 0 {
		return p.misconfigured(codes.FailedPrecondition, "Envoy has forwarded a request without a decision, so its response is withheld: set request_header_mode to SEND in processing_mode, "+
			"and remove filters to the left of the processor's that answer from a cache")
	}
	const message = "corsrpc: Envoy has answered a request without a decision: a filter to the left of the processor's did so, and the processor's has to be the first one. " +
		"If this is so for every request, set request_header_mode to SEND in processing_mode"
	if strings.HasPrefix(code, "2") { // others are mostly those of malformed requests, which Envoy answers itself
		if _, before := p.reported.LoadOrStore(message, nil); !before {
			p.log.Warn(message, "status", code)
		}
	}
	return nil
}

// unseen logs a fault of Envoy's configuration if Envoy has reset a stream instead of sending the response that it
// was expected to send, and no response has come until now.
func (p *Processor) unseen(err error) {
	const message = "corsrpc: Envoy does not send responses, so pages cannot read them, or can read what the server itself allows: set response_header_mode to SEND in processing_mode"
	if status.Code(err) != codes.Canceled || p.seen.Load() {
		return
	}
	if _, before := p.reported.LoadOrStore(message, nil); !before {
		p.log.Error(message)
	}
}

// upstreamTime is a field that Envoy adds to the responses of servers, unless the router has
// suppress_envoy_headers.
const upstreamTime = "X-Envoy-Upstream-Service-Time"

// misconfigured logs a fault of Envoy's configuration, once, and returns it as the error of a stream.
func (p *Processor) misconfigured(code codes.Code, message string) error {
	if _, before := p.reported.LoadOrStore(message, nil); !before {
		p.log.Error("corsrpc: " + message)
	}
	return status.Error(code, "corsrpc: "+message)
}

// decide decides on a request, and later on its response.
func (p *Processor) decide(stream grpc.BidiStreamingServer[extprocv3.ProcessingRequest, extprocv3.ProcessingResponse], headers *extprocv3.HttpHeaders, attributes *structpb.Struct) error {
	r, err := requestOf(stream.Context(), headers.GetHeaders())
	if err != nil {
		return stream.Send(immediate(http.StatusBadRequest, http.Header{"Content-Type": {"text/plain; charset=utf-8"}}, []byte(err.Error()+"\n")))
	}
	x := &exchange{processor: p, stream: stream, header: http.Header{}}
	if err := p.serve(x, r, attributes); err != nil {
		return err
	}
	return x.finish()
}

// serve runs the handler of the request's policy. It returns an error if that did not come to its end.
func (p *Processor) serve(x *exchange, r *http.Request, attributes *structpb.Struct) (err error) {
	defer func() {
		switch cause := recover(); {
		case x.failed != nil:
			err = x.failed
		case cause != nil:
			p.log.Error("corsrpc: a policy or one of its observers panicked", "panic", fmt.Sprint(cause), "stack", string(debug.Stack()))
			err = status.Error(codes.Internal, "corsrpc: a policy or one of its observers panicked: see the processor's log")
		}
	}()
	md, _ := metadata.FromIncomingContext(r.Context())
	policy := p.choose(Route{Host: r.Host, Metadata: md, Attributes: attributes})
	if isNil(policy) {
		http.Error(x, "corsrpc: no policy is for this host or route", http.StatusMisdirectedRequest)
		return nil
	}
	policy.Wrap(http.HandlerFunc(x.forward)).ServeHTTP(x, r)
	return nil
}

// undecided is the error of a stream that ends too early.
func undecided(err error) error {
	if s := status.Convert(err); s.Code() != codes.Unknown && s.Code() != codes.OK {
		return s.Err() // of the transport, such as Canceled
	}
	if errors.Is(err, context.Canceled) {
		return status.Error(codes.Canceled, "corsrpc: the stream ended before the decision")
	}
	return status.Error(codes.Aborted, "corsrpc: the stream ended before the decision")
}

// attributesOf returns the attributes of a message.
func attributesOf(m *extprocv3.ProcessingRequest) *structpb.Struct {
	return m.GetAttributes()["envoy.filters.http.ext_proc"]
}

// isNil reports whether a policy is nil, or a nil pointer.
func isNil(policy Policy) bool {
	if policy == nil {
		return true
	}
	v := reflect.ValueOf(policy)
	return v.Kind() == reflect.Pointer && v.IsNil()
}
