package corsrpc_test

import (
	"strings"
	"testing"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protodesc"
	"google.golang.org/protobuf/reflect/protoregistry"
	"google.golang.org/protobuf/types/descriptorpb"

	"github.com/corsrpc/corsrpc-go/corsrpc"
	"github.com/corsrpc/corsrpc-go/corsrpc/corsrpcv1"
)

// TestPolicyErrorText checks the first and the last line of a PolicyError by the number of its
// violations. An error that a program makes without any does not say that there are 0 problems.
func TestPolicyErrorText(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		violations  int
		first, last string
	}{
		{0, "corsrpc: the policy is not valid", "corsrpc: the policy is not valid"},
		{1, "corsrpc: the policy has a problem:", "\tis wrong [OPTION]"},
		{2, "corsrpc: the policy has 2 problems:", "\tis wrong [OPTION]"},
		{100, "corsrpc: the policy has 100 problems:", "\tis wrong [OPTION]"},
		{103, "corsrpc: the policy has 103 problems:", "\tand 3 more"},
	} {
		err := &corsrpc.PolicyError{}
		for range test.violations {
			err.Violations = append(err.Violations, corsrpc.Violation{Check: corsrpc.CheckOption, Reason: "is wrong"})
		}
		lines := strings.Split(err.Error(), "\n")
		if first, last := lines[0], lines[len(lines)-1]; first != test.first || last != test.last {
			t.Errorf("%d violations: %q ... %q", test.violations, first, last)
		}
	}
}

// TestSelectorInCapitals: a selector whose letters are all in another case gets the selector that is
// meant, and not one that ends in the same name.
func TestSelectorInCapitals(t *testing.T) {
	t.Parallel()
	files := &protoregistry.Files{}
	for _, pkg := range []string{"acme.shop.v1", "shop.v1"} {
		file, err := protodesc.NewFile(&descriptorpb.FileDescriptorProto{
			Name: proto.String(pkg + ".proto"), Package: proto.String(pkg), Syntax: proto.String("proto3"),
			Service: []*descriptorpb.ServiceDescriptorProto{{Name: proto.String("Cart")}},
		}, nil)
		if err != nil {
			t.Fatal(err)
		}
		if err := files.RegisterFile(file); err != nil {
			t.Fatal(err)
		}
	}
	policy := &corsrpcv1.Policy{Rules: []*corsrpcv1.Rule{{Selector: "SHOP.V1.CART", AllowOrigins: []string{page}}}}
	_, err := corsrpc.Compile(policy, corsrpc.WithFiles(files))
	found := violations(t, err)
	if len(found) != 1 || found[0].Fix != `"shop.v1.Cart"` {
		t.Errorf("%v", found)
	}
}
