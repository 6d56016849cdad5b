package schema

import (
	"context"
	"crypto/sha256"
	"fmt"
	"slices"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	reflectionpb "google.golang.org/grpc/reflection/grpc_reflection_v1"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"
	"google.golang.org/protobuf/types/descriptorpb"
)

// The methods of server reflection. The messages of both versions are the same on the wire.
const (
	reflectionV1      = "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo"
	reflectionV1Alpha = "/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo"
)

// bounds are the bounds of what a server tells.
type bounds struct {
	// message is the maximum size of one response in bytes, and received that of all: servers may send
	// a file again with each service that needs it. services is the maximum number of services.
	message, received, services int
}

var usualBounds = bounds{message: 64 << 20, received: 256 << 20, services: 10_000}

// reflected is what a server tells of itself.
type reflected struct {
	// services are the full names of its services, sorted. A file in files declares each of them, apart
	// from those whose descriptor it does not tell.
	services []string
	files    []*descriptorpb.FileDescriptorProto

	bounds   bounds
	declared map[string]bool            // the services in files
	seen     map[[sha256.Size]byte]bool // the files by their bytes
	bytes    int                        // received
}

// readServices reads the services of a server by a method of reflection. It asks for the file of each
// service, and for no imports, since services need none.
func (r *reflected) readServices(ctx context.Context, conn *grpc.ClientConn, method string) error {
	ctx, cancel := context.WithCancel(ctx) // ends the stream
	defer cancel()
	stream, err := conn.NewStream(ctx, &grpc.StreamDesc{ServerStreams: true, ClientStreams: true}, method)
	if err != nil {
		return err
	}
	r.declared, r.seen = map[string]bool{}, map[[sha256.Size]byte]bool{}
	if err := r.list(stream); err != nil {
		return err
	}
	for _, service := range r.services {
		if r.declared[service] {
			continue
		}
		response, err := r.ask(stream, &reflectionpb.ServerReflectionRequest{MessageRequest: &reflectionpb.ServerReflectionRequest_FileContainingSymbol{FileContainingSymbol: service}})
		if err != nil {
			return err
		}
		if e := response.GetErrorResponse(); e != nil {
			if codes.Code(e.GetErrorCode()) == codes.NotFound {
				continue // the collection knows whether the service is missing
			}
			return hostError("it answers %s \"%s\" when it is asked for the file of %s", codes.Code(e.GetErrorCode()), shown(e.GetErrorMessage()), service)
		}
		for _, data := range response.GetFileDescriptorResponse().GetFileDescriptorProto() {
			if err := r.addFile(data); err != nil {
				return err
			}
		}
	}
	return nil
}

// list asks for the names of the services.
func (r *reflected) list(stream grpc.ClientStream) error {
	response, err := r.ask(stream, &reflectionpb.ServerReflectionRequest{MessageRequest: &reflectionpb.ServerReflectionRequest_ListServices{ListServices: "*"}})
	if err != nil {
		return err
	}
	list := response.GetListServicesResponse()
	switch e := response.GetErrorResponse(); {
	case e != nil:
		return hostError("it answers %s \"%s\" when it is asked for its services", codes.Code(e.GetErrorCode()), shown(e.GetErrorMessage()))
	case list == nil:
		return hostError("it answers something else when it is asked for its services")
	case len(list.GetService()) > r.bounds.services:
		return hostError("it lists %d services; at most %d are read", len(list.GetService()), r.bounds.services)
	}
	for _, s := range list.GetService() {
		if !protoreflect.FullName(s.GetName()).IsValid() {
			return hostError("it lists a service \"%s\", which is not a full name", shown(s.GetName()))
		}
		r.services = append(r.services, s.GetName())
	}
	slices.Sort(r.services)
	r.services = slices.Compact(r.services)
	return nil
}

// ask sends a request and receives the response.
func (r *reflected) ask(stream grpc.ClientStream, request *reflectionpb.ServerReflectionRequest) (*reflectionpb.ServerReflectionResponse, error) {
	sent := stream.SendMsg(request) // if it fails, the reason is the error of RecvMsg
	response := &reflectionpb.ServerReflectionResponse{}
	if err := stream.RecvMsg(response); err != nil {
		return nil, err
	}
	if sent != nil {
		return nil, sent
	}
	if r.bytes += proto.Size(response); r.bytes > r.bounds.received {
		return nil, hostError("it sent more than %d bytes", r.bounds.received)
	}
	return response, nil
}

// addFile adds a file with services.
func (r *reflected) addFile(data []byte) error {
	sum := sha256.Sum256(data)
	if r.seen[sum] {
		return nil
	}
	r.seen[sum] = true
	f := &descriptorpb.FileDescriptorProto{}
	if err := (proto.UnmarshalOptions{Resolver: new(protoregistry.Types)}).Unmarshal(data, f); err != nil {
		return hostError("it sent a file that is not a descriptor (%s)", cleanError(err))
	}
	if len(f.GetService()) == 0 {
		return nil
	}
	f = reduce(f)
	for _, s := range f.GetService() {
		r.declared[fullName(f, s)] = true
	}
	r.files = append(r.files, f)
	return nil
}

// fullName returns the full name of a service of a file.
func fullName(f *descriptorpb.FileDescriptorProto, s *descriptorpb.ServiceDescriptorProto) string {
	return string(protoreflect.FullName(f.GetPackage()).Append(protoreflect.Name(s.GetName())))
}

// hostError is an error of what a server tells.
func hostError(format string, args ...any) error {
	return fmt.Errorf("the server's reflection is not usable, since "+format+"; pass --descriptors FILE instead", args...)
}

func isUnimplemented(err error) bool { return status.Code(err) == codes.Unimplemented }
