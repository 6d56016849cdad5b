package serve

import (
	"cmp"
	"fmt"
	"net/http"
	"net/http/pprof"
	"slices"
	"strings"

	"github.com/corsrpc/corsrpc-go/internal/pageguard"
	"github.com/corsrpc/corsrpc-go/internal/safetext"
)

// InternalConfig says what an internal port serves.
type InternalConfig struct {
	// Policies returns the policies of the program, in any order. It is called for each request, so
	// the policies may change. Required.
	Policies func() []*Policy
	// Draining reports whether the program is about to end, so that it is not ready. Nil: it never is.
	Draining func() bool
	// Metrics are served at /metrics. Nil: they are not.
	Metrics *Metrics
	// Hosts are further host names under which the port answers, on any port. It always answers under
	// localhost and IP addresses. Default: none.
	Hosts []string
	// Pprof serves Go's profiles below /debug/pprof/. Default: false.
	Pprof bool
}

// internalPort is the handler of an internal port.
type internalPort struct {
	InternalConfig
	hosts []string // as pageguard.HostName returns them
	mux   *http.ServeMux
}

// NewInternal returns the handler of an internal port:
//
//	/livez           200 while the program serves
//	/readyz          200 if all policies are ready and the program is not about to end, and 503 otherwise
//	/metrics         metrics for Prometheus
//	/inspect/NAME/   the inspector of a policy
//	/debug/pprof/    Go's profiles, without the command line
//	/                links to these
//
// It is read-only. Against DNS rebinding it answers only under localhost, IP addresses and the hosts of
// the configuration, and it refuses requests from pages of other origins. /livez and /readyz answer
// everyone with their status, and say what /readyz waits for to the others only. NewInternal fails if a
// host is not valid.
func NewInternal(config InternalConfig) (http.Handler, error) {
	i := &internalPort{InternalConfig: config, mux: http.NewServeMux()}
	for _, host := range config.Hosts {
		name, ok := pageguard.HostName(host)
		if !ok {
			return nil, fmt.Errorf(`"%s" is not a host name: write a name such as gateway.internal.example`, safetext.Sample(host))
		}
		i.hosts = append(i.hosts, name)
	}
	i.mux.HandleFunc("/{$}", i.index)
	i.mux.HandleFunc("/inspect/{name}", i.toInspector)
	i.mux.HandleFunc("/inspect/{name}/{$}", i.inspect)
	if config.Metrics != nil {
		i.mux.Handle("/metrics", config.Metrics.Handler())
	}
	if config.Pprof {
		i.mux.HandleFunc("/debug/pprof/", pprof.Index) // without pprof.Cmdline: a command line may have passwords
		i.mux.HandleFunc("/debug/pprof/profile", pprof.Profile)
		i.mux.HandleFunc("/debug/pprof/symbol", pprof.Symbol)
		i.mux.HandleFunc("/debug/pprof/trace", pprof.Trace)
	}
	return i, nil
}

// ServeHTTP answers a request.
func (i *internalPort) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	header := w.Header()
	header.Set("Cache-Control", "no-store")
	header.Set("X-Content-Type-Options", "nosniff")
	header.Set("Cross-Origin-Resource-Policy", "same-origin")
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		header.Set("Allow", "GET, HEAD") // RFC 9110, section 15.5.6
		http.Error(w, "The internal port is read-only: use GET or HEAD.", http.StatusMethodNotAllowed)
		return
	}
	why := i.refusal(r)
	switch {
	case r.URL.Path == "/livez":
		writeText(w, http.StatusOK, "ok\n")
	case r.URL.Path == "/readyz":
		i.readyz(w, why == "")
	case why != "":
		http.Error(w, why, http.StatusForbidden)
	default:
		i.mux.ServeHTTP(w, r)
	}
}

// refusal says why the port does not tell a request what only its operators may know; empty if it does.
func (i *internalPort) refusal(r *http.Request) string {
	switch {
	case !pageguard.AnswersUnder(i.hosts, r.Host):
		return "Unknown host: as a protection against DNS rebinding, the internal port answers only under localhost, IP addresses and the names in its configuration (internal.hosts)."
	case !pageguard.FromItself(r):
		return "The internal port refuses requests from pages of other origins: open it from the address bar."
	}
	return ""
}

// sorted returns the policies, sorted by name.
func (i *internalPort) sorted() []*Policy {
	return slices.SortedFunc(slices.Values(i.Policies()), func(a, b *Policy) int { return cmp.Compare(a.Name(), b.Name()) })
}

// readyz answers with the readiness, and with details if they may be told.
func (i *internalPort) readyz(w http.ResponseWriter, details bool) {
	ready, text := i.readiness()
	status := http.StatusOK
	if !ready {
		status = http.StatusServiceUnavailable
	}
	if !details {
		text = map[bool]string{true: "ready\n", false: "not ready\n"}[ready]
	}
	writeText(w, status, text)
}

// readiness returns whether the program is ready, with a line for each policy.
func (i *internalPort) readiness() (ready bool, text string) {
	var lines strings.Builder
	ready = true
	if i.Draining != nil && i.Draining() {
		ready = false
		lines.WriteString("not ready: the program is about to end\n")
	}
	all := i.sorted()
	if len(all) == 0 {
		ready = false
		lines.WriteString("not ready: there is no policy\n")
	}
	for _, p := range all {
		ok, why := p.Ready()
		if ok {
			fmt.Fprintf(&lines, "%s: ready, %s\n", p.Name(), p.Digest())
			continue
		}
		ready = false
		fmt.Fprintf(&lines, "%s: not ready, waits for %s\n", p.Name(), oneLine(why))
	}
	return ready, lines.String()
}

// oneLine returns a text in one line.
func oneLine(text string) string { return strings.Join(strings.Fields(text), " ") }

// writeText writes a response of plain text.
func writeText(w http.ResponseWriter, status int, text string) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.WriteHeader(status)
	_, _ = w.Write([]byte(text)) // an error means that the client is gone
}

// policy returns the policy that a request's path names; nil if there is none.
func (i *internalPort) policy(r *http.Request) *Policy {
	for _, p := range i.Policies() {
		if p.Name() == r.PathValue("name") {
			return p
		}
	}
	return nil
}

// inspect serves the inspector of a policy.
func (i *internalPort) inspect(w http.ResponseWriter, r *http.Request) {
	p := i.policy(r)
	if p == nil {
		http.NotFound(w, r)
		return
	}
	p.Inspector().ServeHTTP(w, r)
}

// toInspector adds the slash that the links of an inspector need.
func (i *internalPort) toInspector(w http.ResponseWriter, r *http.Request) {
	p := i.policy(r)
	if p == nil {
		http.NotFound(w, r)
		return
	}
	http.Redirect(w, r, "/inspect/"+p.Name()+"/", http.StatusFound)
}
