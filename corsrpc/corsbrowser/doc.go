// Package corsbrowser is a browser in Go: an http.RoundTripper that does to a
// request what fetch does in a script of a page, and lets through of the answer
// what that script could read. Any Go client becomes "this client, in a browser,
// on a page of this origin"; it works against any server, whatever CORS software
// it runs. Package corstest makes table tests of it.
//
// [New] opens a page:
//
//	page, err := corsbrowser.New("https://app.example.com", corsbrowser.WithHandler(handler))
//	client := greetv1connect.NewGreetServiceClient(page.Client(), "https://api.example.com")
//
// A call that the browser blocks fails with a [*BlockedError], which says what
// the script is never told: which check failed, at which header, and what the
// server would have had to send.
//
// # What it does
//
// The functions carry the names of the Fetch standard's (https://fetch.spec.whatwg.org), each with
// a link to it: tainting, safelisted methods and headers, the preflight and its
// cache, the CORS check, redirects, filtered responses, credentials and cookies,
// Origin, Referer and Sec-Fetch-* headers, forbidden names, mixed content,
// Cross-Origin-Resource-Policy. Where engines differ, [Chromium], [Firefox] and
// [WebKit] do as they were measured to do: over a thousand literal answers are
// compared with the three real browsers (TestOracle in internal/e2e).
//
// # What it does not
//
// There is no HTTP cache, no service worker, no Content-Security-Policy, no
// prompt for the local network and no list of blocked ports. Accept-Encoding is
// gzip, and other content codings stay as they are.
package corsbrowser
