package serve

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"google.golang.org/protobuf/reflect/protoregistry"

	"github.com/corsrpc/corsrpc-go/corsrpc"
	"github.com/corsrpc/corsrpc-go/corsrpc/cmd/internal/schema"
	"github.com/corsrpc/corsrpc-go/internal/filewatch"
	"github.com/corsrpc/corsrpc-go/internal/planaccess"
)

// inputs are what a plan is made of, as they were read last.
type inputs struct {
	text    []byte // of the policy file
	files   []*schema.Part
	servers []serverState
	watched []*filewatch.File // the policy file, then the descriptor files
}

// serverState is a server with what it told last.
type serverState struct {
	server ReflectedServer
	part   *schema.Part // nil until the server has answered
	err    error        // of the last attempt
}

// run is the state of Run. Only its loop uses it, apart from changes.
type run struct {
	*Policy
	inputs
	changes chan func()
	asks    []chan struct{} // one for each server
	tasks   sync.WaitGroup

	causes   []string // what has changed since a plan was put in force
	inForce  []byte   // the text of the policy in force
	broken   bool     // whether the newest inputs cannot be put in force
	reported string   // the failure that was reported last; empty after a change of the policy file
	explicit bool     // whether Reload was called since the last attempt
	pause    time.Duration
	attempt  *time.Timer // fires when the inputs are to be put in force
}

// Times of Run.
const (
	// settle is how long Run waits for further changes after one, since a ConfigMap changes several files.
	settle = 100 * time.Millisecond
	// sourcesWait bounds the time that Run waits for origin sources before it puts a policy in force.
	sourcesWait = 5 * time.Second
	// firstRetry and maxRetry are the first and the longest pause before a policy is tried again one of whose
	// sources could not be loaded.
	firstRetry = 2 * time.Second
	maxRetry   = 30 * time.Second
)

// Run waits until all servers have told their schema once, puts the policy in force, and follows the policy
// file, the schema and the origin sources until the context ends; then it returns nil. Each change is checked
// as a whole and put in force in one step, or it changes nothing and the log says why.
//
// Run returns an error if the policy cannot be put in force at the start, such as a *corsrpc.PolicyError for a
// selector that the schema does not have. Servers and databases that do not answer are no such errors: Run
// waits for servers before there is a policy, and for databases no longer than 5 s. Run may be called once.
func (p *Policy) Run(ctx context.Context) error {
	if !p.running.CompareAndSwap(false, true) {
		return errors.New("the policy runs already: call Run once")
	}
	ctx, cancel := context.WithCancel(ctx)
	r := &run{Policy: p, inputs: p.first, changes: make(chan func()), attempt: time.NewTimer(0), pause: firstRetry}
	defer r.close()
	defer r.tasks.Wait()
	defer cancel()
	p.first = inputs{}
	for i, file := range r.watched {
		r.tasks.Go(func() { r.followFile(ctx, i, file) })
	}
	for i := range r.servers {
		r.followServer(ctx, i)
	}
	for {
		select {
		case <-ctx.Done():
			return nil
		case change := <-r.changes:
			change()
		case <-p.reread:
			r.readAgain(ctx)
		case <-r.attempt.C:
			if err := r.put(ctx); err != nil && ctx.Err() == nil {
				return err
			}
		}
	}
}

// close ends what the policy holds.
func (r *run) close() {
	r.attempt.Stop()
	if r.metrics != nil {
		_ = r.metrics.Close()
	}
}

// send runs a change of the inputs in the loop, unless the context ends.
func (r *run) send(ctx context.Context, change func()) {
	select {
	case <-ctx.Done():
	case r.changes <- change:
	}
}

// changed schedules an attempt to put the inputs in force.
func (r *run) changed(cause string) {
	if !slices.Contains(r.causes, cause) {
		r.causes = append(r.causes, cause)
	}
	r.pause = firstRetry
	if r.Layer() == nil {
		r.attempt.Reset(0)
		return
	}
	r.attempt.Reset(settle)
}

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
	f := &follower{server: r.servers[i].server, every: r.config.ReflectEvery, ask: make(chan struct{}, 1), log: r.log}
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
		r.tasks.Go(func() { loadSources(ctx, layer) })
	}
	r.attempt.Reset(0)
}

// loadSources loads all origin sources that the policy names. The layer reports failures.
func loadSources(ctx context.Context, layer *corsrpc.Layer) {
	ctx, cancel := context.WithTimeout(ctx, sourcesWait)
	defer cancel()
	var loading sync.WaitGroup
	for _, name := range layer.Plan().Sources() {
		loading.Go(func() { _ = layer.Refresh(ctx, name) })
	}
	loading.Wait()
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
		r.report(ctx, fmt.Errorf("cannot use the schema: %s", terms.Replace(err.Error())))
		r.waitFor(err.Error())
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
	if len(plan.Sources()) > 0 {
		r.waitFor("the origin sources " + strings.Join(plan.Sources(), ", "))
		loadSources(ctx, layer)
	}
	r.streams.Store(streamsOf(files))
	r.done()
	r.Policy.layer.Store(layer)
	r.log.Info("corsrpc: the policy is in force", "file", r.config.File, "digest", plan.Digest(), "procedures", len(plan.Procedures()))
	if len(r.config.Sources) > 0 {
		r.tasks.Go(func() { _ = layer.Watch(ctx) }) // its only errors are that it runs already, or has nothing to do
	}
	return nil
}

// replace puts another plan in force.
func (r *run) replace(ctx context.Context, layer *corsrpc.Layer, plan *corsrpc.Plan, files *protoregistry.Files) {
	bounded, cancel := context.WithTimeoutCause(ctx, sourcesWait, fmt.Errorf("loading took longer than %v", sourcesWait))
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
	r.inForce, r.broken, r.reported, r.causes, r.pause = r.text, false, "", nil, firstRetry
}
