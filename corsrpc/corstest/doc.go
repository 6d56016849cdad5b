// Package corstest is for table tests of the pages that may call a server, and of
// the headers that their scripts can read. The calls are made in the browser of
// package corsbrowser, in each engine. It works with any server, whatever CORS
// software that runs.
//
//	corstest.Run(t, []corstest.Case{
//		{From: "https://app.example.com", Call: corsbrowser.Connect(greet), Readable: []string{"Trailer-X-Cost"}},
//		{From: "https://evil.example", Call: corsbrowser.Connect(greet), Blocked: corstest.AnyCheck},
//	}, corsbrowser.WithHandler(handler))
//
// A case that does not hold fails with the check that blocked the call, the header,
// and what the server would have had to send. A test of a client of its own is a
// Call that uses the client, or opens a page with [corsbrowser.New].
package corstest
