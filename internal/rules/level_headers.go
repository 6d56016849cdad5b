package rules

import (
	"fmt"
	"slices"
	"strings"

	"github.com/corsrpc/corsrpc-go/corsrpc/corsrpcv1"
	"github.com/corsrpc/corsrpc-go/internal/fetch"
	"github.com/corsrpc/corsrpc-go/internal/rpc"
)

// headerLists holds the header items of a level for one direction.
type headerLists struct {
	items []headerItem
	level *headerLevel // nil if there are no items
}

// headerFields describes one of the two pairs of header lists of a rule.
type headerFields struct {
	grant, withhold string // field names
	values          func(r *corsrpcv1.Rule) (grant, withhold []string)
	direction       rpc.Direction
}

var (
	requestHeaders = headerFields{"allow_headers", "deny_headers", func(r *corsrpcv1.Rule) ([]string, []string) {
		return r.GetAllowHeaders(), r.GetDenyHeaders()
	}, rpc.Request}
	responseHeaders = headerFields{"expose_headers", "hide_headers", func(r *corsrpcv1.Rule) ([]string, []string) {
		return r.GetExposeHeaders(), r.GetHideHeaders()
	}, rpc.Response}
)

// neededBy returns the protocols whose headers a rule cannot withhold: those of procedures, whichever the
// rule serves, and for a path MCP, if the rule serves it.
func neededBy(path bool, serves rpc.Protocols) rpc.Protocols {
	if path {
		return serves & rpc.MCP
	}
	return rpc.OfProcedures
}

// parseHeaders parses a pair of header lists, and tracing for request headers. The headers of the needed
// protocols cannot be withheld.
func (c *compiler) parseHeaders(field string, r *corsrpcv1.Rule, lists headerFields, needed rpc.Protocols) (items []headerItem) {
	grant, withhold := lists.values(r)
	seen := map[headerRule]bool{}
	add := func(rule headerRule, list string, i int, text string) {
		if !seen[rule] {
			seen[rule] = true
			items = append(items, headerItem{rule, list, i, text})
		}
	}
	for i, text := range grant {
		if rule, ok := c.parseHeader(field, lists, needed, i, text, true); ok {
			add(rule, lists.grant, i, text)
		}
	}
	for i, text := range withhold {
		rule, ok := c.parseHeader(field, lists, needed, i, text, false)
		if !ok {
			continue
		}
		twin := rule
		twin.grants = true
		if seen[twin] {
			c.fail(CodeHeaderContradiction, fmt.Sprintf("%s.%s[%d]", field, lists.withhold, i), text,
				"is also in "+lists.grant+" of this rule: leave it out of one of the two", "")
		}
		add(rule, lists.withhold, i, text)
	}
	if lists.direction == rpc.Request && r.Tracing != nil {
		items = append(items, headerItem{headerRule{kind: headerTracing, grants: r.GetTracing()}, "tracing", -1, fmt.Sprint(r.GetTracing())})
	}
	sortHeaderItems(items)
	return items
}

// parseHeader parses an item of a header list: one that grants, or one that withholds.
func (c *compiler) parseHeader(field string, lists headerFields, needed rpc.Protocols, i int, item string, grants bool) (headerRule, bool) {
	list := lists.withhold
	if grants {
		list = lists.grant
	}
	at := fmt.Sprintf("%s.%s[%d]", field, list, i)
	h, reason, fix := parseHeaderRule(item, grants)
	if reason != "" {
		c.fail(CodeHeaderSyntax, at, item, reason, fix)
		return h, false
	}
	if reason := withheldFromScripts(h, lists.direction); grants && reason != "" {
		c.fail(CodeHeaderForbidden, at, item, reason, "")
		return h, false
	}
	if grants && lists.direction == rpc.Response && h.kind != headerName {
		c.fail(CodeHeaderSyntax, at, item, "is not a header name: expose_headers takes names only, and expose: PRESENT exposes every header that a response carries", "")
		return h, false
	}
	if !grants && isProtocolHeader(h, lists.direction, needed) {
		of := "the RPC protocols, and always granted: leave it out (protocols sets which protocols are served)"
		if needed == rpc.MCP {
			of = "MCP, and always granted: leave it out"
		}
		c.fail(CodeProtocolHeader, at, item, "is needed by the clients of "+of, "")
		return h, false
	}
	return h, true
}

// CanAllowHeader reports whether allow_headers of a rule may name a request header.
func CanAllowHeader(name string) bool {
	h, reason, _ := parseHeaderRule(name, true)
	return reason == "" && h.kind == headerName && withheldFromScripts(h, rpc.Request) == ""
}

// CanExposeHeader reports whether expose_headers of a rule may name a response header.
func CanExposeHeader(name string) bool {
	h, reason, _ := parseHeaderRule(name, true)
	return reason == "" && h.kind == headerName && withheldFromScripts(h, rpc.Response) == ""
}

// CanHideHeader reports whether hide_headers of a rule like this one may name a response header.
func (e *Effective) CanHideHeader(name string) bool {
	h, reason, _ := parseHeaderRule(name, false)
	return reason == "" && h.kind == headerName && !isProtocolHeader(h, rpc.Response, neededBy(e.kind.Path, e.protocols))
}

// withheldFromScripts returns the reason why granting a header would have no effect, with what to
// write instead, or "" if it would have one.
func withheldFromScripts(h headerRule, d rpc.Direction) string {
	switch {
	case h.kind == headerAll:
		return ""
	case d == rpc.Request:
		return cannotBeSent(h.name)
	}
	return cannotBeShown(h.name)
}

// cannotBeSent returns the reason why no script can set a request header with this lower-case
// name, or any header with this prefix; "" if one can.
func cannotBeSent(name string) string {
	switch {
	case name == "cookie", name == "cookie2":
		return "cannot be set by a script: allow_credentials allows cookies"
	case fetch.SentByBrowser(name):
		return "cannot be set by a script (https://fetch.spec.whatwg.org/#forbidden-request-header), and the browser sends it without a grant: leave it out"
	case fetch.IsAccessControl(name), fetch.ForbiddenResponseHeader(name):
		return "is a response header" + setByLayer(name) + ": leave it out"
	case fetch.ForbiddenRequestHeader(name):
		return "cannot be set by a script (https://fetch.spec.whatwg.org/#forbidden-request-header): leave it out"
	}
	return ""
}

// cannotBeShown returns the reason why no script can read a response header with this lower-case
// name; "" if one can.
func cannotBeShown(name string) string {
	switch {
	case fetch.ForbiddenResponseHeader(name):
		return "cannot be read by a script (https://fetch.spec.whatwg.org/#forbidden-response-header-name): leave it out"
	case name == "cookie", name == "cookie2":
		return "is a request header, which no response has: leave it out (allow_credentials allows cookies)"
	case fetch.RequestOnly(name) && (fetch.ForbiddenRequestHeader(name) || fetch.IsAccessControl(name)):
		return "is a request header, which no response has: leave it out"
	case fetch.RequestOnly(name):
		return "is a request header, which no response has: write it in allow_headers if scripts send it"
	case fetch.IsAccessControl(name):
		return "is set by corsrpc itself: leave it out"
	}
	return ""
}

// setByLayer returns the clause that says that the layer sets a header of the CORS protocol; ""
// for other names.
func setByLayer(name string) string {
	if fetch.IsAccessControl(name) {
		return ", and corsrpc sets it"
	}
	return ""
}

// isProtocolHeader reports whether an item is for a header that the clients of some protocols
// need. A wider prefix such as x-* covers some of these headers too; they are granted
// nevertheless.
func isProtocolHeader(h headerRule, d rpc.Direction, of rpc.Protocols) bool {
	switch {
	case h.kind == headerAll:
		return false
	case d == rpc.Response && h.kind == headerPrefix && slices.ContainsFunc(rpc.Names(of, d), func(name string) bool { return strings.HasPrefix(name, h.name) }):
		return true
	}
	return rpc.Needs(of, d, h.name)
}
