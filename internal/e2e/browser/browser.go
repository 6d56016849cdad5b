// Package browser runs JavaScript in real browsers, without WebDriver.
//
// A [Pool] starts one browser process for each engine, when it is first needed. The
// browser shows a page that gets jobs from this program by long polling, runs them and
// posts their outcomes. [Pool.Page] navigates the browser to a page of a new origin, since
// browsers cache preflights for each origin longer than they show a page.
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

// startLimit bounds the time in which a browser must start, or end.
const startLimit = 60 * time.Second

// A Pool holds at most one running browser of each engine. [NewPool] returns one; the zero
// value is not usable. Its methods are safe for concurrent use. The jobs of an engine run one
// after another.
type Pool struct {
	scripts func() ([]byte, error)
	console bool   // Page.Console works in every engine
	trusted string // see NewTrustingPool

	mu       sync.Mutex
	browsers map[Engine]*browser
}

// browser is a running browser and the page that it shows.
type browser struct {
	engine  Engine
	process *process
	page    *Page
}

// NewPool returns a pool. Its pages load the JavaScript that scripts returns, as a classic
// script, before any job runs.
func NewPool(scripts func() ([]byte, error)) *Pool {
	return &Pool{scripts: sync.OnceValues(scripts), browsers: map[Engine]*browser{}}
}

// NewConsolePool is like [NewPool], and [Page.Console] works in every engine. Its Firefox is
// controlled by a program, which its pages can see, and its WebKit does not run in private mode.
func NewConsolePool(scripts func() ([]byte, error)) *Pool {
	p := NewPool(scripts)
	p.console = true
	return p
}

// NewTrustingPool is like [NewPool], and its Chromium trusts every certificate of the public key with
// this SHA-256 of its SubjectPublicKeyInfo, in base64. Firefox and WebKit do not.
func NewTrustingPool(scripts func() ([]byte, error), spki string) *Pool {
	p := NewPool(scripts)
	p.trusted = spki
	return p
}

// Page navigates the engine's browser to a page of a new origin, and returns the page. The
// page is valid until the next call of Page for that engine. Page starts the browser if there
// is none, or if it does not respond any more. It fails the test if that is not possible, for
// instance if the browser is not installed.
func (p *Pool) Page(t testing.TB, engine Engine) *Page {
	t.Helper()
	return p.PageBeside(t, engine, nil)
}

// PageBeside is [Pool.Page] with a site on the same origin, so that scripts can open the site
// in a frame and read it. The paths below /.e2e/ are reserved.
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

// open is PageBeside with an error. The caller holds p.mu.
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
	process, err := startProcess(engine, page.Origin+driverPath, p.console, p.trusted)
	if err != nil {
		return nil, errors.Join(err, page.close())
	}
	page.process, page.console = process, p.console || engine == Chromium
	b = &browser{engine: engine, process: process, page: page}
	if err := page.waitReady(); err != nil {
		return nil, errors.Join(err, b.end())
	}
	p.browsers[engine] = b
	t.Logf("stage start %s: %.1f s", engine, time.Since(start).Seconds())
	return page, nil
}

// navigate replaces the page that the browser shows.
func (b *browser) navigate(to *Page) error {
	to.process, to.console = b.process, b.page.console
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

// Close ends all browsers, and returns an error if a process does not end.
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

// indent indents the output of a browser for an error message.
func indent(text string) string {
	return "\t" + string(bytes.ReplaceAll(bytes.TrimSpace([]byte(text)), []byte("\n"), []byte("\n\t")))
}
