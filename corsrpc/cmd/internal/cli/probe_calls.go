package cli

import (
	"fmt"
	"slices"
	"strings"

	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"
	"google.golang.org/protobuf/types/descriptorpb"

	"github.com/corsrpc/corsrpc-go/corsrpc"
	"github.com/corsrpc/corsrpc-go/corsrpc/cmd/internal/probe"
	"github.com/corsrpc/corsrpc-go/corsrpc/cmd/internal/report"
	"github.com/corsrpc/corsrpc-go/corsrpc/corsinspect"
	"github.com/corsrpc/corsrpc-go/corsrpc/corsrpcv1"
	"github.com/corsrpc/corsrpc-go/internal/rpc"
)

// probedCall is a call of the run, with what it is in words.
type probedCall struct {
	probe.Call
	// procedure is the full name of a procedure of the schema that --all calls; empty for other calls.
	procedure string
	// kind is how --all calls the procedure, such as "Connect".
	kind string
}

// calls returns the calls of a page of each origin: to each target, or to each procedure of the schema.
func (f *probeFlags) calls(p *probing, targets []string) error {
	switch {
	case f.all && len(targets) > 0:
		return usagef("--all calls every procedure: name none, or leave out --all")
	case f.all && p.files == nil:
		return usagef("--all needs the schema: write --descriptors FILE or --reflect URL")
	case f.all && f.send:
		return usagef("--all does not go with --send, since the server would execute every procedure: name the procedures that may be executed")
	case f.all && f.call.method != "":
		return usagef("--all calls by POST, and by GET where a procedure is declared NO_SIDE_EFFECTS: leave out --method")
	case !f.all && len(targets) == 0 && strings.Trim(p.server.URL.Path, "/") != "":
		return usagef("write what is called as an argument of its own: %s://%s %s", p.server.URL.Scheme, p.server.URL.Host, p.server.URL.EscapedPath())
	case !f.all && len(targets) == 0:
		return usagef("name a procedure or a path, such as acme.v1.S.Get or /, or write --all with --descriptors or --reflect")
	}
	if protocol, err := f.call.protocolOf(); err != nil {
		return err
	} else if f.all && protocol == rpc.MCP {
		return usagef("--all calls procedures, which MCP does not have: name the path")
	}
	plan, err := anyProcedure(p.files)
	if err != nil {
		return err
	}
	for _, f.call.from = range withoutDuplicates(f.origins) {
		if f.all {
			err = f.addAll(p, plan)
		} else {
			err = f.addTargets(p, plan, targets)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// addTargets adds a call to each target.
func (f *probeFlags) addTargets(p *probing, plan *corsrpc.Plan, targets []string) error {
	for _, target := range withoutDuplicates(targets) {
		c, err := f.call.call(plan, target)
		if err != nil {
			return err
		}
		if err := p.add(c, "", ""); err != nil {
			return err
		}
		if p.files != nil && !strings.HasPrefix(target, "/") {
			p.noteUnknown(plan, target)
		}
	}
	return nil
}

// noteUnknown adds a note if the schema does not have a procedure.
func (p *probing) noteUnknown(plan *corsrpc.Plan, target string) {
	name, _, _ := strings.Cut(target, "?")
	if _, err := p.files.FindDescriptorByName(protoreflect.FullName(name)); err == nil {
		return
	}
	note := "the schema does not have the procedure " + name
	if nearest, ok := nearestProcedure(plan, name); ok {
		note += ": write " + nearest
	}
	p.notes = append(p.notes, note)
}

// add adds a call.
func (p *probing) add(c corsinspect.Call, procedure, kind string) error {
	call := probe.Call{Origin: c.Origin, Target: c.Target, Method: c.Method, Header: c.Header, Credentials: c.Credentials}
	if err := call.Validate(p.server); err != nil {
		return usagef("%s", err)
	}
	p.calls = append(p.calls, probedCall{call, procedure, kind})
	return nil
}

// addAll adds the calls to each procedure of the schema that a browser can make.
func (f *probeFlags) addAll(p *probing, plan *corsrpc.Plan) error {
	var clientStreams, operational int
	for _, m := range methodsOf(p.files) {
		switch {
		case rpc.IsOperational(string(m.Parent().FullName())):
			operational++
			continue
		case m.IsStreamingClient():
			clientStreams++
			continue
		}
		if err := f.addProcedure(p, plan, m); err != nil {
			return err
		}
	}
	if operational > 0 {
		p.note(fmt.Sprintf("%s of operational services, such as health checks, are left out: name them to probe them", report.Count(operational, "procedure")))
	}
	if clientStreams > 0 {
		p.note(fmt.Sprintf("%s with streams of the client are left out: browsers cannot send them", report.Count(clientStreams, "procedure")))
	}
	if len(p.calls) == 0 {
		return usagef("--all: the schema has only procedures that are left out: name one")
	}
	return nil
}

func (p *probing) note(note string) {
	if !slices.Contains(p.notes, note) {
		p.notes = append(p.notes, note)
	}
}

// addProcedure adds the calls to a procedure: by Connect, by GET where it is declared NO_SIDE_EFFECTS, and by
// gRPC-Web; only those of --protocol if it is given.
func (f *probeFlags) addProcedure(p *probing, plan *corsrpc.Plan, m protoreflect.MethodDescriptor) error {
	name := string(m.FullName())
	options, _ := m.Options().(*descriptorpb.MethodOptions)
	byGet := options.GetIdempotencyLevel() == descriptorpb.MethodOptions_NO_SIDE_EFFECTS && !m.IsStreamingServer()
	for _, way := range []struct {
		kind, protocol, method string
		possible               bool
	}{
		{"Connect", "connect", "", true}, {"Connect, GET", "connect", "GET", byGet}, {"gRPC-Web", "grpc-web", "", true},
	} {
		if !way.possible || f.call.protocol != "" && f.call.protocol != way.protocol {
			continue
		}
		flags := f.call
		flags.protocol, flags.method = way.protocol, way.method
		c, err := flags.call(plan, name)
		if err != nil {
			return err
		}
		if way.protocol == "connect" && m.IsStreamingServer() && c.Header.Get("Content-Type") == "application/json" {
			c.Header.Set("Content-Type", "application/connect+json")
		}
		if err := p.add(c, name, way.kind); err != nil {
			return err
		}
	}
	return nil
}

// methodsOf returns the methods of a schema, sorted by their names.
func methodsOf(files *protoregistry.Files) (methods []protoreflect.MethodDescriptor) {
	files.RangeFiles(func(f protoreflect.FileDescriptor) bool {
		for i := range f.Services().Len() {
			s := f.Services().Get(i)
			for j := range s.Methods().Len() {
				methods = append(methods, s.Methods().Get(j))
			}
		}
		return true
	})
	slices.SortFunc(methods, func(a, b protoreflect.MethodDescriptor) int {
		return strings.Compare(string(a.FullName()), string(b.FullName()))
	})
	return methods
}

// anyProcedure returns a plan that tells procedures from paths, as the layer does.
func anyProcedure(files *protoregistry.Files) (*corsrpc.Plan, error) {
	if files == nil {
		files = new(protoregistry.Files)
	}
	return corsrpc.Compile(&corsrpcv1.Policy{Defaults: &corsrpcv1.Rule{AllowOrigins: []string{"*"}}, SchemaOptions: corsrpcv1.SchemaOptions_SCHEMA_OPTIONS_IGNORE}, corsrpc.WithFiles(files))
}
