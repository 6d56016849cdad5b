package probe

import (
	"fmt"
	"net/netip"
	"regexp"
	"slices"
	"strings"

	"golang.org/x/net/publicsuffix"

	"github.com/corsrpc/corsrpc-go/corsrpc/cmd/internal/report"
	"github.com/corsrpc/corsrpc-go/internal/origin"
)

// attacker is the host of a site that has nothing to do with any server.
const attacker = "attacker.example"

// hostile is an origin that a server should not grant, although a faulty comparison with the origin of an
// allowed page does.
type hostile struct {
	class  Class
	origin string
	// how says how the origin resembles that of the page: the rest of a sentence that begins with which.
	how string
	// matches says which origins the fault of the class grants in any case, so that a grant of these says
	// nothing new; nil if it says nothing about others.
	matches func(origin string) bool
	// after is another hostile origin: only a server that grants it can have the fault.
	after string
}

// hostileOrigins returns hostile origins for the origin of a page, apart from the unrelated one. An origin
// comes after those of its field after.
func hostileOrigins(page string) (all []hostile) {
	p, ok := origin.Parse(page)
	if !ok {
		return nil
	}
	add := func(h hostile) {
		if _, ok := origin.Parse(h.origin); ok && h.origin != page {
			all = append(all, h)
		}
	}
	port := ""
	if p.Port != "" {
		port = ":" + p.Port
	}
	base := p.Scheme + "://"
	add(hostile{class: ClassNullTrusted, origin: "null", how: "any site has in a sandboxed frame"})
	add(hostile{
		class: ClassPrefixMatch, origin: base + p.Host + "." + attacker, how: "begins with the allowed origin",
		matches: func(o string) bool { return strings.HasPrefix(o, base+p.Host) },
	})
	for _, h := range hostileNames(p, base, port) {
		add(h)
	}
	if p.Scheme == "https" {
		add(hostile{class: ClassPlainHTTPTrusted, origin: "http://" + p.Host + port, how: "is the same host without TLS"})
	}
	other := ":8443"
	if port == other {
		other = ":9443"
	}
	add(hostile{class: ClassPortIgnored, origin: base + p.Host + other, how: "is another port of the same host"})
	if !p.IsLoopback() {
		add(hostile{class: ClassLoopbackTrusted, origin: "http://localhost:3000", how: "is a program on the visitor's machine"})
		add(hostile{class: ClassPrefixMatch, origin: "http://localhost." + attacker, how: "begins with http://localhost", after: "http://localhost:3000"})
	}
	return all
}

// hostileNames returns the hostile origins that resemble a host with a domain.
func hostileNames(p origin.Parsed, base, port string) (all []hostile) {
	domain, suffix := domainOf(p.Host)
	if domain == "" {
		return nil
	}
	page := p.String()
	endsWith := func(end string) func(string) bool {
		return func(o string) bool { return strings.HasSuffix(o, end+port) }
	}
	all = append(all,
		hostile{
			class: ClassSubstringMatch, origin: base + "an-" + domain + "." + attacker + port, how: "contains " + domain,
			matches: func(o string) bool { return strings.Contains(o, domain) },
		},
		hostile{
			class: ClassSubstringMatch, origin: base + p.Host[:len(p.Host)-1], how: "is a part of the allowed origin",
			matches: func(o string) bool { return strings.Contains(page, o) },
		})
	if suffix != "" {
		all = append(all, hostile{
			class: ClassSharedDomainTrusted, origin: base + "attacker." + suffix + port, how: "is another site below " + suffix,
			matches: endsWith("." + suffix),
		})
	}
	all = append(all, hostile{
		class: ClassSuffixMatch, origin: base + "attack" + domain + port, how: "ends with " + domain + " without a dot before it",
		matches: endsWith(domain),
	})
	below := base + "forgotten." + p.Host + port
	if p.Host != domain {
		dot := len(p.Host) - len(domain) - 1
		anyDot := regexp.MustCompile("^" + strings.ReplaceAll(regexp.QuoteMeta(page), `\.`, ".") + "$")
		all = append(all,
			hostile{
				class: ClassDotNotEscaped, origin: base + p.Host[:dot] + "a" + p.Host[dot+1:] + port, how: "has another character in place of a dot",
				matches: anyDot.MatchString,
			},
			hostile{
				class: ClassSubdomainsTrusted, origin: base + "forgotten." + domain + port, how: "is another host of " + domain,
				matches: func(o string) bool { return strings.HasPrefix(o, base) && strings.HasSuffix(o, "."+domain+port) },
			})
	}
	all = append(all, hostile{class: ClassSubdomainsTrusted, origin: below, how: "is a host below " + p.Host})
	if p.Host != domain {
		all = append(all, hostile{
			class: ClassSuffixMatch, origin: base + "attack" + p.Host + port, how: "ends with " + p.Host + " without a dot before it",
			matches: endsWith(p.Host), after: below,
		})
	}
	return all
}

// domainOf returns the domain of a host that one owner registers, such as example.com for app.example.com,
// and the suffix below which anyone can have a site although it is not a top-level domain, such as github.io.
// The domain is empty for an address and for a name of one label, and the suffix for most domains.
func domainOf(host string) (domain, suffix string) {
	if _, err := netip.ParseAddr(strings.Trim(host, "[]")); err == nil {
		return "", ""
	}
	domain, err := publicsuffix.EffectiveTLDPlusOne(host)
	if err != nil {
		return "", ""
	}
	if public, icann := publicsuffix.PublicSuffix(host); !icann && strings.Contains(public, ".") {
		suffix = public
	}
	return domain, suffix
}

// hostileGrant is what a server grants to a page of a hostile origin.
type hostileGrant struct {
	hostile
	seen         *sight
	credentialed bool // also to calls with credentials
}

// hostilePages looks at what the server grants to pages that it should not know.
func (a *auditor) hostilePages() error {
	page, _ := origin.Parse(a.options.Call.Origin)
	stranger := hostile{class: ClassReflectsOrigin, origin: page.Scheme + "://" + attacker, how: "has nothing to do with the server"}
	toStranger, err := a.examine(stranger, true)
	if err != nil {
		return err
	}
	if a.unrelated, err = a.look(a.getOf(stranger.origin)); err != nil {
		return err
	}
	plain, credentialed := a.grantsPage()
	if !plain {
		return nil // nothing is granted to the page, so no comparison with its origin can be seen
	}
	a.pageItself(page, credentialed)
	if toStranger != nil {
		if valueOf(toStranger.seen.answer().Answer, allowOrigin) != "*" {
			a.granted(toStranger)
		}
		if toStranger.credentialed || !credentialed {
			return nil // the others say nothing new
		}
	}
	var grants []*hostileGrant
	for _, h := range hostileOrigins(a.options.Call.Origin) {
		known := func(g *hostileGrant) bool { return g.origin == h.after }
		if h.origin == a.wire.server.origin() || h.after != "" && !slices.ContainsFunc(grants, known) {
			continue
		}
		g, err := a.examine(h, h.class == ClassNullTrusted)
		if err != nil {
			return err
		}
		if g != nil && (toStranger == nil || g.credentialed) {
			grants = append(grants, g)
		}
	}
	for _, g := range grants {
		if !isExplained(g, grants) && !(g.class == ClassSubdomainsTrusted && a.has(g.class)) {
			a.granted(g)
		}
	}
	return nil
}

// grantsPage reports whether any answer grants the page something, without and with credentials.
func (a *auditor) grantsPage() (plain, credentialed bool) {
	for _, s := range []*sight{a.get, a.passing} {
		if s != nil {
			p, c := s.passes()
			plain, credentialed = plain || p, credentialed || c
		}
	}
	return plain, credentialed
}

// examine looks at what the server grants to a page of a hostile origin; nil if it grants nothing. It sends
// a GET if the page that is allowed can read the response to one. It sends a preflight too if that is the
// only thing to look at, if always is true, or if the GET is granted.
func (a *auditor) examine(h hostile, always bool) (g *hostileGrant, err error) {
	requests := []want{}
	byGet, _ := a.get.passes()
	if byGet {
		requests = append(requests, a.getOf(h.origin))
	}
	if a.passing != nil {
		w := a.passing.want
		w.origin = h.origin
		requests = append(requests, w)
	}
	for _, w := range requests {
		if w.preflight && byGet && !always && g == nil {
			continue
		}
		s, err := a.look(w)
		if err != nil {
			return nil, err
		}
		if mayExplain(s) {
			get, err := a.look(a.getOf(h.origin))
			if err != nil {
				return nil, err
			}
			if refusesPage(get) {
				continue
			}
		}
		if plain, credentialed := s.passes(); plain || credentialed {
			if g == nil || credentialed && !g.credentialed {
				g = &hostileGrant{hostile: h, seen: s, credentialed: credentialed}
			}
		}
	}
	return g, nil
}

// isExplained reports whether the fault of another grant leads to this one in any case.
func isExplained(g *hostileGrant, all []*hostileGrant) bool {
	return slices.ContainsFunc(all, func(other *hostileGrant) bool {
		return other != g && other.matches != nil && other.matches(g.origin) && (other.credentialed || !g.credentialed) &&
			!(g.matches != nil && g.matches(other.origin))
	})
}

// granted adds the finding about a grant to a hostile page.
func (a *auditor) granted(g *hostileGrant) {
	reads := "the page can read answers"
	if g.seen.preflight {
		reads = "the page may send calls"
	}
	with := "without credentials"
	if g.credentialed {
		with = "with the visitor's credentials"
	}
	a.add(g.class, severityOf(g.class, g.credentialed), g.seen, allowOrigin, fmt.Sprintf("The server grants %s, which %s: %s %s.", g.origin, g.how, reads, with))
}

// severityOf returns the severity of a grant to a hostile page.
func severityOf(class Class, credentialed bool) report.Severity {
	switch {
	case class == ClassReflectsOrigin && !credentialed, class == ClassSubdomainsTrusted && !credentialed:
		return report.Note // an API for everyone, or the intention
	case !credentialed, class == ClassSubdomainsTrusted:
		return report.Warning
	}
	return report.Error
}

// pageItself looks at the origin that is supposed to be allowed.
func (a *auditor) pageItself(page origin.Parsed, credentialed bool) {
	s := a.passing
	if plain, _ := a.get.passes(); plain {
		s = a.get
	}
	if page.Scheme == "http" && !page.IsLoopback() && valueOf(s.answer().Answer, allowOrigin) != "*" {
		a.add(ClassPlainHTTPTrusted, severityOf(ClassPlainHTTPTrusted, credentialed), s, allowOrigin, "The allowed origin itself is plain http.")
	}
}
