package fromgo

import (
	"fmt"
	"go/token"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/corsrpc/corsrpc-go/internal/fetch"
)

// settings are the values of a configuration by the names of the fields or options of its library.
type settings struct {
	reader  *reader
	library string
	fields  map[string]value
}

// item is an item of a list, with the setting that has it.
type item struct {
	setting string
	value
}

// grants is what a configuration of a library grants, as the library behaves.
type grants struct {
	library string
	// refuses is true if the library refuses a request of another origin before the handler.
	refuses bool
	// everyone is true if every origin is allowed, and everyoneAt where that is said.
	everyone   bool
	everyoneAt token.Pos
	// origins are the items that the library compares origins with. In a wildcard item, a star stands for any text.
	origins []originItem
	// unknowns are the settings whose values are not known, apart from origins.
	unknowns map[string]value
	// unknownOrigins are the values that allow origins, and are not known.
	unknownOrigins []item
	// ignored are origins that the library ignores, because a function decides.
	ignored []item

	credentials   bool
	credentialsAt token.Pos

	// post and get say whether a call by POST and by GET is allowed. everyGet is false if some calls by GET or HEAD are
	// not.
	post, get, everyGet bool
	methodsAt           token.Pos
	// methods are the methods that are allowed and that procedures do not have.
	methods []string

	// headers are the request headers that scripts may send, in lower case; allHeaders allows all, and
	// authorization says whether that includes authorization. starIgnored is true if the star works without
	// credentials only.
	headers                   []header
	allHeaders, authorization bool
	starIgnored               bool
	headersAt                 token.Pos

	// exposed are the response headers that scripts may read, in lower case; allExposed exposes all.
	exposed            []header
	allExposed         bool
	exposedAt          token.Pos
	maxAge             int64 // in seconds
	maxAgeAt           token.Pos
	preflightByHandler string // the setting by which the handler, or a status, decides about preflights
	preflightAt        token.Pos
	notes              []Change
}

// header is a header name as it is written.
type header struct {
	name string // in lower case
	pos  token.Pos
}

// originItem is an origin, or a pattern in the library's own language.
type originItem struct {
	item
	// written is the text that the library compares with, after its own changes.
	written string
	// prefix and suffix are what an origin has to begin and end with, if wildcard is true.
	wildcard       bool
	prefix, suffix string
	// overlap is true if prefix and suffix may overlap in an origin.
	overlap bool
}

// matches reports whether the library allows an origin because of the item.
func (o originItem) matches(origin string) bool {
	if !o.wildcard {
		return o.written == origin
	}
	return strings.HasPrefix(origin, o.prefix) && strings.HasSuffix(origin, o.suffix) && (o.overlap || len(origin) >= len(o.prefix)+len(o.suffix))
}

// grants returns what the configuration grants. It fails if the library does not accept the configuration.
func (s *settings) grants() (*grants, error) {
	g := &grants{library: s.library, unknowns: map[string]value{}}
	switch s.library {
	case rsCORS, chiCORS:
		s.readRS(g)
	case gorilla:
		s.readGorilla(g)
	case ginCORS:
		return g, s.readGin(g)
	case jub0bs:
		return g, s.readJub0bs(g)
	}
	return g, nil
}

// list returns the items of a setting, and whether it has any. An unset variable, nil and an empty list have none.
func (s *settings) list(name string) []item {
	var items []item
	for _, v := range itemsOf(s.fields[name]) {
		if v.kind == unknown && v.why == "" {
			continue // not set
		}
		items = append(items, item{name, v})
	}
	return items
}

// known returns the texts among the items of a setting. An item that is not known is recorded.
func (s *settings) known(g *grants, name string) (known []item, all bool) {
	items := s.list(name)
	for _, i := range items {
		if i.kind == text {
			known = append(known, i)
		} else {
			g.unknowns[name] = i.value
		}
	}
	return known, len(known) == len(items)
}

// has reports whether a setting has a value that is not nil.
func (s *settings) has(name string) bool {
	v, ok := s.fields[name]
	return ok && v.kind != nothing
}

// truth returns a boolean setting. One that is not known counts as false and is recorded.
func (s *settings) truth(g *grants, name string) bool {
	v, ok := s.fields[name]
	if ok && v.kind != truth {
		g.unknowns[name] = v
	}
	return ok && v.kind == truth && v.yes
}

// number returns a numeric setting. One that is not known is recorded.
func (s *settings) number(g *grants, name string) (n int64, known bool) {
	v, ok := s.fields[name]
	if ok && v.kind != number {
		g.unknowns[name] = v
	}
	return v.n, !ok || v.kind == number
}

// pos returns the place of a setting.
func (s *settings) pos(name string) token.Pos { return s.fields[name].pos }

// origins sorts the items of a setting into those that are known and those that are not. asOrigin makes an origin item of a text.
func (s *settings) origins(g *grants, name string, asOrigin func(item) originItem) {
	for _, i := range s.list(name) {
		switch i.kind {
		case text:
			g.origins = append(g.origins, asOrigin(i))
		case variable, split:
			g.origins = append(g.origins, originItem{item: i})
		default:
			g.unknownOrigins = append(g.unknownOrigins, i)
		}
	}
}

// function records a function that decides about origins, if the setting has one.
func (s *settings) function(g *grants, name string) bool {
	if !s.has(name) {
		return false
	}
	g.unknownOrigins = append(g.unknownOrigins, item{name, s.fields[name]})
	return true
}

// withoutEffect notes settings that have no effect on what is granted.
func (s *settings) withoutEffect(g *grants, reasons map[string]string) {
	for _, name := range slices.Sorted(keysOf(reasons)) {
		if v, ok := s.fields[name]; ok && v.kind != nothing && (v.kind != truth || v.yes) {
			g.notes = append(g.notes, Change{Kind: SettingWithoutEffect, Effect: Same, Line: s.reader.line(v.pos), Setting: name, Message: name + " " + reasons[name] + "."})
		}
	}
}

func keysOf(m map[string]string) func(yield func(string) bool) {
	return func(yield func(string) bool) {
		for k := range m {
			if !yield(k) {
				return
			}
		}
	}
}

const (
	forLogs      = "writes to a log; the layer has WithLogger, and an inspector"
	noneSendsPNA = "has no effect: no browser asks for it any more"
)

// readRS reads rs/cors and chi/cors, which began as a copy of it.
func (s *settings) readRS(g *grants) {
	chi := s.library == chiCORS
	functions := []string{"AllowOriginVaryRequestFunc", "AllowOriginRequestFunc", "AllowOriginFunc"}
	decided := false
	for _, name := range functions {
		if !decided && s.function(g, name) {
			decided = true
		}
	}
	switch {
	case decided:
		g.ignored = s.list("AllowedOrigins")
	case len(s.list("AllowedOrigins")) == 0:
		g.everyone, g.everyoneAt = true, s.pos("AllowedOrigins")
	default:
		s.origins(g, "AllowedOrigins", func(i item) originItem {
			o := originItem{item: i, written: strings.ToLower(i.text)}
			o.prefix, o.suffix, o.wildcard = strings.Cut(o.written, "*")
			return o
		})
		g.takeStar()
	}

	names, all := s.known(g, "AllowedHeaders")
	switch {
	case len(names) == 0 && all && chi:
		g.setDefaults("origin", "accept", "content-type")
	case len(names) == 0 && all:
		g.setDefaults("accept", "content-type", "x-requested-with")
	default:
		g.addHeaders(names, strings.ToLower)
		g.authorization = g.allHeaders
	}
	g.headersAt = s.pos("AllowedHeaders")

	methods, all := s.known(g, "AllowedMethods")
	var written []string
	for _, m := range methods {
		if chi {
			m.text = strings.ToUpper(m.text)
		}
		written = append(written, m.text)
	}
	if len(written) == 0 && all {
		written = []string{"GET", "POST", "HEAD"}
	}
	g.setMethods(written, s.pos("AllowedMethods"))

	s.expose(g, "ExposedHeaders")
	s.credentials(g, "AllowCredentials")
	s.readMaxAge(g, "MaxAge", func(n int64) int64 {
		switch {
		case n < 0 && !chi:
			return 0
		case n <= 0:
			return browserMaxAge
		}
		return n
	})
	s.passesOn(g, "OptionsPassthrough")
	if status, known := s.number(g, "OptionsSuccessStatus"); known && status != 0 && (status < 200 || status > 299) {
		g.preflightByHandler, g.preflightAt = "OptionsSuccessStatus", s.pos("OptionsSuccessStatus")
	} else if known {
		s.withoutEffect(g, map[string]string{"OptionsSuccessStatus": "is not needed: the layer answers preflights with status 204, which every browser takes"})
	}
	s.withoutEffect(g, map[string]string{"AllowPrivateNetwork": noneSendsPNA, "Debug": forLogs, "Logger": forLogs})
}

// readGorilla reads gorilla/handlers.
func (s *settings) readGorilla(g *grants) {
	items := s.list("AllowedOrigins")
	star := slices.ContainsFunc(items, func(i item) bool { return i.kind == text && i.text == "*" })
	switch {
	case s.function(g, "AllowedOriginValidator"):
		g.ignored = items
	case len(items) == 0 || star:
		g.everyone, g.everyoneAt = true, s.pos("AllowedOrigins")
	default:
		s.origins(g, "AllowedOrigins", func(i item) originItem { return originItem{item: i, written: i.text} })
	}

	names, _ := s.known(g, "AllowedHeaders")
	for _, n := range names {
		n.text = strings.TrimSpace(n.text)
		switch strings.ToLower(n.text) {
		case "accept", "accept-language", "content-language": // the library answers as if they were not asked for
			g.notes = append(g.notes, Change{Kind: HeaderNotNeeded, Effect: Same, Line: s.reader.line(n.pos), Setting: "AllowedHeaders", Values: []string{n.text},
				Message: fmt.Sprintf("AllowedHeaders has %q, which scripts send without a grant. gorilla/handlers never granted the values that need one.", n.text)})
			continue
		case "*":
			g.notes = append(g.notes, Change{Kind: HeaderNotNeeded, Effect: Same, Line: s.reader.line(n.pos), Setting: "AllowedHeaders", Values: []string{"*"},
				Message: `AllowedHeaders has "*", which gorilla/handlers does not read as a wildcard: it allowed no header.`})
			continue
		}
		g.addHeaders([]item{n}, strings.ToLower)
	}
	g.headersAt = s.pos("AllowedHeaders")

	written := []string{"GET", "HEAD", "POST"}
	if s.has("AllowedMethods") {
		methods, _ := s.known(g, "AllowedMethods")
		written = nil
		for _, m := range methods {
			written = append(written, strings.ToUpper(strings.TrimSpace(m.text)))
		}
	}
	g.setMethods(written, s.pos("AllowedMethods"))
	g.get = true // a simple request is not compared with the methods

	s.expose(g, "ExposedHeaders")
	s.credentials(g, "AllowCredentials")
	s.readMaxAge(g, "MaxAge", func(n int64) int64 {
		if n <= 0 {
			return browserMaxAge
		}
		return min(n, 600)
	})
	s.passesOn(g, "IgnoreOptions")
	if status, known := s.number(g, "OptionStatusCode"); known && status != 0 && (status < 200 || status > 299) {
		g.preflightByHandler, g.preflightAt = "OptionStatusCode", s.pos("OptionStatusCode")
	} else if known {
		s.withoutEffect(g, map[string]string{"OptionStatusCode": "is not needed: the layer answers preflights with status 204, which every browser takes"})
	}
}

// ginSchemes are the schemes of origins that gin-contrib/cors accepts, by the setting that adds them.
var ginSchemes = []struct {
	setting string
	schemes []string
}{
	{"", []string{"http://", "https://"}},
	{"AllowBrowserExtensions", []string{"chrome-extension://", "safari-extension://", "moz-extension://", "ms-browser-extension://"}},
	{"AllowWebSockets", []string{"ws://", "wss://"}},
	{"AllowFiles", []string{"file://"}},
}

// readGin reads gin-contrib/cors. It fails if the library panics.
func (s *settings) readGin(g *grants) error {
	g.refuses = true
	function := s.function(g, "AllowOriginFunc")
	function = s.function(g, "AllowOriginWithContextFunc") || function
	items := s.list("AllowOrigins")
	if all := s.truth(g, "AllowAllOrigins"); all {
		if function || len(items) > 0 {
			return s.refused("AllowAllOrigins", "AllowAllOrigins together with AllowOrigins or a function: leave one of them out")
		}
		g.everyone, g.everyoneAt = true, s.pos("AllowAllOrigins")
	} else if _, unsure := g.unknowns["AllowAllOrigins"]; !unsure && !function && len(items) == 0 {
		return s.refused("AllowOrigins", "a configuration that allows no origin: write AllowOrigins")
	}
	wildcards := s.truth(g, "AllowWildcard")
	var schemes []string
	for _, more := range ginSchemes {
		if more.setting == "" || s.truth(g, more.setting) {
			schemes = append(schemes, more.schemes...)
		}
	}
	custom, _ := s.known(g, "CustomSchemas")
	for _, c := range custom {
		schemes = append(schemes, c.text)
	}
	for _, i := range items {
		if i.kind != text || strings.Contains(i.text, "*") {
			continue
		}
		begin := i.text
		if isGinExpression(begin) {
			begin = strings.TrimPrefix(strings.Replace(begin[1:], "?", "", 1), "^")
		}
		if !slices.ContainsFunc(schemes, func(scheme string) bool { return strings.HasPrefix(begin, scheme) }) {
			return s.refusedAt(i.pos, fmt.Sprintf("the origin %q, which has none of the schemes %s", i.text, strings.Join(schemes, ", ")))
		}
	}
	for _, i := range items {
		if i.kind == text && wildcards && strings.Count(i.text, "*") > 1 {
			return s.refusedAt(i.pos, fmt.Sprintf("the origin %q, which has more than one *", i.text))
		}
	}
	s.origins(g, "AllowOrigins", func(i item) originItem {
		o := originItem{item: i, written: strings.ToLower(strings.TrimSpace(i.text))}
		if wildcards {
			o.prefix, o.suffix, o.wildcard = strings.Cut(i.text, "*")
			o.overlap = true
		}
		return o
	})
	_, unsure := g.unknowns["AllowWildcard"]
	g.origins = slices.DeleteFunc(g.origins, func(o originItem) bool {
		left := o.kind == text && (isGinExpression(o.written) || unsure && strings.Contains(o.text, "*"))
		if left {
			g.unknownOrigins = append(g.unknownOrigins, o.item)
		}
		return left
	})
	if slices.ContainsFunc(items, func(i item) bool { return i.kind == text && i.text == "*" }) {
		g.everyone, g.everyoneAt, g.origins, g.unknownOrigins = true, s.pos("AllowOrigins"), nil, nil
	}

	s.credentials(g, "AllowCredentials")
	names, _ := s.known(g, "AllowHeaders")
	for _, n := range names {
		for part := range strings.SplitSeq(n.text, ",") { // the library joins the items by commas, and browsers cut there
			if part = strings.TrimSpace(part); part != "" && !fetch.IsToken(part) {
				return s.refusedByBrowsers(n.pos, part)
			}
			if part != "" {
				g.addHeaders([]item{{n.setting, value{kind: text, text: part, pos: n.pos}}}, strings.ToLower)
			}
		}
	}
	if g.allHeaders && g.credentials { // browsers read the star literally in calls with credentials
		g.allHeaders, g.starIgnored = false, true
	}
	g.headersAt = s.pos("AllowHeaders")
	methods, _ := s.known(g, "AllowMethods")
	g.post, g.get, g.everyGet, g.methodsAt = true, true, true, s.pos("AllowMethods") // the library sends the list, and browsers allow these three always
	for _, m := range methods {
		for part := range strings.SplitSeq(m.text, ",") {
			part = strings.ToUpper(strings.TrimSpace(part))
			if part != "" && !fetch.IsToken(part) {
				return s.refusedByBrowsers(m.pos, part)
			}
			g.addMethod(part)
		}
	}
	s.expose(g, "ExposeHeaders")
	s.readMaxAge(g, "MaxAge", func(n int64) int64 {
		if n <= 0 {
			return browserMaxAge
		}
		return n / int64(time.Second)
	})
	if status, known := s.number(g, "OptionsResponseStatusCode"); known && status != 0 && (status < 200 || status > 299) {
		g.preflightByHandler, g.preflightAt = "OptionsResponseStatusCode", s.pos("OptionsResponseStatusCode")
	} else if known {
		s.withoutEffect(g, map[string]string{"OptionsResponseStatusCode": "is not needed: the layer answers preflights with status 204, which every browser takes"})
	}
	const onlyAccepts = "only lets such items stand in AllowOrigins, and allows no origin by itself"
	s.withoutEffect(g, map[string]string{
		"AllowPrivateNetwork": noneSendsPNA, "AllowWebSockets": onlyAccepts, "AllowBrowserExtensions": onlyAccepts, "AllowFiles": onlyAccepts, "CustomSchemas": onlyAccepts,
	})
	return nil
}

// passesOn records a setting that lets the handler decide about preflights. One that is not known may do so.
func (s *settings) passesOn(g *grants, name string) {
	passes := s.truth(g, name)
	if _, unsure := g.unknowns[name]; passes || unsure {
		delete(g.unknowns, name)
		g.preflightByHandler, g.preflightAt = name, s.pos(name)
	}
}

// isGinExpression reports whether gin-contrib/cors reads an origin as a regular expression.
func isGinExpression(s string) bool {
	rest, ok := strings.CutPrefix(s, "/")
	if !ok {
		return false
	}
	end := strings.LastIndexByte(rest, '/')
	return end > 0 && (len(rest) == end+1 || len(rest) == end+2 && strings.Contains("gimuy", rest[end+1:]))
}

// readJub0bs reads jub0bs/cors. It fails if NewMiddleware returns an error.
func (s *settings) readJub0bs(g *grants) error {
	s.credentials(g, "Credentialed")
	items := s.list("Origins")
	if len(items) == 0 {
		return s.refused("Origins", "a configuration without Origins")
	}
	star := slices.ContainsFunc(items, func(i item) bool { return i.kind == text && i.text == "*" })
	if star && g.credentials {
		return s.refused("Origins", `the origin "*" together with Credentialed`)
	}
	insecure := s.truth(g, "DangerouslyTolerateInsecureOrigins")
	suffixes := s.truth(g, "DangerouslyTolerateSubdomainsOfPublicSuffixes")
	for _, i := range items {
		if i.kind != text || i.text == "*" {
			continue
		}
		if why := jub0bsRefuses(i.text, g.credentials, insecure, suffixes); why != "" {
			return s.refusedAt(i.pos, fmt.Sprintf("the origin %q, which %s", i.text, why))
		}
	}
	if star {
		g.everyone, g.everyoneAt = true, s.pos("Origins")
	} else {
		s.origins(g, "Origins", func(i item) originItem { return originItem{item: i, written: i.text} })
	}

	names, _ := s.known(g, "RequestHeaders")
	for _, n := range names {
		lower := strings.ToLower(n.text)
		if n.text != "*" && (!fetch.IsToken(n.text) || fetch.ForbiddenRequestHeader(lower) || jub0bsResponseHeaders[lower]) {
			return s.refusedAt(n.pos, fmt.Sprintf("the request header %q", n.text))
		}
	}
	g.addHeaders(names, strings.ToLower)
	g.authorization = g.allHeaders && g.credentials
	g.headersAt = s.pos("RequestHeaders")

	methods, _ := s.known(g, "Methods")
	g.post, g.get, g.everyGet, g.methodsAt = true, true, true, s.pos("Methods")
	for _, m := range methods {
		if m.text != "*" && (!fetch.IsToken(m.text) || fetch.ForbiddenMethod(m.text)) {
			return s.refusedAt(m.pos, fmt.Sprintf("the method %q", m.text))
		}
		g.addMethod(fetch.NormalizeMethod(m.text))
	}
	exposed, _ := s.known(g, "ResponseHeaders")
	for _, e := range exposed {
		lower := strings.ToLower(e.text)
		switch {
		case e.text == "*" && g.credentials:
			return s.refusedAt(e.pos, `the response header "*" together with Credentialed`)
		case e.text != "*" && (!fetch.IsToken(e.text) || fetch.ForbiddenResponseHeader(lower) || lower == "origin" || strings.HasPrefix(lower, "access-control-request-")):
			return s.refusedAt(e.pos, fmt.Sprintf("the response header %q", e.text))
		}
	}
	s.expose(g, "ResponseHeaders")
	if n, known := s.number(g, "MaxAgeInSeconds"); known && (n < -1 || n > 86400) {
		return s.refused("MaxAgeInSeconds", fmt.Sprintf("the maximum age %d", n))
	}
	s.readMaxAge(g, "MaxAgeInSeconds", func(n int64) int64 {
		switch n {
		case 0:
			return browserMaxAge
		case -1:
			return 0
		}
		return n
	})
	return nil
}

// jub0bsResponseHeaders are headers of responses, which jub0bs/cors refuses as request headers.
var jub0bsResponseHeaders = map[string]bool{
	"access-control-allow-origin": true, "access-control-allow-credentials": true, "access-control-allow-methods": true,
	"access-control-allow-headers": true, "access-control-max-age": true, "access-control-expose-headers": true,
}

// refused is the error for a configuration that the library does not accept.
func (s *settings) refused(setting, what string) error { return s.refusedAt(s.pos(setting), what) }

func (s *settings) refusedAt(pos token.Pos, what string) error {
	return fmt.Errorf("%s: %s does not accept %s, so a server with this configuration does not start: mend it first", s.reader.place(pos), s.library, what)
}

func (s *settings) refusedByBrowsers(pos token.Pos, part string) error {
	return fmt.Errorf("%s: %s sends %q in a list of names, which it is not, so browsers refuse every preflight: mend it first", s.reader.place(pos), s.library, part)
}

// takeStar makes a configuration with the item * one that allows everyone.
func (g *grants) takeStar() {
	for _, o := range g.origins {
		if o.kind == text && o.text == "*" {
			g.everyone, g.everyoneAt, g.origins, g.unknownOrigins = true, o.pos, nil, nil
			return
		}
	}
}

// setDefaults sets the request headers that a library allows by itself.
func (g *grants) setDefaults(names ...string) {
	for _, n := range names {
		g.headers = append(g.headers, header{name: n})
	}
}

// addHeaders adds request headers. The item * allows all.
func (g *grants) addHeaders(items []item, normalize func(string) string) {
	for _, i := range items {
		if i.text == "*" {
			g.allHeaders = true
			continue
		}
		name := normalize(i.text)
		if !slices.ContainsFunc(g.headers, func(h header) bool { return h.name == name }) {
			g.headers = append(g.headers, header{name, i.pos})
		}
	}
}

// setMethods sets the methods that a library compares with.
func (g *grants) setMethods(methods []string, pos token.Pos) {
	g.post, g.get = slices.Contains(methods, http.MethodPost), slices.Contains(methods, http.MethodGet)
	g.everyGet, g.methodsAt = g.get && slices.Contains(methods, http.MethodHead), pos
	for _, m := range methods {
		g.addMethod(m)
	}
}

// addMethod adds a method, if it is one that procedures do not have.
func (g *grants) addMethod(method string) {
	switch method {
	case http.MethodGet, http.MethodPost, http.MethodOptions, http.MethodHead, "", "*":
		return
	}
	if !slices.Contains(g.methods, method) && fetch.IsToken(method) && !fetch.ForbiddenMethod(method) {
		g.methods = append(g.methods, method)
	}
}

// expose reads the response headers that scripts may read. The libraries join the items by commas, and browsers
// cut there; if a part is not a name, browsers expose nothing.
func (s *settings) expose(g *grants, name string) {
	g.exposedAt = s.pos(name)
	items, _ := s.known(g, name)
	var bad *header
	for _, i := range items {
		for part := range strings.SplitSeq(i.text, ",") {
			part = strings.TrimSpace(part)
			h := header{strings.ToLower(part), i.pos}
			switch {
			case part == "":
			case part == "*":
				g.allExposed = true
			case !fetch.IsToken(part):
				bad = &header{part, i.pos}
			case !slices.ContainsFunc(g.exposed, func(e header) bool { return e.name == h.name }):
				g.exposed = append(g.exposed, h)
			}
		}
	}
	if bad != nil {
		g.exposed, g.allExposed = nil, false
		g.notes = append(g.notes, Change{Kind: ExposeNotNeeded, Effect: Same, Line: s.reader.line(bad.pos), Setting: name, Values: []string{bad.name},
			Message: fmt.Sprintf("%s has %q, which is not a name of a header: browsers then show scripts none of the list.", name, bad.name)})
	}
}

// credentials reads whether credentials are allowed.
func (s *settings) credentials(g *grants, name string) {
	g.credentials, g.credentialsAt = s.truth(g, name), s.pos(name)
}

// browserMaxAge is how long browsers keep a preflight that has no maximum age.
const browserMaxAge = 5

// readMaxAge reads how long browsers may keep a preflight.
func (s *settings) readMaxAge(g *grants, name string, effective func(int64) int64) {
	n, known := s.number(g, name)
	g.maxAgeAt = s.pos(name)
	if known {
		g.maxAge = effective(n)
	}
}
