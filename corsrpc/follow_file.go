package corsrpc

import (
	"context"
	"errors"
	"time"

	"github.com/corsrpc/corsrpc-go/internal/filewatch"
)

// policyFile is the file that Load read, and how it is read again. Only Watch changes it.
type policyFile struct {
	*filewatch.File
	name   string
	config fileConfig

	waiting *Plan         // of the content, where a source that it names failed; nil for none
	pause   time.Duration // before it is tried again
	retryAt time.Time     // when it is; zero for never
}

// followFile is Watch for the policy file.
func (l *Layer) followFile(ctx context.Context) {
	watcher := l.file.Watch()
	defer watcher.Close()
	for {
		text, err := watcher.Next(ctx, l.file.retryAt)
		switch {
		case err == nil:
			l.reloadFile(ctx, text)
		case ctx.Err() != nil:
			return
		case errors.Is(err, filewatch.ErrUnchanged):
			l.retryFile(ctx)
		default:
			l.tellReload(ctx, readError(err))
		}
	}
}

// reloadFile puts the file's new content in force. It takes the place of what waited.
func (l *Layer) reloadFile(ctx context.Context, text []byte) {
	f := l.file
	f.scheduleRetry(nil, 0)
	plan, err := compileFile(f.name, text, f.config)
	if err == nil {
		err = l.reload(ctx, plan)
		if err != nil && !errors.Is(err, ErrUnknownSource) { // which no second try gives
			f.scheduleRetry(plan, firstRetry)
		}
	}
	l.tellReload(ctx, err)
}

// scheduleRetry retries a plan after a pause because one of its sources failed; a nil plan
// cancels it.
func (f *policyFile) scheduleRetry(plan *Plan, pause time.Duration) {
	f.waiting, f.pause, f.retryAt = plan, pause, time.Time{}
	if plan != nil {
		f.retryAt = time.Now().Add(pause)
	}
}

// retryFile puts the plan in force that waits, if its sources answer by now. That they did
// not was told.
func (l *Layer) retryFile(ctx context.Context) {
	f := l.file
	if err := l.reload(ctx, f.waiting); err != nil {
		f.scheduleRetry(f.waiting, longer(f.pause))
		return
	}
	f.scheduleRetry(nil, 0)
	l.tellReload(ctx, nil)
}

// tellReload is reportReload, but for what fails because Watch ends.
func (l *Layer) tellReload(ctx context.Context, err error) {
	if ctx.Err() == nil {
		l.reportReload(ctx, err)
	}
}
