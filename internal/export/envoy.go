package export

import (
	"cmp"
	"fmt"
	"regexp/syntax"
	"slices"
	"strconv"
	"strings"

	"github.com/corsrpc/corsrpc-go/internal/origin"
)

// envoyProgramSize is the size from which the text says how to raise Envoy's limit of 100 for the program of a regular
// expression. The size is package regexp's. RE2's is at most twice as large for the expressions of a model.
const envoyProgramSize = 50

// envoyText is the configuration of Envoy, as far as it is written.
type envoyText struct {
	strings.Builder
	model   *Model
	written map[string]bool   // the names of anchors
	refused map[string]string // the anchors of refusals, by what they say
	large   bool              // a regular expression may exceed Envoy's limit
}

// writeEnvoy writes the model as the fields of an HttpConnectionManager, in YAML. The filter rbac comes before the filter
// cors, so that a page cannot read a refusal. Without a configuration of the route, it refuses all that comes from
// pages of other origins.
func writeEnvoy(m *Model) (*Export, error) {
	t := &envoyText{model: m, written: map[string]bool{}, refused: map[string]string{}}
	t.filters()
	t.virtualHost()
	body := t.String()
	t.Reset()
	losses := slices.DeleteFunc(slices.Clone(m.Losses), func(l Loss) bool {
		return l.Name == LossReasons // RESPONSE_CODE_DETAILS of the access log names the policy that refuses
	})
	t.introduction(losses)
	return &Export{Text: t.String() + body, Losses: losses}, nil
}

// line adds a line, indented by a number of spaces.
func (t *envoyText) line(indent int, format string, args ...any) {
	t.WriteString(strings.Repeat(" ", indent))
	fmt.Fprintf(t, format, args...)
	t.WriteByte('\n')
}

// introduction adds the comment at the top.
func (t *envoyText) introduction(losses []Loss) {
	t.line(0, "# Put these fields into an HttpConnectionManager. Filters of your own, such as grpc_web, jwt_authn and")
	t.line(0, "# ext_authz, belong between the filters cors and router. Add no policies of the filters cors and rbac elsewhere, and")
	t.line(0, "# normalize_path and merge_slashes only if the server reads paths so as well.")
	t.line(0, "# A refusal has status 403 (grpc-status 7 for native gRPC). In the access log, %%RESPONSE_CODE_DETAILS%% ends in its policy below.")
	if t.large {
		t.line(0, "# Envoy refuses regular expressions with programs of more than 100 instructions. Raise the limit in the bootstrap:")
		t.line(0, "#   layered_runtime: {layers: [{name: corsrpc, static_layer: {re2.max_program_size.error_level: 100000}}]}")
	}
	writeLosses(&t.Builder, losses)
}

// filters adds the HTTP filters.
func (t *envoyText) filters() {
	const filterType = `"@type": type.googleapis.com/envoy.extensions.filters.http.`
	t.line(0, "http_filters:")
	t.line(0, "# This refuses requests that pages of other origins make, on every route without an answer of its own.")
	t.line(0, "- name: envoy.filters.http.rbac")
	t.line(2, "typed_config:")
	t.line(4, filterType+"rbac.v3.RBAC")
	t.line(4, "rules:")
	t.line(6, "action: DENY")
	t.line(6, "policies:")
	t.line(8, "not_granted:")
	t.line(10, "permissions: [any: true]")
	t.crossOrigin(10)
	t.line(0, "- name: envoy.filters.http.cors")
	t.line(2, "typed_config: {"+filterType+"cors.v3.Cors}")
	t.line(0, "# Filters of your own belong here.")
	t.line(0, "- name: envoy.filters.http.router")
	t.line(2, "typed_config: {"+filterType+"router.v3.Router}")
}

// virtualHost adds the routes.
func (t *envoyText) virtualHost() {
	m := t.model
	t.line(0, "route_config:")
	t.line(2, "virtual_hosts:")
	t.line(2, "- name: corsrpc")
	t.line(4, "# Requests for other hosts have no route. Add the names that other programs use; pages of their origins stay refused.")
	t.line(4, "domains: %s", quotedList(envoyDomains(m.Options.OwnOrigins)))
	t.line(4, "# Only the filter cors grants something.")
	t.line(4, "response_headers_to_remove:")
	for _, name := range serverFields {
		t.line(4, "- %s", name)
	}
	t.line(4, "routes:")
	groups := m.grouped()
	for i := range groups {
		t.group(&groups[i])
	}
	for i := range m.Routes {
		if len(groups) == 0 || !m.Routes[i].isGrantedProcedure() {
			t.route(&m.Routes[i])
		}
	}
	t.line(4, "# all other paths")
	t.line(4, `- match: {prefix: "/"}`)
	t.server()
	t.vary("Origin")
	t.line(6, "typed_per_filter_config:")
	t.rules("")
	t.fallback()
}

// route adds a route. A procedure or a path that no page may call needs none: the route that refuses the other spellings refuses it.
func (t *envoyText) route(r *Route) {
	if r.Answer == nil && !r.IgnoreCase {
		t.line(4, "# %s: refused by a route below", comment(r.Name))
		return
	}
	if r.Regexp != "" {
		t.line(4, "# %s", comment(r.Name))
	}
	if r.Path != "" {
		t.line(4, "- match: {path: %s}", quoted(r.Path))
	} else {
		expression := r.Regexp
		if r.IgnoreCase {
			expression = "(?i)" + expression
		}
		t.line(4, "- match: {safe_regex: {regex: %s}}", t.expression(expression))
	}
	t.answered(r.Answer)
}

// answered adds the rest of a route with an answer.
func (t *envoyText) answered(a *Answer) {
	t.server()
	if a == nil {
		t.vary("Origin, Sec-Fetch-Site")
		return
	}
	t.vary(a.vary())
	name := fmt.Sprintf("answer-%d", a.ID)
	if t.written[name] {
		t.line(6, "typed_per_filter_config: *%s", name)
		return
	}
	t.written[name] = true
	t.line(6, "# %s", comment(placeText(a.Place)))
	t.line(6, "typed_per_filter_config: &%s", name)
	if a.grantsSomebody() {
		t.cors(a)
	}
	t.refusals(a)
}

// server adds where a route leads.
func (t *envoyText) server() {
	if t.written["server"] {
		t.line(6, "route: *server")
		return
	}
	t.written["server"] = true
	t.line(6, "# The default timeout, 15s, would end streams.")
	t.line(6, "route: &server {cluster: %s, timeout: 0s}", quoted(cmp.Or(t.model.Options.Upstream, "server")))
}

// vary adds the request headers that the response to a GET depends on.
func (t *envoyText) vary(names string) {
	anchor := "vary-" + strings.ToLower(strings.ReplaceAll(names, ", ", "-"))
	if t.written[anchor] {
		t.line(6, "response_headers_to_add: *%s", anchor)
		return
	}
	t.written[anchor] = true
	t.line(6, "response_headers_to_add: &%s", anchor)
	t.line(6, "- header: {key: vary, value: %s}", quoted(names))
}

// vary returns the request headers that the response to a GET depends on. The filter cors never writes
// Access-Control-Allow-Origin: *, so that Origin is one of them for everyone too.
func (a *Answer) vary() string {
	switch {
	case a.ToPath && a.Credentials:
		return "Origin, Sec-Fetch-Site, Sec-Fetch-Mode"
	case a.ToPath, a.Everyone:
		return "Origin"
	}
	return "Origin, Sec-Fetch-Site"
}

// cors adds the policy of the filter cors. It is for routes only, and an answer that no page may read has none, since
// a list that is empty would not count.
func (t *envoyText) cors(a *Answer) {
	t.line(8, "envoy.filters.http.cors:")
	t.line(10, `"@type": type.googleapis.com/envoy.extensions.filters.http.cors.v3.CorsPolicy`)
	t.line(10, "allow_origin_string_match:")
	for _, o := range t.origins(a) {
		t.line(10, "- %s", o)
	}
	if a.Credentials {
		t.line(10, "allow_credentials: true")
	}
	for _, list := range []struct {
		field string
		names []string
	}{{"allow_methods", a.Methods}, {"allow_headers", a.RequestHeaders}, {"expose_headers", a.ResponseHeaders}} {
		if len(list.names) > 0 {
			t.line(10, "%s: %s", list.field, quoted(strings.Join(list.names, ", ")))
		}
	}
	t.line(10, `max_age: "%.0f"`, a.MaxAge.Seconds())
	t.line(10, "forward_not_matching_preflights: false")
}

// origins returns matchers of the allowed origins. None matches "*", which would allow everyone.
func (t *envoyText) origins(a *Answer) (matchers []string) {
	if a.Everyone {
		return []string{fmt.Sprintf("safe_regex: {regex: %s}", t.expression(origin.AnyRegexp))}
	}
	for _, o := range a.Origins {
		matchers = append(matchers, "exact: "+quoted(o))
	}
	for _, p := range a.Patterns {
		matchers = append(matchers, fmt.Sprintf("safe_regex: {regex: %s} # %s", t.expression(p.Regexp), comment(p.Pattern)))
	}
	return matchers
}

// expression returns a regular expression as a value.
func (t *envoyText) expression(text string) string {
	parsed, err := syntax.Parse(text, syntax.Perl)
	if err == nil {
		var program *syntax.Prog
		if program, err = syntax.Compile(parsed.Simplify()); err == nil {
			t.large = t.large || len(program.Inst) > envoyProgramSize
		}
	}
	t.large = t.large || err != nil // Envoy says what is wrong
	return quoted(text)
}

// envoyDomains returns the hosts of origins, alone and with any port. Clients may send a port that is the scheme's default.
func envoyDomains(origins []string) (domains []string) {
	for _, text := range origins {
		host := text[strings.Index(text, "://")+len("://"):]
		if port := strings.LastIndexByte(host, ':'); port > strings.LastIndexByte(host, ']') {
			host = host[:port]
		}
		domains = append(domains, host, host+":*")
	}
	slices.Sort(domains)
	return slices.Compact(domains)
}

// quoted returns a text as a string of YAML, in printable ASCII.
func quoted(text string) string { return strconv.QuoteToASCII(text) }

// quotedList returns texts as a list of YAML.
func quotedList(texts []string) string {
	all := make([]string, len(texts))
	for i, text := range texts {
		all[i] = quoted(text)
	}
	return "[" + strings.Join(all, ", ") + "]"
}
