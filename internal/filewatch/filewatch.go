// Package filewatch watches the content of one file. It reports each new content once, and each
// new reason why the file cannot be read once.
//
// A file may be written in place, be replaced by a rename or by a symbolic link to another
// target (a ConfigMap of Kubernetes), or disappear and come back. The operating system notifies
// of changes in the file's folder. Where it does not, as on some network file systems, polling
// finds the changes.
package filewatch

import (
	"context"
	"crypto/sha256"
	"errors"
	"os"
	"time"
)

// A file is read once debounce has passed without a change in its folder, since editors and tools
// write in several steps. It is read at the latest maxDebounce after the first change, since other files
// in the folder may change all the time.
const (
	debounce    = 50 * time.Millisecond
	maxDebounce = time.Second
)

// DefaultPollEvery is the default interval between polls of a file.
const DefaultPollEvery = 2 * time.Second

// ErrUnchanged is the error of Next if its due time has passed and the content has not changed.
var ErrUnchanged = errors.New("filewatch: the content has not changed")

// File is a file together with its last known content. It is not safe for concurrent use.
type File struct {
	// PollEvery is the interval between polls in Next.
	PollEvery time.Duration
	// PollOnly makes Watch use polling only, without notifications of the operating system.
	PollOnly bool

	name          string
	max           int64             // the maximum number of bytes that are read; 0 if there is none
	known         [sha256.Size]byte // of the last known content
	info          os.FileInfo       // of the last read; nil if the file must be read even if its info is unchanged
	lastReadError string            // the last error of read; empty if the last read succeeded

	read func(name string, max int64) ([]byte, error) // Read, unless a test replaces it
}

// New returns a file with a known content. At most max bytes of the file are read, or all if
// max is 0.
func New(name string, max int64, known []byte) *File {
	return &File{PollEvery: DefaultPollEvery, name: name, max: max, known: sha256.Sum256(known), read: Read}
}

// Watch begins to watch the file until Close. The first Next reads the file, since it may have
// changed after its content became known.
func (f *File) Watch() *Watcher {
	folder := &folderWatcher{}
	if !f.PollOnly {
		folder = newFolderWatcher(f.name)
	}
	return f.watch(folder)
}

// watch is Watch with a folderWatcher.
func (f *File) watch(folder *folderWatcher) *Watcher {
	return &Watcher{file: f, folder: folder, poll: time.NewTicker(f.PollEvery), read: time.NewTimer(0)}
}

// changed reports whether the file may have changed since it was last read.
func (f *File) changed() bool {
	info, err := os.Stat(f.name)
	if err != nil || f.info == nil {
		return true
	}
	return !sameFile(info, f.info)
}

// sameFile reports whether two infos are of the same file without a change in between.
func sameFile(a, b os.FileInfo) bool {
	return os.SameFile(a, b) && a.Size() == b.Size() && a.ModTime().Equal(b.ModTime())
}

// The errors of readNew that Next does not return.
var (
	errTorn   = errors.New("the file was written while it was read")
	errRepeat = errors.New("the file cannot be read, for the same reason as before")
)

// readNew reads the file and returns its content if that is new. The error is ErrUnchanged if
// it is not new, errTorn or errRepeat, or the reason why the file cannot be read.
func (f *File) readNew() ([]byte, error) {
	before, _ := os.Stat(f.name)
	content, err := f.read(f.name, f.max)
	after, _ := os.Stat(f.name)
	if before != nil && after != nil && !sameFile(before, after) {
		return nil, errTorn // the content may be a mix of two
	}
	if f.info = after; err != nil {
		f.info = nil // the next poll reads it again
		if f.lastReadError == err.Error() {
			return nil, errRepeat
		}
		f.lastReadError = err.Error()
		return nil, err
	}
	f.lastReadError = ""
	hash := sha256.Sum256(content)
	if hash == f.known {
		return nil, ErrUnchanged
	}
	f.known = hash
	return content, nil
}

// Watcher watches a File. It is not safe for concurrent use.
type Watcher struct {
	file   *File
	folder *folderWatcher
	poll   *time.Ticker
	read   *time.Timer // fires when the file is to be read
	since  time.Time   // of the first change since the last read; zero if there is none
}

// Close stops watching.
func (w *Watcher) Close() {
	w.folder.close()
	w.poll.Stop()
	w.read.Stop()
}

// Next waits until the file's content differs from the known one, and returns it. If the file
// cannot be read, Next returns the error, unless it has returned the same one before. It
// returns the context's error when the context ends. If due is not zero, Next returns
// ErrUnchanged at that time, unless the content has changed by then.
func (w *Watcher) Next(ctx context.Context, due time.Time) ([]byte, error) {
	isDue := func() bool { return !due.IsZero() && !time.Now().Before(due) }
	var alarm <-chan time.Time
	if !due.IsZero() {
		timer := time.NewTimer(time.Until(due))
		defer timer.Stop()
		alarm = timer.C
	}
	for {
		if ctx.Err() != nil { // content that is read now would become known without being returned
			return nil, ctx.Err()
		}
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-w.folder.events: // of any file in the folder, since a link may lead to any of them
			w.readSoon()
		case <-w.folder.errors: // events may be lost
			w.readSoon()
		case <-w.poll.C:
			if w.file.changed() {
				w.readSoon()
			}
		case <-alarm:
			if !w.file.changed() {
				return nil, ErrUnchanged
			}
			w.readSoon()
		case <-w.read.C:
			w.since = time.Time{}
			w.folder.follow(w.file.name)
			switch content, err := w.file.readNew(); {
			case err == errTorn:
				w.readSoon()
			case err == errRepeat, err == ErrUnchanged && !isDue():
			default:
				return content, err
			}
		}
	}
}

// readSoon schedules a read after the debounce time.
func (w *Watcher) readSoon() {
	if w.since.IsZero() {
		w.since = time.Now()
	}
	w.read.Reset(debounceAfter(time.Since(w.since)))
}

// debounceAfter returns how long to wait for another change, given the time since the first
// one.
func debounceAfter(sinceFirst time.Duration) time.Duration {
	return max(0, min(debounce, maxDebounce-sinceFirst))
}
