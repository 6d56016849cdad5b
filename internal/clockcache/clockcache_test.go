package clockcache

import (
	"fmt"
	"testing"
)

// has reports whether the cache contains a value, and marks its entry as used.
func has(c *Cache[string], want string) bool {
	for i := range Size {
		if e := c.At(i); e != nil && e.Value == want {
			e.Use()
			return true
		}
	}
	return false
}

// TestBound: a sequence of new values does not evict a value that is in use, and the cache
// keeps only the last few of them.
func TestBound(t *testing.T) {
	t.Parallel()
	var c Cache[string]
	c.Add("in use")
	for i := range 100_000 {
		if !has(&c, "in use") {
			t.Fatalf("the value in use is evicted after %d new ones", i)
		}
		if name := fmt.Sprint(i); !has(&c, name) {
			c.Add(name)
		}
	}
	kept := 0
	for i := range 100_000 {
		if has(&c, fmt.Sprint(i)) {
			kept++
		}
	}
	if kept != Size-1 {
		t.Errorf("%d new values are in the cache, want %d", kept, Size-1)
	}
}

// TestEviction: a new value replaces an entry that is no longer used.
func TestEviction(t *testing.T) {
	t.Parallel()
	var c Cache[string]
	for i := range Size {
		c.Add(fmt.Sprint("old ", i))
		has(&c, fmt.Sprint("old ", i))
	}
	for i := 0; !has(&c, "new"); i++ {
		if i > Size {
			t.Fatalf("the value is not in the cache after %d calls of Add", i)
		}
		c.Add("new")
	}
}

// TestHandSkipsUsedEntries: a new value replaces the entry that is not in use, whatever its position.
func TestHandSkipsUsedEntries(t *testing.T) {
	t.Parallel()
	for idle := range Size {
		var c Cache[string]
		for i := range Size {
			c.Add(fmt.Sprint(i))
		}
		for i := range Size {
			if i != idle {
				c.At(i).Use()
			}
		}
		for range Size {
			c.Add("new")
		}
		values := map[string]bool{}
		for i := range Size {
			values[c.At(i).Value] = true
		}
		if values[fmt.Sprint(idle)] || !values["new"] {
			t.Errorf("%d is not in use; the cache contains %v", idle, values)
		}
	}
}
