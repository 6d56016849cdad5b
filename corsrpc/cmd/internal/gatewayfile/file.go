// Package gatewayfile reads the configuration of the gateway and of the external processor, from a gateway file
// or from flags, and checks all of it.
package gatewayfile

import (
	"fmt"
	"path/filepath"

	"github.com/corsrpc/corsrpc-go/corsrpc/corsrpcv1"
	"github.com/corsrpc/corsrpc-go/internal/filewatch"
	"github.com/corsrpc/corsrpc-go/internal/policyfile"
)

// MaxBytes is the maximum size of a gateway file, in bytes.
const MaxBytes = 1 << 20

// File is a configuration that was read and checked.
type File struct {
	// Name is the name of the gateway file; empty if flags describe the gateway.
	Name string
	// Gateway is the configuration, with all defaults filled in. Names of files are relative to the current
	// folder, or absolute.
	Gateway *corsrpcv1.Gateway
	// Unused are the fields that are set and not used: those whose work Envoy does, for the external processor.
	Unused []string
}

// Program is a program that a gateway file is for.
type Program int

const (
	// Gateway is `corsrpc gateway`.
	Gateway Program = iota
	// Processor is `corsrpc extproc`. It needs neither upstreams nor routes, which only give the schema to it,
	// and may listen on a Unix socket.
	Processor
)

// Read reads and checks a gateway file for a program.
func Read(name string, program Program) (*File, error) {
	text, err := filewatch.Read(name, MaxBytes+1)
	if err != nil {
		return nil, fmt.Errorf("the gateway file: %w", err)
	}
	if len(text) > MaxBytes { // a part of a binary file may be a valid file
		return nil, fmt.Errorf("the gateway file: %s has more than %d bytes", name, MaxBytes)
	}
	g := &corsrpcv1.Gateway{}
	c := newChecker(g, program)
	c.name, c.parsed, c.folder = name, policyfile.Parse(name, text, g, MaxBytes), filepath.Dir(name)
	for _, p := range c.parsed.Problems {
		c.add(p.Pos, p.Field, p.Code, p.Value, p.Reason, p.Fix)
	}
	if !c.parsed.Fatal {
		c.check()
	}
	if err := c.err(text); err != nil {
		return nil, err
	}
	ignored := unused(g, program)
	fill(g, c.folder, program)
	return &File{name, g, ignored}, nil
}

// fromFlags checks a configuration that flags describe.
func fromFlags(g *corsrpcv1.Gateway, program Program) (*File, error) {
	c := newChecker(g, program)
	c.flags = true
	c.check()
	if err := c.err(nil); err != nil {
		return nil, err
	}
	fill(g, ".", program)
	return &File{Gateway: g}, nil
}
