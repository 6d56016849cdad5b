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

// jobLimit is how long one job may take, whatever it does.
const jobLimit = 60 * time.Second

// pollLimit ends a long poll that brought nothing, before something in the browser does.
const pollLimit = 20 * time.Second

//go:embed driver.html
var driverHTML []byte

// A Page is a page on an origin of its own, shown by a browser. It is gone when
// its engine shows the next one.
type Page struct {
	// Origin is the page's origin, as browsers send it: http://localhost:PORT.
	Origin string

	// Engine is what shows the page.
	Engine Engine

	process *process
	server  *http.Server
	limit   time.Duration // how long a job may take
	jobs    chan job
	ready   chan struct{} // closed when the page first asks for a job
	isReady sync.Once
	unfit   atomic.Bool // a job did not end: nothing more is to be had from the page

	mu      sync.Mutex
	lastJob int
	waiting map[int]chan outcome
}

// job is what the page is told to do: run a script, or go elsewhere.
type job struct {
	ID       int    `json:"id"`
	Script   string `json:"script,omitempty"`
	Args     any    `json:"args,omitempty"`
	Navigate string `json:"navigate,omitempty"`
}

// outcome is what became of a script: its value, or what it threw.
type outcome struct {
	Value json.RawMessage `json:"value"`
	Error string          `json:"error"`
}

// driverPath is where the page is that runs the jobs, out of the way of a site's own paths.
const driverPath = "/.e2e/"

// newPage serves a page on a port that the system picks, beside a site, if there is one.
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

func serve(contentType string, body []byte) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", contentType)
		w.Header().Set("Cache-Control", "no-store")
		_, _ = w.Write(body)
	}
}

// next answers the page's long poll with a job.
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

// done takes the outcome of a job.
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

// Run runs script, the body of an async function of args, in the page, and stores what
// it returns in result, which may be nil. Both travel as JSON. It fails the test
// where the script throws or does not end within a minute.
func (p *Page) Run(t testing.TB, script string, args, result any) {
	t.Helper()
	if err := p.run(script, args, result); err != nil {
		t.Fatalf("%s: %v", p.Engine, err)
	}
}

func (p *Page) run(script string, args, result any) error {
	if p.unfit.Load() {
		return errors.New("the page is unfit since an earlier script did not end")
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

// leave tells the page to make way for another.
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
		return p.giveUp(fmt.Sprintf("the page asked for no job within %s", p.limit))
	}
}

// waitReady waits for the page to ask for its first job.
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

// giveUp marks the page unfit, so that the next case gets a new browser.
func (p *Page) giveUp(what string) error {
	p.unfit.Store(true)
	return errors.New(what + "; its last words:\n" + indent(p.process.log()))
}

// dead tells whether nothing more is to be had from the page.
func (p *Page) dead() bool {
	select {
	case <-p.process.exited:
		return true
	default:
		return p.unfit.Load()
	}
}

func (p *Page) close() error { return p.server.Close() }
