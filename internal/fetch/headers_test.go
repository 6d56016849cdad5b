package fetch_test

import (
	"testing"

	"github.com/corsrpc/corsrpc-go/internal/fetch"
)

func TestForbiddenRequestField(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, value string
		want        bool
	}{
		{"Host", "x", true},
		{"cookie", "", true},
		{"Proxy-Anything", "x", true},
		{"SEC-FETCH-SITE", "same-origin", true},
		{"Authorization", "x", false},
		{"X-HTTP-Method", "trace", true},
		{"X-HTTP-Method-Override", "GET,\ttrack ", true},
		{"X-Method-Override", "CONNECT", true},
		{"X-Method-Override", "PUT", false},
		{"X-Method-Override", "TRACER", false},
		{"X-Original-Method", "TRACE", false}, // not listed in the standard
		{"X-A", "TRACE", false},
	}
	for _, test := range tests {
		if got := fetch.ForbiddenRequestField(test.name, test.value); got != test.want {
			t.Errorf("%s: %q: %v", test.name, test.value, got)
		}
	}
}

// TestForbiddenRequestHeader: exactly the names of the standard's list, and its two prefixes, are
// forbidden for every value.
func TestForbiddenRequestHeader(t *testing.T) {
	t.Parallel()
	for _, name := range []string{
		"accept-charset", "accept-encoding", "access-control-request-headers", "access-control-request-method", "connection", "content-length",
		"cookie", "cookie2", "date", "dnt", "expect", "host", "keep-alive", "origin", "referer", "set-cookie", "te", "trailer", "transfer-encoding",
		"upgrade", "via", "proxy-", "proxy-authorization", "sec-", "sec-fetch-site",
	} {
		if !fetch.ForbiddenRequestHeader(name) {
			t.Errorf("%s is not forbidden", name)
		}
	}
	for _, name := range []string{
		"accept", "accept-language", "access-control-allow-origin", "authorization", "content-type", "if-match", "proxy", "range", "sec", "section", "user-agent", "x-http-method",
	} {
		if fetch.ForbiddenRequestHeader(name) {
			t.Errorf("%s is forbidden", name)
		}
	}
}

// TestSentByBrowser: all headers that browsers send themselves are forbidden request-headers, or have
// the prefix of the CORS protocol's request headers.
func TestSentByBrowser(t *testing.T) {
	t.Parallel()
	for _, name := range []string{
		"accept-encoding", "access-control-request-headers", "access-control-request-private-network", "connection", "content-length", "dnt", "host",
		"origin", "referer", "sec-", "sec-ch-ua", "sec-fetch-", "te", "transfer-encoding", "upgrade",
	} {
		if !fetch.SentByBrowser(name) || !fetch.ForbiddenRequestHeader(name) && !fetch.IsAccessControl(name) {
			t.Errorf("%s: sent: %t, forbidden: %t", name, fetch.SentByBrowser(name), fetch.ForbiddenRequestHeader(name))
		}
	}
	for _, name := range []string{"access-control-allow-origin", "authorization", "cookie", "date", "proxy-authorization", "set-cookie", "via"} {
		if fetch.SentByBrowser(name) {
			t.Errorf("%s is sent by browsers", name)
		}
	}
}

// TestRequestOnly: a header that servers send in responses too is not a header of requests only.
func TestRequestOnly(t *testing.T) {
	t.Parallel()
	for _, name := range []string{
		"access-control-request-headers", "access-control-request-method", "cookie", "cookie2", "dnt", "expect", "host", "if-match", "if-modified-since",
		"if-none-match", "if-range", "if-unmodified-since", "max-forwards", "origin", "proxy-authorization", "referer", "sec-ch-ua", "sec-fetch-mode", "te",
		"upgrade-insecure-requests",
	} {
		if !fetch.RequestOnly(name) {
			t.Errorf("%s is in responses too", name)
		}
	}
	for _, name := range []string{
		"accept", "accept-ranges", "access-control-allow-origin", "authorization", "connection", "content-length", "date", "from", "keep-alive", "proxy-authenticate",
		"range", "trailer", "transfer-encoding", "upgrade", "user-agent", "via", "www-authenticate", "x-origin",
	} {
		if fetch.RequestOnly(name) {
			t.Errorf("%s is in requests only", name)
		}
	}
}
