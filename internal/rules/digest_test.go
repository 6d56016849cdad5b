package rules

import (
	"strings"
	"testing"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protodesc"
	"google.golang.org/protobuf/reflect/protoregistry"
	"google.golang.org/protobuf/types/descriptorpb"

	"github.com/corsrpc/corsrpc-go/corsrpc/corsrpcv1"
)

// digestInput is the input of a digest.
type digestInput struct {
	policy   string
	schema   *descriptorpb.FileDescriptorProto // nil if there is none
	profile  string
	prefixes []string
	version  string
}

func (d digestInput) digest(t *testing.T) string {
	t.Helper()
	doc, wrong := Parse("cors.yaml", []byte(d.policy), len(d.policy))
	files := new(protoregistry.Files)
	if d.schema != nil {
		var err error
		if files, err = protodesc.NewFiles(&descriptorpb.FileDescriptorSet{File: []*descriptorpb.FileDescriptorProto{d.schema}}); err != nil {
			t.Fatal(err)
		}
	}
	r, wrong := Compile(doc.Policy(), nil, Config{Document: doc, Files: files, Profile: d.profile, Prefixes: d.prefixes, LongList: DefaultLongList}, wrong)
	if len(wrong) > 0 {
		t.Fatalf("%s: %v", d.policy, wrong[0])
	}
	return r.Digest(d.version)
}

// TestDigestCovers: two inputs that differ in one respect have different digests.
func TestDigestCovers(t *testing.T) {
	t.Parallel()
	const (
		allows = "defaults: {allow_origins: [https://app.example.com]}\n"
		// The defaults do not apply to the operational services of grpc.*, whose max_age is 7200s.
		operational = "defaults: {allow_origins: [https://app.example.com], max_age: 60s}\nrules: [{selector: grpc.*, accept_risks: [UNKNOWN_SELECTORS], allow_origins: [https://app.example.com]"
		disabled    = "defaults: {allow_origins: [https://app.example.com], disabled: true}\nrules: [{path: /x, disabled: false}]\n"
		profiles    = allows + "profiles: {a: {}, b: {}}\n"
	)
	withService := schemaFile(1)
	withService.Service = append(withService.Service, &descriptorpb.ServiceDescriptorProto{Name: proto.String("Empty")})
	withoutSideEffects := schemaFile(1)
	withoutSideEffects.Service[0].Method[0].Options = &descriptorpb.MethodOptions{IdempotencyLevel: descriptorpb.MethodOptions_NO_SIDE_EFFECTS.Enum()}
	// The option changes no value, but gives its method an effective rule of its own, so that
	// /M0 and /m0 resolve to two rules.
	withIdleOption := schemaFile(1)
	idle := &descriptorpb.MethodOptions{}
	proto.SetExtension(idle, corsrpcv1.E_Method, &corsrpcv1.Rule{Protocols: []corsrpcv1.Protocol{corsrpcv1.Protocol_PROTOCOL_CONNECT, corsrpcv1.Protocol_PROTOCOL_GRPC_WEB}})
	withIdleOption.Service[0].Method[0].Options = idle
	for name, pair := range map[string][2]digestInput{
		"the version":              {{policy: allows, version: "v1"}, {policy: allows, version: "v2"}},
		"the profile":              {{policy: profiles, profile: "a"}, {policy: profiles, profile: "b"}},
		"where texts end":          {{policy: allows, prefixes: []string{"/a/b", "/c"}}, {policy: allows, prefixes: []string{"/a", "/b/c"}}},
		"a service":                {{policy: allows, schema: schemaFile(1)}, {policy: allows, schema: withService}},
		"the methods for GET":      {{policy: allows, schema: schemaFile(1)}, {policy: allows, schema: withoutSideEffects}},
		"the uncovered names":      {{policy: allows}, {policy: "defaults: {allow_origins: [https://other.example.com]}\n"}},
		"which names share a rule": {{policy: allows + "schema_options: SHAPE\n", schema: withIdleOption}, {policy: allows + "schema_options: IGNORE\n", schema: withIdleOption}},
		"a prefix of headers":      {{policy: "defaults: {allow_origins: [https://app.example.com], allow_headers: [x-*]}\n"}, {policy: "defaults: {allow_origins: [https://app.example.com], allow_headers: [y-*]}\n"}},
		"a header spelled out":     {{policy: "defaults: {allow_origins: [https://app.example.com], allow_headers: [x-*]}\n"}, {policy: "defaults: {allow_origins: [https://app.example.com], allow_headers: [x-*, x-a]}\n"}},
		"a selector":               {{policy: operational + "}]\n"}, {policy: operational + ", max_age: 7200s}]\n"}},
		"the operational services": {{policy: operational + "}]\n"}, {policy: operational + ", max_age: 60s}]\n"}},
		"the disabled rules":       {{policy: disabled}, {policy: strings.Replace(disabled, "true", "false", 1)}},
		"the age of preflights":    {{policy: allows}, {policy: "defaults: {allow_origins: [https://app.example.com], max_age: 60s}\n"}},
		"the protocols":            {{policy: allows}, {policy: "defaults: {allow_origins: [https://app.example.com], protocols: [CONNECT]}\n"}},
		"the exposed headers":      {{policy: allows}, {policy: "defaults: {allow_origins: [https://app.example.com], expose: DECLARED}\n"}},
	} {
		if pair[0].digest(t) == pair[1].digest(t) {
			t.Errorf("the digest does not cover %s", name)
		}
	}
	same := digestInput{policy: allows, version: "v1"}
	first := same.digest(t)
	if second := same.digest(t); first != second {
		t.Errorf("two digests of one input are %s and %s", first, second)
	}
}
