// Package gatewayfile reads the configuration of the gateway, from a gateway file or from flags, and checks
// all of it.
package gatewayfile

import (
	"fmt"
	"path/filepath"
	"strings"

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
}

// Read reads and checks a gateway file.
func Read(name string) (*File, error) {
	text, err := filewatch.Read(name, MaxBytes+1)
	if err != nil {
		return nil, fmt.Errorf("the gateway file: %w", err)
	}
	g := &corsrpcv1.Gateway{}
	c := &checker{name: name, gateway: g, parsed: policyfile.Parse(name, text, g, MaxBytes), folder: filepath.Dir(name)}
	for _, p := range c.parsed.Problems {
		c.add(p.Pos, p.Field, p.Code, p.Value, p.Reason, p.Fix)
	}
	if !c.parsed.Fatal {
		c.check()
	}
	if len(c.problems) > 0 {
		return nil, &Error{name, c.sorted(), text}
	}
	fill(g, c.folder)
	return &File{name, g}, nil
}

// fromFlags checks a configuration that flags describe.
func fromFlags(g *corsrpcv1.Gateway) (*File, error) {
	c := &checker{gateway: g, flags: true}
	c.check()
	if len(c.problems) > 0 {
		return nil, &Error{Problems: c.problems}
	}
	fill(g, ".")
	return &File{Gateway: g}, nil
}

func isAbs(name string) bool { return filepath.IsAbs(name) }

// sqliteFile returns the name of the file of an SQLite database.
func sqliteFile(url string) (name string, ok bool) { return strings.CutPrefix(url, "sqlite:") }
