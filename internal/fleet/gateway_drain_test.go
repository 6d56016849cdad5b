//go:build fleet

package fleet

import (
	"context"
	"net"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// awaitEnd waits until the gateway has ended, and fails the test unless it ended with status 0 within the time.
func (f *fleet) awaitEnd(within time.Duration) {
	f.t.Helper()
	select {
	case <-f.program.ended:
	case <-time.After(within):
		f.t.Fatalf("the gateway has not ended after %s\n%s", within, f.program.log())
	}
	if code := f.program.cmd.ProcessState.ExitCode(); code != 0 {
		f.t.Errorf("exit status %d, want 0\n%s", code, f.program.log())
	}
}

// TestGatewayDrainCut: the link to the page or to the upstream is cut while streams are open. After SIGTERM the gateway ends within the drain's
// timeout, with status 0, and its log names the calls that it has ended.
func TestGatewayDrainCut(t *testing.T) {
	t.Parallel()
	for _, cut := range []string{"client", "upstream"} {
		for _, asked := range []string{busy, silent} {
			t.Run(cut+" "+asked, func(t *testing.T) {
				t.Parallel()
				const timeout = 3 * time.Second
				f := start(t, settings{kind: connectGo, schema: plain, drain: timeout})
				host := map[string]interface{ Cut() }{"client": f.client, "upstream": f.upstream}[cut]
				ctx, cancel := context.WithCancel(t.Context())
				defer cancel()
				var streams []*stream
				for _, p := range protocolsOf(connectGo) {
					streams = append(streams, f.open(ctx, p, asked))
				}
				host.Cut()
				f.program.terminate(t)
				begun := time.Now()
				f.awaitEnd(timeout + 5*time.Second)
				if took := time.Since(begun); took < timeout {
					t.Errorf("it ended after %s, before its timeout, with open streams", took)
				}
				if log := f.program.log(); !strings.Contains(log, "the remaining calls are ended\" open_calls=2") {
					t.Errorf("the log does not name the calls that were ended:\n%s", log)
				}
				if cut == "upstream" {
					for _, s := range streams {
						if err := f.end(s, 10*time.Second); err == nil {
							t.Error("a stream that was ended looks complete")
						}
					}
				}
				cancel()
				for _, s := range streams {
					s.Close()
				}
			})
		}
	}
}

// TestGatewayDrainDelay: the gateway drains while a relay delays every byte by 300 ms each way. No call that a page has begun is lost, streams
// included, and the gateway ends when they have.
func TestGatewayDrainDelay(t *testing.T) {
	t.Parallel()
	const delay = 300 * time.Millisecond
	f := begin(t)
	f.startUpstream(connectGo, plain)
	relay := f.upstream.Relay(t, net.JoinHostPort(f.upstream.Address, "9090"), delay)
	f.startGateway(settings{kind: connectGo, address: relay, delay: 3 * time.Second})
	f.eventually("the gateway is ready", 30*time.Second, func() bool { return isReady(f.inspect("/readyz")) })
	var callers sync.WaitGroup
	var answered, opened atomic.Int64
	var away atomic.Bool // whether the page has been told to use other instances
	for i := range 16 {
		p := protocolsOf(connectGo)[i%2]
		callers.Go(func() {
			for !away.Load() {
				response, err := f.page(p, echo).CallUnary(t.Context(), request("Ada"))
				if err != nil || response.Msg.GetValue() != "Ada" {
					t.Errorf("%s: a call was lost: %v", p.name, err)
					return
				}
				answered.Add(1)
			}
		})
		callers.Go(func() { // a stream that lasts longer than the drain's delay
			s, err := f.page(p, ticks).CallServerStream(t.Context(), request("60 100ms"))
			if err != nil {
				t.Errorf("%s: %v", p.name, err)
				return
			}
			defer s.Close()
			messages := 0
			for s.Receive() {
				if messages++; messages == 1 {
					opened.Add(1)
				}
			}
			if messages != 60 || s.Err() != nil {
				t.Errorf("%s: a stream was lost: %d messages, %v", p.name, messages, s.Err())
			}
		})
	}
	f.eventually("the streams are open", 30*time.Second, func() bool { return opened.Load() == 16 && answered.Load() >= 16 })
	f.program.terminate(t)
	f.eventually("/readyz tells load balancers of the drain", 2*time.Second, func() bool { status, _ := f.inspect("/readyz"); return status == http.StatusServiceUnavailable })
	away.Store(true)
	callers.Wait()
	f.awaitEnd(10 * time.Second)
	t.Logf("result: %d calls and 16 streams over the delayed link; none was lost", answered.Load())
	if log := f.program.log(); !strings.Contains(log, "every call has ended") {
		t.Errorf("the log:\n%s", log)
	}
}
