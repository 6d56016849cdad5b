package policyfile_test

import (
	"fmt"
	"strings"
	"testing"

	"google.golang.org/protobuf/proto"

	"github.com/corsrpc/corsrpc-go/corsrpc/corsrpcv1"
	"github.com/corsrpc/corsrpc-go/internal/policyfile"
)

// putBack returns the policy that the results of CutOrigins stand for, and the number of lists.
func putBack(t *testing.T, b []byte, maxKept int) (policy *corsrpcv1.Policy, lists int, ok bool) {
	t.Helper()
	rest, cut := policyfile.CutOrigins(b, maxKept)
	policy = &corsrpcv1.Policy{}
	if proto.Unmarshal(rest, policy) != nil {
		return nil, 0, false
	}
	at := map[string]*corsrpcv1.Rule{}
	for p, prefix := policy, ""; p != nil; p, prefix = p.GetShadow(), prefix+"shadow." {
		at[prefix+"defaults"] = p.GetDefaults()
		for i, r := range p.GetRules() {
			at[fmt.Sprintf("%srules[%d]", prefix, i)] = r
		}
	}
	for field, texts := range cut {
		r := at[field]
		if r == nil {
			t.Fatalf("a list of %s, which is not in the rest", field)
		}
		for _, text := range texts.All {
			r.AllowOrigins = append(r.AllowOrigins, text)
		}
	}
	return policy, len(cut), true
}

func originsRule(n int) *corsrpcv1.Rule {
	r := &corsrpcv1.Rule{AllowHeaders: []string{"x-a"}, AllowCredentials: proto.Bool(true)}
	for i := range n {
		r.AllowOrigins = append(r.AllowOrigins, fmt.Sprintf("https://tenant-%d.example.com", i))
	}
	return r
}

func TestCutOrigins(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name   string
		policy *corsrpcv1.Policy
		lists  int
	}{
		{"none", &corsrpcv1.Policy{Defaults: originsRule(0)}, 0},
		{"a short list", &corsrpcv1.Policy{Defaults: originsRule(10)}, 0},
		{"a long list", &corsrpcv1.Policy{Defaults: originsRule(11)}, 1},
		{"of rules", &corsrpcv1.Policy{Rules: []*corsrpcv1.Rule{originsRule(1), originsRule(100), {}, originsRule(200)}}, 2},
		{"of a shadow", &corsrpcv1.Policy{Defaults: originsRule(20), Shadow: &corsrpcv1.Policy{Defaults: originsRule(30), Rules: []*corsrpcv1.Rule{originsRule(40)}}}, 3},
		{"of a profile", &corsrpcv1.Policy{Profiles: map[string]*corsrpcv1.Profile{"dev": {Defaults: originsRule(20)}}}, 0},
		{"an origin that is too long", &corsrpcv1.Policy{Defaults: &corsrpcv1.Rule{AllowOrigins: append(originsRule(20).AllowOrigins, strings.Repeat("a", 301))}}, 0},
	}
	for _, test := range tests {
		b, err := proto.Marshal(test.policy)
		if err != nil {
			t.Fatal(err)
		}
		got, lists, ok := putBack(t, b, 10)
		if !ok || lists != test.lists || !proto.Equal(got, test.policy) {
			t.Errorf("%s: %d lists, want %d, and\n%v\nwant\n%v", test.name, lists, test.lists, got, test.policy)
		}
	}
}

// FuzzCutOrigins: the rest and the lists together are equal to the policy that the bytes
// encode.
func FuzzCutOrigins(f *testing.F) {
	policy := &corsrpcv1.Policy{Defaults: originsRule(3), Rules: []*corsrpcv1.Rule{originsRule(2)}, Shadow: &corsrpcv1.Policy{Rules: []*corsrpcv1.Rule{originsRule(2)}}}
	b, err := proto.Marshal(policy)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(b)
	f.Add(append(b, b...)) // defaults twice are merged
	f.Add([]byte("\x0a\x7f"))
	f.Fuzz(func(t *testing.T, b []byte) {
		var want corsrpcv1.Policy
		err := proto.Unmarshal(b, &want)
		got, _, ok := putBack(t, b, 0)
		if err == nil && (!ok || !proto.Equal(got, &want)) {
			t.Errorf("%v, want %v", got, &want)
		}
	})
}
