package peers

import (
	"context"
	"errors"
	"iter"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"testing"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protodesc"
	"google.golang.org/protobuf/reflect/protoregistry"
	"google.golang.org/protobuf/types/descriptorpb"

	"github.com/corsrpc/corsrpc-go/corsrpc"
)

// A policy is a configuration of corsrpc: the text of a policy in YAML, and what the program adds.
type policy struct {
	class *class
	text  string
	// profile is the chosen profile, or "".
	profile string
	// rows are the rows of the origin source "partners".
	rows []string
}

// fromSource is a policy whose origins are rows of a database.
const fromSource = `defaults: {allow_origins_from: [partners], allow_credentials: true}`

var policies = []policy{
	{class: httpsTrustsHTTP, text: `defaults: {allow_origins: ["https://app.example.com", "http://app.example.com"], allow_credentials: true}`},
	{class: httpsTrustsHTTP, text: `defaults: {allow_origins: ["https://app.example.com", "http://app.example.com"], allow_credentials: true, accept_risks: [PLAIN_HTTP]}`},
	{class: httpsTrustsHTTP, text: `defaults: {allow_origins: ["http*://app.example.com"], allow_credentials: true}`},
	{class: httpsTrustsHTTP, text: `defaults: {allow_origins: ["app.example.com"], allow_credentials: true}`},
	{class: httpsTrustsHTTP, text: fromSource, rows: []string{intended, "http://app.example.com"}},

	{class: allSubdomains, text: `defaults: {allow_origins: ["https://*.example.com"], allow_credentials: true}`},
	{class: allSubdomains, text: `defaults: {allow_origins: ["*.example.com"], allow_credentials: true}`},
	{class: allSubdomains, text: `defaults: {allow_origins: [".example.com"], allow_credentials: true}`},
	{class: allSubdomains, text: fromSource, rows: []string{intended, "https://*.example.com"}},

	{class: reflectingOrigin, text: `defaults: {allow_origins: ["*"], allow_credentials: true}`},
	{class: reflectingOrigin, text: `defaults: {allow_origins: ["*"]}`},
	{class: reflectingOrigin, text: `defaults: {allow_origins: ["https://*"], allow_credentials: true}`},
	{class: reflectingOrigin, text: fromSource, rows: []string{intended, "*"}},

	{class: prefixMatch, text: `defaults: {allow_origins: ["https://app.example.com*"], allow_credentials: true}`},
	{class: prefixMatch, text: `defaults: {allow_origins: ["https://app.example.com.*"], allow_credentials: true}`},
	{class: prefixMatch, text: fromSource, rows: []string{intended, "https://app.example.com*"}},

	{class: suffixMatch, text: `defaults: {allow_origins: ["https://*example.com"], allow_credentials: true}`},
	{class: suffixMatch, text: `defaults: {allow_origins: ["https://*example.com"], allow_credentials: true, accept_risks: [PUBLIC_SUFFIX]}`},
	{class: suffixMatch, text: `defaults: {allow_origins: ["*example.com"], allow_credentials: true}`},
	{class: suffixMatch, text: fromSource, rows: []string{intended, "https://*example.com"}},

	{class: substringMatch, text: `defaults: {allow_origins: ["*example.com*"], allow_credentials: true}`},
	{class: substringMatch, text: `defaults: {allow_origins: ["https://*example.com*"], allow_credentials: true}`},
	{class: substringMatch, text: `defaults: {allow_origins: ["https://app.example.com,https://admin.example.com"], allow_credentials: true}`},

	{class: notEscapingDot, text: `defaults: {allow_origins: ["^https://app.example.com$"], allow_credentials: true}`},
	{class: notEscapingDot, text: `defaults: {allow_origins: ["/^https://app.example.com$/"], allow_credentials: true}`},
	{class: notEscapingDot, text: `defaults: {allow_origins: ["https://.*.example.com"], allow_credentials: true}`},
	{class: notEscapingDot, text: `defaults: {allow_origins: ["https://app.example.com"], allow_credentials: true}`},

	{class: trustNull, text: `defaults: {allow_origins: ["https://app.example.com", "null"], allow_credentials: true}`},
	{class: trustNull, text: `defaults: {allow_origins: ["https://app.example.com", "null"], allow_credentials: true, accept_risks: [NULL_ORIGIN]}`},
	{class: trustNull, text: `defaults: {allow_origins: ["https://app.example.com", "null"], accept_risks: [NULL_ORIGIN]}`},
	{class: trustNull, text: fromSource, rows: []string{intended, "null"}},

	{class: loopbackBackdoor, text: `defaults: {allow_origins: ["https://app.example.com", "http://localhost:3000"], allow_credentials: true}`},
	{class: loopbackBackdoor, text: `defaults: {allow_origins: ["https://app.example.com", "http://localhost:*"], allow_credentials: true}`},
	{class: loopbackBackdoor, text: `defaults: {allow_origins: ["https://app.example.com", "http://localhost*"], allow_credentials: true}`},
	{class: loopbackBackdoor, text: withProfile},
	{class: loopbackBackdoor, text: withProfile, profile: "dev"},
	{class: loopbackBackdoor, text: fromSource, rows: []string{intended, "http://localhost:3000"}},

	{class: notAsMeant, text: `defaults: {allow_origins: [], allow_credentials: true}`},
	{class: notAsMeant, text: `defaults: {allow_origins: ["https://app.example.com/"], allow_credentials: true}`},
	{class: notAsMeant, text: `defaults: {allow_origins: ["app.example.com"], allow_credentials: true}`},
	{class: notAsMeant, text: `defaults: {allow_origins: ["https://*.*.example.com"], allow_credentials: true}`},
}

// withProfile has the developers' origins in a profile.
const withProfile = `{defaults: {allow_origins: ["https://app.example.com"], allow_credentials: true}, profiles: {dev: {add_origins: ["http://localhost:*"]}}}`

// sound is a policy that allows the intended origin alone.
var sound = policy{text: `defaults: {allow_origins: ["https://app.example.com"], allow_credentials: true}`}

// String returns the policy as the report shows it.
func (p policy) String() string {
	text := "`" + p.text + "`"
	if p.profile != "" {
		text += ", with the profile `" + p.profile + "` chosen"
	}
	if len(p.rows) > 0 {
		text += " with the rows `" + strings.Join(p.rows, "`, `") + "`"
	}
	return text
}

// byName reports whether the policy names the risk that it takes, or a profile for development is chosen.
func (p policy) byName() bool {
	return strings.Contains(p.text, "accept_risks") || p.profile != ""
}

// load compiles the policy as [corsrpc.Load] does, and wraps the server.
func (p policy) load(t *testing.T) loading {
	t.Helper()
	doc, err := corsrpc.ParsePolicy("cors.yaml", []byte(p.text))
	if err != nil {
		return refusal(t, err)
	}
	plan, err := corsrpc.Compile(doc.Policy(), corsrpc.WithDocument(doc), corsrpc.WithFiles(schema(t)), corsrpc.WithProfile(p.profile))
	if err != nil {
		return refusal(t, err)
	}
	log := &recorder{}
	opts := []corsrpc.LayerOption{corsrpc.WithLogger(slog.New(log))}
	if len(p.rows) > 0 {
		opts = append(opts, corsrpc.WithOriginSource("partners", corsrpc.OriginSourceFunc(func(context.Context) iter.Seq2[string, error] {
			return func(yield func(string, error) bool) {
				for _, row := range p.rows {
					if !yield(row, nil) {
						return
					}
				}
			}
		})))
	}
	layer, err := corsrpc.New(plan, opts...)
	if err != nil {
		return refusal(t, err)
	}
	if len(p.rows) > 0 {
		if err := layer.Refresh(t.Context(), "partners"); err != nil {
			t.Fatal(err)
		}
	}
	return loading{handler: layer.Wrap(http.HandlerFunc(account)), words: log.messages}
}

// languageChecks are the checks that a text fails if it is not valid in the language of policies. A valid text fails
// other checks, by its meaning.
var languageChecks = []corsrpc.Check{
	corsrpc.CheckSyntax, corsrpc.CheckUnknownField, corsrpc.CheckWrongType, corsrpc.CheckUnknownEnumValue, corsrpc.CheckOriginSyntax,
}

// refusal returns the result of a policy that does not load.
func refusal(t *testing.T, err error) loading {
	t.Helper()
	var problems *corsrpc.PolicyError
	if !errors.As(err, &problems) {
		t.Fatal(err)
	}
	l := loading{invalid: true}
	for _, v := range problems.Violations {
		if !slices.Contains(l.refused, string(v.Check)) {
			l.refused = append(l.refused, string(v.Check))
		}
		l.invalid = l.invalid && slices.Contains(languageChecks, v.Check)
	}
	return l
}

// A recorder is a [slog.Handler] that keeps the messages of warnings. For a finding about the policy it keeps
// the kind.
type recorder struct{ messages []string }

func (*recorder) Enabled(context.Context, slog.Level) bool { return true }

func (r *recorder) Handle(_ context.Context, record slog.Record) error {
	if record.Level < slog.LevelWarn {
		return nil // not about what the policy grants
	}
	text := record.Message
	record.Attrs(func(a slog.Attr) bool {
		if a.Key == "kind" {
			text = a.Value.String()
		}
		return true
	})
	if !slices.Contains(r.messages, text) {
		r.messages = append(r.messages, text)
	}
	return nil
}

func (r *recorder) WithAttrs([]slog.Attr) slog.Handler { return r }

func (r *recorder) WithGroup(string) slog.Handler { return r }

// schema returns the schema of the server: one method without side effects, for which Connect uses GET and POST.
func schema(t *testing.T) *protoregistry.Files {
	t.Helper()
	files, err := protodesc.NewFiles(&descriptorpb.FileDescriptorSet{File: []*descriptorpb.FileDescriptorProto{{
		Name: proto.String("account.proto"), Syntax: proto.String("proto3"), Package: proto.String("acme.v1"),
		MessageType: []*descriptorpb.DescriptorProto{{Name: proto.String("M")}},
		Service: []*descriptorpb.ServiceDescriptorProto{{Name: proto.String("AccountService"), Method: []*descriptorpb.MethodDescriptorProto{{
			Name: proto.String("Me"), InputType: proto.String(".acme.v1.M"), OutputType: proto.String(".acme.v1.M"),
			Options: &descriptorpb.MethodOptions{IdempotencyLevel: descriptorpb.MethodOptions_NO_SIDE_EFFECTS.Enum()},
		}}}},
	}}})
	if err != nil {
		t.Fatal(err)
	}
	return files
}
