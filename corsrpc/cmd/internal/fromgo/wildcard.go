package fromgo

import (
	"slices"
	"strings"

	"github.com/corsrpc/corsrpc-go/internal/origin"
)

// translation is what becomes of an item of a list of origins.
type translation struct {
	// active are the items of the policy.
	active []string
	// risk is an item that needs a risk accepted, with why; empty if there is none.
	risk, riskName, why string
	// kinds are the kinds of the differences.
	kinds []Kind
	// fix is the pattern to write instead; empty if it is not known.
	fix string
}

// risks are the names of the risks by the problems of a pattern.
var risks = map[origin.Code]string{
	origin.CodeNull: "NULL_ORIGIN", origin.CodePlainHTTP: "PLAIN_HTTP", origin.CodePublicSuffix: "PUBLIC_SUFFIX", origin.CodeAnyInstallation: "ANY_INSTALLATION",
}

// parsed returns the problems of a pattern of a policy, and whether it is one.
func parsed(pattern string) (problems []origin.Problem, ok bool) {
	p, problems := origin.ParsePattern(pattern)
	return problems, p != origin.Pattern{}
}

// translate returns the items of a policy for an origin item whose text is known.
func translate(o originItem) translation {
	if !o.wildcard {
		return translateExact(o)
	}
	if strings.Contains(o.prefix, "*") || strings.Contains(o.suffix, "*") {
		return neverMatched(o)
	}
	pattern := o.prefix + "*" + o.suffix
	var t translation
	if problems, ok := parsed(pattern); ok {
		switch {
		case len(problems) > 0:
			t = riskOf(pattern, problems)
			t.active = narrower(o)
			return t
		case strings.HasSuffix(pattern, ":*"):
			return translation{active: []string{pattern}, kinds: []Kind{WithoutPort}}
		case !strings.HasSuffix(o.prefix, "://") || !strings.HasPrefix(o.suffix, "."):
			return translation{active: []string{pattern}, kinds: []Kind{OriginNarrowed}}
		}
		return translation{active: []string{pattern}}
	}
	if t.active = narrower(o); len(t.active) > 0 {
		t.kinds = []Kind{OriginNarrowed}
		return t
	}
	t.kinds = []Kind{OriginUnsupported}
	return t
}

// translateExact translates an item that the library compares with an origin as it is.
func translateExact(o originItem) translation {
	_, sent := origin.Parse(o.written)
	if !sent {
		return neverMatched(o)
	}
	problems, ok := parsed(o.written)
	switch {
	case !ok:
		return neverMatched(o)
	case len(problems) > 0:
		return riskOf(o.written, problems)
	}
	return translation{active: []string{o.written}}
}

func neverMatched(o originItem) translation {
	t := translation{kinds: []Kind{OriginNeverMatched}}
	if problems, ok := parsed(o.text); ok {
		t.why = "is a pattern, which the library compares as text"
		if strings.Count(o.text, "*") > 1 {
			t.why = "has more than one star, and the library reads the first one only"
		}
	} else if len(problems) > 0 {
		t.why, t.fix = problems[0].Reason, problems[0].Fix
	}
	return t
}

func riskOf(pattern string, problems []origin.Problem) translation {
	var names []string
	for _, p := range problems {
		names = append(names, risks[p.Code])
	}
	return translation{risk: pattern, riskName: strings.Join(names, ", "), why: problems[0].Reason, kinds: []Kind{OriginRisk}}
}

// narrower returns patterns of a policy that match only origins that a wildcard item of a library matches. None of
// them needs a risk accepted.
func narrower(o originItem) (patterns []string) {
	add := func(pattern string, subset bool) {
		if problems, ok := parsed(pattern); subset && ok && len(problems) == 0 && !slices.Contains(patterns, pattern) {
			patterns = append(patterns, pattern)
		}
	}
	below := func(host string) { // every host below one; an origin is https:// + labels + . + host
		add("https://*."+host, strings.HasPrefix("https://", o.prefix) && strings.HasSuffix("."+host, o.suffix))
	}
	if o.suffix == "" {
		base := strings.TrimSuffix(o.prefix, ":")
		if p, ok := origin.Parse(base); ok && p.Port == "" && !strings.HasSuffix(p.Host, ".") && (strings.Contains(p.Host, ".") || p.IsLoopback()) {
			add(base+":*", strings.HasPrefix(base, o.prefix))
		}
		add(base, o.matches(base) && strings.Contains(base, ".") && !strings.HasSuffix(base, "."))
		return withoutCovered(patterns)
	}
	exact := func(origin string) { add(origin, o.matches(origin)) }
	exact(o.prefix + o.suffix)
	switch _, host, hasScheme := strings.Cut(o.suffix, "://"); {
	case hasScheme:
		exact("https://" + host)
	case strings.HasPrefix(o.suffix, "."):
		below(o.suffix[1:])
	default:
		exact("https://" + o.suffix)
		if strings.Contains(o.suffix, ".") {
			below(o.suffix)
		}
	}
	return patterns
}

// withoutCovered leaves out the host of a pattern with any port.
func withoutCovered(patterns []string) []string {
	return slices.DeleteFunc(patterns, func(p string) bool { return slices.Contains(patterns, p+":*") })
}
