package gateway

import (
	"context"
	"sync"

	"github.com/corsrpc/corsrpc-go/corsrpc/cmd/internal/serve"
)

// followFiles calls changed, one call at a time, after the content of any of the files has changed, or a
// file has become unreadable, and once at the start. It returns when the context ends.
func followFiles(ctx context.Context, names []string, maxBytes int64, changed func()) {
	signals := make(chan struct{}, 1)
	var watching sync.WaitGroup
	defer watching.Wait()
	for _, name := range names {
		watching.Go(func() {
			serve.FollowFile(ctx, name, maxBytes, func() {
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
