// Package corsbrowser simulates a browser for tests: a [Browser] is an
// http.RoundTripper that treats a request as fetch does in a script of a page, and
// returns the part of the response that the script can read. Any Go client can use
// it to make calls as if it ran in a page of a given origin. It works with any
// server and any CORS middleware. Package corstest runs table tests with it.
//
// [New] opens a page:
//
//	page, err := corsbrowser.New("https://app.example.com", corsbrowser.WithHandler(handler))
//	client := greetv1connect.NewGreetServiceClient(page.Client(), "https://api.example.com")
//
// A call that the browser blocks fails with a [*BlockedError], which holds the
// check that failed, the response header that failed it, and the value that would
// have passed. A script in a real browser does not get these details. [Browser.Log]
// returns the requests that were sent, and their responses.
//
// # Covered
//
// The package implements parts of the Fetch standard (https://fetch.spec.whatwg.org)
// and of the standards that it refers to. These are response tainting, safelisted
// methods and headers, the preflight and its cache, the CORS check, the TAO check,
// redirects, and filtered responses. They also include credentials and cookies, the Origin, Referer
// and Sec-Fetch-* headers, forbidden names, mixed content, and
// Cross-Origin-Resource-Policy. The package's functions have the standard's names, and each
// links to the standard. [Chromium], [Firefox] and [WebKit] differ from [Standard]
// as the real browsers do: TestOracle in internal/e2e compares thousands of fetches
// with the three browsers.
//
// # Not covered
//
// There is no HTTP cache, no service worker, no Content-Security-Policy, no
// permission prompt for the local network and no list of blocked ports.
// Accept-Encoding is always gzip, and other content codings are not decoded.
package corsbrowser
