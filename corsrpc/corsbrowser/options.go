package corsbrowser

import (
	"errors"
	"fmt"
	"net/http"
	"time"
)

// Option is an option of [New]. Of two that set the same, the last one counts.
type Option interface{ applyToBrowser(*Browser) error }

type option func(*Browser) error

func (o option) applyToBrowser(b *Browser) error { return o(b) }

// WithTransport sets the transport that requests go out by. Default:
// http.DefaultTransport; New fails for a nil one.
func WithTransport(transport http.RoundTripper) Option {
	return option(func(b *Browser) error {
		if transport == nil {
			return errors.New("corsbrowser: WithTransport: the transport is nil")
		}
		b.transport = transport
		return nil
	})
}

// WithHandler answers requests by a handler, whatever their host and without a
// network. It sees HTTP/1.1, with TLS for https URLs; its answer streams, and its
// context ends with the request's or when the response's body is closed. Close
// bodies: a handler that still writes waits for a reader. Default: a network, as
// of WithTransport; New fails for a nil handler.
func WithHandler(h http.Handler) Option {
	return option(func(b *Browser) error {
		if h == nil {
			return errors.New("corsbrowser: WithHandler: the handler is nil")
		}
		b.transport = handlerTransport{h}
		return nil
	})
}

// WithEngine chooses the engine. Default: [Standard], which the zero Engine
// means too.
func WithEngine(engine Engine) Option {
	return option(func(b *Browser) error {
		if engine.differences == nil {
			engine = Standard
		}
		b.engine = engine
		return nil
	})
}

// WithCredentials sets the credentials mode for requests that leave it empty.
// Default: same-origin, which "" means too; New fails for a mode that does not
// exist.
func WithCredentials(credentials Credentials) Option {
	return option(func(b *Browser) error {
		b.init.Credentials = credentials
		return nil
	})
}

// WithDefaults sets the fields of [Init] for requests that leave them empty.
// Default: mode cors, credentials same-origin, redirect follow, which "" means
// too; New fails for a mode that does not exist.
func WithDefaults(init Init) Option {
	return option(func(b *Browser) error {
		b.init = init
		return nil
	})
}

// WithCookieJar sets the browser's cookies. The browser knows the SameSite
// attribute of cookies that answers set while it is open; all others count as
// cookies without one. Default: an empty jar; New fails for a nil one.
func WithCookieJar(jar http.CookieJar) Option {
	return option(func(b *Browser) error {
		if jar == nil {
			return errors.New("corsbrowser: WithCookieJar: the jar is nil")
		}
		b.cookies.jar = jar
		return nil
	})
}

// WithEmbedder says that the page is a sandboxed frame in a page of this origin.
// It has no effect on a page that is not of an opaque origin. Default: the page
// is not in a frame, which "null" means too; New fails for a text that is not an
// origin.
func WithEmbedder(pageOrigin string) Option {
	return option(func(b *Browser) (err error) {
		if b.embedder, err = parseOrigin(pageOrigin); err != nil {
			return fmt.Errorf("corsbrowser: WithEmbedder: %w", err)
		}
		return nil
	})
}

// WithClock sets the clock that preflights expire by. Default: time.Now; New
// fails for a nil one.
func WithClock(now func() time.Time) Option {
	return option(func(b *Browser) error {
		if now == nil {
			return errors.New("corsbrowser: WithClock: the clock is nil")
		}
		b.now = now
		return nil
	})
}
