package gateway

import (
	"context"
	"sync"
)

// calls counts the requests that are being served, upgraded connections included, which http.Server does
// not count. It is safe for concurrent use.
type calls struct {
	mu    sync.Mutex
	count int
	idle  chan struct{} // closed when the count is 0; nil if wait is not running
}

// begin counts a request.
func (c *calls) begin() {
	c.mu.Lock()
	c.count++
	c.mu.Unlock()
}

// end ends a request that begin counted.
func (c *calls) end() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.count--; c.count == 0 && c.idle != nil {
		close(c.idle)
		c.idle = nil
	}
}

// open returns the number of requests that are being served.
func (c *calls) open() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.count
}

// wait returns when no request is being served, or with the context's error.
func (c *calls) wait(ctx context.Context) error {
	c.mu.Lock()
	if c.count == 0 {
		c.mu.Unlock()
		return nil
	}
	if c.idle == nil {
		c.idle = make(chan struct{})
	}
	idle := c.idle
	c.mu.Unlock()
	select {
	case <-idle:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
