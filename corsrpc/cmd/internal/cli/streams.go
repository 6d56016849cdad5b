package cli

import (
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/corsrpc/corsrpc-go/corsrpc/cmd/internal/report"
)

// Streams are the standard streams of the program, and what is known about their readers.
type Streams struct {
	// In is the standard input, Out the standard output and Err the standard error.
	In       io.Reader
	Out, Err io.Writer
	// Color is true if Out is a terminal that shows colours, and Progress if Err is a terminal.
	Color, Progress bool
	// Folder is the current folder relative to the root of the repository, with slashes; empty for
	// the root, and if the root is not known.
	Folder string
}

// System returns the streams of the process.
func System() Streams {
	_, noColor := os.LookupEnv("NO_COLOR") // https://no-color.org
	current, _ := os.Getwd()               // names of files stay as they are if it is not known
	var errs io.Writer = os.Stderr
	if os.Getenv("GITHUB_ACTIONS") == "true" {
		errs = report.WithoutCommands(errs)
	}
	return Streams{
		In: os.Stdin, Out: os.Stdout, Err: errs,
		Color: isTerminal(os.Stdout) && !noColor && os.Getenv("TERM") != "dumb", Progress: isTerminal(os.Stderr) && os.Getenv("TERM") != "dumb",
		Folder: folderIn(os.Getenv("GITHUB_WORKSPACE"), current),
	}
}

// folderIn returns a folder relative to a root, with slashes. It is empty if the folder is not below
// the root.
func folderIn(root, folder string) string {
	relative, err := filepath.Rel(root, folder)
	relative = filepath.ToSlash(relative)
	if root == "" || err != nil || relative == "." || relative == ".." || strings.HasPrefix(relative, "../") {
		return ""
	}
	return relative
}

func isTerminal(f *os.File) bool {
	info, err := f.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0
}
