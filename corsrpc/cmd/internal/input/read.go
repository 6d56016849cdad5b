package input

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
)

// maxInputBytes is the maximum size of a policy of any format, and of a test, as a bound of memory. The text
// of a policy has a smaller one.
const maxInputBytes = 64 << 20

// Read returns the text of a policy and its name: that of a file, "-" for the standard input, or
// git:REV:PATH for a file in a commit of the git repository around the current folder. The standard input
// can be read once.
func Read(ctx context.Context, name string, stdin io.Reader) (shown string, text []byte, err error) {
	switch {
	case name == "-":
		shown, text, err = readStandardInput(stdin)
	case strings.HasPrefix(name, "git:"):
		shown = name
		text, err = readGit(ctx, name)
	default:
		shown = name
		text, err = readPolicyFile(name)
	}
	if err == nil && bytes.HasPrefix(text, []byte("version https://git-lfs.")) {
		err = fmt.Errorf("%s is a pointer of Git LFS instead of a policy: run git lfs pull, and keep policies out of Git LFS, so that they can be compared", name)
	}
	if err != nil {
		return shown, nil, err
	}
	return shown, text, nil
}

func readStandardInput(stdin io.Reader) (shown string, text []byte, err error) {
	text, err = readBounded(stdin, "the standard input", "policy")
	shown = "stdin.yaml"
	if strings.HasPrefix(strings.TrimSpace(string(text)), "{") {
		shown = "stdin.json"
	}
	if err == nil && len(text) == 0 {
		err = errors.New("the standard input is empty; - can be named once, since reading it empties it")
	}
	return shown, text, err
}

func readPolicyFile(name string) ([]byte, error) {
	if name == "" {
		return nil, errors.New("the name of a policy is empty: write cors.yaml, -, or git:REV:PATH")
	}
	return ReadFile(name, "policy")
}

// ReadFile returns the content of a file, within the bound of every input. kind is what the file has to be, for
// errors.
func ReadFile(name, kind string) ([]byte, error) {
	info, err := os.Stat(name)
	switch {
	case errors.Is(err, os.ErrNotExist):
		return nil, fmt.Errorf("%s does not exist", name)
	case err != nil:
		return nil, err
	case info.IsDir():
		return nil, fmt.Errorf("%s is a folder: name a %s file in it", name, kind)
	}
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return readBounded(f, name, kind)
}

// readBounded returns everything that r has, within the bound.
func readBounded(r io.Reader, name, kind string) ([]byte, error) {
	text, err := io.ReadAll(io.LimitReader(r, maxInputBytes+1))
	if err == nil && len(text) > maxInputBytes {
		err = tooLargeFor(name, kind)
	}
	return text, err
}

// tooLargeFor says that an input is larger than every bound.
func tooLargeFor(name, kind string) error {
	return fmt.Errorf("%s is larger than %d bytes, so it is not a %s", name, maxInputBytes, kind)
}

// tooLarge says that a policy is larger than the flag allows.
func tooLarge(name string, limit int) error {
	return fmt.Errorf("%s is larger than %d bytes, the maximum size of a policy: --max-policy-bytes raises it, as corsrpc.WithMaxPolicyBytes does for a server", name, limit)
}
