// Package schema reads the services that a policy governs: from descriptor files and by gRPC server
// reflection. It keeps what policies depend on, which is services, their methods, the options of both
// and their positions in .proto files; it does not keep messages, so nothing that is wrong with a
// message, an import or an edition matters.
package schema

import (
	"context"
	"fmt"
	"maps"
	"strings"

	"google.golang.org/protobuf/reflect/protoregistry"

	"github.com/corsrpc/corsrpc-go/internal/rpc"
)

// Read returns the services of descriptor files and of a server. It returns nil if neither is given.
//
// A file is a FileDescriptorSet or an image of buf build: binary, JSON or protobuf's text format, as
// it is or compressed by gzip. The inputs are merged; it is an error if two of them differ in a .proto
// file, or if there is not a single service.
func Read(ctx context.Context, files []string, server Server) (*protoregistry.Files, error) {
	if len(files) == 0 && server.URL == "" {
		return nil, nil
	}
	var parts []*Part
	for _, name := range files {
		part, err := ReadFile(name)
		if err != nil {
			return nil, err
		}
		parts = append(parts, part)
	}
	if server.URL != "" {
		part, err := server.read(ctx, usualBounds)
		if err != nil {
			return nil, err
		}
		parts = append(parts, part)
	}
	return Merge(parts...)
}

// Merge returns the services of several parts. It is an error if two of them differ in a .proto file or
// declare the same service, or if there is not a single service. Two parts may have different versions of
// operational services, such as grpc.health.v1.Health; the result has the methods of both. Two parts may
// also have files of the same name in different packages; the later one then has another name in the result.
func Merge(parts ...*Part) (*protoregistry.Files, error) {
	all := &collection{}
	for _, p := range parts {
		if err := all.addPart(p); err != nil {
			return nil, err
		}
	}
	if err := all.complete(); err != nil {
		return nil, err
	}
	return all.registry()
}

// complete returns an error if services are missing.
func (c *collection) complete() error {
	imports := map[string]bool{}
	for _, p := range c.parts {
		maps.Copy(imports, p.imports)
	}
	var inputs []string
	for _, p := range c.parts {
		for _, m := range p.missing {
			if !imports[m.name] {
				return fmt.Errorf("%s does not contain %s, which %s imports: write the file with `buf build -o image.binpb`, which adds imports, or with `protoc --include_imports --include_source_info -o FILE`", p.input, m.name, m.importer)
			}
		}
		inputs = append(inputs, p.input)
	}
	for _, p := range c.parts {
		// Operational services may be without a descriptor: the defaults of a policy do not reach them, and
		// a rule that names one is then a violation.
		var absent []string
		for _, service := range p.listed {
			if _, ok := c.services[service]; !ok && !rpc.IsOperational(service) {
				absent = append(absent, service)
			}
		}
		if len(absent) > 0 {
			return fmt.Errorf("%s lists %s, and does not tell its descriptor: pass --descriptors FILE with it too", p.lister, few(absent))
		}
	}
	if len(c.services) == 0 {
		return fmt.Errorf("%s: there is not a single service in it, so the selectors of a policy would select nothing", strings.Join(inputs, ", "))
	}
	return nil
}

// registry returns the files as descriptors.
func (c *collection) registry() (*protoregistry.Files, error) {
	all, used := new(protoregistry.Files), map[string]bool{}
	for _, f := range c.files {
		name := f.proto.GetName()
		for used[name] {
			name = f.input + "/" + name
		}
		used[name] = true
		d, err := f.descriptor(name)
		if err == nil {
			err = all.RegisterFile(d)
		}
		if err != nil {
			return nil, fmt.Errorf("%s: the file %s is not valid: %s", f.input, shown(f.proto.GetName()), cleanError(err))
		}
	}
	return all, nil
}

// few names at most three of some names.
func few(names []string) string {
	if len(names) <= 3 {
		return strings.Join(names, ", ")
	}
	return fmt.Sprintf("%s and %d more services", strings.Join(names[:3], ", "), len(names)-3)
}

// cleanError returns the text of an error of the protobuf library without its prefix.
func cleanError(err error) string {
	text := strings.ReplaceAll(err.Error(), "\u00a0", " ") // the library writes either space at random
	return shown(strings.TrimPrefix(text, "proto: "))
}
