package cli

import (
	"cmp"
	"flag"
	"net/http"
	"net/textproto"
	"slices"
	"strings"

	"github.com/corsrpc/corsrpc-go/corsrpc"
	"github.com/corsrpc/corsrpc-go/corsrpc/cmd/internal/input"
	"github.com/corsrpc/corsrpc-go/corsrpc/corsbrowser"
	"github.com/corsrpc/corsrpc-go/corsrpc/corsinspect"
	"github.com/corsrpc/corsrpc-go/internal/policyfile"
	"github.com/corsrpc/corsrpc-go/internal/rpc"
)

// callFlags are the flags that describe a call.
type callFlags struct {
	from, server, method, protocol string
	header, answer, engines        input.List
	credentials                    bool
}

// register registers all flags.
func (c *callFlags) register(flags *flag.FlagSet) {
	flags.StringVar(&c.from, "from", "", "`ORIGIN` of the page, such as https://app.example.com; without it, a program calls that is not a browser")
	flags.StringVar(&c.server, "server", "https://api.example.com", "`URL` of the server")
	flags.Var(&c.answer, "answer-header", "`FIELD` that the handler sends, such as 'X-Request-Id: 1' (repeatable)")
	c.registerRequest(flags)
}

// registerRequest registers the flags that describe the request.
func (c *callFlags) registerRequest(flags *flag.FlagSet) {
	flags.StringVar(&c.method, "method", "", "HTTP `METHOD` (default POST for a procedure and by MCP, GET for another path)")
	flags.StringVar(&c.protocol, "protocol", "", "`PROTOCOL` of the call: connect or grpc-web for a procedure (default connect), mcp for a path (default none)")
	flags.Var(&c.header, "header", "`FIELD` that the script sets, such as 'Authorization: Bearer x' (repeatable)")
	flags.BoolVar(&c.credentials, "credentials", false, "the call carries credentials: a cookie of the server")
	flags.Var(&c.engines, "engine", "browser `ENGINE`: chromium, firefox, webkit, or standard for the Fetch standard (repeatable; default all)")
}

// call returns the call of a target.
func (c *callFlags) call(plan *corsrpc.Plan, target string) (corsinspect.Call, error) {
	call := corsinspect.Call{
		Origin: c.from, Server: c.server, Target: target, Method: c.method, Credentials: c.credentials, Header: http.Header{}, Response: http.Header{},
	}
	switch {
	case strings.Contains(target, "://"):
		return call, usagef("%q is a URL: name the procedure or the path only, and the server with --server", target)
	case !strings.HasPrefix(target, "/") && !strings.Contains(target, "."):
		return call, usagef("%q is neither the full name of a procedure, such as acme.v1.S.Get, nor a path that begins with a slash", target)
	}
	var err error
	if isProcedure(plan, target) {
		err = c.ofProcedure(&call)
	} else {
		err = c.ofPath(&call)
	}
	if err != nil {
		return call, err
	}
	if err := setFields(call.Header, c.header, "--header"); err != nil {
		return call, err
	}
	if len(c.answer) > 0 {
		call.Response = http.Header{"Content-Type": call.Response["Content-Type"]}
	}
	if err := setFields(call.Response, c.answer, "--answer-header"); err != nil {
		return call, err
	}
	call.Engines, err = enginesOf(c.engines)
	if len(call.Engines) > 0 && c.from == "" {
		err = cmp.Or(err, usagef("--engine is for the call of a page: add --from and the page's origin"))
	}
	return call, err
}

// isProcedure reports whether a target is a procedure, by its name or by its path.
func isProcedure(plan *corsrpc.Plan, target string) bool {
	path, _, _ := strings.Cut(target, "?")
	if !strings.HasPrefix(path, "/") {
		return strings.Contains(path, ".")
	}
	name, _ := plan.Decide(corsrpc.Request{Method: http.MethodPost, Path: path}).Procedure()
	return name != ""
}

// protocols are the protocols that a call can have, by the value of --protocol.
var protocols = map[string]rpc.Protocols{"": rpc.Connect, "connect": rpc.Connect, "grpc-web": rpc.GRPCWeb, "mcp": rpc.MCP}

// protocolOf returns the protocol that --protocol names.
func (c *callFlags) protocolOf() (rpc.Protocols, error) {
	protocol, ok := protocols[c.protocol]
	if !ok {
		return 0, usagef("%q is not a protocol: write connect or grpc-web for a procedure, or mcp for a path", c.protocol)
	}
	return protocol, nil
}

// ofProcedure completes a call of a procedure as the clients of its protocol make it.
func (c *callFlags) ofProcedure(call *corsinspect.Call) error {
	protocol, err := c.protocolOf()
	switch {
	case err != nil:
		return err
	case protocol == rpc.MCP:
		return usagef("--protocol mcp is for the call of a path, and %s is a procedure", call.Target)
	}
	call.Method = cmp.Or(call.Method, http.MethodPost)
	fields := rpc.CallHeader(protocol)
	call.Response.Set("Content-Type", fields[1])
	call.Response.Set("X-Request-Id", "1")
	if protocol == rpc.Connect {
		call.Response.Set("Trailer-X-Cost", "7")
	}
	if strings.EqualFold(call.Method, http.MethodGet) && protocol == rpc.Connect { // connect-web sends the message in the query
		if !strings.Contains(call.Target, "?") {
			call.Target += "?" + rpc.GetCallQuery
		}
		return nil
	}
	for field := range slices.Chunk(fields, 2) {
		call.Header.Set(field[0], field[1])
	}
	return nil
}

// ofPath completes a call of a path.
func (c *callFlags) ofPath(call *corsinspect.Call) error {
	protocol, err := c.protocolOf()
	usual := http.MethodGet
	switch {
	case err != nil:
		return err
	case protocol == rpc.MCP:
		usual = http.MethodPost
		call.Response.Set("Mcp-Session-Id", "1")
	case c.protocol != "":
		return usagef("--protocol %s is for the call of a procedure, and %s is a path", c.protocol, call.Target)
	}
	call.Method = cmp.Or(call.Method, usual)
	call.Response.Set("Content-Type", "application/json")
	call.Response.Set("X-Request-Id", "1")
	if protocol != rpc.MCP {
		return nil
	}
	for field := range slices.Chunk(rpc.CallHeader(rpc.MCP), 2) {
		if field[0] != "Content-Type" || strings.EqualFold(call.Method, http.MethodPost) { // only a POST has a body
			call.Header.Set(field[0], field[1])
		}
	}
	return nil
}

// setFields sets fields of the form "Name: value". The first value of a name replaces the default, and
// further ones are added.
func setFields(header http.Header, fields []string, flag string) error {
	set := map[string]bool{}
	for _, field := range fields {
		name, value, ok := strings.Cut(field, ":")
		name = textproto.CanonicalMIMEHeaderKey(strings.TrimSpace(name))
		if !ok || name == "" {
			return usagef("%s %q is not of the form 'Name: value'", flag, field)
		}
		if !set[name] {
			header.Del(name)
		}
		set[name] = true
		header[name] = append(header[name], strings.TrimSpace(value))
	}
	return nil
}

// enginesOf returns the engines of names; nil for all.
func enginesOf(names []string) (engines []corsbrowser.Engine, err error) {
	known := map[string]corsbrowser.Engine{
		"standard": corsbrowser.Standard, "chromium": corsbrowser.Chromium, "firefox": corsbrowser.Firefox, "webkit": corsbrowser.WebKit,
	}
	for _, name := range withoutDuplicates(names) {
		engine, ok := known[strings.ToLower(name)]
		if !ok {
			return nil, usagef("%q is not an engine: write one of chromium, firefox, webkit, standard", name)
		}
		engines = append(engines, engine)
	}
	return engines, nil
}

// nearestProcedure returns a procedure of the schema that a name may be meant for.
func nearestProcedure(plan *corsrpc.Plan, name string) (string, bool) {
	var known []string
	for _, p := range plan.Procedures() {
		known = append(known, p.Name)
	}
	return policyfile.Nearest(name, known)
}
