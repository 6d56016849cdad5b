// Package sidebyside compares two servers as scripts of pages see them: a server with the CORS configuration that
// somebody comes from, and one with a policy of corsrpc. The tests of the pages corsrpc/docs/coming-from*.md use it.
//
// [Compare] makes the same calls to both in a simulated browser, and returns each [Difference] in what a script gets
// and in whether the handler ran. [Check] requires that each difference has one of the names that a row of a page
// gives, and that each name of the row occurs. [WriteTables] writes the rows into the page or compares them with it.
//
// A comparison has these parts:
//
//	before := sidebyside.Handler(cors.New(options).Handler(sidebyside.API()))
//	after := sidebyside.Handler(sidebyside.Layer(t, policy)(sidebyside.API()))
//	diffs := sidebyside.Compare(t, before, after, sidebyside.Calls())
//	sidebyside.Check(t, diffs, everyRow, ownNames)
//
// A program on loopback is a Server by its URL, [At]. It has the backend [API] behind it, or answers as API does:
// each request that reaches the handler gets the status 200 and at least the field [Ran], and OPTIONS gets 405.
package sidebyside
