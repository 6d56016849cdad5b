package origin

import (
	"net/url"
	"slices"
	"strings"
	"testing"

	"golang.org/x/net/publicsuffix"
)

// TestStrangerHosts: the table is sorted and valid, it has hosts of each kind, and no host is one
// that the public suffix list has. After an update of golang.org/x/net, the lines that it names
// are those to remove.
func TestStrangerHosts(t *testing.T) {
	var lines []hostLine
	var taken []string
	for _, s := range strangerHosts {
		lines = append(lines, hostLine{s.Host, s.Page, int(s.Kind), s.Kind.String()})
		name := strings.ReplaceAll(s.Host, "*", "any-label")
		if reason := listReason(name); reason != "" {
			suffix, _ := publicsuffix.PublicSuffix(name)
			taken = append(taken, s.Host+" (now "+suffix+")")
		}
	}
	checkHostTable(t, lines, 120, int(numStrangerKinds))
	if len(taken) > 0 {
		t.Errorf("the public suffix list of golang.org/x/net, of the version in go.mod, has taken in %d hosts. Remove their lines from strangerHosts; wildcards over them stay refused:\n\t%s",
			len(taken), strings.Join(taken, "\n\t"))
	}
}

// hostLine is a line of strangerHosts or sharedHosts.
type hostLine struct {
	host, page string
	kind       int
	meaning    string // of the kind
}

// checkHostTable checks that a table has enough lines of each kind, that its lines are valid, and
// that they are sorted and have each host once.
func checkHostTable(t *testing.T, lines []hostLine, enough, numKinds int) {
	t.Helper()
	if len(lines) < enough {
		t.Errorf("the table has only %d lines", len(lines))
	}
	kinds := make([]int, numKinds)
	for i, l := range lines {
		checkHostLine(t, l.host, l.page)
		if i > 0 && lines[i-1].host >= l.host {
			t.Errorf("%s stands before %s; the lines are sorted, each host once", lines[i-1].host, l.host)
		}
		if l.kind >= numKinds || l.meaning == "" {
			t.Errorf("%s has no kind", l.host)
			continue
		}
		kinds[l.kind]++
	}
	for kind, n := range kinds {
		if n < 8 {
			t.Errorf("only %d hosts are of the kind %d", n, kind)
		}
	}
}

func checkHostLine(t *testing.T, host, page string) {
	t.Helper()
	name := strings.ReplaceAll(host, "*", "any-label")
	if o, ok := Parse("https://" + name); !ok || o.Host != name || isIP(name) || !strings.Contains(name, ".") || strings.HasSuffix(name, ".") {
		t.Errorf("%q is not a host name of two labels or more", host)
	}
	for label := range strings.SplitSeq(host, ".") {
		if strings.Contains(label, "*") && label != "*" {
			t.Errorf("%q: a star is a whole label", host)
		}
	}
	if labels := strings.Split(host, "."); labels[len(labels)-1] == "*" || labels[len(labels)-2] == "*" {
		t.Errorf("%q: the last two labels are not stars", host)
	}
	if u, err := url.Parse(page); err != nil || u.Scheme != "https" || !strings.Contains(u.Host, ".") || u.String() != page {
		t.Errorf("%s: the page %q is not an https URL", host, page)
	}
}

// TestWildcardsOverStrangerHosts: a wildcard over each host of the table and over each of its
// ancestors is a risk, on any port, and one over a host below it, which one person has, is not. Below
// addressHosts it is a risk, too.
func TestWildcardsOverStrangerHosts(t *testing.T) {
	for _, s := range strangerHosts {
		base := strings.ReplaceAll(s.Host, "*", "any-label")
		for name, ok := base, true; ok; _, name, ok = strings.Cut(name, ".") {
			for _, end := range []string{"", ".", ":8443", ":*"} {
				checkSuffixRisk(t, "https://*."+name+end)
			}
		}
		own := "one-owner." + base
		if slices.Contains(addressHosts[:], s.Host) {
			checkSuffixRisk(t, "https://*."+own)
			continue
		}
		if another := slices.ContainsFunc(strangerHosts[:], func(s strangerHost) bool { return isAtOrAbove(own, s.Host) }); another {
			continue // one-owner.sharedwithexpose.com is a region of *.sharedwithexpose.com
		}
		if _, problems := ParsePattern("https://*." + own); len(problems) != 0 {
			t.Errorf("the wildcard over %s, which has one owner, has the problems %+v", own, problems)
		}
	}
}

// checkSuffixRisk checks that a valid pattern has CodePublicSuffix and no other problem, and
// returns the reason.
func checkSuffixRisk(t *testing.T, pattern string) string {
	t.Helper()
	p, problems := ParsePattern(pattern)
	if len(problems) != 1 || problems[0].Code != CodePublicSuffix {
		t.Errorf("%s has the problems %+v", pattern, problems)
		return ""
	}
	if p == (Pattern{}) || p.String() != pattern {
		t.Errorf("%s is refused without its risk: %q", pattern, p)
	}
	return problems[0].Reason
}

func TestReasonsOfStrangerHosts(t *testing.T) {
	const (
		workspace = ", where anyone who opens a workspace or a preview gets one"
		tunnel    = ", where anyone who opens a tunnel gets one"
		customer  = ", where each customer of the service gets one"
		site      = ", where anyone who creates a site gets one"
		wildcard  = ", where names resolve without registration, to an address in the name or to the visitor's own machine"
		dynamic   = ", where anyone can register one"
		storage   = ", where anyone who creates a bucket, a database or a CDN zone gets one"
		app       = ", where anyone who deploys an app gets one"
	)
	for _, test := range []struct{ pattern, want string }{
		{"https://*.app.github.dev", "app.github.dev" + workspace},
		{"https://*.app.github.dev:*", "app.github.dev" + workspace},
		{"https://*.app.github.dev:8443", "app.github.dev" + workspace},
		{"https://*.app.github.dev.", "app.github.dev" + workspace},
		{"https://*.github.dev", "app.github.dev" + workspace},
		{"https://*.gitpod.io", "*.gitpod.io" + workspace},
		{"https://*.ws-eu45.gitpod.io", "*.gitpod.io" + workspace},
		{"https://*.ws-eu45.gitpod.io:*", "*.gitpod.io" + workspace},
		{"https://*.stackblitz.io", "stackblitz.io" + workspace},
		{"https://*.local-credentialless.webcontainer.io", "*.webcontainer.io" + workspace},
		{"https://*.webcontainer.io", "*.webcontainer.io" + workspace},
		{"https://*.cs-us-east1-vpcf.cloudshell.dev", "*.cloudshell.dev" + workspace},
		{"https://*.cloudshell.dev", "*.cloudshell.dev" + workspace},
		{"https://*.runpod.net", "proxy.runpod.net" + workspace},
		{"https://*.readthedocs.build", "com.readthedocs.build" + workspace},
		{"https://*.1.azure.databricksapps.com", "*.azure.databricksapps.com" + workspace},

		{"https://*.loca.lt", "loca.lt" + tunnel},
		{"https://*.use.devtunnels.ms", "*.devtunnels.ms" + tunnel},
		{"https://*.use.devtunnels.ms:5173", "*.devtunnels.ms" + tunnel},
		{"https://*.euw.devtunnels.ms:*", "*.devtunnels.ms" + tunnel},
		{"https://*.devtunnels.ms", "devtunnels.ms" + tunnel},
		{"https://*.serveo.net", "serveo.net" + tunnel},
		{"https://*.lhr.life", "lhr.life" + tunnel},
		{"https://*.a.free.pinggy.link", "*.free.pinggy.link" + tunnel},
		{"https://*.pinggy.link", "*.free.pinggy.link" + tunnel},
		{"https://*.zrok.io", "share.zrok.io" + tunnel},
		{"https://*.eu-1.sharedwithexpose.com", "*.sharedwithexpose.com" + tunnel},
		{"https://*.pagekite.me", "pagekite.me" + tunnel},

		{"https://*.atlassian.net", "atlassian.net" + customer},
		{"https://*.atlassian.net:*", "atlassian.net" + customer},
		{"https://*.zendesk.com", "zendesk.com" + customer},
		{"https://*.freshdesk.com", "freshdesk.com" + customer},
		{"https://*.service-now.com", "service-now.com" + customer},
		{"https://*.force.com", "lightning.force.com" + customer},
		{"https://*.lightning.force.com", "lightning.force.com" + customer},
		{"https://*.salesforce.com", "matches hosts of public suffixes below salesforce.com, where anyone can register one"},
		{"https://*.my.salesforce.com", "my.salesforce.com" + customer},
		{"https://*.sandbox.my.salesforce.com", "sandbox.my.salesforce.com" + customer},
		{"https://*.sharepoint.com", "sharepoint.com" + customer},
		{"https://*.okta.com", "okta.com" + customer},
		{"https://*.auth0.com", "auth0.com" + customer},
		{"https://*.eu.auth0.com", "eu.auth0.com" + customer},
		{"https://*.crm4.dynamics.com", "*.dynamics.com" + customer},
		{"https://*.19.azuredatabricks.net", "*.azuredatabricks.net" + customer},
		{"https://*.accounts.dev", "clerk.accounts.dev" + customer},

		{"https://*.wordpress.com", "wordpress.com" + site},
		{"https://*.itch.io", "itch.io" + site},
		{"https://*.substack.com", "substack.com" + site},

		{"https://*.nip.io", "nip.io" + wildcard},
		{"https://*.sslip.io:*", "sslip.io" + wildcard},
		{"https://*.traefik.me:8443", "traefik.me" + wildcard},
		{"https://*.203-0-113-1.nip.io", "nip.io" + wildcard},
		{"https://*.app.203.0.113.1.sslip.io.", "sslip.io" + wildcard},
		{"https://pr-*.203-0-113-1.nip.io:*", "nip.io" + wildcard},
		{"https://*.app.traefik.me", "traefik.me" + wildcard},
		{"https://*.lvh.me:3000", "lvh.me" + wildcard},
		{"https://*.localtest.me", "localtest.me" + wildcard},

		{"https://*.mooo.com", "mooo.com" + dynamic},
		{"https://*.us.to", "us.to" + dynamic},
		{"https://*.plex.direct:32400", "plex.direct" + dynamic},

		{"https://*.s3.eu-central-1.wasabisys.com", "s3.*.wasabisys.com" + storage},
		{"https://*.s3.wasabisys.com", "s3.wasabisys.com" + storage},
		{"https://*.eu-central-1.wasabisys.com", "s3.*.wasabisys.com" + storage},
		{"https://*.wasabisys.com", "s3.wasabisys.com" + storage},
		{"https://*.s3.us-west-004.backblazeb2.com", "s3.*.backblazeb2.com" + storage},
		{"https://*.b-cdn.net", "b-cdn.net" + storage},
		{"https://*.firebaseio.com", "firebaseio.com" + storage},
		{"https://*.europe-west1.firebasedatabase.app", "*.firebasedatabase.app" + storage},
		{"https://*.z6.web.core.windows.net", "*.web.core.windows.net" + storage},
		{"https://*.nyc3.cdn.digitaloceanspaces.com", "*.cdn.digitaloceanspaces.com" + storage},
		{"https://*.cos.ap-guangzhou.myqcloud.com", "cos.*.myqcloud.com" + storage},
		{"https://*.oss-cn-hangzhou.aliyuncs.com", "*.aliyuncs.com" + storage},

		{"https://*.westeurope.azurecontainerapps.io", "*.azurecontainerapps.io" + app},
		{"https://*.westus.cloudapp.azure.com", "*.cloudapp.azure.com" + app},
		{"https://*.us-east-1.cs.amazonlightsail.com", "*.cs.amazonlightsail.com" + app},
		{"https://*.cfapps.eu10.hana.ondemand.com", "cfapps.*.hana.ondemand.com" + app},
		{"https://*.eu10.hana.ondemand.com", "cfapps.*.hana.ondemand.com" + app},
		{"https://*.us-east-1.aws.endpoints.huggingface.cloud", "*.*.endpoints.huggingface.cloud" + app},
		{"https://*.surge.sh", "surge.sh" + app},
		{"https://*.scalingo.io", "scalingo.io" + app},
		{"https://*.westus-01.azurewebsites.net", "*.azurewebsites.net" + app},
		{"https://*.scm.westus-01.azurewebsites.net", "scm.*.azurewebsites.net" + app},
		{"https://*.eastus2.2.azurestaticapps.net", "*.*.azurestaticapps.net" + app},
		{"https://*.cn-hangzhou.fcapp.run", "*.fcapp.run" + app},
		{"https://*.modal.run", "modal.run" + app},
	} {
		want := test.want
		if !strings.HasPrefix(want, "matches ") {
			want = "matches hosts of " + want
		}
		if got := checkSuffixRisk(t, test.pattern); got != want {
			t.Errorf("%s %q, want %q", test.pattern, got, want)
		}
	}
}

// TestHostsOfOneTenant: patterns for the hosts of one tenant have no problem.
func TestHostsOfOneTenant(t *testing.T) {
	for _, pattern := range []string{
		"https://acme.atlassian.net",
		"https://acme.atlassian.net:*",
		"https://*.acme.atlassian.net",
		"https://*.acme.atlassian.net:*",
		"https://*.acme.zendesk.com:8443",
		"https://*.acme.my.salesforce.com",
		"https://acme--dev.sandbox.my.salesforce.com",
		"https://*.acme--dev.sandbox.my.salesforce.com",
		"https://acme.crm4.dynamics.com",
		"https://*.acme.crm4.dynamics.com",
		"https://*.acme.eu.auth0.com",
		"https://literate-space-3000.app.github.dev",
		"https://*.literate-space-3000.app.github.dev",
		"https://abc-3000.euw.devtunnels.ms",
		"https://*.abc-3000.euw.devtunnels.ms",
		"https://*.assets.s3.eu-central-1.wasabisys.com",
		"https://*.assets.s3.wasabisys.com",
		"https://*.app.calm-sea-1234.westeurope.azurecontainerapps.io",
		"https://*.calm-sea-1234.westeurope.azurecontainerapps.io",
		"https://*.notatlassian.net",
		"https://*.atlassian.net.example.com",
		"https://*.xnip.io",
		"https://203-0-113-1.nip.io",
		"https://203-0-113-1.nip.io:*",
		"https://*.app.lvh.me",
		"https://*.app.acme-1a2b.westus-01.azurewebsites.net",
	} {
		if _, problems := ParsePattern(pattern); len(problems) != 0 {
			t.Errorf("%s has the problems %+v", pattern, problems)
		}
	}
}

func TestIsAtOrAbove(t *testing.T) {
	for _, test := range []struct {
		name, pattern string
		want          bool
	}{
		{"a.example", "a.example", true},
		{"example", "a.example", true},
		{"b.a.example", "a.example", false},
		{"b.example", "a.example", false},
		{"xa.example", "a.example", false},
		{"a.examplex", "a.example", false},
		{"any.example", "*.example", true},
		{"example", "*.example", true},
		{"b.any.example", "*.example", false},
		{"s3.any.example", "s3.*.example", true},
		{"any.example", "s3.*.example", true},
		{"s4.any.example", "s3.*.example", false},
		{"s3.example", "s3.*.example", true}, // s3 is a region here
		{"b.s3.any.example", "s3.*.example", false},
		{"a.b.example", "*.*.example", true},
		{"c.a.b.example", "*.*.example", false},
	} {
		if got := isAtOrAbove(test.name, test.pattern); got != test.want {
			t.Errorf("isAtOrAbove(%q, %q) = %t", test.name, test.pattern, got)
		}
	}
}

func TestSharedHosts(t *testing.T) {
	var lines []hostLine
	for _, s := range sharedHosts {
		lines = append(lines, hostLine{s.Host, s.Page, int(s.Kind), s.Kind.String()})
		name := strings.ReplaceAll(s.Host, "*", "any-label")
		for _, host := range []string{name, name + "."} {
			if why, ok := SharedHost(host); !ok || why != s.Kind.String() {
				t.Errorf("SharedHost(%q) = %q, %t", host, why, ok)
			}
		}
	}
	checkHostTable(t, lines, 30, int(numSharedKinds))
}

func TestSharedHost(t *testing.T) {
	const (
		playground = "runs scripts of anyone (public playground)"
		tenants    = "runs scripts of unrelated tenants, which only the path separates"
		client     = "is a public API client, with which anyone can prepare requests for others to send"
	)
	for host, want := range map[string]string{
		"fiddle.jshell.net":           playground,
		"raw.githack.com":             playground,
		"www.w3schools.com":           playground,
		"storage.googleapis.com":      tenants,
		"s3.amazonaws.com":            tenants,
		"s3.eu-west-1.amazonaws.com":  tenants,
		"s3.eu-west-1.amazonaws.com.": tenants,
		"hoppscotch.io":               client,
		"buf.build":                   client,

		"":                                  "",
		"localhost":                         "",
		"com":                               "",
		"io":                                "",
		"amazonaws.com":                     "",
		"eu-west-1.amazonaws.com":           "",
		"assets.s3.eu-west-1.amazonaws.com": "",
		"assets.s3.amazonaws.com":           "",
		"app.hoppscotch.io":                 "",
		"w3schools.com":                     "",
		"s3.amazonaws.com.example.com":      "",
		"127.0.0.1":                         "",
		"[::1]":                             "",
	} {
		if why, ok := SharedHost(host); why != want || ok != (want != "") {
			t.Errorf("SharedHost(%q) = %q, %t, want %q", host, why, ok, want)
		}
	}
}

func BenchmarkStrangerReason(b *testing.B) {
	for b.Loop() {
		if strangerReason("app.example.com") != "" {
			b.Fatal("a reason")
		}
	}
}

func BenchmarkListReason(b *testing.B) {
	for b.Loop() {
		if listReason("app.example.com") != "" {
			b.Fatal("a reason")
		}
	}
}
