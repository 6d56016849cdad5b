// Package corstest makes table tests of who may call what from a browser, and
// read what of the answer, with the browser of package corsbrowser. It works
// against any server, whatever CORS software it runs.
//
//	corstest.Run(t, []corstest.Case{
//		{From: "https://app.example.com", Call: corsbrowser.Connect(greet), Readable: []string{"Trailer-X-Cost"}},
//		{From: "https://evil.example", Call: corsbrowser.Connect(greet), Blocked: corstest.AnyCheck},
//	}, corsbrowser.WithHandler(handler))
//
// A case that does not hold fails with what the browser knows: which check
// failed, at which header, and what the server would have had to send.
package corstest
