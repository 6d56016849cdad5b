package fromgo

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"golang.org/x/net/publicsuffix"

	"github.com/corsrpc/corsrpc-go/internal/fetch"
	"github.com/corsrpc/corsrpc-go/internal/origin"
)

// readJub0bs reads jub0bs/cors. It fails if NewMiddleware returns an error.
func (s *settings) readJub0bs(g *grants) error {
	s.takeExtra()
	s.credentials(g, "Credentialed")
	items := s.list("Origins")
	if len(items) == 0 {
		return s.refused("Origins", "a configuration without Origins")
	}
	star := slices.ContainsFunc(items, func(i item) bool { return i.kind == text && i.text == "*" })
	if star && g.credentials {
		return s.refused("Origins", `the origin "*" together with Credentialed`)
	}
	insecure, suffixes := s.mayBeTrue(g, insecureOrigins), s.mayBeTrue(g, publicSuffixes)
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
		g.allMethods = g.allMethods || m.text == "*"
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

// jub0bsExtra is the struct and the field that have some of the settings in earlier versions.
const jub0bsExtra = "ExtraConfig"

// The settings by which jub0bs/cors accepts more origins together with credentials.
const (
	insecureOrigins = "DangerouslyTolerateInsecureOrigins"
	publicSuffixes  = "DangerouslyTolerateSubdomainsOfPublicSuffixes"
)

// takeExtra takes the settings of the struct that has some of them in earlier versions.
func (s *settings) takeExtra() {
	extra, ok := s.fields[jub0bsExtra]
	if !ok {
		return
	}
	s.fields = maps.Clone(s.fields)
	if extra.kind != struc {
		s.fields[insecureOrigins], s.fields[publicSuffixes] = extra, extra
		return
	}
	maps.Copy(s.fields, extra.fields)
}

// mayBeTrue returns whether a boolean setting is true, or is not known and may be. One that is not known is recorded.
func (s *settings) mayBeTrue(g *grants, name string) bool {
	yes := s.truth(g, name)
	_, unsure := g.unknowns[name]
	return yes || unsure
}

// jub0bsResponseHeaders are headers of responses, which jub0bs/cors refuses as request headers.
var jub0bsResponseHeaders = map[string]bool{
	"access-control-allow-origin": true, "access-control-allow-credentials": true, "access-control-allow-methods": true,
	"access-control-allow-headers": true, "access-control-max-age": true, "access-control-expose-headers": true,
}

// jub0bsRefuses returns why jub0bs/cors does not accept an origin; "" if it does, or if that is not certain.
func jub0bsRefuses(s string, credentials, insecure, suffixes bool) string {
	scheme, rest, ok := strings.Cut(s, "://")
	switch {
	case s == "null", scheme == "file":
		return "is prohibited"
	case !ok, strings.ContainsAny(rest, "/ ,?#"), strings.ToLower(s) != s:
		return "is not an origin"
	}
	host, labels := strings.CutPrefix(strings.TrimSuffix(rest, ":*"), "*.")
	if strings.Contains(host, "*") {
		return "has a star in another place than before the host or in place of the port"
	}
	if strings.HasSuffix(rest, map[string]string{"https": ":443", "http": ":80"}[scheme]) && (scheme == "https" || scheme == "http") {
		return "has the default port"
	}
	if !credentials {
		return ""
	}
	name := host
	if !strings.HasPrefix(host, "[") {
		name, _, _ = strings.Cut(host, ":")
	}
	name = strings.TrimSuffix(name, ".")
	loopback := name == "localhost" || strings.HasSuffix(name, ".localhost")
	if p, ok := origin.Parse("http://" + host); ok && !loopback {
		loopback = p.IsLoopback() && p.Host != "0.0.0.0"
	}
	if scheme != "https" && !loopback && !insecure {
		return "is insecure, together with Credentialed"
	}
	if labels && !suffixes && isPublicSuffix(name) {
		return "has a star over a public suffix, together with Credentialed"
	}
	return ""
}

// isPublicSuffix reports whether anyone can register a name below a host.
func isPublicSuffix(host string) bool {
	suffix, _ := publicsuffix.PublicSuffix(host)
	return suffix == host
}

// translateJub0bs returns the items of a policy for an origin of jub0bs/cors, whose patterns are those of a policy.
func translateJub0bs(o originItem) translation {
	problems, ok := parsed(o.text)
	switch {
	case !ok:
		return translation{kinds: []Kind{OriginUnsupported}}
	case len(problems) > 0:
		return riskOf(o.text, problems)
	}
	return translation{active: []string{o.text}}
}
