package serve

import (
	"context"
	"errors"
	"slices"
	"sync"
	"time"

	"github.com/corsrpc/corsrpc-go/corsrpc/cmd/internal/schema"
	"github.com/corsrpc/corsrpc-go/corsrpc/corsotel"
	"github.com/corsrpc/corsrpc-go/internal/filewatch"
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
	metrics *corsotel.Observer // nil if there is none
	changes chan func()
	asks    []chan struct{} // one for each server
	tasks   sync.WaitGroup

	causes   []string // the changes since a plan was put in force
	inForce  []byte   // the text of the policy in force
	broken   bool     // whether the newest inputs cannot be put in force
	reported string   // the failure that was reported last; empty after a change of the policy file
	explicit bool     // whether Reload was called since the last attempt
	pause    time.Duration
	attempt  *time.Timer // fires when the inputs are to be put in force
}

// settle is how long Run waits for further changes after one, since a ConfigMap changes several files.
const settle = 100 * time.Millisecond

// maxRetry is the longest pause before a policy is tried again one of whose sources could not be loaded.
const maxRetry = 30 * time.Second

// Run waits until all servers have told their schema once, puts the policy in force, and follows the policy
// file, the schema and the origin sources until the context ends; then it returns nil. Each change is checked
// as a whole and put in force in one step, or it changes nothing and the log says why.
//
// Run returns an error if the policy cannot be put in force at the start, such as a *corsrpc.PolicyError for a
// selector that the schema does not have. Servers and databases that do not answer do not lead to an error: Run
// waits for servers before there is a policy, and for databases no longer than 5 s. Run may be called once.
func (p *Policy) Run(ctx context.Context) error {
	if !p.running.CompareAndSwap(false, true) {
		return errors.New("the policy runs already: call Run once")
	}
	metrics, err := p.config.Metrics.observer(p.config.Name)
	if err != nil {
		return err
	}
	r := &run{Policy: p, metrics: metrics, inputs: p.first, changes: make(chan func()), attempt: time.NewTimer(0), pause: p.retryPause}
	defer r.close()
	defer r.tasks.Wait()
	ctx, cancel := context.WithCancel(ctx)
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
	r.pause = r.retryPause
	if r.Layer() == nil {
		r.attempt.Reset(0)
		return
	}
	r.attempt.Reset(settle)
}
