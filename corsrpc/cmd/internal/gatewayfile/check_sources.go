package gatewayfile

import (
	"fmt"
	"net/netip"
	neturl "net/url"
	"regexp"
	"strconv"
	"strings"
	"time"
	"unicode"

	"github.com/corsrpc/corsrpc-go/internal/origin"
	"github.com/corsrpc/corsrpc-go/internal/rules"
)

// placeholder matches what stands for an environment variable in a URL.
var placeholder = regexp.MustCompile(`\$\{[A-Za-z_][A-Za-z0-9_]*\}`)

// checkSources checks the origin sources.
func (c *checker) checkSources() {
	names := map[string]string{}
	for i, s := range c.gateway.GetOriginSources() {
		field := fmt.Sprintf("origin_sources[%d]", i)
		if c.checkName(field+".name", s.GetName(), names) && !rules.IsSourceName(s.GetName()) {
			c.fail(field+".name", CodeName, s.GetName(), "is not a name that policies can have in allow_origins_from: it has to begin with a letter", "another name, such as origins-"+strings.TrimLeft(s.GetName(), "-_"))
		}
		kind := c.checkDatabase(field+".url", s.GetUrl())
		if channel := s.GetNotifyChannel(); channel != "" {
			switch {
			case kind == sqliteDatabase:
				c.fail(field+".notify_channel", CodeFieldMisplaced, channel, "is for PostgreSQL only", "every in place of it")
			case len(channel) > 63:
				c.fail(field+".notify_channel", CodeRange, channel, "is longer than the 63 bytes of PostgreSQL's identifiers", "a shorter name")
			case strings.ContainsFunc(channel, unicode.IsControl):
				c.fail(field+".notify_channel", CodeSource, channel, "is not the name of a channel", "a name such as tenants")
			}
		}
		if query := s.GetQuery(); query != "" && (len(query) > 64<<10 || strings.TrimSpace(query) == "" || strings.ContainsRune(query, 0)) {
			c.fail(field+".query", CodeSource, query, "is not a query", "a query such as SELECT origin FROM tenants")
		}
		c.checkDuration(field+".every", s.GetEvery(), time.Second)
	}
}

// database is a kind of databases.
type database int

const (
	unknownDatabase database = iota // also that of a URL which is one environment variable
	postgresDatabase
	sqliteDatabase
)

// checkDatabase checks the URL of a database, and returns the kind of the database.
func (c *checker) checkDatabase(field, url string) database {
	const example = "postgres://user@host:5432/database or sqlite:FILE"
	fail := func(reason, fix string) { c.fail(field, CodeSource, url, reason, fix) }
	if names, _ := origin.Variables(url); len(names) > 0 && strings.Contains(placeholder.ReplaceAllString(url, ""), "$") {
		fail("has an environment variable in another form than ${NAME}; a $ that is meant as such is %24 in a URL", "${NAME}")
		return unknownDatabase
	}
	text := placeholder.ReplaceAllString(url, "1")
	scheme, rest, hasScheme := strings.Cut(text, ":")
	switch {
	case url == "":
		c.missing(field, example)
	case strings.Contains(text, "${"):
		fail("has ${ without the name of an environment variable and }", "${NAME}, or $%7B for these characters")
	case placeholder.FindString(url) == url:
	case (scheme == "postgres" || scheme == "postgresql") && strings.HasPrefix(rest, "//"):
		if _, err := neturl.Parse(text); err != nil {
			fail("is not a URL: special characters of a user name or a password have to be escaped", "the password as an environment variable, such as postgres://user:${PASSWORD}@host:5432/database")
		}
		return postgresDatabase
	case scheme == "sqlite" && strings.HasPrefix(rest, "//"):
		fail("has slashes behind sqlite:", "sqlite:"+strings.TrimPrefix(url, "sqlite://"))
		return sqliteDatabase
	case scheme == "sqlite" && strings.ContainsAny(rest, "?#"):
		fail("has parameters behind the name of the file, which is opened for reading only", "sqlite:"+url[len("sqlite:"):strings.IndexAny(url, "?#")])
		return sqliteDatabase
	case scheme == "sqlite" && rest != "":
		if text == url { // the value of a variable is not known here
			c.checkFile(field, rest)
		}
		return sqliteDatabase
	case scheme == "sqlite":
		fail("does not name a file", "sqlite:FILE")
		return sqliteDatabase
	case strings.HasPrefix(text, "jdbc:postgresql://"):
		fail("is a URL for Java", strings.TrimPrefix(url, "jdbc:"))
	case !hasScheme && (strings.HasSuffix(text, ".db") || strings.HasSuffix(text, ".sqlite")):
		fail("has no scheme", "sqlite:"+url)
	case strings.EqualFold(scheme, "postgres"), strings.EqualFold(scheme, "postgresql"), strings.EqualFold(scheme, "pgx"):
		fail("has a scheme that is not known", "postgres://"+strings.TrimLeft(url[len(scheme)+1:], "/"))
	case strings.EqualFold(scheme, "sqlite3"), strings.EqualFold(scheme, "sqlite"), strings.EqualFold(scheme, "file"):
		fail("has a scheme that is not known", "sqlite:"+strings.TrimPrefix(url[len(scheme)+1:], "//"))
	default:
		fail("is neither a URL of PostgreSQL nor of an SQLite file", example)
	}
	return unknownDatabase
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
			c.fail(field, CodeProxy, text, "is neither an IP address nor a prefix", meantProxy(text))
		case p.Addr().Is4In6():
			c.fail(field, CodeProxy, text, "is a prefix of IPv4 addresses in IPv6", "the prefix of IPv4, such as 10.0.0.0/8")
		case p.Bits() < leastBits(p.Addr()):
			reason := "is a large part of all addresses: clients there could say under which host and from which address they call"
			if p.Bits() == 0 {
				reason = "trusts everyone: each client could then say under which host and from which address it calls"
			}
			c.fail(field, CodeProxy, text, reason, "the addresses of the proxies in front of the gateway")
		case p.Masked() != p:
			c.fail(field, CodeProxy, text, "has bits behind the prefix", p.Masked().String())
		}
	}
}

// leastBits returns the length of the shortest prefix that is trusted: that of the greatest private networks,
// 10.0.0.0/8 and fc00::/7.
func leastBits(a netip.Addr) int {
	if a.Is4() {
		return 8
	}
	return 7
}

// meantProxy returns the address or the prefix that a text means, or what to write.
func meantProxy(text string) string {
	const example = "an address such as 10.1.2.3, or a prefix such as 10.0.0.0/8"
	if strings.ContainsAny(text, ", ") {
		return example + ", each as an item of its own"
	}
	if a, err := netip.ParseAddrPort(text); err == nil {
		return a.Addr().String()
	}
	if a, err := netip.ParseAddr(strings.Trim(text, "[]")); err == nil {
		return a.String()
	}
	return example
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
	if log := c.gateway.GetAccessLog(); log != nil {
		c.checkAccessLog("access_log.file", log.GetFile())
	}
	c.checkDuration("drain.delay", c.gateway.GetDrain().GetDelay(), 0)
	c.checkDuration("drain.timeout", c.gateway.GetDrain().GetTimeout(), 0)
}
