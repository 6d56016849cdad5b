// Package corstest runs table tests of CORS: which pages may call a server, and which
// response headers their scripts can read. It makes each call in each engine of the
// simulated browser of package corsbrowser. It works with any server and any CORS
// middleware.
//
//	corstest.Run(t, []corstest.Case{
//		{From: "https://app.example.com", Call: corsbrowser.Connect(greet), Readable: []string{"Trailer-X-Cost"}},
//		{From: "https://evil.example", Call: corsbrowser.Connect(greet), Blocked: corstest.AnyCheck},
//	}, corsbrowser.WithHandler(handler))
//
// The failure of a case is one block of text at the line of the case. It tells which
// check blocked the call, why, and which response would have passed, or the reason and
// the remedy of the server's CORS layer. To test a generated client, write a [corsbrowser.Call] that uses
// it, or use [corsbrowser.New] directly.
package corstest
