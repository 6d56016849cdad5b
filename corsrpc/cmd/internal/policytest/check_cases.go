package policytest

import (
	"errors"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/corsrpc/corsrpc-go/corsrpc"
	"github.com/corsrpc/corsrpc-go/corsrpc/corsrpcv1"
	"github.com/corsrpc/corsrpc-go/internal/fetch"
	"github.com/corsrpc/corsrpc-go/internal/origin"
	"github.com/corsrpc/corsrpc-go/internal/policyfile"
	"github.com/corsrpc/corsrpc-go/internal/route"
)

// checkCase checks a case.
func (c *checker) checkCase(field string, one *corsrpcv1.Case, k known) {
	c.checkFrom(field+".from", one.GetFrom())
	c.checkCall(field, one, k)
	if method := one.GetHttpMethod(); method != "" {
		c.checkMethod(field+".http_method", method)
	}
	c.checkHeaders(field+".headers", one.GetHeaders(), true)
	for i, e := range one.GetEngines() {
		if slices.Index(one.GetEngines(), e) < i {
			c.fail(fmt.Sprintf("%s.engines[%d]", field, i), CodeDuplicateName, strings.TrimPrefix(e.String(), "ENGINE_"), "is already in the list", "")
		}
	}
	c.checkAnswer(field+".answer", one.GetAnswer())
	c.checkExpect(field, one)
	c.checkProfile(field, one.GetProfile(), k)
	c.checkEnv(field+".env", one.GetEnv(), k)
	c.checkSources(field+".sources", one.GetSources(), k)
	c.checkVariant(field, one)
}

// checkVariant reports variables of a case with which the policy does not load.
func (c *checker) checkVariant(field string, one *corsrpcv1.Case) {
	plans := c.suite.plans
	if len(one.GetEnv()) == 0 || plans.name == "" || plans.base().err != nil {
		return
	}
	var problems *corsrpc.PolicyError
	if errors.As(plans.get(one.GetProfile(), one.GetEnv()).err, &problems) {
		v := problems.Violations[0]
		c.fail(field+".env", CodeVariable, v.Value, v.Reason+"; the policy does not load with it ("+v.Field+")", "")
	}
}

// checkFrom checks the origin of a page.
func (c *checker) checkFrom(field, from string) {
	if from == "" {
		c.fail(field, CodeFieldMissing, "", "is missing: it is the origin of the page that calls", "from: https://app.example.com")
		return
	}
	if _, ok := origin.Parse(from); ok {
		return
	}
	if pattern, problems := origin.ParsePattern(from); pattern != (origin.Pattern{}) {
		fix := strings.NewReplacer("*.", "app.", ":*", ":8080", "*", "app").Replace(from)
		if _, ok := origin.Parse(fix); !ok {
			fix = ""
		}
		c.fail(field, CodeOrigin, from, "is a pattern, but a page has one origin", fix)
	} else {
		reason, fix := "is not an origin that a browser sends", ""
		if len(problems) > 0 {
			if _, ok := origin.Parse(problems[0].Fix); ok {
				fix = problems[0].Fix
			}
		}
		c.fail(field, CodeOrigin, from, reason, fix)
	}
}

// checkCall checks what is called.
func (c *checker) checkCall(field string, one *corsrpcv1.Case, k known) {
	at, call := field+".call", one.GetCall()
	switch {
	case call == "":
		c.fail(at, CodeFieldMissing, "", "is missing: it is the full name of a procedure, or a path", "call: acme.v1.CatalogService.Get")
	case strings.HasPrefix(call, "/"):
		if len(call) > route.MaxPath || strings.ContainsAny(call, "#\r\n\x00") || !validURL("https://a.example"+call) {
			fix, _, _ := strings.Cut(call, "#")
			if fix == call {
				fix = ""
			}
			c.fail(at, CodeCall, call, "is not a path that a browser sends", fix)
		}
		if p := one.GetProtocol(); p != corsrpcv1.Protocol_PROTOCOL_UNSPECIFIED && p != corsrpcv1.Protocol_PROTOCOL_MCP {
			c.fail(field+".protocol", CodeFieldMisplaced, "", "is set for a path, which has none but MCP", "the full name of a procedure at call, or leave protocol out")
		}
	case one.GetProtocol() == corsrpcv1.Protocol_PROTOCOL_MCP:
		c.fail(field+".protocol", CodeFieldMisplaced, "MCP", "is the protocol of a path, and call names a procedure", "the path at call, such as /mcp, or leave protocol out")
	default:
		c.checkProcedure(at, call, k)
		if one.GetProtocol() == corsrpcv1.Protocol_PROTOCOL_GRPC_WEB && strings.EqualFold(one.GetHttpMethod(), "GET") {
			c.fail(field+".http_method", CodeMethod, one.GetHttpMethod(), "is not a method of gRPC-Web, whose calls are all POST", "POST")
		}
	}
}

func validURL(s string) bool {
	_, err := url.Parse(s)
	return err == nil
}

// checkProcedure checks the name of a procedure.
func (c *checker) checkProcedure(field, call string, k known) {
	reason, fix := "", ""
	switch {
	case strings.Contains(call, "://"):
		reason = "is a URL, but a call is the full name of a procedure, or a path"
		if u, err := url.Parse(call); err == nil && u.Path != "" {
			fix = u.Path
		}
	case strings.Contains(call, "*"):
		reason = "is a selector, but a case makes one call: a guarantee is about all of a selector"
	case strings.Contains(call, "/"):
		reason = "is neither a full name nor a path that begins with a slash"
		if name := strings.ReplaceAll(call, "/", "."); isProcedureName(name) {
			fix = name
		}
	case !isProcedureName(call):
		reason = "is neither the full name of a procedure, such as acme.v1.CatalogService.Get, nor a path that begins with a slash"
	case k.schema && !k.procedures[call]:
		reason = "is not a procedure of the schema"
		fix, _ = policyfile.Nearest(call, k.names)
		c.fail(field, CodeProcedureUnknown, call, reason, fix)
		return
	default:
		return
	}
	c.fail(field, CodeCall, call, reason, fix)
}

// isProcedureName reports whether a text has the form of a full name of a method.
func isProcedureName(s string) bool {
	parts := strings.Split(s, ".")
	for _, part := range parts {
		if !route.IsIdentifier(part) {
			return false
		}
	}
	return len(parts) > 1 && len(s) <= route.MaxPath
}

// checkMethod checks the HTTP method of a script.
func (c *checker) checkMethod(field, method string) {
	switch {
	case !fetch.IsToken(method):
		c.fail(field, CodeMethod, method, "is not a valid HTTP method", "")
	case fetch.ForbiddenMethod(method):
		c.fail(field, CodeMethod, method, "is a method that no script may use", "")
	}
}

// checkHeaders checks the header fields of a script, or of a handler.
func (c *checker) checkHeaders(field string, headers map[string]string, ofScript bool) {
	seen := map[string]string{}
	for _, name := range slices.Sorted(maps.Keys(headers)) {
		at, lower := fmt.Sprintf("%s[%q]", field, name), fetch.Lower(name)
		value := headers[name]
		switch first, twice := seen[lower]; {
		case !fetch.IsToken(name):
			fix := strings.TrimSuffix(strings.TrimSpace(name), ":")
			if !fetch.IsToken(fix) {
				fix = ""
			}
			c.fail(at, CodeHeader, name, "is not a valid name of a header", fix)
		case twice:
			c.fail(at, CodeHeader, name, "is the same header as "+first+": keep one of the two", "")
		case ofScript && fetch.ForbiddenRequestField(name, value):
			c.fail(at, CodeHeader, name, "is a header that no script can set"+withoutScript(lower), "")
		case strings.ContainsAny(value, "\x00\r\n") || strings.IndexFunc(value, func(r rune) bool { return r > 0xff }) >= 0:
			c.fail(at, CodeHeader, value, "is not a value that a header can have", "")
		}
		seen[lower] = name
	}
}

// withoutScript returns the field of a case that replaces a header which only browsers set, as the end of
// a message; empty if no field does.
func withoutScript(lower string) string {
	switch lower {
	case "origin":
		return ": the field from has the page's origin"
	case "cookie":
		return ": write credentials: true in its place"
	}
	return ""
}

// checkAnswer checks the response of the handler.
func (c *checker) checkAnswer(field string, answer *corsrpcv1.Answer) {
	switch status := answer.GetStatus(); {
	case status == 0:
	case status < 200 || status > 599:
		c.fail(field+".status", CodeStatus, strconv.Itoa(int(status)), "is not the status of a response: those are 200 to 599", "")
	case slices.Contains([]int32{301, 302, 303, 307, 308}, status):
		c.fail(field+".status", CodeStatus, strconv.Itoa(int(status)), "is a redirect, which a test does not follow", "")
	}
	c.checkHeaders(field+".headers", answer.GetHeaders(), false)
}

// checkExpect checks the outcome of a case.
func (c *checker) checkExpect(field string, one *corsrpcv1.Case) {
	at, expect := field+".expect", one.GetExpect()
	switch blocked, readable := expect.GetBlocked(), expect.GetReadable(); {
	case expect == nil:
		c.fail(at, CodeFieldMissing, "", "is missing: it is the outcome of the call", "expect: {readable: {}} or expect: {blocked: {}}")
	case blocked != nil && readable != nil:
		c.fail(at, CodeContradiction, "", "has both blocked and readable: keep one of the two", "")
	case blocked == nil && readable == nil:
		c.fail(at, CodeFieldMissing, "", "has neither blocked nor readable", "{readable: {}} or {blocked: {}}")
	case blocked != nil:
		c.checkReason(at+".blocked.reason", blocked.GetReason())
	default:
		c.checkReadable(at+".readable", readable)
	}
	if n := expect.GetPreflights(); expect != nil && (n < 0 || n > 1) {
		c.fail(at+".preflights", CodePreflights, strconv.Itoa(int(n)), "is not a number of preflights that a browser sends for one call", "0 or 1")
	}
}

// checkReason checks the reason of a call that is blocked.
func (c *checker) checkReason(field, reason string) {
	if reason == "" {
		return
	}
	if code := corsrpc.Reason(reason); slices.Contains(corsrpc.Reasons(), code) {
		if !blocks(code) {
			c.fail(field, CodeReasonUnknown, reason, "is not a reason for which a call of a script is blocked", "")
		}
		return
	}
	var names []string
	for _, r := range corsrpc.Reasons() {
		if blocks(r) {
			names = append(names, string(r))
		}
	}
	nearest, ok := policyfile.Nearest(strings.TrimPrefix(reason, "REASON_"), names)
	text := "is not a reason of a decision"
	if !ok {
		text += "; those that block are " + strings.Join(names, ", ")
	}
	c.fail(field, CodeReasonUnknown, reason, text, nearest)
}

// blocks reports whether a call of a script can be blocked for a reason.
func blocks(r corsrpc.Reason) bool {
	switch r {
	case corsrpc.ReasonSameOrigin, corsrpc.ReasonNoOrigin, corsrpc.ReasonOpenToAll, corsrpc.ReasonOriginAllowed,
		corsrpc.ReasonOriginRepeated, corsrpc.ReasonOriginMalformed, corsrpc.ReasonOriginMissing, corsrpc.ReasonModeNotCORS:
		return false
	}
	return true
}

// checkReadable checks the header names of an outcome.
func (c *checker) checkReadable(field string, readable *corsrpcv1.Readable) {
	seen := map[string]bool{}
	for _, list := range []struct {
		field string
		names []string
	}{{field + ".headers", readable.GetHeaders()}, {field + ".hidden_headers", readable.GetHiddenHeaders()}} {
		for i, name := range list.names {
			at, lower := fmt.Sprintf("%s[%d]", list.field, i), fetch.Lower(name)
			switch {
			case !fetch.IsToken(name):
				c.fail(at, CodeHeader, name, "is not a valid name of a header", "")
			case seen[lower]:
				c.fail(at, CodeContradiction, name, "is already in one of the two lists", "")
			}
			seen[lower] = true
		}
	}
}
