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

// follower watches a file in a test.
type follower struct {
	t       *testing.T
	watcher *Watcher
}

// follow watches a file until the test ends.
func follow(t *testing.T, file *File) *follower {
	t.Helper()
	f := &follower{t, file.Watch()}
	t.Cleanup(f.watcher.Close)
	return f
}

// followWith watches a file with a folderWatcher until the test ends.
func followWith(t *testing.T, file *File, folder *folderWatcher) *follower {
	t.Helper()
	f := &follower{t, file.watch(folder)}
	t.Cleanup(f.watcher.Close)
	return f
}

// notified watches a file that contains "a", by notifications of the system and without
// polling.
func notified(t *testing.T, name string) *follower {
	t.Helper()
	file := New(name, 0, []byte("a"))
	file.PollEvery = time.Hour
	return follow(t, file)
}

// next fails the test unless the next content, or the text of the error, is want.
func (f *follower) next(want string) {
	f.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Hour)
	defer cancel()
	content, err := f.watcher.Next(ctx, time.Time{})
	if err == nil && string(content) != want || err != nil && !strings.Contains(err.Error(), want) {
		f.t.Fatalf("%q, %v, want %q", content, err, want)
	}
}

// eventually waits for a content, or the text of an error. A file that is not changed in one
// step may be read before the change is complete.
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

// relink replaces a symbolic link in one step.
func relink(t *testing.T, link, target string) {
	t.Helper()
	if err := os.Symlink(target, link+"~"); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(link+"~", link); err != nil {
		t.Fatal(err)
	}
}

// TestChanges: for each way of changing a file, Next returns each new content, and not the
// known content.
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
			f := notified(t, name)
			next := f.next
			if how != "renamed over" {
				next = f.eventually
			}
			change(t, name, "b")
			next("b")
			change(t, name, "b") // the known content
			change(t, name, "c")
			next("c")
			change(t, name, "b")
			next("b")
		})
	}
}

// TestChangedBefore: the first Next returns a content that changed between New and Watch, or
// while the file was not watched.
func TestChangedBefore(t *testing.T) {
	t.Parallel()
	name := newFile(t, "a")
	file := New(name, 0, []byte("a"))
	replace(t, name, "b")
	follow(t, file).next("b")
	replace(t, name, "c")
	follow(t, file).next("c")
}

// TestRemovedFile: Next reports that a file or its folder was removed, and returns the content
// when the file is back.
func TestRemovedFile(t *testing.T) {
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
	create("c") // polling finds it, since the system does not notify of a new folder
	f.eventually("c")
	create("d")
	f.eventually("d")
}

// configMap mounts a file as Kubernetes does. It returns the file's name, and a function that
// changes the content.
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

// TestConfigMap: Kubernetes mounts a file as a link to a link to a folder, and replaces the
// second link.
func TestConfigMap(t *testing.T) {
	t.Parallel()
	name, swap := configMap(t, t.TempDir())
	swap("a")
	f := notified(t, name)
	for _, text := range []string{"b", "c", "d"} {
		swap(text)
		f.next(text)
	}
}

// TestLinked: Next returns a new content of a link's target, and that of a new target.
func TestLinked(t *testing.T) {
	t.Parallel()
	target, link := newFile(t, "a"), filepath.Join(t.TempDir(), "link")
	relink(t, link, target)
	f := notified(t, link)
	replace(t, target, "b")
	f.next("b")
	other := newFile(t, "c")
	relink(t, link, other)
	f.next("c")
	replace(t, other, "d")
	f.next("d")
}

// TestBursts: of a thousand writes in a row, Next returns only some contents, and the last one.
// Changes of another file in the folder do not delay a read without end.
func TestBursts(t *testing.T) {
	t.Parallel()
	name := newFile(t, "a")
	f := notified(t, name)
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

// TestContextEnds: Next returns the error of a context that was canceled, and can be called again.
func TestContextEnds(t *testing.T) {
	t.Parallel()
	name := newFile(t, "a")
	f := notified(t, name)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := f.watcher.Next(ctx, time.Time{}); err != context.Canceled {
		t.Error(err)
	}
	replace(t, name, "b")
	f.next("b")
}
