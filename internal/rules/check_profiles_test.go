package rules

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protodesc"
	"google.golang.org/protobuf/reflect/protoregistry"
	"google.golang.org/protobuf/types/descriptorpb"

	"github.com/corsrpc/corsrpc-go/corsrpc/corsrpcv1"
)

// schemaWithOptions returns a schema in which services and methods have options.
func schemaWithOptions(t *testing.T) *protoregistry.Files {
	t.Helper()
	file := schemaFile(4)
	services := file.Service
	option := func(i int, r *corsrpcv1.Rule) {
		services[i].Options = &descriptorpb.ServiceOptions{}
		proto.SetExtension(services[i].Options, corsrpcv1.E_Service, r)
	}
	option(1, &corsrpcv1.Rule{Protocols: []corsrpcv1.Protocol{corsrpcv1.Protocol_PROTOCOL_CONNECT}})
	option(2, &corsrpcv1.Rule{Disabled: proto.Bool(true)})
	optionOfMethod := func(i int, r *corsrpcv1.Rule) {
		services[i].Method[0].Options = &descriptorpb.MethodOptions{}
		proto.SetExtension(services[i].Method[0].Options, corsrpcv1.E_Method, r)
	}
	optionOfMethod(0, &corsrpcv1.Rule{AllowCredentials: proto.Bool(true)})
	optionOfMethod(3, &corsrpcv1.Rule{Protocols: []corsrpcv1.Protocol{corsrpcv1.Protocol_PROTOCOL_GRPC_WEB}})
	files, err := protodesc.NewFiles(&descriptorpb.FileDescriptorSet{File: []*descriptorpb.FileDescriptorProto{file}})
	if err != nil {
		t.Fatal(err)
	}
	return files
}

// drawnSelectors and drawnPaths are the selectors and paths of random rules.
var (
	drawnSelectors = []string{"*", "acme.*", "acme.v1.*", "acme.v1.S0", "acme.v1.S1", "acme.v1.S1.M0", "acme.v1.S2", "acme.v1.S3.M0", "acme.v1.S3.M1", "grpc.*", "grpc.health.v1.Health"}
	drawnPaths     = []string{"/a", "/A", "/a/", "/{x}", "/a/{x}", "/{x}/b", "/b/"}
)

// drawRule draws a rule without a selector, each of whose values is valid by itself.
func drawRule(random *rand.Rand, forPath bool) *corsrpcv1.Rule {
	r := &corsrpcv1.Rule{AcceptRisks: []corsrpcv1.Risk{corsrpcv1.Risk_RISK_NULL_ORIGIN, corsrpcv1.Risk_RISK_UNKNOWN_SELECTORS}}
	switch random.IntN(8) {
	case 0:
		r.AllowOrigins = []string{"*"}
	case 1:
		r.AllowOrigins = []string{"https://a.example.com", "null"}
	case 2:
		r.AllowOrigins = []string{"https://a.example.com"}
	case 3:
		r.AllowOriginsFrom = []string{"tenants"}
	}
	if random.IntN(3) == 0 {
		r.AllowCredentials = proto.Bool(random.IntN(4) > 0)
	}
	if random.IntN(6) == 0 {
		r.Disabled = proto.Bool(random.IntN(3) > 0)
	}
	if random.IntN(4) == 0 && !forPath {
		r.Protocols = drawProtocols(random)
	}
	if random.IntN(4) == 0 {
		r.AllowHeaders = []string{"x-a"}
	}
	return r
}

// drawProtocols draws one protocol.
func drawProtocols(random *rand.Rand) []corsrpcv1.Protocol {
	return []corsrpcv1.Protocol{corsrpcv1.Protocol(1 + random.IntN(2))}
}

// drawVariant returns a copy of a profile in which one value of one level differs.
func drawVariant(random *rand.Rand, original *corsrpcv1.Profile) *corsrpcv1.Profile {
	p := proto.CloneOf(original)
	levels := p.Rules
	if p.Defaults != nil {
		levels = append(levels[:len(levels):len(levels)], p.Defaults)
	}
	if len(levels) == 0 {
		return p
	}
	r := levels[random.IntN(len(levels))]
	switch random.IntN(6) {
	case 0:
		other := drawRule(random, true)
		r.AllowOrigins, r.AllowOriginsFrom = other.AllowOrigins, other.AllowOriginsFrom
	case 1:
		r.AllowOrigins, r.AllowOriginsFrom = nil, nil
	case 2:
		r.AllowCredentials = proto.Bool(!r.GetAllowCredentials())
	case 3:
		r.Disabled = proto.Bool(!r.GetDisabled())
	case 4:
		if r.Path == "" {
			r.Protocols = drawProtocols(random)
		}
	case 5:
		if selector := drawnSelectors[random.IntN(len(drawnSelectors))]; r.Selector != "" && !slices.ContainsFunc(p.Rules, func(r *corsrpcv1.Rule) bool { return r.Selector == selector }) {
			r.Selector = selector
		}
	}
	return p
}

// drawRules draws at most maxRules rules, and sometimes defaults.
func drawRules(random *rand.Rand, maxRules int) (defaults *corsrpcv1.Rule, rules []*corsrpcv1.Rule) {
	if random.IntN(2) == 0 {
		defaults = drawRule(random, true)
		if random.IntN(4) == 0 {
			defaults.Protocols = drawProtocols(random)
		}
	}
	taken := map[string]bool{}
	for range random.IntN(maxRules + 1) {
		forPath := random.IntN(3) == 0
		r := drawRule(random, forPath)
		if forPath {
			r.Path = drawnPaths[random.IntN(len(drawnPaths))]
		} else {
			r.Selector = drawnSelectors[random.IntN(len(drawnSelectors))]
		}
		if key := r.Selector + r.Path; !taken[key] {
			taken[key] = true
			rules = append(rules, r)
		}
	}
	return defaults, rules
}

// violationsOf returns the codes and fields of the violations of a policy with a profile.
func violationsOf(policy *corsrpcv1.Policy, files *protoregistry.Files, profile string) (wrong []string) {
	_, violations := Compile(proto.CloneOf(policy), nil, Config{Files: files, Profile: profile, LongList: DefaultLongList}, nil)
	for _, v := range violations {
		text := string(v.Code) + " " + v.Field
		for _, r := range v.Related {
			text += " " + r.Field
		}
		wrong = append(wrong, text)
	}
	return wrong
}

// sortedUnique sorts violations and removes duplicates.
func sortedUnique(wrong []string) []string {
	return slices.Compact(slices.Sorted(slices.Values(wrong)))
}

// TestEachProfileIsCheckedAsIfItWereChosen: Compile reports the same violations whichever
// profile is chosen: those of the policy itself and those of the policy with each of its
// profiles.
func TestEachProfileIsCheckedAsIfItWereChosen(t *testing.T) {
	t.Parallel()
	files := schemaWithOptions(t)
	random := rand.New(rand.NewPCG(5, 6))
	withProfiles := func(p *corsrpcv1.Policy, profiles map[string]*corsrpcv1.Profile) *corsrpcv1.Policy {
		p = proto.CloneOf(p)
		p.Profiles = profiles
		return p
	}
	codes := map[string]int{}
	for range 1500 {
		policy, profiles := &corsrpcv1.Policy{}, map[string]*corsrpcv1.Profile{}
		if random.IntN(2) == 0 {
			policy.SchemaOptions = corsrpcv1.SchemaOptions_SCHEMA_OPTIONS_FULL
		}
		policy.Defaults, policy.Rules = drawRules(random, 4)
		policy.Rules = append(policy.Rules, &corsrpcv1.Rule{Path: "/always/here", AllowOrigins: []string{"https://a.example.com"}, AllowCredentials: proto.Bool(false), Disabled: proto.Bool(false)})
		var last *corsrpcv1.Profile
		for i := range 1 + random.IntN(4) {
			p := &corsrpcv1.Profile{}
			p.Defaults, p.Rules = drawRules(random, 2)
			if random.IntN(4) == 0 {
				p.AddOrigins = []string{"https://b.example.com"}
			}
			if i > 0 && random.IntN(4) > 0 {
				p = drawVariant(random, last)
			}
			profiles[fmt.Sprint("p", i)], last = p, p
		}
		want := violationsOf(policy, files, "")
		for name, p := range profiles {
			want = append(want, violationsOf(withProfiles(policy, map[string]*corsrpcv1.Profile{name: p}), files, name)...)
		}
		want = sortedUnique(want)
		for _, w := range want {
			code, _, _ := strings.Cut(w, " ")
			codes[code]++
		}
		for _, chosen := range append(slices.Sorted(maps.Keys(profiles)), "") {
			whole := withProfiles(policy, profiles)
			if got := sortedUnique(violationsOf(whole, files, chosen)); !slices.Equal(got, want) {
				t.Fatalf("under %q is wrong\n%s\nwant\n%s\nof %v", chosen, strings.Join(got, "\n"), strings.Join(want, "\n"), whole)
			}
		}
	}
	if len(codes) < 5 {
		t.Errorf("drawn: %v", codes)
	}
}

// TestRefusedPathsHaveNoRule: the only violation of an invalid path pattern is that of the
// pattern, whichever profile is chosen. Its effective rule is not checked.
func TestRefusedPathsHaveNoRule(t *testing.T) {
	t.Parallel()
	const policy = `
defaults: {allow_origins: [https://app.example.com], disabled: true}
rules: [{path: /a/../b}]
profiles:
  wide: {defaults: {allow_credentials: true}}
  narrow: {rules: [{path: /a/../b, max_age: 1s}]}
`
	for _, chosen := range []string{"", "wide", "narrow"} {
		doc, found := Parse("cors.yaml", []byte(policy), len(policy))
		_, found = Compile(doc.Policy(), nil, Config{Document: doc, Files: new(protoregistry.Files), Profile: chosen, LongList: DefaultLongList}, found)
		if len(found) != 1 || found[0].Code != CodePathSyntax {
			t.Errorf("%q: %v", chosen, found)
		}
	}
}

// TestProfilesPathsConflictWithThePolicys: a profile's path is refused if it conflicts with a
// path of the policy, whichever profile is chosen. An equal path does not conflict: the profile
// changes its rule.
func TestProfilesPathsConflictWithThePolicys(t *testing.T) {
	t.Parallel()
	const policy = `
defaults: {allow_origins: [https://app.example.com]}
rules: [{path: "/{x}/b"}]
profiles:
  conflicts: {rules: [{path: "/a/{x}"}]}
  same: {rules: [{path: "/{x}/b", max_age: 1s}]}
`
	for _, chosen := range []string{"", "conflicts", "same"} {
		doc, found := Parse("cors.yaml", []byte(policy), len(policy))
		_, found = Compile(doc.Policy(), nil, Config{Document: doc, Files: new(protoregistry.Files), Profile: chosen, LongList: DefaultLongList}, found)
		if len(found) != 1 || found[0].Code != CodePathConflict || found[0].Field != `profiles["conflicts"].rules[0].path` {
			t.Errorf("%q: %v", chosen, found)
		}
	}
}

// TestNoOriginsBesideAnotherProfile: NO_ORIGINS of the policy and of its shadow policy is
// reported together with the violations of a profile that is not chosen.
func TestNoOriginsBesideAnotherProfile(t *testing.T) {
	t.Parallel()
	for policy, want := range map[string][]Code{
		"enforcement: ENFORCE\nprofiles: {a: {add_origins: [nope]}}\n": {CodeOriginSyntax, CodeNoOrigins},
		"enforcement: ENFORCE\nshadow: {enforcement: ENFORCE}\n":       {CodeNoOrigins, CodeNoOrigins},
		"enforcement: ENFORCE\ndefaults: {allow_origins: [nope]}\n":    {CodeOriginSyntax},
	} {
		doc, found := Parse("cors.yaml", []byte(policy), len(policy))
		_, found = Compile(doc.Policy(), nil, Config{Document: doc, Files: new(protoregistry.Files), LongList: DefaultLongList}, found)
		var got []Code
		for _, v := range found {
			got = append(got, v.Code)
		}
		slices.Sort(got)
		slices.Sort(want)
		if !slices.Equal(got, want) {
			t.Errorf("%s: %v; want %v", policy, got, want)
		}
	}
}
