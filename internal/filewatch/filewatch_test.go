package filewatch

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// follower follows a file.
type follower struct {
	t       *testing.T
	watcher *Watcher
}

// follow follows a file until the test ends.
func follow(t *testing.T, file *File) *follower {
	t.Helper()
	f := &follower{t, file.Watch()}
	t.Cleanup(f.watcher.Close)
	return f
}

// followBy follows a file by what a folderWatcher tells of its changes.
func followBy(t *testing.T, file *File, folder *folderWatcher) *follower {
	t.Helper()
	f := &follower{t, file.watch(folder)}
	t.Cleanup(f.watcher.Close)
	return f
}

// told follows a file that holds "a" by what the system tells of its changes: it is not
// polled.
func told(t *testing.T, name string) *follower {
	t.Helper()
	file := New(name, 0, []byte("a"))
	file.PollEvery = time.Hour
	return follow(t, file)
}

// next is the next content, or the text of the error.
func (f *follower) next(want string) {
	f.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Hour)
	defer cancel()
	content, err := f.watcher.Next(ctx, time.Time{})
	if err == nil && string(content) != want || err != nil && !strings.Contains(err.Error(), want) {
		f.t.Fatalf("%q, %v, want %q", content, err, want)
	}
}

// eventually is the content that comes in the end: a file that is not changed in one step may
// be read on the way.
func (f *follower) eventually(want string) {
	f.t.Helper()
	for start := time.Now(); time.Since(start) < time.Minute; {
		content, err := f.watcher.Next(f.t.Context(), time.Time{})
		if err == nil && string(content) == want || err != nil && strings.Contains(err.Error(), want) {
			return
		}
	}
	f.t.Fatalf("no %q in a minute", want)
}

func newFile(t *testing.T, text string) string {
	t.Helper()
	name := filepath.Join(t.TempDir(), "file")
	writeInPlace(t, name, text)
	return name
}

func replace(t *testing.T, name, text string) {
	t.Helper()
	writeInPlace(t, name+"~", text)
	if err := os.Rename(name+"~", name); err != nil {
		t.Fatal(err)
	}
}

func writeInPlace(t *testing.T, name, text string) {
	t.Helper()
	if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// relink has a link lead elsewhere, in one step.
func relink(t *testing.T, link, target string) {
	t.Helper()
	if err := os.Symlink(target, link+"~"); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(link+"~", link); err != nil {
		t.Fatal(err)
	}
}

// TestChanges: in every way that files change, each new content is returned, and what is known
// already is not.
func TestChanges(t *testing.T) {
	t.Parallel()
	for how, change := range map[string]func(t *testing.T, name, text string){"renamed over": replace, "written in place": writeInPlace, "removed and created": func(t *testing.T, name, text string) {
		if err := os.Remove(name); err != nil {
			t.Fatal(err)
		}
		writeInPlace(t, name, text)
	}} {
		t.Run(how, func(t *testing.T) {
			t.Parallel()
			name := newFile(t, "a")
			f := told(t, name)
			next := f.next
			if how != "renamed over" {
				next = f.eventually
			}
			change(t, name, "b")
			next("b")
			change(t, name, "b") // nothing new
			change(t, name, "c")
			next("c")
			change(t, name, "b")
			next("b")
		})
	}
}

// TestChangedBefore: what changed between New and Watch, and while nobody watched, is
// returned.
func TestChangedBefore(t *testing.T) {
	t.Parallel()
	name := newFile(t, "a")
	file := New(name, 0, []byte("a"))
	replace(t, name, "b")
	follow(t, file).next("b")
	replace(t, name, "c")
	follow(t, file).next("c")
}

// TestVanished: a file that vanishes is awaited, and its folder too.
func TestVanished(t *testing.T) {
	t.Parallel()
	folder := filepath.Join(t.TempDir(), "etc")
	name := filepath.Join(folder, "file")
	create := func(text string) {
		if err := os.MkdirAll(folder, 0o700); err != nil {
			t.Fatal(err)
		}
		writeInPlace(t, name, text)
	}
	create("a")
	f := follow(t, New(name, 0, []byte("a")))
	if err := os.Remove(name); err != nil {
		t.Fatal(err)
	}
	f.eventually("no such file")
	create("b")
	f.eventually("b")
	if err := os.RemoveAll(folder); err != nil {
		t.Fatal(err)
	}
	f.eventually("no such file")
	create("c") // a poll sees it: nothing tells of a new folder
	f.eventually("c")
	create("d")
	f.eventually("d")
}

// configMap mounts a file as Kubernetes does, and returns what changes it.
func configMap(t *testing.T, mount string) (name string, swap func(text string)) {
	t.Helper()
	name = filepath.Join(mount, "file")
	if err := os.Symlink(filepath.Join("..data", "file"), name); err != nil {
		t.Fatal(err)
	}
	version := 0
	return name, func(text string) {
		t.Helper()
		version++
		folder := fmt.Sprintf("..2026_11_23_%d", version)
		if err := os.Mkdir(filepath.Join(mount, folder), 0o700); err != nil {
			t.Fatal(err)
		}
		writeInPlace(t, filepath.Join(mount, folder, "file"), text)
		old, _ := os.Readlink(filepath.Join(mount, "..data"))
		relink(t, filepath.Join(mount, "..data"), folder)
		if old != "" {
			if err := os.RemoveAll(filepath.Join(mount, old)); err != nil {
				t.Fatal(err)
			}
		}
	}
}

// TestConfigMap: Kubernetes mounts a file as a link to a link to a folder, and swaps the
// middle one.
func TestConfigMap(t *testing.T) {
	t.Parallel()
	name, swap := configMap(t, t.TempDir())
	swap("a")
	f := told(t, name)
	for _, text := range []string{"b", "c", "d"} {
		swap(text)
		f.next(text)
	}
}

// TestLinked: the file that a link leads to is written where it is.
func TestLinked(t *testing.T) {
	t.Parallel()
	target, link := newFile(t, "a"), filepath.Join(t.TempDir(), "link")
	relink(t, link, target)
	f := told(t, link)
	replace(t, target, "b")
	f.next("b")
	other := newFile(t, "c")
	relink(t, link, other)
	f.next("c")
	replace(t, other, "d")
	f.next("d")
}

// TestBursts: of a thousand writes in a row a few are returned, and the last; and a folder
// where something else is always written does not put it off.
func TestBursts(t *testing.T) {
	t.Parallel()
	name := newFile(t, "a")
	f := told(t, name)
	for i := range 1000 {
		replace(t, name, fmt.Sprint(i))
	}
	for returned := 1; ; returned++ {
		content, err := f.watcher.Next(t.Context(), time.Time{})
		if err != nil {
			t.Fatal(err)
		}
		if string(content) == "999" {
			if returned > 100 {
				t.Errorf("%d contents of a burst", returned)
			}
			break
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	busy := make(chan struct{})
	go func() {
		defer close(busy)
		for i := 0; ctx.Err() == nil; i++ {
			if err := os.WriteFile(filepath.Join(filepath.Dir(name), "access.log"), []byte(fmt.Sprint(i)), 0o600); err != nil {
				t.Error(err)
			}
		}
	}()
	replace(t, name, "busy")
	f.next("busy")
	cancel()
	<-busy
}

// TestEnds: Next ends with its context, and the file can be watched anew.
func TestEnds(t *testing.T) {
	t.Parallel()
	name := newFile(t, "a")
	f := told(t, name)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := f.watcher.Next(ctx, time.Time{}); err != context.Canceled {
		t.Error(err)
	}
	replace(t, name, "b")
	f.next("b")
}
