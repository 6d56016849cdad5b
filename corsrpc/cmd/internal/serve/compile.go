package serve

import (
	"fmt"

	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"

	"github.com/corsrpc/corsrpc-go/corsrpc"
	"github.com/corsrpc/corsrpc-go/internal/filewatch"
	"github.com/corsrpc/corsrpc-go/internal/planaccess"
	"github.com/corsrpc/corsrpc-go/internal/policyfile"
)

// readPolicy reads a policy file.
func readPolicy(name string) ([]byte, error) {
	text, err := filewatch.Read(name, maxPolicyBytes(name))
	if err != nil {
		return nil, policyReadError(err)
	}
	return text, nil
}

// policyReadError wraps the error of reading a policy file.
func policyReadError(err error) error { return fmt.Errorf("cannot read the policy: %w", err) }

// maxPolicyBytes is how many bytes of a policy file are read at most: for a text, one more than the
// allowed size, so that a larger file is detected; for a binary policy 0, which means no bound.
func maxPolicyBytes(name string) int64 {
	if format, ok := policyfile.FormatOf(name); ok && format == policyfile.FormatBinary {
		return 0
	}
	return corsrpc.DefaultMaxPolicyBytes + 1
}

// compile compiles the text of the policy with a schema; nil takes selectors by name. The environment and
// the profile are those of the program.
func (p *Policy) compile(text []byte, files *protoregistry.Files) (*corsrpc.Plan, error) {
	tool := planaccess.Tool{WithoutSchema: files == nil}
	if files == nil {
		files = new(protoregistry.Files)
	}
	options := []any{
		corsrpc.WithFiles(files), corsrpc.WithProfile(p.config.Profile), corsrpc.WithLookupEnv(p.config.LookupEnv),
		planaccess.Option(tool),
	}
	for _, prefix := range p.config.Prefixes {
		options = append(options, corsrpc.WithPathPrefix(prefix))
	}
	plan, err := planaccess.CompileText(p.config.File, text, options...)
	if err != nil {
		return nil, err
	}
	return plan.(*corsrpc.Plan), nil
}

// sourcesOf returns the origin sources that a plan needs, without those that only its shadow names.
func sourcesOf(plan *corsrpc.Plan) []string { return planaccess.Rules(plan).Sources }

// samePlan reports whether two plans and their shadows decide every request alike.
func samePlan(a, b *corsrpc.Plan) bool {
	if a.Digest() != b.Digest() || (a.Shadow() == nil) != (b.Shadow() == nil) {
		return false
	}
	return a.Shadow() == nil || a.Shadow().Digest() == b.Shadow().Digest()
}

// streams holds the procedures of a schema that are streams.
type streams map[procedure]bool

// procedure is a procedure of the schema. service is a full name.
type procedure struct{ service, method string }

// streamsOf returns the streams of a schema, which may be nil.
func streamsOf(files *protoregistry.Files) *streams {
	all := streams{}
	if files == nil {
		return &all
	}
	files.RangeFiles(func(f protoreflect.FileDescriptor) bool {
		for i := range f.Services().Len() {
			service := f.Services().Get(i)
			for j := range service.Methods().Len() {
				if m := service.Methods().Get(j); m.IsStreamingClient() || m.IsStreamingServer() {
					all[procedure{string(service.FullName()), string(m.Name())}] = true
				}
			}
		}
		return true
	})
	return &all
}
