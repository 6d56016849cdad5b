// Package schema reads the services that a policy governs: from descriptor files and by gRPC server
// reflection. It keeps what policies depend on, which is services, their methods, the options of both
// and their positions in .proto files; it does not keep messages, so nothing that is wrong with a
// message, an import or an edition matters.
package schema

import (
	"context"
	"fmt"
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
	if server.URL == "" {
		return ReadAll(ctx, files, nil)
	}
	return ReadAll(ctx, files, []Server{server})
}

// ReadAll is Read for any number of servers.
func ReadAll(ctx context.Context, files []string, servers []Server) (*protoregistry.Files, error) {
	if len(files) == 0 && len(servers) == 0 {
		return nil, nil
	}
	all := &collection{}
	for _, name := range files {
		set, err := readFile(name, maxFileBytes)
		if err != nil {
			return nil, err
		}
		if err := all.addSet(name, set); err != nil {
			return nil, err
		}
	}
	for _, server := range servers {
		reflected, err := server.read(ctx, usualBounds)
		if err != nil {
			return nil, err
		}
		if err := all.addReflected(server.URL, reflected); err != nil {
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
	for _, m := range c.missing {
		if _, ok := c.imports[m.name]; !ok {
			return fmt.Errorf("%s does not contain %s, which %s imports: write the file with `buf build -o image.binpb`, which adds imports, or with `protoc --include_imports --include_source_info -o FILE`", m.input, m.name, m.importer)
		}
	}
	// Operational services may be without a descriptor: the defaults of a policy do not reach them, and
	// a rule that names one is then a violation.
	var absent []string
	by := ""
	for _, service := range c.listed {
		if _, ok := c.services[service.name]; !ok && !rpc.IsOperational(service.name) && (by == "" || by == service.by) {
			absent, by = append(absent, service.name), service.by
		}
	}
	if len(absent) > 0 {
		return fmt.Errorf("the server at %s lists %s, and does not tell its descriptor: pass --descriptors FILE with it too", by, few(absent))
	}
	if len(c.services) == 0 {
		return fmt.Errorf("%s: there is not a single service in it, so the selectors of a policy would select nothing", strings.Join(c.inputs, ", "))
	}
	return nil
}

// registry returns the files as descriptors.
func (c *collection) registry() (*protoregistry.Files, error) {
	all := new(protoregistry.Files)
	for _, f := range c.files {
		d, err := f.descriptor()
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
