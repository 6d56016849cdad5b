// Package service implements the showcase's methods, for connect-go v1 and
// v2. Every answer carries response headers and trailers, every error details
// and metadata, so that a page can show what reaches it.
package service

import (
	"net/http"
	"strings"

	showcasev1 "github.com/corsrpc/corsrpc-go/examples/showcase/gen/showcase/v1"
)

// What every answer carries; "-bin" headers hold bytes.
const (
	headerName  = "x-showcase-header"
	binaryName  = "x-showcase-bin"
	trailerName = "x-showcase-trailer"
	errorName   = "x-showcase-error"
)

var binaryValue = []byte{1, 2, 3}

// hint is the detail of every error.
func hint() *showcasev1.FailDetail {
	return &showcasev1.FailDetail{Hint: "hint"}
}

// greeting answers Greet.
func greeting(r *showcasev1.GreetRequest, requestHeader http.Header) *showcasev1.GreetResponse {
	res := &showcasev1.GreetResponse{Greeting: "Hello, " + r.GetName() + "!"}
	for _, c := range (&http.Request{Header: requestHeader}).Cookies() {
		res.CookieNames = append(res.CookieNames, c.Name)
	}
	return res
}

// noKey is why Lookup fails.
const noKey = "no key"

// found answers Lookup.
func found(r *showcasev1.LookupRequest, method string) *showcasev1.LookupResponse {
	return &showcasev1.LookupResponse{Value: strings.ToUpper(r.GetKey()), HttpMethod: method}
}

// mostMessages bounds what one call may ask for.
const mostMessages = 1000

// numbers calls send with 1 to n.
func numbers(n int32, send func(int32) error) error {
	for i := int32(1); i <= min(n, mostMessages); i++ {
		if err := send(i); err != nil {
			return err
		}
	}
	return nil
}
