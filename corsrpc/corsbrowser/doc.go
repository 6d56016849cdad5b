// Package corsbrowser is a browser in Go: an http.RoundTripper that treats a
// request as fetch in a script of a page would, and returns the part of the answer
// that the script could read. Any Go client becomes "this client, in a browser, on
// a page of this origin". It works with any server, whatever CORS software that
// runs. Package corstest makes table tests with it.
//
// [New] opens a page:
//
//	page, err := corsbrowser.New("https://app.example.com", corsbrowser.WithHandler(handler))
//	client := greetv1connect.NewGreetServiceClient(page.Client(), "https://api.example.com")
//
// A call that the browser blocks fails with a [*BlockedError]. It names the check
// that failed, the header, and what the server would have had to send, which no
// script is told. [Browser.Log] tells what was sent and answered.
//
// # Covered
//
// The functions carry the names of the Fetch standard's (https://fetch.spec.whatwg.org), each with
// a link to it: tainting, safelisted methods and headers, the preflight and its
// cache, the CORS check, redirects, filtered responses, credentials and cookies,
// Origin, Referer and Sec-Fetch-* headers, forbidden names, mixed content,
// Cross-Origin-Resource-Policy. Where engines differ, [Chromium], [Firefox] and
// [WebKit] behave as measured: thousands of fetches are compared with the three
// real browsers (TestOracle in internal/e2e).
//
// # Not covered
//
// There is no HTTP cache, no service worker, no Content-Security-Policy, no
// prompt for the local network and no list of blocked ports. Accept-Encoding is
// gzip, and other content codings stay as they are.
package corsbrowser
