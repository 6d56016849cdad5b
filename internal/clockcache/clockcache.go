// Package clockcache implements a small cache whose values the caller compares one by one.
//
// It evicts by CLOCK: each Add of a value to a full cache moves a hand to the next entry. If
// that entry was used since the hand's last visit, it is marked as unused and the value is not
// added; otherwise the value replaces the entry. So a sequence of new values neither grows the
// cache nor evicts values that are in use.
package clockcache

import "sync/atomic"

// Size is the maximum number of values in a cache.
const Size = 8

// Cache is a cache of values. The zero value is empty. It is safe for concurrent use.
type Cache[T any] struct {
	entries [Size]atomic.Pointer[Entry[T]]
	hand    atomic.Uint32
}

// Entry is a value in a cache.
type Entry[T any] struct {
	Value T // immutable
	used  atomic.Bool
}

// At returns an entry; nil if the cache has no more than i values. The index i is less than Size. An iterator would cost each
// request as much as the look-up of a header field.
func (c *Cache[T]) At(i int) *Entry[T] { return c.entries[i].Load() }

// Use marks the entry as used, so that the next Add which reaches it does not replace it.
func (e *Entry[T]) Use() {
	if !e.used.Load() { // avoids a write by each request
		e.used.Store(true)
	}
}

// Add adds a value, unless the cache is full and the entry under the hand is in use. The cache
// must not contain the value.
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
