// Package corsinspect is a page that shows what a layer of corsrpc does, and why: each
// procedure's rule and where each of its values comes from, the refusals, grouped and
// counted, the policy and its shadow, reloads, origin sources; and a form that says of any
// request what becomes of it, step by step.
//
//	inspector, err := corsinspect.New()
//	if err != nil {
//		log.Fatal(err)
//	}
//	layer, err := corsrpc.Load("cors.yaml", corsrpc.WithObserver(inspector))
//	if err != nil {
//		log.Fatal(err)
//	}
//	go http.ListenAndServe("localhost:6060", inspector)
//
// It needs no script and nothing from elsewhere. A request that accepts application/json,
// and not text/html, gets the same as JSON; its fields may grow in number.
//
// It shows the policy, and the origins and paths of refused requests, to whoever
// reaches it: mount it on an internal port only, not behind Wrap.
//
// It changes nothing, takes GET and HEAD only, refuses what a browser says comes from
// another origin, and answers only under names that no stranger can point to it: see
// WithHosts.
//
// Over https and on loopback, browsers say of every request whose it is (Sec-Fetch-Site).
// Over plain http elsewhere, Origin and Referer say so, and a page can leave out both: an
// image, a link or a window of another site that sends no Referer is answered. That page
// reads nothing of it (no CORS headers, Cross-Origin-Resource-Policy, no framing), and
// nothing is changed by it; but it learns that the inspector is there, and keeps a handle
// on the window, since browsers ignore Cross-Origin-Opener-Policy over plain http. Serve
// it on loopback, or over https.
package corsinspect
