package serve

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"

	"google.golang.org/protobuf/reflect/protoregistry"

	"github.com/corsrpc/corsrpc-go/corsrpc"
	"github.com/corsrpc/corsrpc-go/corsrpc/cmd/internal/schema"
	"github.com/corsrpc/corsrpc-go/internal/planaccess"
)

// loadSources loads all origin sources that the policy names. The layer reports failures.
func (r *run) loadSources(ctx context.Context, layer *corsrpc.Layer) {
	ctx, cancel := r.withSourcesWait(ctx)
	defer cancel()
	var loading sync.WaitGroup
	for _, name := range sourcesOf(layer.Plan()) {
		loading.Go(func() { _ = layer.Refresh(ctx, name) })
	}
	loading.Wait()
}

// withSourcesWait bounds a context by the time that Run waits for origin sources.
func (r *run) withSourcesWait(ctx context.Context) (context.Context, context.CancelFunc) {
	return context.WithTimeoutCause(ctx, r.sourcesWait, fmt.Errorf("loading took longer than %v", r.sourcesWait))
}

// report logs a failure that leaves everything as it is, unless it was reported last.
func (r *run) report(ctx context.Context, err error) {
	if text := err.Error(); text != r.reported && ctx.Err() == nil {
		r.reported = text
		if layer := r.Layer(); layer != nil {
			planaccess.ReportReload(ctx, layer, err)
			return
		}
		r.log.Error("corsrpc: the policy is not in force yet", "error", err)
	}
}

// put puts the inputs in force. An error ends the program: nothing is in force yet, and never will be.
func (r *run) put(ctx context.Context) error {
	explicit := r.explicit
	r.explicit = false
	if missing := r.missingSchemas(); missing != "" {
		r.waitFor(missing)
		return nil
	}
	layer := r.Layer()
	files, err := r.mergeSchema()
	if err != nil {
		r.broken = true
		err = fmt.Errorf("cannot use the schema: %s", mergeTerms.Replace(err.Error()))
		r.report(ctx, err)
		r.waitFor("another schema: " + err.Error())
		return nil
	}
	plan, err := r.compile(r.text, files)
	switch {
	case err != nil && layer == nil:
		return err
	case err != nil:
		r.broken = true
		r.report(ctx, err)
		return nil
	case layer == nil:
		return r.begin(ctx, plan, files)
	case !r.broken && bytes.Equal(r.text, r.inForce) && samePlan(plan, layer.Plan()):
		r.streams.Store(streamsOf(files))
		r.causes = nil
		if explicit {
			r.log.Info("corsrpc: read the files again; nothing has changed", "digest", plan.Digest())
		}
		return nil
	}
	r.replace(ctx, layer, plan, files)
	return nil
}

// mergeSchema returns the schema; nil if it is not known.
func (r *run) mergeSchema() (*protoregistry.Files, error) {
	if r.byName {
		return nil, nil
	}
	parts := slices.Clone(r.files)
	for _, s := range r.servers {
		parts = append(parts, s.part)
	}
	return schema.Merge(parts...)
}

// begin puts the first plan in force.
func (r *run) begin(ctx context.Context, plan *corsrpc.Plan, files *protoregistry.Files) error {
	options := append(r.layerOptions(r.log), corsrpc.WithObserver(r.inspector))
	if r.metrics != nil {
		options = append(options, corsrpc.WithObserver(r.metrics))
	}
	for _, o := range r.config.Observers {
		options = append(options, corsrpc.WithObserver(o))
	}
	layer, err := corsrpc.New(plan, options...)
	if err != nil {
		return explainSources(err)
	}
	if sources := sourcesOf(plan); len(sources) > 0 {
		r.waitFor("the origin sources " + strings.Join(sources, ", "))
		r.loadSources(ctx, layer)
	}
	r.streams.Store(streamsOf(files))
	r.done()
	r.log.Info("corsrpc: the policy is in force", "file", r.config.File, "digest", plan.Digest(), "procedures", len(plan.Procedures()))
	r.Policy.layer.Store(layer)
	if len(r.config.Sources) > 0 {
		r.tasks.Go(func() { _ = layer.Watch(ctx) }) // its only errors are that it runs already, or has nothing to do
	}
	return nil
}

// replace puts another plan in force.
func (r *run) replace(ctx context.Context, layer *corsrpc.Layer, plan *corsrpc.Plan, files *protoregistry.Files) {
	bounded, cancel := r.withSourcesWait(ctx)
	defer cancel()
	if err := planaccess.Reload(bounded, layer, plan); err != nil {
		r.broken = true
		r.report(ctx, explainSources(err))
		if !errors.Is(err, corsrpc.ErrUnknownSource) {
			r.attempt.Reset(r.pause)
			r.pause = min(2*r.pause, maxRetry)
		}
		return
	}
	causes := strings.Join(r.causes, ", ")
	r.streams.Store(streamsOf(files))
	r.done()
	planaccess.ReportReload(ctx, layer, nil)
	r.log.Info("corsrpc: another plan is in force", "digest", plan.Digest(), "changed", causes)
}

// done notes that the inputs are in force.
func (r *run) done() {
	r.inForce, r.broken, r.reported, r.causes, r.pause = r.text, false, "", nil, r.retryPause
}
