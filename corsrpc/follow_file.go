package corsrpc

import (
	"context"
	"crypto/sha256"
	"os"
	"time"
)

// How long a file has to be left alone before it is read, since editors and tools
// write in several steps; how long that may be put off; and how often it is looked
// at where nothing tells of changes, as on some network file systems.
const (
	settle        = 50 * time.Millisecond
	longestSettle = time.Second
	lookAgain     = 2 * time.Second
)

// settleFor returns how long to wait for the next event, so long after the first: a
// folder where something is always written does not put the policy off.
func settleFor(since time.Duration) time.Duration {
	return max(0, min(settle, longestSettle-since))
}

// policyFile is where Load read the policy, and how to read it again. Only Watch
// changes it.
type policyFile struct {
	name   string
	config fileConfig
	seen   [sha256.Size]byte // of the content that was tried last
	info   os.FileInfo       // of the same; nil where it has to be read
	unread string            // why it could not be read, as was reported last

	waiting *Plan            // of the content, where a source that it names failed
	pause   time.Duration    // before it is tried again
	retry   <-chan time.Time // when that is over; nil where none waits

	// What tests replace.
	read  func(name string, most int) ([]byte, error)
	watch func(name string) *folderWatcher
	looks time.Duration
}

// newPolicyFile is a file whose content has been tried.
func newPolicyFile(name string, config fileConfig, seen [sha256.Size]byte) *policyFile {
	return &policyFile{name: name, config: config, seen: seen, read: readPolicyFile, watch: newFolderWatcher, looks: lookAgain}
}

// followFile is Watch for the policy file.
func (l *Layer) followFile(ctx context.Context) {
	watcher := l.file.watch(l.file.name)
	defer watcher.close()
	looks := time.NewTicker(l.file.looks)
	defer looks.Stop()
	read := time.NewTimer(0) // what changed between Load and here is read now
	defer read.Stop()
	var since time.Time // of the first event that is not read yet
	soon := func() {
		if since.IsZero() {
			since = time.Now()
		}
		read.Reset(settleFor(time.Since(since)))
	}
	for {
		select {
		case <-ctx.Done():
			return
		case <-watcher.events: // any in the folder: a link's target may be another file
			soon()
		case <-watcher.errors: // events were lost
			soon()
		case <-looks.C:
			if l.file.changed() {
				soon()
			}
		case <-read.C:
			since = time.Time{}
			watcher.follow(l.file.name)
			if again := l.readFile(ctx); again {
				soon()
			}
		case <-l.file.retry:
			if l.file.changed() { // what is there now goes first
				l.file.await(l.file.waiting, l.file.pause)
				soon()
				continue
			}
			l.retryFile(ctx)
		}
	}
}

// changed reports whether the file is another than the one that was tried last.
func (f *policyFile) changed() bool {
	info, err := os.Stat(f.name)
	if err != nil || f.info == nil {
		return true
	}
	return !sameFile(info, f.info)
}

func sameFile(a, b os.FileInfo) bool {
	return os.SameFile(a, b) && a.Size() == b.Size() && a.ModTime().Equal(b.ModTime())
}

// readFile puts the file in force where it holds another policy than the one that
// was tried last. It has to be called again where the file was written meanwhile.
func (l *Layer) readFile(ctx context.Context) (again bool) {
	f := l.file
	before, _ := os.Stat(f.name)
	text, err := f.read(f.name, f.config.parse.maxPolicyBytes)
	after, _ := os.Stat(f.name)
	if before != nil && after != nil && !sameFile(before, after) {
		return true
	}
	f.info = after
	if err != nil {
		f.info = nil // it is read at the next look, though it may look the same
		if f.unread != err.Error() {
			f.unread = err.Error()
			l.tellReload(ctx, err)
		}
		return false
	}
	f.unread = ""
	content := sha256.Sum256(text)
	if content == f.seen {
		return false
	}
	f.seen = content
	f.await(nil, 0)
	plan, err := compileFile(f.name, text, f.config)
	if err == nil {
		err = l.missingSources(l.sourceNames(plan)) // which no second try gives
	}
	if err == nil {
		if err = l.reload(ctx, plan); err != nil {
			f.await(plan, firstRetry)
		}
	}
	l.tellReload(ctx, err)
	return false
}

// await has a plan put in force after a pause, one of whose sources failed; nil for
// none.
func (f *policyFile) await(plan *Plan, pause time.Duration) {
	f.waiting, f.pause, f.retry = plan, pause, nil
	if plan != nil {
		f.retry = time.After(pause)
	}
}

// retryFile puts the plan in force that waits, where its sources answer by now. That
// they did not was told.
func (l *Layer) retryFile(ctx context.Context) {
	f := l.file
	if err := l.reload(ctx, f.waiting); err != nil {
		f.await(f.waiting, min(2*f.pause, longestPause))
		return
	}
	f.await(nil, 0)
	l.tellReload(ctx, nil)
}

// tellReload is reportReload, but for what fails because Watch ends.
func (l *Layer) tellReload(ctx context.Context, err error) {
	if ctx.Err() == nil {
		l.reportReload(ctx, err)
	}
}
