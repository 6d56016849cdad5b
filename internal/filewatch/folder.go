package filewatch

import (
	"path/filepath"
	"slices"

	"github.com/fsnotify/fsnotify"
)

// folderWatcher tells of changes in the folder of a file, and in the one that the
// file's link leads to.
type folderWatcher struct {
	watcher *fsnotify.Watcher // nil where nothing tells of changes: the system has none left, or none is wanted
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
		_ = w.watcher.Add(folder) // where it cannot be watched, polling sees what changes
	}
}

func (w *folderWatcher) close() {
	if w.watcher != nil {
		_ = w.watcher.Close()
	}
}
