package analysis_test

import (
	"slices"
	"testing"

	"github.com/corsrpc/corsrpc-go/internal/analysis"
)

// TestCompareFinds: pairs of policies whose difference is for one target only, or is found by one call only.
func TestCompareFinds(t *testing.T) {
	t.Parallel()
	const account = "acme.account.v1.AccountService"
	unknown := func(selector, more string) string {
		return "{selector: " + selector + ", accept_risks: [UNKNOWN_SELECTORS], " + more + "}"
	}
	withRules := func(rules string) string { return app + "rules: [" + rules + "]\n" }
	off := "timing: false"
	for _, tc := range []struct {
		name, old, next string
		prefix          string // of the next policy
		gained          bool
		aspect          analysis.Aspect
		target          string
		procedure, path string // of the witness; empty for any
		sources         []string
	}{
		{name: "unknown methods of a known service", old: app, gained: true, aspect: analysis.AspectTiming, target: account,
			next: withRules("{selector: " + account + ", timing: true}, {selector: " + account + ".Get, " + off + "}, {selector: " + account + ".Update, " + off + "}, {selector: " + account + ".Close, " + off + "}")},
		{name: "names within a package", old: app, next: withRules(unknown("zz.v1.*", "timing: true")), gained: true, aspect: analysis.AspectTiming, target: "zz.v1.*"},
		{name: "an unknown method of a known service", old: app, next: withRules(unknown(account+".New", "timing: true")), gained: true, aspect: analysis.AspectTiming, target: account + ".New", procedure: account + ".New"},
		{name: "an unknown method of a service with a rule", old: app, next: withRules(unknown("zz.v1.S", off) + "," + unknown("zz.v1.S.M", "timing: true")), gained: true, aspect: analysis.AspectTiming, target: "zz.v1.S.M", procedure: "zz.v1.S.M"},
		{name: "an unknown service", old: app, next: withRules(unknown("zz.v1.S", "timing: true")), gained: true, aspect: analysis.AspectTiming, target: "zz.v1.S", procedure: "zz.v1.S.Witness"},
		{name: "all other names", old: app, next: "defaults: {allow_origins: [https://app.example.com], timing: true}", gained: true, aspect: analysis.AspectTiming, target: "*"},
		{name: "operational services of a package", old: app, next: withRules(unknown("grpc.*", "allow_origins: [https://app.example.com]")), gained: true, aspect: analysis.AspectOrigin, target: "grpc.channelz.v1.Channelz"},
		{name: "below a prefix", old: app, next: app, prefix: "/api", gained: true, aspect: analysis.AspectOrigin, target: "/api/" + account + "/Get"},
		{name: "a path that the slash at the end gives two rules", old: withRules("{path: /files/}"), next: withRules("{path: /files/}, {path: /files/special, timing: true}"), aspect: analysis.AspectOrigin, target: "/files/", path: "/files/special/"},
		{name: "a path that no longer serves MCP", old: withRules("{path: /mcp, protocols: [MCP]}"), next: withRules("{path: /mcp}"), gained: true, aspect: analysis.AspectOwnOrigin, target: "/mcp"},
		{name: "links to a path that no longer serves MCP", old: withRules("{path: /mcp, protocols: [MCP]}"), next: withRules("{path: /mcp}"), gained: true, aspect: analysis.AspectWithoutOrigin, target: "/mcp"},
		{name: "headers of a path that serves MCP", old: withRules("{path: /mcp}"), next: withRules("{path: /mcp, protocols: [MCP]}"), gained: true, aspect: analysis.AspectRequestHeader, target: "/mcp"},
		{name: "response headers of a path that serves MCP", old: withRules("{path: /mcp}"), next: withRules("{path: /mcp, protocols: [MCP]}"), gained: true, aspect: analysis.AspectResponseHeader, target: "/mcp"},
		{name: "images of a path without credentials", old: withRules("{path: /healthz, allow_credentials: true}"), next: withRules("{path: /healthz}"), gained: true, aspect: analysis.AspectWithoutOrigin, target: "/healthz"},
		{name: "a source of both", old: "defaults: {allow_origins_from: [tenants]}", next: "defaults: {allow_origins_from: [tenants], timing: true}", gained: true, aspect: analysis.AspectTiming, target: "*", sources: []string{"tenants"}},
		{name: "two sources", old: "defaults: {allow_origins_from: [tenants]}", next: "defaults: {allow_origins_from: [partners], timing: true}", gained: true, aspect: analysis.AspectTiming, target: "*", sources: []string{"partners", "tenants"}},
		{name: "a source and a list", old: "defaults: {allow_origins_from: [tenants]}", next: "defaults: {allow_origins: [https://app.example.com], timing: true}", gained: true, aspect: analysis.AspectTiming, target: "*", sources: []string{"tenants"}},
		{name: "links to a path that is enabled", old: withRules("{path: /healthz, disabled: true}"), next: withRules("{path: /healthz}"), gained: true, aspect: analysis.AspectWithoutOrigin, target: "/healthz"},
		{name: "a trailer alone", old: withRules("{selector: " + account + ", expose: DECLARED}"), next: withRules("{selector: " + account + ", expose: DECLARED, expose_headers: [trailer-x-a]}"), gained: true, aspect: analysis.AspectResponseHeader, target: account},
		{name: "a header of the server alone", old: app, next: withRules("{selector: " + account + ", hide_headers: [\"*\"]}"), aspect: analysis.AspectResponseHeader, target: account},
		{name: "the credentials of a gateway", old: withRules("{selector: " + account + ", allow_headers: [grpc-metadata-x]}"), next: withRules("{selector: " + account + ", allow_headers: [grpc-metadata-*]}"), gained: true, aspect: analysis.AspectRequestHeader, target: account},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			next := *compileText(t, tc.next, "")
			if tc.prefix != "" {
				next.Prefixes = []string{tc.prefix}
			}
			got := analysis.Compare(compileText(t, tc.old, ""), &next)
			found := slices.ContainsFunc(got.Differences, func(d analysis.Difference) bool {
				var sources []string
				for name := range d.Witness.Sources {
					sources = append(sources, name)
				}
				slices.Sort(sources)
				return d.Gained == tc.gained && d.Aspect == tc.aspect && slices.Contains(d.Targets, tc.target) &&
					(tc.procedure == "" || d.Witness.Procedure == tc.procedure) && (tc.path == "" || d.Witness.Path == tc.path) && slices.Equal(sources, tc.sources)
			})
			if !found {
				t.Errorf("no difference is about %s for %s: %+v", tc.aspect, tc.target, got.Differences)
			}
		})
	}
}
