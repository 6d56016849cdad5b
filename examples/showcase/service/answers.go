// Package service implements the showcase's service, for connect-go v1 and v2 and for
// grpc-go. Each response has headers and trailers, and each error has details and
// metadata. A page shows which of them its script can read.
package service

import (
	"net/http"
	"strings"

	showcasev1 "github.com/corsrpc/corsrpc-go/examples/showcase/gen/showcase/v1"
)

// The names of the metadata. A "-bin" header has a binary value.
const (
	headerName  = "x-showcase-header"
	binaryName  = "x-showcase-bin"
	trailerName = "x-showcase-trailer"
	errorName   = "x-showcase-error"
)

var binaryValue = []byte{1, 2, 3}

// hint returns the detail of every error.
func hint() *showcasev1.FailDetail {
	return &showcasev1.FailDetail{Hint: "hint"}
}

// greeting returns the response of Greet.
func greeting(r *showcasev1.GreetRequest, requestHeader http.Header) *showcasev1.GreetResponse {
	res := &showcasev1.GreetResponse{Greeting: "Hello, " + r.GetName() + "!"}
	for _, c := range (&http.Request{Header: requestHeader}).Cookies() {
		res.CookieNames = append(res.CookieNames, c.Name)
	}
	return res
}

// noKey is the error message of Lookup.
const noKey = "no key"

// found returns the response of Lookup.
func found(r *showcasev1.LookupRequest, method string) *showcasev1.LookupResponse {
	return &showcasev1.LookupResponse{Value: strings.ToUpper(r.GetKey()), HttpMethod: method}
}

// maxMessages is the largest number of messages of a stream.
const maxMessages = 1000

// numbers calls send with 1 to n.
func numbers(n int32, send func(int32) error) error {
	for i := int32(1); i <= min(n, maxMessages); i++ {
		if err := send(i); err != nil {
			return err
		}
	}
	return nil
}
