// Package browser runs JavaScript in real browsers, without WebDriver.
//
// A [Pool] starts one browser process per engine, when it is first needed. It
// shows a page that fetches a job from this program by long polling, runs it
// and posts the outcome back. [Pool.Page] brings the browser to a page on an
// origin that no case has used before: what browsers remember of a preflight
// outlives a page, but is kept per origin.
package browser

import (
	"bytes"
	"errors"
	"fmt"
	"net/http"
	"sync"
	"testing"
	"time"
)

// startLimit is how long a browser may take to start, or to end.
const startLimit = 60 * time.Second

// A Pool holds at most one running browser of each engine. The zero value is
// not usable: see [NewPool]. Its methods may be called concurrently; the jobs of one
// engine take turns.
type Pool struct {
	scripts func() ([]byte, error)

	mu       sync.Mutex
	browsers map[Engine]*browser
}

// browser is a running browser and the page it shows.
type browser struct {
	engine  Engine
	process *process
	page    *Page
}

// NewPool returns a pool whose pages load the JavaScript that scripts
// returns, as a classic script, before any job runs.
func NewPool(scripts func() ([]byte, error)) *Pool {
	return &Pool{scripts: sync.OnceValues(scripts), browsers: map[Engine]*browser{}}
}

// Page brings the engine's browser to a page on a fresh origin, which it holds
// until the next Page of that engine. It starts the browser if there is none, or
// none that still answers. It fails the test where that is not possible, and where
// the browser is not installed.
func (p *Pool) Page(t testing.TB, engine Engine) *Page {
	t.Helper()
	return p.PageBeside(t, engine, nil)
}

// PageBeside is [Pool.Page] with a site on the same origin, so that scripts may open the
// site in a frame and look into it. The paths below /.e2e/ are the page's.
func (p *Pool) PageBeside(t testing.TB, engine Engine, site http.Handler) *Page {
	t.Helper()
	p.mu.Lock()
	defer p.mu.Unlock()
	page, err := p.open(t, engine, site)
	if err != nil {
		t.Fatalf("%s: %v", engine, err)
	}
	return page
}

func (p *Pool) open(t testing.TB, engine Engine, site http.Handler) (*Page, error) {
	scripts, err := p.scripts()
	if err != nil {
		return nil, err
	}
	page, err := newPage(engine, scripts, site)
	if err != nil {
		return nil, err
	}
	b := p.browsers[engine]
	if b != nil && b.page.dead() {
		delete(p.browsers, engine)
		if err := b.end(); err != nil {
			t.Log(err)
		}
		b = nil
	}
	if b != nil {
		err := b.navigate(page)
		return page, err
	}
	start := time.Now()
	process, err := startProcess(engine, page.Origin+driverPath)
	if err != nil {
		return nil, errors.Join(err, page.close())
	}
	page.process = process
	b = &browser{engine: engine, process: process, page: page}
	if err := page.waitReady(); err != nil {
		return nil, errors.Join(err, b.end())
	}
	p.browsers[engine] = b
	t.Logf("stage start %s: %.1f s", engine, time.Since(start).Seconds())
	return page, nil
}

// navigate brings the browser from the page it shows to another.
func (b *browser) navigate(to *Page) error {
	to.process = b.process
	from := b.page
	if err := from.leave(to.Origin + driverPath); err != nil {
		return errors.Join(err, to.close())
	}
	b.page = to
	return errors.Join(to.waitReady(), from.close())
}

func (b *browser) end() error {
	return errors.Join(b.page.close(), b.process.end())
}

// Close ends every browser, and reports processes that would not end.
func (p *Pool) Close() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	var errs []error
	for engine, b := range p.browsers {
		if err := b.end(); err != nil {
			errs = append(errs, fmt.Errorf("%s: %w", engine, err))
		}
	}
	clear(p.browsers)
	return errors.Join(errs...)
}

// indent sets a browser's words apart from ours.
func indent(text string) string {
	return "\t" + string(bytes.ReplaceAll(bytes.TrimSpace([]byte(text)), []byte("\n"), []byte("\n\t")))
}
