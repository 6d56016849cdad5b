package corsbrowser

import (
	"errors"
	"fmt"
	"net/http"
	"time"
)

// Option is an option of [New]. The last of several options for the same setting
// applies.
type Option interface{ applyToBrowser(*Browser) error }

type option func(*Browser) error

func (o option) applyToBrowser(b *Browser) error { return o(b) }

// WithTransport sets the transport that sends the requests. Default:
// http.DefaultTransport. New fails if the transport is nil.
func WithTransport(transport http.RoundTripper) Option {
	return option(func(b *Browser) error {
		if transport == nil {
			return errors.New("corsbrowser: WithTransport: the transport is nil")
		}
		b.transport = transport
		return nil
	})
}

// WithHandler answers all requests with a handler, whatever their host, without a
// network. The handler gets HTTP/1.1 requests, with TLS set for https URLs. Its
// response streams: a Write blocks until the body is read or closed, so close each
// response body. The handler's context ends with the request's, or when the response
// body is closed. Default: the transport of [WithTransport]. New fails if the
// handler is nil.
func WithHandler(h http.Handler) Option {
	return option(func(b *Browser) error {
		if h == nil {
			return errors.New("corsbrowser: WithHandler: the handler is nil")
		}
		b.transport = handlerTransport{h}
		return nil
	})
}

// WithEngine sets the engine. Default: [Standard], which the zero Engine also
// selects.
func WithEngine(engine Engine) Option {
	return option(func(b *Browser) error {
		if engine.differences == nil {
			engine = Standard
		}
		b.engine = engine
		return nil
	})
}

// WithCredentials sets the credentials mode of requests whose [Init] leaves it
// empty. Default: same-origin, which "" also selects. New fails if the mode is
// unknown.
func WithCredentials(credentials Credentials) Option {
	return option(func(b *Browser) error {
		b.init.Credentials = credentials
		return nil
	})
}

// WithDefaults sets the modes of requests whose own [Init] leaves them empty.
// Default: mode cors, credentials mode same-origin and redirect mode follow, which
// "" also selects. New fails if a mode is unknown.
func WithDefaults(init Init) Option {
	return option(func(b *Browser) error {
		b.init = init
		return nil
	})
}

// WithCookieJar sets the browser's cookie jar. A jar does not return the SameSite
// attribute, so cookies that were in the jar before are treated as cookies without
// it. Default: an empty jar. New fails if the jar is nil.
func WithCookieJar(jar http.CookieJar) Option {
	return option(func(b *Browser) error {
		if jar == nil {
			return errors.New("corsbrowser: WithCookieJar: the jar is nil")
		}
		b.cookies.jar = jar
		return nil
	})
}

// WithEmbedder makes the page a sandboxed frame in a page of this origin. It has an
// effect only if the frame's own origin is opaque ("null"). Default: the page is not
// in a frame, which "null" also selects. New fails if the text is not an origin.
func WithEmbedder(pageOrigin string) Option {
	return option(func(b *Browser) (err error) {
		if b.embedder, err = parseOrigin(pageOrigin); err != nil {
			return fmt.Errorf("corsbrowser: WithEmbedder: %w", err)
		}
		return nil
	})
}

// WithClock sets the clock for the expiry of cached preflights. Default: time.Now.
// New fails if the clock is nil.
func WithClock(now func() time.Time) Option {
	return option(func(b *Browser) error {
		if now == nil {
			return errors.New("corsbrowser: WithClock: the clock is nil")
		}
		b.now = now
		return nil
	})
}
