package serve

import (
	"bytes"
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/corsrpc/corsrpc-go/corsrpc/cmd/internal/schema"
	"github.com/corsrpc/corsrpc-go/internal/filewatch"
)

// followFile follows the policy file, which is file 0, or a descriptor file.
func (r *run) followFile(ctx context.Context, i int, file *filewatch.File) {
	watcher := file.Watch()
	defer watcher.Close()
	for {
		data, err := watcher.Next(ctx, time.Time{})
		if ctx.Err() != nil {
			return
		}
		r.send(ctx, func() { r.fileChanged(ctx, i, data, err) })
	}
}

// fileChanged takes the new content of a file, or the reason why it cannot be read.
func (r *run) fileChanged(ctx context.Context, i int, data []byte, err error) {
	if i == 0 {
		if err != nil {
			r.report(ctx, policyReadError(err))
			return
		}
		if bytes.Equal(r.text, data) {
			return
		}
		r.text, r.reported = data, ""
		r.changed("the policy file")
		return
	}
	name := r.config.Descriptors[i-1]
	var part *schema.Part
	if err == nil {
		part, err = schema.ParseFile(name, data)
	}
	if err != nil {
		r.report(ctx, fmt.Errorf("cannot read the schema: %w", err))
		return
	}
	if part.Equal(r.files[i-1]) {
		return
	}
	r.files[i-1], r.reported = part, ""
	r.changed("the schema in " + name)
}

// followServer follows the schema of a server.
func (r *run) followServer(ctx context.Context, i int) {
	f := &follower{server: r.servers[i].server, every: r.config.ReflectEvery, timeout: r.readTimeout, ask: make(chan struct{}, 1), log: r.log}
	r.asks = append(r.asks, f.ask)
	r.tasks.Go(func() {
		f.follow(ctx, func(part *schema.Part, err error) {
			r.send(ctx, func() { r.serverAnswered(i, part, err) })
		})
	})
}

// serverAnswered takes the schema that a server has told, or the reason why it has not.
func (r *run) serverAnswered(i int, part *schema.Part, err error) {
	s := &r.servers[i]
	s.err = err
	switch {
	case err != nil && s.part == nil:
		r.waitFor(r.missingSchemas())
	case err == nil && (s.part == nil || !part.Equal(s.part)):
		s.part, r.reported = part, ""
		r.changed("the schema of " + s.server.Name)
	}
}

// missingSchemas says which servers have not told their schema; empty if all have.
func (r *run) missingSchemas() string {
	var missing []string
	for _, s := range r.servers {
		switch {
		case s.part != nil:
		case s.err != nil:
			missing = append(missing, "the schema: "+s.err.Error())
		default:
			missing = append(missing, "the schema of "+s.server.Name)
		}
	}
	return strings.Join(missing, "; ")
}

// readAgain reads everything again.
func (r *run) readAgain(ctx context.Context) {
	r.explicit, r.reported = true, ""
	text, err := readPolicy(r.config.File)
	if err != nil {
		r.report(ctx, err)
	} else {
		r.fileChanged(ctx, 0, text, nil)
	}
	for i, name := range r.config.Descriptors {
		data, err := filewatch.Read(name, schema.MaxFileBytes+1)
		r.fileChanged(ctx, i+1, data, err)
	}
	for _, ask := range r.asks {
		select {
		case ask <- struct{}{}:
		default: // the server is about to be asked
		}
	}
	if layer := r.Layer(); layer != nil {
		r.tasks.Go(func() { r.loadSources(ctx, layer) })
	}
	r.attempt.Reset(0)
}
