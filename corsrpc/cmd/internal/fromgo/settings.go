package fromgo

import (
	"fmt"
	"go/token"
	"maps"
	"slices"
	"strings"

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

// granted returns what the configuration grants. It fails if the library does not accept the configuration.
func (s *settings) granted() (*grants, error) {
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
	for _, name := range slices.Sorted(maps.Keys(reasons)) {
		if v, ok := s.fields[name]; ok && v.kind != nothing && (v.kind != truth || v.yes) {
			g.notes = append(g.notes, Change{Kind: SettingWithoutEffect, Effect: Same, Line: s.reader.line(v.pos), Setting: name, Message: name + " " + reasons[name] + "."})
		}
	}
}

const (
	forLogs      = "writes to a log; the layer has WithLogger, and an inspector"
	noneSendsPNA = "has no effect: no browser asks for it any more"
)

// passesOn records a setting that lets the handler decide about preflights. One that is not known may do so.
func (s *settings) passesOn(g *grants, name string) {
	passes := s.truth(g, name)
	if _, unsure := g.unknowns[name]; passes || unsure {
		delete(g.unknowns, name)
		g.preflightByHandler, g.preflightAt = name, s.pos(name)
	}
}

// preflightStatus reads the status of answers to preflights. Browsers take any from 200 to 299.
func (s *settings) preflightStatus(g *grants, name string) {
	status, known := s.number(g, name)
	switch {
	case !known:
	case status != 0 && (status < 200 || status > 299):
		g.preflightByHandler, g.preflightAt = name, s.pos(name)
	default:
		s.withoutEffect(g, map[string]string{name: "is not needed: the layer answers preflights with status 204, which every browser takes"})
	}
}

// refused is the error for a configuration that the library does not accept.
func (s *settings) refused(setting, what string) error { return s.refusedAt(s.pos(setting), what) }

func (s *settings) refusedAt(pos token.Pos, what string) error {
	return fmt.Errorf("%s: %s does not accept %s, so a server with this configuration does not start: correct it first", s.reader.place(pos), s.library, what)
}

func (s *settings) refusedByBrowsers(pos token.Pos, part string) error {
	return fmt.Errorf("%s: %s sends a list of names with %q, which is not a name, so browsers refuse every preflight: correct it first", s.reader.place(pos), s.library, part)
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
