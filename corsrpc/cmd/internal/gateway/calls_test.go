package gateway

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
)

// TestCalls: wait returns when the last call has ended, and not before.
func TestCalls(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c := &calls{}
		if err := c.wait(t.Context()); err != nil {
			t.Fatal(err)
		}
		c.begin()
		c.begin()
		done := make(chan error, 2)
		for range 2 {
			go func() { done <- c.wait(t.Context()) }()
		}
		c.end()
		synctest.Wait()
		if len(done) != 0 {
			t.Fatalf("wait returned with %d open call", c.open())
		}
		c.end()
		synctest.Wait()
		if len(done) != 2 {
			t.Fatal("wait did not return after the last call")
		}
		c.begin()
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if err := c.wait(ctx); !errors.Is(err, context.Canceled) {
			t.Errorf("%v, want the context's error", err)
		}
		c.end()
	})
}
