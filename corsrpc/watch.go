package corsrpc

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"github.com/fsnotify/fsnotify"
)

// ErrNoFile is the error of Watch of a layer that Load did not make and that has
// no origin sources: there is nothing to watch.
var ErrNoFile = errors.New("corsrpc: the layer was not made by Load and has no origin sources: there is nothing to watch")

// ErrWatching is the error of Watch of a layer that another call of Watch follows already.
var ErrWatching = errors.New("corsrpc: Watch runs already for this layer")

// Watch follows the policy file and the origin sources until the context ends,
// and returns nil then. Run it in a goroutine of its own, once for a layer.
//
// A changed file is checked whole and put in force in one step, as Reload does; a
// bad one changes nothing and is reported, once for each content. Files that are
// replaced by a rename or by a symbolic link that leads elsewhere (a ConfigMap of
// Kubernetes) are followed, and one that vanishes is awaited. Where nothing tells
// of changes, as on some network file systems, it is looked at every 2 s. A file that is
// written in place is read when it has been left alone for 50 ms: replace files by
// a rename, so that no half of one is ever seen. A policy that names another source
// than the one before, which fails, is tried again after a pause of 2 s that doubles
// up to 30 s, and put in force when it answers; that it fails is reported once.
//
// A source is asked at the start, unless it has been, and then after its period
// and at its notices; where it fails, or cannot tell of changes, again after a pause
// of 100 ms that doubles up to 30 s.
//
// The error is [ErrNoFile] where there is nothing to watch, neither a file nor a source, and
// [ErrWatching] where Watch runs already.
func (l *Layer) Watch(ctx context.Context) error {
	if l.file == nil && len(l.sources) == 0 {
		return ErrNoFile
	}
	if !l.watching.CompareAndSwap(false, true) {
		return ErrWatching
	}
	defer l.watching.Store(false)
	var following sync.WaitGroup
	for _, s := range l.sources {
		following.Go(func() { l.followSource(ctx, s) })
	}
	if l.file != nil {
		l.followFile(ctx)
	}
	following.Wait()
	return nil
}

// The pauses after a failure.
const (
	firstPause   = 100 * time.Millisecond
	firstRetry   = 2 * time.Second // of a policy, one of whose sources failed
	longestPause = 30 * time.Second
)

// followSource asks a source at the start, after each period and at each notice, as
// long as a policy names it. It never ends by itself: a layer has its sources for
// good.
func (l *Layer) followSource(ctx context.Context, s *source) {
	select {
	case <-s.notices: // of before: the plan is looked at now
	default:
	}
	timer := time.NewTimer(0)
	defer timer.Stop()
	stop := func() {}
	defer func() { stop() }()
	pause, following := firstPause, false
	for {
		select {
		case <-ctx.Done():
			return
		case <-timer.C:
		case <-s.notices:
		}
		timer.Stop()
		plan, began := l.Plan(), false
		if named := slices.Contains(l.sourceNames(plan), s.name); named != following {
			following, began, pause = named, named, firstPause
			stop()
			if named {
				stop = l.listening(ctx, s)
			}
		}
		next, now := s.period(), time.Now()
		switch set := plan.sets[s.name]; {
		case !following: // Reload tells of a policy that names it
			continue
		case began && set != nil && next == 0: // SourceWait or Reload has asked it
		case began && set != nil && now.Before(set.loaded.Add(next)):
			next = set.loaded.Add(next).Sub(now)
		case l.Refresh(ctx, s.name) != nil: // reported there
			if next == 0 || next > pause {
				next = pause
			}
			pause = min(2*pause, longestPause)
		default:
			pause = firstPause
		}
		if next > 0 {
			timer.Reset(next)
		}
	}
}

// listening has the notices of a source passed on until stop is called, which waits
// for that to end: no Notify is called while another is.
func (l *Layer) listening(ctx context.Context, s *source) (stop func()) {
	n, ok := s.from.(OriginNotifier)
	if !ok {
		return func() {}
	}
	ctx, cancel := context.WithCancel(ctx)
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		l.listen(ctx, s, n)
	}()
	return func() {
		cancel()
		<-ended
	}
}

// listen passes on the notices of a source. After a failure to listen too, the
// source is asked: a notice may have been missed.
func (l *Layer) listen(ctx context.Context, s *source, n OriginNotifier) {
	pause, connected := firstPause, false
	for ctx.Err() == nil {
		start := time.Now()
		err := notify(ctx, n)
		if ctx.Err() != nil {
			return
		}
		s.notice()
		// The first nil after a failure says no more than that it listens again: a line
		// that is cut as soon as it stands does not have the source asked in a loop.
		if err == nil && connected || time.Since(start) > longestPause {
			pause = firstPause
		}
		if connected = err == nil; connected {
			continue
		}
		report := SourceReport{Name: s.name, Err: fmt.Errorf("corsrpc: origin source %q: waiting for a notice: %w", s.name, err)}
		report.describe(l.Plan().sets[s.name])
		l.reportSource(ctx, s, report)
		select {
		case <-ctx.Done():
		case <-time.After(pause):
		}
		pause = min(2*pause, longestPause)
	}
}

// notify turns a panic into an error: it would end the server.
func notify(ctx context.Context, n OriginNotifier) (err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("it panicked: %v", r)
		}
	}()
	return n.Notify(ctx)
}

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

// folderWatcher tells of changes in the folder of a file, and in the one that the
// file's link leads to.
type folderWatcher struct {
	watcher *fsnotify.Watcher // nil where the system has none left: the file is looked at
	events  chan fsnotify.Event
	errors  chan error
	folders []string
}

func newFolderWatcher(name string) *folderWatcher {
	w := &folderWatcher{}
	if watcher, err := fsnotify.NewWatcher(); err == nil {
		w.watcher, w.events, w.errors = watcher, watcher.Events, watcher.Errors
	}
	w.follow(name)
	return w
}

// follow watches the folders where the file is now.
func (w *folderWatcher) follow(name string) {
	if w.watcher == nil {
		return
	}
	folders := []string{filepath.Dir(name)}
	if target, err := filepath.EvalSymlinks(name); err == nil && filepath.Dir(target) != folders[0] {
		folders = append(folders, filepath.Dir(target))
	}
	for _, folder := range w.folders {
		if !slices.Contains(folders, folder) {
			_ = w.watcher.Remove(folder) // it may be gone
		}
	}
	w.folders = folders
	for _, folder := range folders {
		_ = w.watcher.Add(folder) // where it cannot be watched, it is looked at
	}
}

func (w *folderWatcher) close() {
	if w.watcher != nil {
		_ = w.watcher.Close()
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
