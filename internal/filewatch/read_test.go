//go:build unix

package filewatch

import (
	"errors"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"
)

// namedPipe replaces a file by a named pipe.
func namedPipe(t *testing.T, name string) {
	t.Helper()
	if err := os.Remove(name); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Mkfifo(name, 0o600); err != nil {
		t.Fatal(err)
	}
}

// TestReadRefusesIrregularFiles: Read returns an error for a named pipe, for a link to it, and for
// a directory, and does not wait for a writer of the pipe.
func TestReadRefusesIrregularFiles(t *testing.T) {
	t.Parallel()
	pipe := newFile(t, "")
	namedPipe(t, pipe)
	link := filepath.Join(t.TempDir(), "link")
	relink(t, link, pipe)
	for _, name := range []string{pipe, link, t.TempDir()} {
		for _, max := range []int64{0, 10} {
			result := make(chan error, 1)
			go func() {
				_, err := Read(name, max)
				result <- err
			}()
			select {
			case err := <-result:
				if !errors.Is(err, ErrNotRegular) {
					t.Errorf("%s: %v", name, err)
				}
			case <-time.After(10 * time.Second):
				t.Fatalf("%s: Read waits", name)
			}
		}
	}
}

// TestReplacedByANamedPipe: Next reports a file that is replaced by a named pipe, and continues to
// watch it.
func TestReplacedByANamedPipe(t *testing.T) {
	t.Parallel()
	name := newFile(t, "a")
	f := notified(t, name)
	namedPipe(t, name)
	f.eventually("not a regular file")
	replace(t, name, "b")
	f.eventually("b")
}
