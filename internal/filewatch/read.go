package filewatch

import (
	"bytes"
	"errors"
	"io"
	"io/fs"
	"math"
	"os"
)

// ErrNotRegular is wrapped by the error of Read for a directory, a named pipe, a socket or a
// device.
var ErrNotRegular = errors.New("not a regular file")

// Read returns the content of a regular file, at most max bytes of it, or all of it if max is 0.
// It follows symbolic links. It never waits for a writer, as opening a named pipe would.
func Read(name string, max int64) ([]byte, error) {
	f, err := os.OpenFile(name, openFlags, 0)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, &fs.PathError{Op: "read", Path: name, Err: ErrNotRegular}
	}
	if max == 0 {
		max = math.MaxInt64
	}
	// One allocation suffices, unless the file grows meanwhile: it may be large.
	content := bytes.NewBuffer(make([]byte, 0, min(info.Size(), max)+bytes.MinRead))
	_, err = content.ReadFrom(io.LimitReader(f, max))
	return content.Bytes(), err
}
