package corsrpc

import (
	"net/http"
	"sync/atomic"

	"github.com/corsrpc/corsrpc-go/internal/fetch"
)

// Bounds on what a plan remembers of what it saw.
const (
	recentMost  = 8       // of each kind, for a procedure or a rule
	recentBytes = 1 << 10 // of one
	recentNames = 32
)

// recent remembers a few things that were worked out, since browsers send few
// different preflights for a rule, and a procedure's answers carry few different sets
// of headers. What is used stays: one that is new takes the place of one that was not
// used since the last new one, or is not remembered, so that whoever sends ever new
// ones neither fills the memory nor drives out the others. It is safe for concurrent
// use.
type recent[T any] struct {
	places [recentMost]atomic.Pointer[recentPlace[T]]
	next   atomic.Uint32
}

type recentPlace[T any] struct {
	value T
	used  atomic.Bool
}

// all ranges over what is remembered. It is inlined, and its loops' bodies with it.
func (r *recent[T]) all(yield func(*recentPlace[T]) bool) {
	for i := range r.places {
		if p := r.places[i].Load(); p == nil || !yield(p) {
			return
		}
	}
}

// use has the value stay where new ones come.
func (p *recentPlace[T]) use() {
	if !p.used.Load() { // not written by every request
		p.used.Store(true)
	}
}

// remember may keep a value that is not there yet.
func (r *recent[T]) remember(value T) {
	for i := range r.places {
		if r.places[i].CompareAndSwap(nil, &recentPlace[T]{value: value}) {
			return
		}
	}
	place := &r.places[r.next.Add(1)%recentMost]
	if p := place.Load(); !p.used.Swap(false) {
		place.CompareAndSwap(p, &recentPlace[T]{value: value})
	}
}

// exposure is what is exposed of answers that carry just these names.
type exposure struct {
	names []string // as the header spells them
	value string   // of Access-Control-Expose-Headers
}

// isOf reports whether a header has just the names.
func (e *exposure) isOf(header http.Header) bool {
	if len(header) != len(e.names) {
		return false
	}
	for _, name := range e.names {
		if len(header[name]) == 0 {
			return false
		}
	}
	return true
}

// rememberExposure keeps what was worked out for a header, unless that depends on
// more than its names, or is long.
func (t *target) rememberExposure(header http.Header, value string) {
	if len(header) > recentNames || len(value) > recentBytes {
		return
	}
	names, size := make([]string, 0, len(header)), 0
	for name, values := range header {
		if len(values) == 0 || name == "Connection" || fetch.IsAccessControl(name) {
			return
		}
		names, size = append(names, name), size+len(name)
	}
	if size <= recentBytes {
		t.answers.remember(exposure{names, value})
	}
}
