package serve

import (
	"errors"
	"fmt"
	"net"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/reflection"
	reflectionpb "google.golang.org/grpc/reflection/grpc_reflection_v1"
	alphapb "google.golang.org/grpc/reflection/grpc_reflection_v1alpha"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protodesc"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"
	"google.golang.org/protobuf/types/descriptorpb"
)

// declared returns a .proto file with services, each written as "acme.v1.Shop/Get Watch*": a method with * is
// a stream of responses, and one with ! has no side effects. All services have the package of the first one.
func declared(name string, services ...string) *descriptorpb.FileDescriptorProto {
	f := &descriptorpb.FileDescriptorProto{Name: &name, Syntax: new("proto3")}
	f.MessageType = []*descriptorpb.DescriptorProto{{Name: new("Message")}}
	for _, text := range services {
		full, methods, _ := strings.Cut(text, "/")
		fullName := protoreflect.FullName(full)
		f.Package = new(string(fullName.Parent()))
		s := &descriptorpb.ServiceDescriptorProto{Name: new(string(fullName.Name()))}
		message := "." + *f.Package + ".Message"
		for _, method := range strings.Fields(methods) {
			m := &descriptorpb.MethodDescriptorProto{
				Name: new(strings.TrimRight(method, "*!")), InputType: &message, OutputType: &message,
				ServerStreaming: new(strings.HasSuffix(method, "*")),
			}
			if strings.HasSuffix(method, "!") {
				m.Options = &descriptorpb.MethodOptions{IdempotencyLevel: descriptorpb.MethodOptions_NO_SIDE_EFFECTS.Enum()}
			}
			s.Method = append(s.Method, m)
		}
		f.Service = append(f.Service, s)
	}
	return f
}

// image returns a descriptor file with .proto files.
func image(t *testing.T, files ...*descriptorpb.FileDescriptorProto) string {
	t.Helper()
	data, err := proto.Marshal(&descriptorpb.FileDescriptorSet{File: files})
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

// reflectionVersion says by which versions of reflection a server tells its schema.
type reflectionVersion int

const (
	version1 reflectionVersion = 1 << iota
	versionAlpha
)

// reflecting is a server with reflection that can be restarted with another schema on the same address.
type reflecting struct {
	t       *testing.T
	address string
	server  *grpc.Server
	done    chan error
}

// startReflecting starts a server on a free port. It ends with the test.
func startReflecting(t *testing.T, version reflectionVersion, files ...*descriptorpb.FileDescriptorProto) *reflecting {
	t.Helper()
	r := &reflecting{t: t, address: freeAddress(t)}
	r.start(version, files...)
	t.Cleanup(r.stop)
	return r
}

// registry returns .proto files as a registry.
func registry(t *testing.T, files ...*descriptorpb.FileDescriptorProto) *protoregistry.Files {
	t.Helper()
	all := new(protoregistry.Files)
	for _, f := range files {
		d, err := protodesc.NewFile(f, all)
		if err == nil {
			err = all.RegisterFile(d)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	return all
}

// changingSchema is the schema of a server that changes while the server runs.
type changingSchema struct {
	files atomic.Pointer[protoregistry.Files]
}

func (c *changingSchema) set(files *protoregistry.Files) { c.files.Store(files) }

// FindFileByPath finds a file.
func (c *changingSchema) FindFileByPath(path string) (protoreflect.FileDescriptor, error) {
	return c.files.Load().FindFileByPath(path)
}

// FindDescriptorByName finds a descriptor.
func (c *changingSchema) FindDescriptorByName(name protoreflect.FullName) (protoreflect.Descriptor, error) {
	return c.files.Load().FindDescriptorByName(name)
}

// freeAddress returns an address on which nothing listens.
func freeAddress(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

// start starts the server on its address.
func (r *reflecting) start(version reflectionVersion, files ...*descriptorpb.FileDescriptorProto) {
	r.t.Helper()
	r.server = grpc.NewServer()
	registered := registry(r.t, files...)
	for _, f := range files {
		for _, s := range f.GetService() {
			r.server.RegisterService(&grpc.ServiceDesc{ServiceName: f.GetPackage() + "." + s.GetName(), HandlerType: (*any)(nil)}, struct{}{})
		}
	}
	options := reflection.ServerOptions{Services: r.server, DescriptorResolver: registered}
	if version&version1 != 0 {
		reflectionpb.RegisterServerReflectionServer(r.server, reflection.NewServerV1(options))
	}
	if version&versionAlpha != 0 {
		alphapb.RegisterServerReflectionServer(r.server, reflection.NewServer(options))
	}
	listener := r.listen()
	r.done = make(chan error, 1)
	go func(s *grpc.Server, done chan<- error) { done <- s.Serve(listener) }(r.server, r.done)
}

// listen listens on the address. Another test may have it for a moment.
func (r *reflecting) listen() net.Listener {
	r.t.Helper()
	for deadline := time.Now().Add(10 * time.Second); ; {
		l, err := net.Listen("tcp", r.address)
		if err == nil {
			return l
		}
		if time.Now().After(deadline) {
			r.t.Fatal(err)
		}
		<-time.After(10 * time.Millisecond)
	}
}

// stop ends the server and its connections.
func (r *reflecting) stop() {
	if r.server == nil {
		return
	}
	r.server.Stop()
	if err := <-r.done; err != nil && !errors.Is(err, grpc.ErrServerStopped) {
		r.t.Error(err)
	}
	r.server = nil
}

// restart restarts the server with another schema.
func (r *reflecting) restart(version reflectionVersion, files ...*descriptorpb.FileDescriptorProto) {
	r.t.Helper()
	r.stop()
	r.start(version, files...)
}

// upstream returns the server as PolicyConfig takes it.
func (r *reflecting) upstream(name string) ReflectedServer {
	return ReflectedServer{Name: fmt.Sprintf("the upstream %s (grpc://%s)", name, r.address), URL: "grpc://" + r.address}
}
