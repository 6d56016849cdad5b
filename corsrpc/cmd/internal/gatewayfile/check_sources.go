package gatewayfile

import (
	"fmt"
	"net/netip"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/corsrpc/corsrpc-go/internal/rules"
)

// placeholder matches what may stand for an environment variable in a URL.
var placeholder = regexp.MustCompile(`\$\{[A-Za-z_][A-Za-z0-9_]*\}`)

// checkSources checks the origin sources.
func (c *checker) checkSources() {
	names := map[string]string{}
	for i, s := range c.gateway.GetOriginSources() {
		field := fmt.Sprintf("origin_sources[%d]", i)
		if c.checkName(field+".name", s.GetName(), names) && !rules.IsSourceName(s.GetName()) {
			c.fail(field+".name", CodeName, s.GetName(), "is not a name that policies can have in allow_origins_from: it has to begin with a letter", "another name")
		}
		text := placeholder.ReplaceAllString(s.GetUrl(), "x")
		scheme, rest, _ := strings.Cut(text, ":")
		isPostgres := (scheme == "postgres" || scheme == "postgresql") && strings.HasPrefix(rest, "//")
		switch {
		case s.GetUrl() == "":
			c.missing(field+".url", "postgres://user@host:5432/database or sqlite:FILE")
		case strings.Contains(text, "${"):
			c.fail(field+".url", CodeSource, withoutUser(text), "has ${ without the name of an environment variable and }", "${NAME}")
		case scheme == "sqlite" && strings.HasPrefix(rest, "//"):
			c.fail(field+".url", CodeSource, text, "has slashes behind sqlite:", "sqlite:"+strings.TrimPrefix(rest, "//"))
		case scheme == "sqlite" && rest != "" && !strings.ContainsAny(rest, "?#"):
			c.checkFile(field+".url", rest)
		case !isPostgres:
			c.fail(field+".url", CodeSource, withoutUser(text), "is neither a URL of PostgreSQL nor of an SQLite file", "postgres://user@host:5432/database or sqlite:FILE")
		}
		if s.GetNotifyChannel() != "" {
			switch {
			case !isPostgres:
				c.fail(field+".notify_channel", CodeFieldMisplaced, s.GetNotifyChannel(), "is for PostgreSQL only", "nothing: leave it out, and set every")
			case len(s.GetNotifyChannel()) > 63:
				c.fail(field+".notify_channel", CodeRange, s.GetNotifyChannel(), "is longer than the 63 characters of PostgreSQL's identifiers", "a shorter name")
			}
		}
		if len(s.GetQuery()) > 64<<10 || strings.ContainsRune(s.GetQuery(), 0) {
			c.fail(field+".query", CodeSource, s.GetQuery(), "is not a query", "a query such as SELECT origin FROM tenants")
		}
		c.checkDuration(field+".every", s.GetEvery(), time.Second)
	}
}

// checkProxies checks the addresses of trusted proxies.
func (c *checker) checkProxies() {
	for i, text := range c.gateway.GetTrustedProxies() {
		field := fmt.Sprintf("trusted_proxies[%d]", i)
		if a, err := netip.ParseAddr(text); err == nil {
			if a.Zone() != "" || a.Is4In6() {
				c.fail(field, CodeProxy, text, "is not a plain address", a.WithZone("").Unmap().String())
			}
			continue
		}
		p, err := netip.ParsePrefix(text)
		switch {
		case err != nil:
			c.fail(field, CodeProxy, text, "is neither an IP address nor a prefix", "an address such as 10.1.2.3, or a prefix such as 10.0.0.0/8")
		case p.Bits() == 0:
			c.fail(field, CodeProxy, text, "trusts everyone: each client could then say under which host and from which address it calls", "the addresses of the proxies in front of the gateway")
		case p.Masked() != p:
			c.fail(field, CodeProxy, text, "has bits behind the prefix", p.Masked().String())
		case p.Addr().Is4In6():
			c.fail(field, CodeProxy, text, "is a prefix of IPv4 addresses in IPv6", "the prefix of IPv4, such as 10.0.0.0/8")
		}
	}
}

// checkLimits checks the limits, the access log and the drain.
func (c *checker) checkLimits() {
	number := func(field string, value, least, most int64) {
		if value != 0 && (value < least || value > most) {
			c.fail(field, CodeRange, strconv.FormatInt(value, 10), fmt.Sprintf("is not between %d and %d", least, most), "a number from "+strconv.FormatInt(least, 10)+" on, or leave it out")
		}
	}
	l := c.gateway.GetLimits()
	number("limits.max_connections", int64(l.GetMaxConnections()), 1, 1<<30)
	number("limits.max_streams", int64(l.GetMaxStreams()), 1, 1<<20)
	number("limits.max_header_bytes", int64(l.GetMaxHeaderBytes()), 4096, 64<<20)
	number("limits.max_body_bytes", l.GetMaxBodyBytes(), 1, 1<<50)
	c.checkDuration("limits.header_timeout", l.GetHeaderTimeout(), time.Second)
	c.checkDuration("limits.idle_timeout", l.GetIdleTimeout(), time.Second)
	if log := c.gateway.GetAccessLog(); log != nil && log.GetFile() == "" {
		c.missing("access_log.file", "the name of a file, or - for the standard output")
	}
	c.checkDuration("drain.delay", c.gateway.GetDrain().GetDelay(), 0)
	c.checkDuration("drain.timeout", c.gateway.GetDrain().GetTimeout(), 0)
}
