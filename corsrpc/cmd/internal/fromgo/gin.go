package fromgo

import (
	"fmt"
	"go/token"
	"slices"
	"strings"
	"time"

	"github.com/corsrpc/corsrpc-go/internal/fetch"
)

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
	if err := s.readGinOrigins(g); err != nil {
		return err
	}
	s.credentials(g, "AllowCredentials")
	if err := s.readGinNames(g); err != nil {
		return err
	}
	s.expose(g, "ExposeHeaders")
	s.readMaxAge(g, "MaxAge", func(n int64) int64 {
		if n <= 0 {
			return browserMaxAge
		}
		return n / int64(time.Second)
	})
	s.preflightStatus(g, "OptionsResponseStatusCode")
	const onlyAccepts = "only lets such items stand in AllowOrigins, and allows no origin by itself"
	s.withoutEffect(g, map[string]string{
		"AllowPrivateNetwork": noneSendsPNA, "AllowWebSockets": onlyAccepts, "AllowBrowserExtensions": onlyAccepts, "AllowFiles": onlyAccepts, "CustomSchemas": onlyAccepts,
	})
	return nil
}

// readGinOrigins reads the settings that allow origins.
func (s *settings) readGinOrigins(g *grants) error {
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
	if err := s.checkGinOrigins(g, items, wildcards); err != nil {
		return err
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
	return nil
}

// checkGinOrigins fails if the library panics because of an item of AllowOrigins.
func (s *settings) checkGinOrigins(g *grants, items []item, wildcards bool) error {
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
	return nil
}

// readGinNames reads the request headers and the methods. The library joins the items of each list by commas, and
// browsers cut there.
func (s *settings) readGinNames(g *grants) error {
	names, _ := s.known(g, "AllowHeaders")
	for _, n := range names {
		for part := range strings.SplitSeq(n.text, ",") {
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
			g.allMethods = g.allMethods || part == "*" // in calls without credentials
			g.addMethod(part)
		}
	}
	return nil
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

// ginMethods are the methods of gin's configuration that change a field.
var ginMethods = map[string]string{"AddAllowMethods": "AllowMethods", "AddAllowHeaders": "AllowHeaders", "AddExposeHeaders": "ExposeHeaders"}

// ginDefaults is what DefaultConfig of gin-contrib/cors returns.
func ginDefaults(pos token.Pos) value {
	texts := func(items ...string) value {
		v := value{kind: list, pos: pos}
		for _, item := range items {
			v.items = append(v.items, value{kind: text, text: item, pos: pos})
		}
		return v
	}
	return value{kind: struc, library: ginCORS, pos: pos, fields: map[string]value{
		"AllowMethods": texts("GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"),
		"AllowHeaders": texts("Origin", "Content-Length", "Content-Type"),
		"MaxAge":       {kind: number, n: 12 * 60 * 60 * 1_000_000_000, pos: pos},
	}}
}
