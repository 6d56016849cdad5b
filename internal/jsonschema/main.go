// Jsonschema writes the JSON Schemas of policies, of their tests and of gateway files, which tell editors the
// fields, their types and their descriptions. It reads an image of buf from the standard input,
// since only an image has the comments of the .proto files.
//
//	buf build proto -o - | go run ./internal/jsonschema DIR
//
// A schema accepts each YAML and JSON file that internal/policyfile reads without a problem. It
// does not accept an unknown field, a value of a wrong type, an unknown value of an enum or an
// empty list. It has no rule of the policy's meaning: `corsrpc check` has those.
package main

import (
	"fmt"
	"io"
	"os"
	"path/filepath"

	"google.golang.org/protobuf/reflect/protoreflect"

	"github.com/corsrpc/corsrpc-go/internal/protocomment"
)

// outputs are the files that are written, with the message that each describes.
var outputs = []struct {
	file    string
	message protoreflect.FullName
}{
	{"policy.schema.json", "corsrpc.v1.Policy"},
	{"policytest.schema.json", "corsrpc.v1.PolicyTest"},
	{"gateway.schema.json", "corsrpc.v1.Gateway"},
}

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "jsonschema: name the folder to write to, and give an image of buf as the standard input")
		os.Exit(2)
	}
	if err := run(os.Stdin, os.Args[1]); err != nil {
		fmt.Fprintln(os.Stderr, "jsonschema:", err)
		os.Exit(1)
	}
}

func run(image io.Reader, dir string) error {
	files, err := protocomment.ReadImage(image)
	if err != nil {
		return err
	}
	for _, o := range outputs {
		d, err := files.FindDescriptorByName(o.message)
		if err != nil {
			return fmt.Errorf("the image does not have %s: %w", o.message, err)
		}
		text, err := documentOf(d.(protoreflect.MessageDescriptor))
		if err != nil {
			return err
		}
		if err := os.WriteFile(filepath.Join(dir, o.file), text, 0o666); err != nil {
			return err
		}
	}
	return nil
}
