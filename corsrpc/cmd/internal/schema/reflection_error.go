package schema

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/url"
	"strings"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// symptom is a text in an error of the gRPC library that tells what went wrong, and how it is put. In
// advice, HOST is the host and port of the server.
type symptom struct{ text, advice string }

// symptoms are looked for in their order.
var symptoms = []symptom{
	{"first record does not look like a TLS handshake", "the server does not speak TLS: write h2c://HOST if it is meant to"},
	{"certificate is valid for", "the certificate of the server is for another name; --reflect-server-name gives the name that it has to be valid for"},
	{"certificate is not valid for any names", "the certificate of the server has no name that --reflect-server-name could give"},
	{"cannot validate certificate for", "the certificate of the server is not for this address; --reflect-server-name gives the name that it has to be valid for"},
	{"certificate signed by unknown authority", "the certificate of the server is not signed by an authority that is trusted; --reflect-ca FILE names the authority's certificate"},
	{"failed to verify certificate", "the certificate of the server is not valid"},
	{"missing selected ALPN", "the server speaks TLS, but not HTTP/2, which gRPC needs: the URL has to be that of the gRPC server"},
	{"no application protocol", "the server speaks TLS, but not HTTP/2, which gRPC needs: the URL has to be that of the gRPC server"},
	{"looked like an HTTP/1.1 header", "the server speaks HTTP/1.1 only, and gRPC needs HTTP/2: the URL has to be that of the gRPC server"},
	{"unexpected content-type", "the server answers, but not with gRPC: the URL has to be that of the gRPC server"},
	{"unexpected HTTP status code", "the server answers, but not with gRPC: the URL has to be that of the gRPC server"},
	{"malformed header", "the server answers, but not with gRPC: the URL has to be that of the gRPC server"},
	{"connection refused", "the server does not listen at HOST"},
	{"no such host", "the name of the host is not known"},
	{"error reading server preface", "the server closed the connection before it answered in HTTP/2: write https://HOST if it speaks TLS"},
	{"tls: ", "the server refuses the TLS connection"},
	{"received message larger than max", "a message of the server is too large"},
	{"unknown service grpc.reflection", notRegistered},
}

const notRegistered = "the server does not have gRPC server reflection: register it (in Go: reflection.Register(server)), or pass --descriptors FILE instead"

// explain says what went wrong and what to do.
func explain(ctx context.Context, err error, s Server) string {
	st, ok := status.FromError(err)
	switch {
	case errors.Is(ctx.Err(), context.Canceled):
		return "the program was stopped before the server had answered"
	case ctx.Err() != nil || st.Code() == codes.DeadlineExceeded:
		return "the server did not answer in time" + lastProblem(st)
	case errors.Is(err, io.EOF):
		return "the server ended the call before it had answered; pass --descriptors FILE instead"
	case !ok:
		return err.Error() // it is one of ours
	}
	host := ""
	if u, err := url.Parse(s.URL); err == nil {
		host = u.Host
	}
	detail := detailOf(st.Message())
	for _, known := range symptoms {
		if strings.Contains(st.Message(), known.text) {
			return strings.ReplaceAll(known.advice, "HOST", host) + " (" + detail + ")"
		}
	}
	switch st.Code() {
	case codes.Unimplemented:
		return notRegistered
	case codes.Unauthenticated, codes.PermissionDenied:
		return fmt.Sprintf("the server refuses server reflection (%s: %s); pass --descriptors FILE instead", st.Code(), detail)
	}
	return fmt.Sprintf("%s: %s", st.Code(), detail)
}

// lastProblem returns what kept a connection from being made until the time was over.
func lastProblem(st *status.Status) string {
	_, problem, ok := strings.Cut(st.Message(), "latest balancer error: ")
	if !ok {
		return ""
	}
	return " (" + detailOf(problem) + ")"
}

// detailOf returns what an error of the gRPC library says in the end, without what encloses it.
func detailOf(message string) string {
	if _, inner, ok := strings.Cut(message, `desc = "`); ok {
		message = strings.TrimSuffix(inner, `"`)
	}
	message = strings.TrimPrefix(message, "transport: ")
	return shown(strings.TrimPrefix(message, "Error while dialing: "))
}
