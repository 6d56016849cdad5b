package browser

import (
	"context"
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log"
	"net/http"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// jobLimit bounds the time of a job.
const jobLimit = 60 * time.Second

// pollLimit bounds the time of a long poll without a job. It is shorter than the timeouts of
// browsers.
const pollLimit = 20 * time.Second

//go:embed driver.html
var driverHTML []byte

// A Page is a page of a new origin in a browser. It is valid until its engine shows the next
// one.
type Page struct {
	// Origin is the page's origin, as browsers send it: http://localhost:PORT.
	Origin string

	// Engine is the engine that shows the page.
	Engine Engine

	process *process
	console bool // the process prints the console
	server  *http.Server
	limit   time.Duration // the time limit of a job
	jobs    chan job
	ready   chan struct{} // closed when the page first polls for a job
	isReady sync.Once
	unfit   atomic.Bool // a job did not end, so the page cannot be used any more

	mu      sync.Mutex
	lastJob int
	waiting map[int]chan outcome
}

// job is a message to the page: run a script, or navigate to a URL.
type job struct {
	ID       int    `json:"id"`
	Script   string `json:"script,omitempty"`
	Args     any    `json:"args,omitempty"`
	Navigate string `json:"navigate,omitempty"`
}

// outcome is the result of a script: its value, or the error that it threw.
type outcome struct {
	Value json.RawMessage `json:"value"`
	Error string          `json:"error"`
}

// driverPath is the path of the page that runs the jobs. It does not conflict with the paths
// of a site.
const driverPath = "/.e2e/"

// newPage serves a page on a new port, with a site on the same origin unless site is nil.
func newPage(engine Engine, scripts []byte, site http.Handler) (*Page, error) {
	listener, origin, err := Listen()
	if err != nil {
		return nil, err
	}
	p := &Page{
		Origin:  origin,
		Engine:  engine,
		limit:   jobLimit,
		jobs:    make(chan job),
		ready:   make(chan struct{}),
		waiting: map[int]chan outcome{},
	}
	mux := http.NewServeMux()
	mux.HandleFunc("GET "+driverPath+"{$}", serve("text/html; charset=utf-8", driverHTML))
	mux.HandleFunc("GET "+driverPath+"scripts.js", serve("text/javascript; charset=utf-8", scripts))
	mux.HandleFunc("GET "+driverPath+"next", p.next)
	mux.HandleFunc("POST "+driverPath+"done", p.done)
	if site != nil {
		mux.Handle("/", site)
	}
	p.server = &http.Server{Handler: mux, ErrorLog: log.New(io.Discard, "", 0)}
	go func() { _ = p.server.Serve(listener) }()
	return p, nil
}

// serve returns a handler that serves a body.
func serve(contentType string, body []byte) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", contentType)
		w.Header().Set("Cache-Control", "no-store")
		_, _ = w.Write(body)
	}
}

// next is the handler of the page's long poll. It responds with a job.
func (p *Page) next(w http.ResponseWriter, r *http.Request) {
	p.isReady.Do(func() { close(p.ready) })
	w.Header().Set("Cache-Control", "no-store")
	ctx, cancel := context.WithTimeout(r.Context(), pollLimit)
	defer cancel()
	select {
	case job := <-p.jobs:
		_ = json.NewEncoder(w).Encode(job)
	case <-ctx.Done():
		w.WriteHeader(http.StatusNoContent)
	}
}

// done is the handler that receives the outcome of a job.
func (p *Page) done(w http.ResponseWriter, r *http.Request) {
	id, err := strconv.Atoi(r.FormValue("job"))
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	var o outcome
	if err := json.NewDecoder(r.Body).Decode(&o); err != nil {
		o.Error = "the outcome is not readable: " + err.Error()
	}
	p.mu.Lock()
	waiting := p.waiting[id]
	delete(p.waiting, id)
	p.mu.Unlock()
	if waiting != nil {
		waiting <- o // buffered
	}
}

// Run runs script in the page, and stores the value that it returns in result, which may be
// nil. The script is the body of an async function with the parameter args. Args and the
// result are sent as JSON. Run fails the test if the script throws or does not end within a
// minute.
func (p *Page) Run(t testing.TB, script string, args, result any) {
	t.Helper()
	if err := p.run(script, args, result); err != nil {
		t.Fatalf("%s: %v", p.Engine, err)
	}
}

func (p *Page) run(script string, args, result any) error {
	if p.unfit.Load() {
		return errors.New("the page cannot be used any more, since an earlier script did not end")
	}
	answer := make(chan outcome, 1)
	p.mu.Lock()
	p.lastJob++
	id := p.lastJob
	p.waiting[id] = answer
	p.mu.Unlock()
	limit := time.NewTimer(p.limit)
	defer limit.Stop()
	if err := p.send(job{ID: id, Script: script, Args: args}, limit.C); err != nil {
		return err
	}
	select {
	case o := <-answer:
		if o.Error != "" {
			return errors.New("the script threw:\n" + indent(o.Error))
		}
		if result == nil {
			return nil
		}
		if len(o.Value) == 0 {
			return errors.New("the script returned nothing")
		}
		return json.Unmarshal(o.Value, result)
	case <-p.process.exited:
		return p.giveUp("the browser ended while a script ran")
	case <-limit.C:
		return p.giveUp(fmt.Sprintf("the script did not end within %s", p.limit))
	}
}

// leave makes the page navigate to a URL.
func (p *Page) leave(url string) error {
	limit := time.NewTimer(p.limit)
	defer limit.Stop()
	return p.send(job{Navigate: url}, limit.C)
}

func (p *Page) send(j job, limit <-chan time.Time) error {
	select {
	case p.jobs <- j:
		return nil
	case <-p.process.exited:
		return p.giveUp("the browser has ended")
	case <-limit:
		return p.giveUp(fmt.Sprintf("the page did not poll for a job within %s", p.limit))
	}
}

// waitReady waits until the page polls for its first job.
func (p *Page) waitReady() error {
	limit := time.NewTimer(startLimit)
	defer limit.Stop()
	select {
	case <-p.ready:
		return nil
	case <-p.process.exited:
		return p.giveUp("the browser ended before it showed the page")
	case <-limit.C:
		return p.giveUp(fmt.Sprintf("the browser did not show the page within %s", startLimit))
	}
}

// giveUp marks the page as unusable, so that the next case gets a new browser, and returns an
// error with the end of the browser's log.
func (p *Page) giveUp(reason string) error {
	p.unfit.Store(true)
	return errors.New(reason + "; the end of its log:\n" + indent(p.process.log()))
}

// dead reports whether the page cannot be used any more.
func (p *Page) dead() bool {
	select {
	case <-p.process.exited:
		return true
	default:
		return p.unfit.Load()
	}
}

func (p *Page) close() error { return p.server.Close() }
