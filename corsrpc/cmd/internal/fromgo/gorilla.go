package fromgo

import (
	"fmt"
	"go/ast"
	"slices"
	"strings"
)

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
	s.preflightStatus(g, "OptionStatusCode")
}

// gorillaOptions are the options of gorilla/handlers.
var gorillaOptions = map[string]bool{
	"AllowedOrigins": true, "AllowedOriginValidator": true, "AllowedHeaders": true, "AllowedMethods": true, "ExposedHeaders": true,
	"MaxAge": true, "AllowCredentials": true, "IgnoreOptions": true, "OptionStatusCode": true,
}

// gorillaSettings evaluates the options of a call of handlers.CORS. A later option replaces an earlier one, and
// AllowedHeaders adds to it.
func (r *reader) gorillaSettings(s *settings, call *ast.CallExpr) (*settings, string) {
	var options []value
	for i, argument := range call.Args {
		v := r.eval(argument)
		if v.kind == list && call.Ellipsis.IsValid() && i == len(call.Args)-1 {
			options = append(options, v.items...)
			continue
		}
		options = append(options, v)
	}
	for _, o := range options {
		if o.kind != option {
			why := o.why
			if why == "" {
				why = "an option that is not written in this file"
			}
			return nil, why
		}
		field := value{kind: truth, yes: true, pos: o.pos}
		if len(o.items) > 0 {
			field = o.items[0]
		}
		if before, ok := s.fields[o.text]; ok && o.text == "AllowedHeaders" {
			field = value{kind: list, pos: before.pos, items: append(slices.Clone(itemsOf(before)), itemsOf(field)...)}
		}
		s.fields[o.text] = field
	}
	return s, ""
}
