package literals

import (
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"testing"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protodesc"
	"google.golang.org/protobuf/reflect/protoregistry"
	"google.golang.org/protobuf/types/descriptorpb"

	"github.com/corsrpc/corsrpc-go/corsrpc"
	"github.com/corsrpc/corsrpc-go/corsrpc/corsbrowser"
	"github.com/corsrpc/corsrpc-go/internal/fetch"
	"github.com/corsrpc/corsrpc-go/internal/peers/literals/configurations"
)

// TestLiterals: between a middleware and the policy for its configuration, each difference is named, and each that is
// named occurs.
func TestLiterals(t *testing.T) { //nolint:paralleltest // environment variables
	if n := len(configurations.All); n < 30 {
		t.Errorf("%d configurations", n)
	}
	for _, c := range configurations.All {
		t.Run(c.File, func(t *testing.T) {
			d := initFromGo(t, c.File)
			trial := &trial{configuration: c, document: d, occurred: map[int]bool{}}
			for _, value := range c.Values {
				t.Setenv(c.Variable, value)
				trial.compare(t, d.Policy)
			}
			if c.Variable != "" {
				trial.checkEnvironment(t)
			} else {
				trial.compare(t, d.Policy)
			}
			if len(c.Complete) > 0 {
				trial.complete = true
				trial.compare(t, completed(t, d.Policy, c.Complete))
			}
			occurred := trial.occurred
			for i, change := range d.Changes {
				if change.Effect != "same" && !occurred[i] {
					t.Errorf("the difference does not occur: %+v", change)
				}
			}
			if t.Failed() {
				t.Log("\n" + d.Policy)
			}
		})
	}
}

// trial is a configuration, what the program makes of it, and which of the changes have occurred.
type trial struct {
	configuration configurations.Configuration
	document      document
	occurred      map[int]bool
	// complete is true if the author has completed the policy, which may then allow more than before.
	complete bool
}

// compare makes all calls to the middleware and to the layer with a policy, and finds the change that explains each
// difference.
func (tr *trial) compare(t *testing.T, policy string) {
	t.Helper()
	c := tr.configuration
	layer, err := load(policy)
	if err != nil {
		t.Fatalf("%v\n%s", err, policy)
	}
	for _, origin := range slices.Concat(usualOrigins, c.Origins) {
		before, after := visit(t, origin, c.Wrap), visit(t, origin, layer.Wrap)
		for i, call := range calls {
			for _, diff := range differences(before[i], after[i]) {
				diff.origin, diff.call, diff.before = origin, call, before[i]
				explained := false
				for j, change := range tr.document.Changes {
					if change.Effect == diff.effect() && diff.explainedBy(change) {
						explained, tr.occurred[j] = true, true
					}
				}
				if !explained && !(tr.complete && diff.wider) {
					t.Errorf("%s, from %s: %s, which no change names", call.name, origin, diff)
				}
			}
		}
	}
}

// difference is a difference between the outcomes of a call.
type difference struct {
	origin string
	call   call
	before outcome
	// The difference is in what, which is sent, readable, exposed or max_age; header is the exposed one.
	what, header string
	wider        bool
	text         string
}

func (d difference) effect() string {
	if d.wider {
		return "wider"
	}
	return "stricter"
}

func (d difference) String() string {
	return fmt.Sprintf("%s %s %s (%s)", d.effect(), d.what, d.header, d.text)
}

// differences compares two outcomes.
func differences(before, after outcome) (all []difference) {
	if before.sent != after.sent {
		all = append(all, difference{what: "sent", wider: after.sent})
	}
	if before.readable != after.readable {
		all = append(all, difference{what: "readable", wider: after.readable})
	}
	if before.maxAge >= 0 && after.maxAge >= 0 && before.maxAge != after.maxAge {
		all = append(all, difference{what: "max_age", wider: after.maxAge > before.maxAge, text: fmt.Sprint(before.maxAge, after.maxAge)})
	}
	if !before.readable || !after.readable {
		return all
	}
	for _, name := range after.exposed {
		if !slices.Contains(before.exposed, name) {
			all = append(all, difference{what: "exposed", header: name, wider: true})
		}
	}
	for _, name := range before.exposed {
		if !slices.Contains(after.exposed, name) {
			all = append(all, difference{what: "exposed", header: name})
		}
	}
	return all
}

// explainedBy reports whether a change of the same effect is a reason for the difference.
func (d difference) explainedBy(c change) bool {
	called := d.what == "sent" || d.what == "readable"
	has := func(name string) bool { return d.call.header.Get(name) != "" }
	switch c.Kind {
	case "REFUSED_BEFORE_HANDLER":
		return d.what == "sent" && !d.before.readable
	case "CREDENTIALS_REFUSED":
		return d.what == "sent" && !d.before.readable && d.call.credentials == corsbrowser.Include
	case "METHODS":
		return called && !slices.Contains([]string{"GET", "HEAD", "POST"}, d.call.method) // browsers need no grant for these three
	case "OTHER_PATHS_RUN":
		return d.what == "sent" && d.call.path == file
	case "OTHER_PATHS":
		return called && d.call.path == file
	case "OPERATIONAL_SERVICES":
		return called && d.call.path == health
	case "DISABLED", "POST_NOT_ALLOWED":
		return called
	case "ORIGIN_RISK", "ORIGIN_NARROWED", "ORIGIN_UNSUPPORTED":
		return called && matches(c.Values[0], d.origin)
	case "WITHOUT_PORT":
		return called && d.origin == strings.TrimSuffix(c.Values[0], ":*")
	case "ENVIRONMENT_LIST":
		return called
	case "PROTOCOL_HEADERS", "HEADER_LEFT_OUT":
		return called && slices.ContainsFunc(c.Values, has)
	case "HEADER_STAR":
		return called && (slices.ContainsFunc(c.Values, has) || has("grpc-metadata-x") || slices.Equal(c.Values, []string{"*"}) && slices.ContainsFunc(append(metadata, "accept"), has))
	case "STATUS_HEADERS", "TRAILERS":
		return d.what == "exposed" && slices.Contains(c.Values, d.header)
	case "EXPOSE_STAR":
		return d.what == "exposed" && (slices.Contains(c.Values, d.header) || slices.Equal(c.Values, []string{"*"}) || fetch.IsAccessControl(d.header))
	case "GET":
		return called && (d.call.method == "GET" || d.call.method == "HEAD")
	case "MAX_AGE":
		return d.what == "max_age"
	case "PREFLIGHTS_ANSWERED":
		return called
	case "UNKNOWN_VALUE":
		switch {
		case strings.Contains(c.Setting, "Expose") || strings.Contains(c.Setting, "Response"):
			return d.what == "exposed"
		case strings.Contains(c.Setting, "Header"):
			return called && slices.ContainsFunc(metadata, has)
		case strings.Contains(c.Setting, "MaxAge"):
			return d.what == "max_age"
		case strings.Contains(c.Setting, "Credential"):
			return called && d.call.credentials == corsbrowser.Include
		}
		return called
	}
	return false
}

// matches reports whether an item of a list of origins stands for an origin: the first star stands for any text.
func matches(item, origin string) bool {
	prefix, suffix, star := strings.Cut(strings.ToLower(item), "*")
	if !star {
		return prefix == origin
	}
	return strings.HasPrefix(origin, prefix) && strings.HasSuffix(origin, suffix)
}

// load makes the layer of a policy.
func load(policy string) (*corsrpc.Layer, error) {
	doc, err := corsrpc.ParsePolicy("cors.yaml", []byte(policy))
	if err != nil {
		return nil, err
	}
	plan, err := corsrpc.Compile(doc.Policy(), corsrpc.WithDocument(doc), corsrpc.WithFiles(schema()))
	if err != nil {
		return nil, err
	}
	return corsrpc.New(plan, corsrpc.WithLogger(slog.New(slog.DiscardHandler)))
}

// completed returns a policy that allows no origin after its author has written some.
func completed(t *testing.T, policy string, origins []string) string {
	t.Helper()
	const line = "  disabled: true\n"
	if !strings.Contains(policy, line) {
		t.Fatalf("the policy is complete:\n%s", policy)
	}
	replacement := ""
	if !strings.Contains(policy, "\n  allow_origins:") {
		replacement = `  allow_origins: ["` + strings.Join(origins, `", "`) + "\"]\n"
	}
	return strings.Replace(policy, line, replacement, 1)
}

// checkEnvironment: with an origin in plain http, the middleware allows that origin, and the policy does not load.
func (tr *trial) checkEnvironment(t *testing.T) {
	t.Helper()
	const origin = "http://plain.example.com"
	t.Setenv(tr.configuration.Variable, origin)
	allowed := slices.ContainsFunc(visit(t, origin, tr.configuration.Wrap), func(o outcome) bool { return o.readable })
	_, err := load(tr.document.Policy)
	var problems *corsrpc.PolicyError
	if !allowed || !errors.As(err, &problems) || problems.Violations[0].Check != corsrpc.CheckPlainHTTPOrigin {
		t.Errorf("allowed: %v; the policy: %v", allowed, err)
		return
	}
	for i, change := range tr.document.Changes {
		if change.Kind == "ENVIRONMENT" {
			tr.occurred[i] = true
		}
	}
}

// schema returns the schema of the server: a method without side effects, one with, and the health check.
func schema() *protoregistry.Files {
	method := func(name string, level descriptorpb.MethodOptions_IdempotencyLevel) *descriptorpb.MethodDescriptorProto {
		return &descriptorpb.MethodDescriptorProto{
			Name: &name, InputType: proto.String(".acme.v1.M"), OutputType: proto.String(".acme.v1.M"), Options: &descriptorpb.MethodOptions{IdempotencyLevel: &level},
		}
	}
	files, err := protodesc.NewFiles(&descriptorpb.FileDescriptorSet{File: []*descriptorpb.FileDescriptorProto{
		{
			Name: proto.String("account.proto"), Syntax: proto.String("proto3"), Package: proto.String("acme.v1"),
			MessageType: []*descriptorpb.DescriptorProto{{Name: proto.String("M")}},
			Service: []*descriptorpb.ServiceDescriptorProto{{Name: proto.String("AccountService"), Method: []*descriptorpb.MethodDescriptorProto{
				method("Me", descriptorpb.MethodOptions_NO_SIDE_EFFECTS), method("Buy", descriptorpb.MethodOptions_IDEMPOTENCY_UNKNOWN),
			}}},
		},
		{
			Name: proto.String("health.proto"), Syntax: proto.String("proto3"), Package: proto.String("grpc.health.v1"), Dependency: []string{"account.proto"},
			Service: []*descriptorpb.ServiceDescriptorProto{{Name: proto.String("Health"), Method: []*descriptorpb.MethodDescriptorProto{
				method("Check", descriptorpb.MethodOptions_IDEMPOTENCY_UNKNOWN),
			}}},
		},
	}})
	if err != nil {
		panic(err)
	}
	return files
}
