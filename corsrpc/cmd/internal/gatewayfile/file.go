// Package gatewayfile reads the configuration of the gateway, from a gateway file or from flags, and checks
// all of it.
package gatewayfile

import (
	"fmt"
	"path/filepath"
	"strings"

	"google.golang.org/protobuf/proto"

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
	parsed := policyfile.Parse(name, text, g, MaxBytes)
	if len(parsed.Problems) > 0 {
		var lines []string
		for _, p := range parsed.Problems {
			lines = append(lines, fmt.Sprintf("%s:%d:%d: %s: %q %s: write %s", name, p.Pos.Line, p.Pos.Column, p.Field, p.Value, p.Reason, p.Fix))
		}
		return nil, fmt.Errorf("%s", strings.Join(lines, "\n"))
	}
	return newFile(name, g, filepath.Dir(name))
}

// newFile returns a file with the defaults.
func newFile(name string, g *corsrpcv1.Gateway, folder string) (*File, error) {
	g = proto.CloneOf(g)
	fill(g, folder)
	return &File{name, g}, nil
}

// sqliteFile returns the name of the file of an SQLite database.
func sqliteFile(url string) (name string, ok bool) { return strings.CutPrefix(url, "sqlite:") }
