// Package corsinspect serves a web page that shows the state and the decisions of a
// corsrpc layer. It lists the rule of each procedure and the place of each of its values in
// the policy. It lists refused requests, in groups with counts and with the text to write, and
// requests that no rule governs. It shows the policy and its shadow policy with the findings
// about them (corsrpc.Plan.Findings), reloads, and origin sources. A form on the page explains the
// decision on any request, step by step; links fill it with requests of the lists.
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
// The page has no scripts and loads no other resources. A request whose Accept header
// contains application/json, and not text/html, gets the same data as JSON. Later versions
// may add fields to the JSON.
//
// The inspector shows the policy, and the origins and paths of refused requests, to anyone
// who can reach it. Mount it on an internal port only, not behind Wrap.
//
// The inspector is read-only. It answers only GET and HEAD, and refuses requests that come
// from a page of another origin according to the browser. Against DNS rebinding, it answers
// only under localhost, IP addresses and the names of [WithHosts].
//
// Over https and on loopback, browsers send Sec-Fetch-Site with every request. Over plain
// http on other hosts, the inspector checks Origin and Referer. Another site can make the
// browser omit both, for an image, a link or a window; the inspector then answers. The site
// cannot read the response (there are no CORS headers, Cross-Origin-Resource-Policy is
// same-origin, and framing is refused). But it learns that the inspector exists, and it
// keeps a handle on a window that it opened, since browsers ignore Cross-Origin-Opener-Policy
// over plain http. So serve the inspector on loopback or over https.
package corsinspect
