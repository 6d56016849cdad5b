// Package clockcache is a small cache of values that are compared one by one.
//
// It evicts by CLOCK: a hand goes round the entries, one step for each new value, and takes
// from the entry under it the mark that it was used, or else replaces it. Ever new values
// neither fill the memory nor drive out the ones in use.
package clockcache

import "sync/atomic"

// Size is how many values a cache holds at most.
const Size = 8

// Cache is a cache. The zero value is empty. It is safe for concurrent use.
type Cache[T any] struct {
	entries [Size]atomic.Pointer[Entry[T]]
	hand    atomic.Uint32
}

// Entry is a value in a cache.
type Entry[T any] struct {
	Value T // immutable
	used  atomic.Bool
}

// All ranges over the entries. It is inlined, and its loops' bodies with it.
func (c *Cache[T]) All(yield func(*Entry[T]) bool) {
	for i := range c.entries {
		if e := c.entries[i].Load(); e == nil || !yield(e) {
			return
		}
	}
}

// Use marks the entry as used, so that it outlives the hand's next step onto it.
func (e *Entry[T]) Use() {
	if !e.used.Load() { // not written by every request
		e.used.Store(true)
	}
}

// Add adds a value that is not there yet, unless the entry under the hand is in use.
func (c *Cache[T]) Add(value T) {
	for i := range c.entries {
		if c.entries[i].CompareAndSwap(nil, &Entry[T]{Value: value}) {
			return
		}
	}
	under := &c.entries[c.hand.Add(1)%Size]
	if e := under.Load(); !e.used.Swap(false) {
		under.CompareAndSwap(e, &Entry[T]{Value: value})
	}
}
