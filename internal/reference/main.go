// Reference writes the reference pages of corsrpc/docs: every field of a policy, of a policy's test and of a
// gateway file. It reads an image of buf from the standard input, since only an image has the comments of the
// .proto files, which are the text of the pages.
//
//	buf build proto -o - | go run ./internal/reference DIR
//
// It fails if an example in a comment is not a valid part of the message that the comment is about. Two things are not
// from comments: the table of the places in which a field of a rule may stand, which trials find, and the lists of the
// checks and findings, which are those of package corsrpc.
package main

import (
	"fmt"
	"io"
	"os"
	"path/filepath"

	"google.golang.org/protobuf/reflect/protoreflect"

	"github.com/corsrpc/corsrpc-go/internal/protocomment"
)

// A page is a file that is written.
type page struct {
	file string
	// title and lead are the heading and what follows it.
	title, lead string
	// root is the message of the whole file. It and what it uses are described.
	root protoreflect.FullName
	// policy is whether the page also describes the options for .proto files, and the checks and findings of a policy.
	policy bool
}

var pages = []page{
	{
		"policy-reference.md", "The policy, field by field",
		"This page has every field of a policy file. [The policy](policy.md) is the guide, with examples that run.",
		"corsrpc.v1.Policy", true,
	},
	{
		"policy-tests-reference.md", "Tests of a policy, field by field",
		"This page has every field of a test file. [Tests of a policy](policy-tests.md) is the guide.",
		"corsrpc.v1.PolicyTest", false,
	},
	{
		"gateway-reference.md", "The gateway file, field by field",
		"This page has every field of a gateway file. [The gateway](gateway.md) is the guide.",
		"corsrpc.v1.Gateway", false,
	},
}

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "reference: name the folder to write to, and give an image of buf as the standard input")
		os.Exit(2)
	}
	if err := run(os.Stdin, os.Args[1]); err != nil {
		fmt.Fprintln(os.Stderr, "reference:", err)
		os.Exit(1)
	}
}

// run writes all pages, or none if one has a problem.
func run(image io.Reader, dir string) error {
	files, err := protocomment.ReadImage(image)
	if err != nil {
		return err
	}
	texts := map[string]string{}
	for _, p := range pages {
		d, err := files.FindDescriptorByName(p.root)
		if err != nil {
			return fmt.Errorf("the image does not have %s: %w", p.root, err)
		}
		w := &writer{own: d.ParentFile().Path(), files: files}
		if texts[p.file], err = w.page(p, d.(protoreflect.MessageDescriptor)); err != nil {
			return err
		}
	}
	for name, text := range texts {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o666); err != nil {
			return err
		}
	}
	return nil
}
