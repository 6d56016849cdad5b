package filewatch

import (
	"path/filepath"
	"slices"

	"github.com/fsnotify/fsnotify"
)

// folderWatcher receives notifications of changes in the folder of a file, and in the folder of
// the file that it links to.
type folderWatcher struct {
	watcher *fsnotify.Watcher // nil if the system has no more watchers, or if none is wanted
	events  chan fsnotify.Event
	errors  chan error
	folders []string
}

// newFolderWatcher returns a watcher of the folders of a file.
func newFolderWatcher(name string) *folderWatcher {
	w := &folderWatcher{}
	if watcher, err := fsnotify.NewWatcher(); err == nil {
		w.watcher, w.events, w.errors = watcher, watcher.Events, watcher.Errors
	}
	w.follow(name)
	return w
}

// follow watches the folders in which the file currently is, and no others.
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
			_ = w.watcher.Remove(folder) // fails if the folder is gone
		}
	}
	w.folders = folders
	for _, folder := range folders {
		_ = w.watcher.Add(folder) // if this fails, polling finds the changes
	}
}

func (w *folderWatcher) close() {
	if w.watcher != nil {
		_ = w.watcher.Close()
	}
}
