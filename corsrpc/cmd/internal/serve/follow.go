package serve

import (
	"context"
	"errors"
	"sync"
	"time"

	"google.golang.org/protobuf/reflect/protoregistry"

	"github.com/corsrpc/corsrpc-go/corsrpc"
	"github.com/corsrpc/corsrpc-go/corsrpc/cmd/internal/schema"
	"github.com/corsrpc/corsrpc-go/internal/filewatch"
)

// follow puts changes of the policy file, the descriptor files and the reflection in force until the context
// ends. files is the schema in force.
func (p *Policy) follow(ctx context.Context, running *sync.WaitGroup, layer *corsrpc.Layer, files *protoregistry.Files) {
	policy, descriptors, reconnected := make(chan struct{}, 1), make(chan struct{}, 1), make(chan struct{}, 1)
	signal := func(to chan<- struct{}) func() {
		return func() {
			select {
			case to <- struct{}{}:
			default: // one signal is waiting already
			}
		}
	}
	for _, name := range p.fileNames() {
		to, limit := policy, int64(corsrpc.DefaultMaxPolicyBytes+1)
		if name != p.config.File {
			to, limit = descriptors, maxDescriptorBytes
		}
		running.Go(func() { FollowFile(ctx, name, limit, signal(to)) })
	}
	for _, server := range p.config.Reflect {
		running.Go(func() {
			if err := server.Follow(ctx, signal(reconnected)); err != nil {
				p.logOnce("the schema is read every minute only", err)
			}
		})
	}
	var tick <-chan time.Time
	if len(p.config.Reflect) > 0 {
		ticker := time.NewTicker(p.config.ReflectEvery)
		defer ticker.Stop()
		tick = ticker.C
	}
	for {
		asks := false // whether the schema has to be read again
		select {
		case <-ctx.Done():
			return
		case <-policy:
		case <-descriptors:
			asks = true
		case <-reconnected:
			asks = true
		case <-tick:
			asks = true
		case <-p.again:
			asks = true
		}
		next := files
		if asks && !p.byName() {
			var err error
			if next, err = schema.ReadAll(ctx, p.config.Descriptors, p.config.Reflect); err != nil {
				if ctx.Err() == nil {
					p.logOnce("the schema could not be read again; the previous one stays in force", err)
				}
				continue
			}
		}
		if p.replace(ctx, layer, next) {
			files = next
		}
	}
}

// replace puts the policy in force as its file and the schema are now, and reports whether it did. It changes
// nothing if the policy is not valid.
func (p *Policy) replace(ctx context.Context, layer *corsrpc.Layer, files *protoregistry.Files) bool {
	plan, err := p.compile(files, p.byName())
	if err == nil && plan.Digest() == layer.Plan().Digest() {
		p.setStreams(files)
		p.forget()
		return true
	}
	if err == nil {
		err = layer.Reload(ctx, plan)
	}
	if err != nil {
		if !errors.Is(err, context.Canceled) {
			p.logOnce("the changed policy or schema is not valid; the previous policy stays in force", err)
		}
		return false
	}
	p.setStreams(files)
	p.forget()
	p.config.Log.Info("policy reloaded", "virtual_host", p.config.Name, "digest", plan.Digest())
	p.checkReady()
	return true
}

// forget lets the next error be logged, even if it was the last one.
func (p *Policy) forget() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.logged = ""
}

// FollowFile calls changed after each change of a file's content, and when the file becomes unreadable, until
// the context ends. It calls it at the start too, since the file may have changed after it was read.
func FollowFile(ctx context.Context, name string, maxBytes int64, changed func()) {
	watcher := filewatch.New(name, maxBytes, nil).Watch()
	defer watcher.Close()
	for ctx.Err() == nil {
		if _, err := watcher.Next(ctx, time.Time{}); ctx.Err() != nil || errors.Is(err, context.Canceled) {
			return
		}
		changed()
	}
}
