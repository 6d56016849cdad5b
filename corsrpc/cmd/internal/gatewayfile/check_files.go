package gatewayfile

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/corsrpc/corsrpc-go/internal/filewatch"
	"github.com/corsrpc/corsrpc-go/internal/policyfile"
)

// path returns the name of a file relative to the current folder, or absolute.
func (c *checker) path(name string) string {
	if filepath.IsAbs(name) {
		return name
	}
	return filepath.Join(c.folder, name)
}

// checkFile checks that a regular file can be read. It does not wait for the writer of a named pipe.
func (c *checker) checkFile(field, name string) {
	path := c.path(name)
	_, err := filewatch.Read(path, 1)
	var cause *fs.PathError
	switch {
	case err == nil:
	case errors.Is(err, fs.ErrNotExist):
		reason := "does not exist"
		if !c.flags && !filepath.IsAbs(name) {
			reason += "; names are relative to the folder of the gateway file"
		}
		c.fail(field, CodeFileMissing, name, reason, nearestFile(path, name))
	case errors.Is(err, filewatch.ErrNotRegular):
		c.fail(field, CodeFileMissing, name, "is not a regular file", "the name of a file")
	case errors.As(err, &cause):
		c.fail(field, CodeFileMissing, name, "cannot be read: "+cause.Err.Error(), "")
	default:
		c.fail(field, CodeFileMissing, name, "cannot be read", "")
	}
}

// maxEntries is the maximum number of files of a folder among which a misspelled one is looked for.
const maxEntries = 1000

// nearestFile returns the name of the file that a misspelled name means, or what to write.
func nearestFile(path, name string) string {
	if folder, err := os.Open(filepath.Dir(path)); err == nil {
		defer folder.Close()
		entries, _ := folder.ReadDir(maxEntries)
		var names []string
		for _, e := range entries {
			if !e.IsDir() {
				names = append(names, e.Name())
			}
		}
		if nearest, ok := policyfile.Nearest(filepath.Base(name), names); ok {
			return filepath.Join(filepath.Dir(name), nearest)
		}
	}
	return "the name of a file"
}

// checkAccessLog checks the name of a file that is written.
func (c *checker) checkAccessLog(field, name string) {
	path := c.path(name)
	switch name {
	case "-":
		return
	case "":
		c.missing(field, `the name of a file, or "-" for the standard output`)
		return
	case "stdout":
		c.fail(field, CodeFileMissing, name, "is the name of a file, while - is the standard output", `"-", or ./`+name+" for a file with this name")
		return
	case "stderr":
		c.fail(field, CodeFileMissing, name, "is the name of a file, and the standard error has the log of the gateway", `"-" for the standard output, or ./`+name+" for a file with this name")
		return
	}
	if info, err := os.Stat(path); err == nil && info.IsDir() {
		c.fail(field, CodeFileMissing, name, "is a folder", filepath.Join(name, "access.log"))
	} else if info, err := os.Stat(filepath.Dir(path)); err != nil || !info.IsDir() {
		c.fail(field, CodeFileMissing, name, "is in a folder that does not exist or cannot be read", `a file in a folder that exists, or "-" for the standard output`)
	}
}
