package corsrpc_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"google.golang.org/protobuf/proto"

	"github.com/corsrpc/corsrpc-go/corsrpc"
	"github.com/corsrpc/corsrpc-go/corsrpc/corsrpcv1"
	"github.com/corsrpc/corsrpc-go/internal/vectors"
)

// TestLongListsDecideAlike checks that the corpus has the same results if every list of origins is kept
// apart from its rule, for policies in text and in binary form.
func TestLongListsDecideAlike(t *testing.T) {
	t.Parallel()
	suites, err := vectors.Suites()
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range suites {
		doc, err := corsrpc.ParsePolicy(s.File+".yaml", []byte(s.Policy))
		if err != nil {
			t.Fatal(err)
		}
		apart := planOfSuite(t, s, doc.Policy(), corsrpc.WithDocument(doc), corsrpc.WithLongLists(0))
		if !proto.Equal(apart.Policy(), doc.Policy()) {
			t.Errorf("%s: the policy comes back as\n%v\nwant\n%v", s.File, apart.Policy(), doc.Policy())
		}
		binary := loadBinary(t, s, doc.Policy())
		if !proto.Equal(binary.Policy(), doc.Policy()) {
			t.Errorf("%s: the binary policy comes back as\n%v\nwant\n%v", s.File, binary.Policy(), doc.Policy())
		}
		if len(s.Sources) > 0 {
			continue // the layer has the sets of sources
		}
		for _, c := range s.Cases {
			t.Run(s.File+"/"+c.Name, func(t *testing.T) {
				checkDecide(t, apart, c)
				checkDecide(t, binary, c)
			})
		}
	}
}

// loadBinary loads a suite's policy from a binary file.
func loadBinary(t *testing.T, s vectors.Suite, policy *corsrpcv1.Policy) *corsrpc.Plan {
	t.Helper()
	b, err := proto.Marshal(policy)
	if err != nil {
		t.Fatal(err)
	}
	name := filepath.Join(t.TempDir(), "cors.binpb")
	if err := os.WriteFile(name, b, 0o600); err != nil {
		t.Fatal(err)
	}
	files, err := vectors.Schema(s.Schema)
	if err != nil {
		t.Fatal(err)
	}
	opts := []corsrpc.Option{corsrpc.WithFiles(files), corsrpc.WithProfile(s.Profile), withEnv(s.Env), corsrpc.WithLongLists(0), quiet}
	for _, p := range s.Prefixes {
		opts = append(opts, corsrpc.WithPathPrefix(p))
	}
	for source, rows := range s.Sources {
		opts = append(opts, corsrpc.WithOriginSource(source, rowsOf(rows...)))
	}
	layer, err := corsrpc.Load(name, opts...)
	if err != nil {
		t.Fatalf("%s: %v", s.File, err)
	}
	return layer.Plan()
}

// TestLongListsHavePositions checks the position of an item in a long list.
func TestLongListsHavePositions(t *testing.T) {
	t.Parallel()
	var text strings.Builder
	text.WriteString("defaults:\n  allow_origins:\n")
	for i := range 5000 {
		switch i {
		case 2000:
			text.WriteString("    - ${SHOPS}\n")
		case 3000:
			text.WriteString("    - https://tenant-7.example.com\n") // a duplicate
		case 3500:
			text.WriteString("    - https://pr-*.example.org:*\n")
		case 4000:
			text.WriteString("    - https://*.example.org\n")
		default:
			fmt.Fprintf(&text, "    - https://tenant-%d.example.com\n", i)
		}
	}
	plan := compilePolicy(t, text.String(), withEnv(map[string]string{"SHOPS": "https://a.shop.example, https://b.shop.example"}))
	tests := []struct{ origin, from string }{
		{"https://tenant-0.example.com", "defaults.allow_origins[0] at cors.yaml:3:7"},
		{"https://tenant-7.example.com", "defaults.allow_origins[7] at cors.yaml:10:7"},
		{"https://tenant-1999.example.com", "defaults.allow_origins[1999] at cors.yaml:2002:7"},
		{"https://a.shop.example", "defaults.allow_origins[2000] at cors.yaml:2003:7, from the environment variable SHOPS"},
		{"https://b.shop.example", "defaults.allow_origins[2000] at cors.yaml:2003:7, from the environment variable SHOPS"},
		{"https://tenant-2001.example.com", "defaults.allow_origins[2001] at cors.yaml:2004:7"},
		{"https://pr-1.example.org:8443", "defaults.allow_origins[3500] at cors.yaml:3503:7"},
		{"https://pr-.example.org", "defaults.allow_origins[4000] at cors.yaml:4003:7"},
		{"https://a.example.org", "defaults.allow_origins[4000] at cors.yaml:4003:7"},
		{"https://tenant-4999.example.com", "defaults.allow_origins[4999] at cors.yaml:5002:7"},
	}
	for _, test := range tests {
		d := plan.Decide(corsrpc.Request{Method: "POST", Path: listRPC, Header: map[string][]string{"Origin": {test.origin}, "Sec-Fetch-Site": {"cross-site"}}})
		if got := d.From().String(); d.Outcome() != corsrpc.OutcomeGrant || got != test.from {
			t.Errorf("%s: %s by %q, want %q", test.origin, d.Outcome(), got, test.from)
		}
	}
}

// TestLongListsAreCheckedWhole checks that every invalid item of a long list is reported.
func TestLongListsAreCheckedWhole(t *testing.T) {
	t.Parallel()
	items := make([]string, 3000)
	for i := range items {
		items[i] = fmt.Sprintf("https://tenant-%d.example.com", i)
	}
	items[1000], items[2000] = "https://pr-*.example.com:*", "http://pr-*.example.com"
	items[1500], items[2999] = "tenant.example.com", "http://tenant.example.com"
	b, err := proto.Marshal(&corsrpcv1.Policy{Rules: []*corsrpcv1.Rule{{Path: "/a"}, {Path: "/b", AllowOrigins: items}}})
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, v := range violations(t, load(t, "cors.binpb", string(b))) {
		got = append(got, v.Field+" "+string(v.Check))
	}
	want := "[rules[1].allow_origins[1500] ORIGIN_SYNTAX rules[1].allow_origins[2000] ORIGIN_SYNTAX rules[1].allow_origins[2999] PLAIN_HTTP_ORIGIN]"
	if fmt.Sprint(got) != want {
		t.Errorf("%v, want %s", got, want)
	}
}
