// Package filewatch follows the content of one file. It tells of each new content once, and
// of each new reason why the file cannot be read.
//
// A file may be written in place, replaced by a rename or by a symbolic link that leads
// elsewhere (a ConfigMap of Kubernetes), or vanish and come back. The system tells of changes
// in its folder; where it does not, as on some network file systems, the file is polled.
package filewatch

import (
	"context"
	"crypto/sha256"
	"errors"
	"io"
	"os"
	"time"
)

// How long a file has to be left alone before it is read, since editors and tools write in
// several steps; and how long that may be put off, in a folder where something is always
// written.
const (
	debounce    = 50 * time.Millisecond
	maxDebounce = time.Second
)

// DefaultPollEvery is how often a file is polled, unless File.PollEvery says otherwise.
const DefaultPollEvery = 2 * time.Second

// ErrUnchanged is the error of Next when the time that it was given has come and the file
// holds the content that is known.
var ErrUnchanged = errors.New("filewatch: the file holds what it held")

// Read returns the content of a file, no more than max bytes of it; all of it where max is 0.
func Read(name string, max int64) ([]byte, error) {
	if max == 0 {
		return os.ReadFile(name) // into one piece of memory: the file may be large
	}
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return io.ReadAll(io.LimitReader(f, max))
}

// A File is a file with the content that is known of it. It is not safe for concurrent use.
type File struct {
	// PollEvery is how often the file is polled by Next.
	PollEvery time.Duration
	// PollOnly has Next not ask the system to tell of changes.
	PollOnly bool

	name          string
	max           int64             // bytes that are read; 0 for all
	known         [sha256.Size]byte // of the content that is known
	info          os.FileInfo       // of the same; nil where the file has to be read, even if it looks the same
	lastReadError string            // why it could not be read the last time; empty where it could

	read func(name string, max int64) ([]byte, error) // Read; tests replace it
}

// New returns a file of which no more than max bytes are read (0 for no bound), and whose
// content is known.
func New(name string, max int64, known []byte) *File {
	return &File{PollEvery: DefaultPollEvery, name: name, max: max, known: sha256.Sum256(known), read: Read}
}

// Watch begins to watch the file, until Close. The first Next reads it: it may have changed
// since its content became known.
func (f *File) Watch() *Watcher {
	folder := &folderWatcher{}
	if !f.PollOnly {
		folder = newFolderWatcher(f.name)
	}
	return f.watch(folder)
}

func (f *File) watch(folder *folderWatcher) *Watcher {
	return &Watcher{file: f, folder: folder, poll: time.NewTicker(f.PollEvery), read: time.NewTimer(0)}
}

// changed reports whether the file is another than the one that was read last.
func (f *File) changed() bool {
	info, err := os.Stat(f.name)
	if err != nil || f.info == nil {
		return true
	}
	return !sameFile(info, f.info)
}

func sameFile(a, b os.FileInfo) bool {
	return os.SameFile(a, b) && a.Size() == b.Size() && a.ModTime().Equal(b.ModTime())
}

// These are the outcomes of a read that Next does not return.
var (
	errTorn   = errors.New("the file was written while it was read")
	errRepeat = errors.New("the file cannot be read for the reason that was returned last")
)

// readNew reads the file and returns its content where that is new. The error is ErrUnchanged
// where it is not, or says why there is none.
func (f *File) readNew() ([]byte, error) {
	before, _ := os.Stat(f.name)
	content, err := f.read(f.name, f.max)
	after, _ := os.Stat(f.name)
	if before != nil && after != nil && !sameFile(before, after) {
		return nil, errTorn // half of one content, perhaps, and half of the other
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

// A Watcher watches a File. It is not safe for concurrent use.
type Watcher struct {
	file   *File
	folder *folderWatcher
	poll   *time.Ticker
	read   *time.Timer // when the file is read
	since  time.Time   // of the first change that is not read yet; zero for none
}

// Close ends the watch.
func (w *Watcher) Close() {
	w.folder.close()
	w.poll.Stop()
	w.read.Stop()
}

// Next waits until the file holds another content than the one that is known, and returns it.
// The error says why the file cannot be read, once for each text of it; it is the context's
// where that ends. It is ErrUnchanged where the time due has come (zero for never) and the
// file holds what is known: a change that is there by then goes first.
func (w *Watcher) Next(ctx context.Context, due time.Time) ([]byte, error) {
	isDue := func() bool { return !due.IsZero() && !time.Now().Before(due) }
	var alarm <-chan time.Time
	if !due.IsZero() {
		timer := time.NewTimer(time.Until(due))
		defer timer.Stop()
		alarm = timer.C
	}
	for {
		if ctx.Err() != nil { // content that is read now would be lost: it is known from then on
			return nil, ctx.Err()
		}
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-w.folder.events: // of any file in the folder: a link's target may be another file
			w.readSoon()
		case <-w.folder.errors: // events were lost
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

// readSoon has the file read when it has been left alone for a while.
func (w *Watcher) readSoon() {
	if w.since.IsZero() {
		w.since = time.Now()
	}
	w.read.Reset(debounceAfter(time.Since(w.since)))
}

// debounceAfter returns how long to wait for the next change, so long after the first.
func debounceAfter(sinceFirst time.Duration) time.Duration {
	return max(0, min(debounce, maxDebounce-sinceFirst))
}
