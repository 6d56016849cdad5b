package serve

import (
	"fmt"
	"net/http"
	"net/http/pprof"
	"strings"

	"github.com/corsrpc/corsrpc-go/internal/privatepage"
)

// InternalConfig describes the internal port.
type InternalConfig struct {
	// Policies returns the policies in force.
	Policies func() []*Policy
	// Metrics are served below /metrics.
	Metrics *Metrics
	// Hosts are further host names under which the port answers, on any port.
	Hosts []string
	// Pprof serves Go's profiles.
	Pprof bool
	// Draining reports whether the program is about to end.
	Draining func() bool
}

// NewInternal returns the handler of the internal port: /livez, /readyz, /metrics, /inspect/NAME/ for the
// inspector of each policy, and /debug/pprof/. It answers to GET and HEAD, and not to pages of other origins.
// Apart from /livez and /readyz it answers under localhost, IP addresses and the configured names only, as a
// protection against DNS rebinding.
func NewInternal(c InternalConfig) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("/livez", func(w http.ResponseWriter, _ *http.Request) { writeText(w, http.StatusOK, "ok\n") })
	mux.HandleFunc("/readyz", c.ready)
	guarded := http.NewServeMux()
	guarded.Handle("/metrics", c.Metrics.Handler())
	guarded.HandleFunc("/inspect/{name}/{$}", c.inspect)
	guarded.HandleFunc("/{$}", c.index)
	if c.Pprof {
		guarded.HandleFunc("/debug/pprof/", pprof.Index)
		guarded.HandleFunc("/debug/pprof/cmdline", pprof.Cmdline)
		guarded.HandleFunc("/debug/pprof/profile", pprof.Profile)
		guarded.HandleFunc("/debug/pprof/symbol", pprof.Symbol)
		guarded.HandleFunc("/debug/pprof/trace", pprof.Trace)
	}
	mux.Handle("/", guard(guarded, c.Hosts))
	return mux
}

// guard refuses requests of pages of other origins, and those under other hosts.
func guard(next http.Handler, hosts []string) http.Handler {
	plain := make([]string, len(hosts))
	for i, h := range hosts {
		plain[i] = privatepage.PlainHost(h)
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch why, status := privatepage.Refused(r, plain); why {
		case privatepage.UnknownHost:
			writeText(w, status, "unknown host: as a protection against DNS rebinding, the internal port answers only under localhost, IP addresses and the names in internal.hosts\n")
		case privatepage.OtherOrigin:
			writeText(w, status, "the internal port refuses requests from pages of other origins: open it from the address bar\n")
		case privatepage.NotReadOnly:
			w.Header().Set("Allow", "GET, HEAD")
			writeText(w, status, "the internal port is read-only: use GET or HEAD\n")
		default:
			next.ServeHTTP(w, r)
		}
	})
}

func writeText(w http.ResponseWriter, status int, text string) {
	h := w.Header()
	h.Set("Content-Type", "text/plain; charset=utf-8")
	h.Set("Cache-Control", "no-store")
	h.Set("X-Content-Type-Options", "nosniff")
	w.WriteHeader(status)
	_, _ = w.Write([]byte(text))
}

// ready answers 200 if every policy is ready, and 503 otherwise, with one line for each.
func (c *InternalConfig) ready(w http.ResponseWriter, _ *http.Request) {
	status := http.StatusOK
	var text strings.Builder
	for _, p := range c.Policies() {
		if ok, why := p.Ready(); ok {
			fmt.Fprintf(&text, "%s: ready, policy %s\n", p.Name(), p.Layer().Plan().Digest())
		} else {
			status = http.StatusServiceUnavailable
			fmt.Fprintf(&text, "%s: not ready: %s\n", p.Name(), why)
		}
	}
	if c.Draining() {
		status = http.StatusServiceUnavailable
		text.WriteString("draining\n")
	}
	writeText(w, status, text.String())
}

// inspect serves the inspector of a policy.
func (c *InternalConfig) inspect(w http.ResponseWriter, r *http.Request) {
	for _, p := range c.Policies() {
		if p.Name() != r.PathValue("name") {
			continue
		}
		if i := p.Inspector(); i != nil {
			i.ServeHTTP(w, r)
			return
		}
		writeText(w, http.StatusServiceUnavailable, "the policy is not in force yet\n")
		return
	}
	http.NotFound(w, r)
}

// index lists what the port serves.
func (c *InternalConfig) index(w http.ResponseWriter, _ *http.Request) {
	text := "/livez\n/readyz\n/metrics\n"
	for _, p := range c.Policies() {
		text += "/inspect/" + p.Name() + "/\n"
	}
	if c.Pprof {
		text += "/debug/pprof/\n"
	}
	writeText(w, http.StatusOK, text)
}
