package gateway

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/corsrpc/corsrpc-go/internal/filewatch"
)

// followFiles calls changed, one call at a time, after the content of any of the files has changed, or a
// file has become unreadable, and once at the start. It returns when the context ends.
func followFiles(ctx context.Context, names []string, maxBytes int64, changed func()) {
	signals := make(chan struct{}, 1)
	var watching sync.WaitGroup
	defer watching.Wait()
	for _, name := range names {
		watching.Go(func() {
			followFile(ctx, name, maxBytes, func() {
				select {
				case signals <- struct{}{}:
				default: // one signal is waiting already
				}
			})
		})
	}
	for {
		select {
		case <-ctx.Done():
			return
		case <-signals:
			changed()
		}
	}
}

// followFile calls changed after each change of a file's content, and when the file becomes unreadable, until
// the context ends. It calls it at the start too, since the file may have changed after it was read.
func followFile(ctx context.Context, name string, maxBytes int64, changed func()) {
	watcher := filewatch.New(name, maxBytes, nil).Watch()
	defer watcher.Close()
	for ctx.Err() == nil {
		if _, err := watcher.Next(ctx, time.Time{}); ctx.Err() != nil || errors.Is(err, context.Canceled) {
			return
		}
		changed()
	}
}
