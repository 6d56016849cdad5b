package clockcache

import (
	"fmt"
	"testing"
)

// has reports whether a value is in the cache, and uses it.
func has(c *Cache[string], want string) bool {
	for e := range c.All {
		if e.Value == want {
			e.Use()
			return true
		}
	}
	return false
}

// TestBound: of ever new values a few are kept, and those in use stay.
func TestBound(t *testing.T) {
	t.Parallel()
	var c Cache[string]
	c.Add("in use")
	for i := range 100_000 {
		if !has(&c, "in use") {
			t.Fatalf("what is in use is forgotten after %d new ones", i)
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
		t.Errorf("%d of the new ones are kept, want %d", kept, Size-1)
	}
}

// TestEviction: what is no longer used gives way.
func TestEviction(t *testing.T) {
	t.Parallel()
	var c Cache[string]
	for i := range Size {
		c.Add(fmt.Sprint("old ", i))
		has(&c, fmt.Sprint("old ", i))
	}
	for i := 0; !has(&c, "new"); i++ {
		if i > Size {
			t.Fatalf("not in the cache after %d times", i)
		}
		c.Add("new")
	}
}

// TestHandMoves: the entry that is not in use gives way, wherever it stands.
func TestHandMoves(t *testing.T) {
	t.Parallel()
	for idle := range Size {
		var c Cache[string]
		for i := range Size {
			c.Add(fmt.Sprint(i))
		}
		for e := range c.All {
			if e.Value != fmt.Sprint(idle) {
				e.Use()
			}
		}
		for range Size {
			c.Add("new")
		}
		values := map[string]bool{}
		for e := range c.All {
			values[e.Value] = true
		}
		if values[fmt.Sprint(idle)] || !values["new"] {
			t.Errorf("%d is not in use; the cache holds %v", idle, values)
		}
	}
}
