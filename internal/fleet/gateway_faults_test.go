//go:build fleet

package fleet

import (
	"context"
	"errors"
	"net"
	"testing"
	"time"

	"connectrpc.com/connect"
	"google.golang.org/protobuf/types/known/wrapperspb"
)

// deadLink is how long the gateway may take to find out that the link to an upstream is dead while a stream is open.
const deadLink = 40 * time.Second

// TestGatewayCutUnary: while the link to the upstream is cut, pages read an error in the protocol of their call within the configured
// time, over the connection that is open and over a new one. After that the calls work again.
func TestGatewayCutUnary(t *testing.T) {
	t.Parallel()
	for _, kind := range []string{grpcGo, connectGo} {
		t.Run(kind, func(t *testing.T) {
			t.Parallel()
			f := start(t, settings{kind: kind, schema: plain})
			for _, p := range protocolsOf(kind) {
				if code, err := f.echo(t.Context(), p); code != 0 {
					t.Fatalf("%s over a whole link: %v", p.name, err)
				}
				f.upstream.Cut()
				for range 3 {
					begun := time.Now()
					code, err := f.echo(t.Context(), p) // without a deadline, which would replace response_timeout
					took := time.Since(begun)
					if code != connect.CodeDeadlineExceeded && code != connect.CodeUnavailable || took > 6*time.Second { // connect_timeout and response_timeout, and one more
						t.Errorf("%s over a cut link: %v after %s", p.name, err, took)
					}
				}
				f.upstream.Mend()
				mended := time.Now()
				f.eventually(p.name+" over a mended link", 15*time.Second, func() bool { code, _ := f.echo(t.Context(), p); return code == 0 })
				t.Logf("result: %s works again after %s", p.name, time.Since(mended).Round(10*time.Millisecond))
			}
		})
	}
}

// Requests of ticks.
const (
	busy   = "1000000 50ms"
	silent = "1 1h"
)

// TestGatewayCutStream: a stream whose link to the upstream is cut ends in an error, whether the upstream was sending or silent.
func TestGatewayCutStream(t *testing.T) {
	t.Parallel()
	for _, kind := range []string{grpcGo, connectGo} {
		for _, asked := range []string{busy, silent} {
			t.Run(kind+" "+asked, func(t *testing.T) {
				t.Parallel()
				f := start(t, settings{kind: kind, schema: plain})
				streams := map[string]*stream{}
				for _, p := range protocolsOf(kind) {
					streams[p.name] = f.open(t.Context(), p, asked)
				}
				f.upstream.Cut()
				begun := time.Now()
				if asked == silent { // so that the connection has sent something that is never acknowledged
					if code, err := f.echo(t.Context(), overGRPCWeb); code != connect.CodeDeadlineExceeded {
						t.Errorf("a call over a cut link: %v", err)
					}
				}
				for name, s := range streams {
					err := f.end(s, 3*time.Minute)
					took := time.Since(begun)
					if connect.CodeOf(err) != connect.CodeUnavailable || took > deadLink {
						t.Errorf("%s: %v after %s, want UNAVAILABLE within %s\n%s", name, err, took, deadLink, f.program.log())
					}
					t.Logf("result: %s over %s, a stream of %q: ended after %s", kind, name, asked, took.Round(100*time.Millisecond))
				}
				f.upstream.Mend()
				f.eventually("a call over a mended link", 15*time.Second, func() bool { code, _ := f.echo(t.Context(), overGRPCWeb); return code == 0 })
			})
		}
	}
}

type stream = connect.ServerStreamForClient[wrapperspb.StringValue]

// open opens a stream and receives its first message.
func (f *fleet) open(ctx context.Context, p protocol, asked string) *stream {
	f.t.Helper()
	s, err := f.page(p, ticks).CallServerStream(ctx, request(asked))
	if err != nil {
		f.t.Fatal(err)
	}
	if !s.Receive() {
		f.t.Fatalf("%s: the stream has no message: %v", p.name, s.Err())
	}
	return s
}

var errNoEnd = errors.New("the stream has not ended")

// end receives the rest of a stream, and returns its error.
func (f *fleet) end(s *stream, within time.Duration) error {
	ended := make(chan error, 1)
	go func() {
		for s.Receive() {
		}
		ended <- s.Err()
	}()
	select {
	case err := <-ended:
		s.Close()
		return err
	case <-time.After(within):
		go s.Close()
		return errNoEnd
	}
}

// TestGatewaySilentStream: a stream of which nothing comes for minutes goes on. Servers of gRPC end connections of clients that ping too often.
func TestGatewaySilentStream(t *testing.T) {
	t.Parallel()
	f := start(t, settings{kind: grpcGo, schema: plain})
	s := f.open(t.Context(), overGRPCWeb, "1 150s")
	if err := f.end(s, 4*time.Minute); err != nil {
		t.Errorf("%v\n%s", err, f.program.log())
	}
}

// TestGatewayLoss: a tenth of the packets is lost on each link, in both directions. All calls and streams succeed.
func TestGatewayLoss(t *testing.T) {
	t.Parallel()
	f := start(t, settings{kind: connectGo, schema: plain, response: time.Minute})
	f.gateway.Lose(10)
	f.client.Lose(10)
	f.upstream.Lose(10)
	for _, p := range protocolsOf(connectGo) {
		for range 100 {
			if code, err := f.echo(t.Context(), p); code != 0 {
				t.Errorf("%s: %v", p.name, err)
			}
		}
		for range 10 {
			s, err := f.page(p, ticks).CallServerStream(t.Context(), request("100 1ms"))
			if err != nil {
				t.Fatal(err)
			}
			messages := 0
			for s.Receive() {
				messages++
			}
			if messages != 100 || s.Err() != nil {
				t.Errorf("%s: %d messages, %v", p.name, messages, s.Err())
			}
			s.Close()
		}
	}
}

// TestGatewayDelay: the upstream is behind a relay that delays by 800 ms each way. The gateway reads its schema and its calls work; a
// deadline that is shorter passes, after the second of grace that the server has to end the call itself.
func TestGatewayDelay(t *testing.T) {
	t.Parallel()
	const delay = 800 * time.Millisecond
	f := begin(t)
	f.startUpstream(connectGo, readable)
	relay := f.upstream.Relay(t, net.JoinHostPort(f.upstream.Address, "9090"), delay)
	f.startGateway(settings{kind: connectGo, schema: readable, address: relay})
	f.eventually("the gateway is ready", 30*time.Second, func() bool { return isReady(f.inspect("/readyz")) })
	for _, p := range protocolsOf(connectGo) {
		begun := time.Now()
		code, err := f.echo(t.Context(), p)
		if took := time.Since(begun); code != 0 || took < 2*delay {
			t.Errorf("%s: %v after %s", p.name, err, took)
		}
		s, err := f.page(p, ticks).CallServerStream(t.Context(), request("20 1ms"))
		if err != nil {
			t.Fatal(err)
		}
		messages := 0
		for s.Receive() {
			messages++
		}
		if messages != 20 || s.Err() != nil {
			t.Errorf("%s: %d messages, %v", p.name, messages, s.Err())
		}
		s.Close()
		r := request("Ada")
		r.Header().Set("Connect-Timeout-Ms", "200")
		r.Header().Set("Grpc-Timeout", "200m")
		begun = time.Now()
		_, err = f.page(p, echo).CallUnary(t.Context(), r)
		if took := time.Since(begun); connect.CodeOf(err) != connect.CodeDeadlineExceeded || took > 2*delay {
			t.Errorf("%s with a deadline below the delay: %v after %s", p.name, err, took)
		}
		var failure *connect.Error
		if !errors.As(err, &failure) || failure.Meta().Get("Access-Control-Allow-Origin") != origin {
			t.Errorf("%s: a page cannot read the deadline: %v", p.name, err)
		}
	}
	if ok, why := f.mayGet(); !ok {
		t.Errorf("GET of a method without side effects is not allowed: %s", why)
	}
}
