package main

// envoyFaults are faults of the external processor for Envoy: its messages, its streams and its program.
var envoyFaults = []fault{
	{name: "a stream that ends too early ends well", in: "undecided", old: `return status.Error(codes.Aborted, "corsrpc: the stream ended before the decision")`, new: `return nil`},
	{name: "Envoy without enforcement is served", old: `if first.GetObservabilityMode() {`, new: `if false {`},
	{name: "a body as first message passes", in: "(*Processor).Process", old: `	default:
		return p.misconfigured(codes.InvalidArgument,`, new: `	default:
		if true {
			return nil
		}
		return p.misconfigured(codes.InvalidArgument,`},
	{name: "the response of a filter in front gets an error", old: `return stream.Send(continueResponse(nil)) // a filter`, new: `return nil // a filter`},
	{name: "a panic ends the processor", in: "(*Processor).serve", old: `switch cause := recover(); {`, new: `switch cause := any(nil); {`},
	{name: "a panic lets the request through", old: `		case cause != nil:
			p.log.Error`, new: `		case cause != nil && false:
			p.log.Error`},
	{name: "a request without a policy passes", in: "(*Processor).serve", old: `		http.Error(x, "corsrpc: no policy is for this host or route", http.StatusMisdirectedRequest)
		return nil`, new: `		x.forward(x, r)
		return nil`},
	{name: "a malformed path passes", old: `return nil, errors.New("corsrpc: the path of the request is malformed")`, new: `u = &url.URL{Path: "/"}`},
	{name: "the last of two paths counts", in: "requestOf", old: `if _, twice := pseudo[name]; twice {`, new: `if false {`},
	{name: "the last of two lines of a request counts", in: "requestOf", old: `header[name] = append(header[name], valueOf(f))`, new: `header[name] = []string{valueOf(f)}`},
	{name: "TLS is not known to the processor", in: "requestOf", old: `if pseudo[":scheme"] == "https" {`, new: `if false {`},
	{name: "the processor does not know the host", in: "requestOf", old: `Host: pseudo[":authority"], RequestURI`, new: `RequestURI`},
	{name: "every response takes one round trip", in: "(*exchange).forward", old: `x.untouched = w == http.ResponseWriter(x)`, new: `x.untouched = true`},
	{name: "every response takes two round trips", in: "(*exchange).forward", old: `x.untouched = w == http.ResponseWriter(x)`, new: `x.untouched = false`},
	{name: "the policy's own response is an empty one", in: "(*exchange).finish", old: `immediate(max(x.status, http.StatusOK), x.header, x.body)`, new: `immediate(max(x.status, http.StatusOK), x.header, nil)`},
	{name: "a response that the policy has replaced passes", in: "(*exchange).finish", old: `case x.status != x.received || len(x.body) > 0:`, new: `case false:`},
	{name: "a response without a status passes", in: "(*exchange).receive", old: `if err != nil || code < 100 || code > 999 {`, new: `if err != nil {
			code = 200
		}
		if false {`},
	{name: "Envoy keeps the upstream's own CORS fields", in: "mutation", old: `		if len(to[name]) == 0 {`, new: `		if false {`},
	{name: "the second line of a field replaces the first", in: "setField", old: `	if more {`, new: `	if false {`},
	{name: "fields that Envoy adds to an answer stay", in: "immediate", old: `mutation(addable, header)`, new: `mutation(nil, header)`},
	{name: "a page chooses the policy of a request", in: "(*Gateway).policyOf", old: `named := r.Metadata.Get(policyHeader)`, new: `named := []string{"admin"}`},
	{name: "the first of two names of a policy counts", in: "(*Gateway).policyOf", old: `ok && len(named) == 1 {`, new: `ok {`},
	{name: "a policy that is not known is that of the host", in: "(*Gateway).policyOf", old: `	if named := r.Metadata.Get(policyHeader); len(named) > 0 {`, new: `	if named := r.Metadata.Get(policyHeader); len(named) > 0 && c.byName[named[0]] != nil {`},
	{name: "everyone can connect to the socket", old: `os.Chmod(name, 0o660)`, new: `os.Chmod(name, 0o666)`},
	{name: "a processor takes the socket of another one", in: "listenForEnvoy", old: `if !errors.Is(err, syscall.ECONNREFUSED) {`, new: `if false && !errors.Is(err, syscall.ECONNREFUSED) {`},
	{name: "the processor is healthy while it drains", old: `ready := !h.gateway.draining.Load()`, new: `ready := true`},
	{name: "the processor ends without waiting for streams", old: `		p.server.GracefulStop()`, new: `		p.server.Stop()`},
	{name: "the processor does not ask for client certificates", in: "(*Gateway).newProcessorPort", old: `credentials.NewTLS(secure)`, new: `credentials.NewTLS(&tls.Config{GetCertificate: func(h *tls.ClientHelloInfo) (*tls.Certificate, error) {
			c, err := secure.GetConfigForClient(h)
			return &c.Certificates[0], err
		}})`},
	{name: "the fields that Envoy decides on are not named", in: "(*Gateway).logUnused", old: `if len(file.Unused) > 0 {`, new: `if false {`},
}
