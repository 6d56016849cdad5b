package policytest

import (
	"cmp"
	"maps"
	"net/http"
	"slices"
	"strings"

	"github.com/corsrpc/corsrpc-go/corsrpc/corsbrowser"
	"github.com/corsrpc/corsrpc-go/corsrpc/corsinspect"
	"github.com/corsrpc/corsrpc-go/corsrpc/corsrpcv1"
	"github.com/corsrpc/corsrpc-go/internal/rpc"
)

// DefaultServer is the URL of the server if the test names none.
const DefaultServer = "https://api.example.com"

// OtherOrigin is the origin in a case of an environment variable that does not have the page's origin.
const OtherOrigin = "https://corsrpc-other.example"

// callOf returns the call of a case.
func (s *Suite) callOf(one *corsrpcv1.Case) corsinspect.Call {
	isPath := strings.HasPrefix(one.GetCall(), "/")
	call := corsinspect.Call{
		Origin: one.GetFrom(), Server: cmp.Or(s.test.GetServer(), DefaultServer), Target: one.GetCall(),
		Method: cmp.Or(one.GetHttpMethod(), http.MethodPost), Header: http.Header{}, Credentials: one.GetCredentials(),
		Response: http.Header{}, Status: int(one.GetAnswer().GetStatus()), Engines: enginesOf(one.GetEngines()),
	}
	switch {
	case isPath && one.GetProtocol() == corsrpcv1.Protocol_PROTOCOL_MCP:
		for field := range slices.Chunk(rpc.CallHeader(rpc.MCP), 2) {
			if field[0] != "Content-Type" || strings.EqualFold(call.Method, http.MethodPost) { // only a POST has a body
				call.Header.Set(field[0], field[1])
			}
		}
	case isPath:
		call.Method = cmp.Or(one.GetHttpMethod(), http.MethodGet)
	case strings.EqualFold(call.Method, http.MethodGet):
		call.Target += "?" + rpc.GetCallQuery
	default:
		for field := range slices.Chunk(rpc.CallHeader(protocolOf(one)), 2) {
			call.Header.Set(field[0], field[1])
		}
	}
	for name, value := range one.GetHeaders() {
		call.Header.Set(name, value)
	}
	readable := one.GetExpect().GetReadable()
	for _, name := range slices.Concat(readable.GetHeaders(), readable.GetHiddenHeaders()) {
		call.Response.Set(name, "1")
	}
	for name, value := range one.GetAnswer().GetHeaders() {
		call.Response.Set(name, value)
	}
	return call
}

func protocolOf(one *corsrpcv1.Case) rpc.Protocols {
	if one.GetProtocol() == corsrpcv1.Protocol_PROTOCOL_GRPC_WEB {
		return rpc.GRPCWeb
	}
	return rpc.Connect
}

var engines = map[corsrpcv1.Engine]corsbrowser.Engine{
	corsrpcv1.Engine_ENGINE_STANDARD: corsbrowser.Standard, corsrpcv1.Engine_ENGINE_CHROMIUM: corsbrowser.Chromium,
	corsrpcv1.Engine_ENGINE_FIREFOX: corsbrowser.Firefox, corsrpcv1.Engine_ENGINE_WEBKIT: corsbrowser.WebKit,
}

// enginesOf returns the engines of a case, which are all if it names none.
func enginesOf(named []corsrpcv1.Engine) (all []corsbrowser.Engine) {
	if len(named) == 0 {
		return corsbrowser.Engines()
	}
	for _, e := range named {
		all = append(all, engines[e])
	}
	return all
}

// nameOf returns the name of a case for reports.
func nameOf(one *corsrpcv1.Case) string {
	if one.GetName() != "" {
		return one.GetName()
	}
	name := one.GetFrom() + " calls " + one.GetCall()
	var with []string
	if one.GetHttpMethod() != "" {
		with = append(with, one.GetHttpMethod())
	}
	if one.GetProtocol() != corsrpcv1.Protocol_PROTOCOL_UNSPECIFIED {
		with = append(with, strings.TrimPrefix(one.GetProtocol().String(), "PROTOCOL_"))
	}
	with = append(with, slices.Sorted(maps.Keys(one.GetHeaders()))...)
	if one.GetCredentials() {
		with = append(with, "credentials")
	}
	if len(with) > 0 {
		name += " with " + strings.Join(with, ", ")
	}
	return name
}
