package analysis

import (
	"github.com/corsrpc/corsrpc-go/internal/rules"
)

// Aspect is the kind of what a policy grants.
type Aspect string

// The aspects. The first seven are what a page's script gets. The last three are requests that reach the
// handler although no script can read the response.
const (
	// AspectOrigin: pages of an origin may call.
	AspectOrigin Aspect = "ORIGIN"
	// AspectCredentials: calls may carry credentials.
	AspectCredentials Aspect = "CREDENTIALS"
	// AspectMethod: calls may have an HTTP method.
	AspectMethod Aspect = "METHOD"
	// AspectRequestHeader: scripts may set a request header.
	AspectRequestHeader Aspect = "REQUEST_HEADER"
	// AspectResponseHeader: scripts may read a response header.
	AspectResponseHeader Aspect = "RESPONSE_HEADER"
	// AspectMaxAge: browsers may use the answer to a preflight for longer.
	AspectMaxAge Aspect = "MAX_AGE"
	// AspectTiming: pages may see the timing details of a call.
	AspectTiming Aspect = "TIMING"
	// AspectUngoverned: requests of every page reach the handler, since no rule governs the path or
	// the policy only observes.
	AspectUngoverned Aspect = "UNGOVERNED"
	// AspectWithoutOrigin: GET requests without an Origin field reach the handler, such as those of
	// images and links on any page.
	AspectWithoutOrigin Aspect = "WITHOUT_ORIGIN"
	// AspectCookies: requests with cookies reach the handler, although calls with credentials are not
	// granted.
	AspectCookies Aspect = "COOKIES"
	// AspectOwnOrigin: requests that are same-origin by their Host header reach the handler, although
	// another site may have caused it (DNS rebinding). Paths that serve MCP refuse these.
	AspectOwnOrigin Aspect = "OWN_ORIGIN"
)

// Difference is what one of two policies grants and the other does not.
type Difference struct {
	// Gained is true if the new policy grants it, and false if the old one does.
	Gained bool
	// Aspect is the kind of what is granted.
	Aspect Aspect
	// Values are the origins, methods or header names. Origins are patterns as the policy has them. Names
	// of headers are in lower case; a prefix such as x-acme-*, or "*", stands for the names with it that
	// the two policies treat differently. A response header stands for the trailer of that name too.
	// Values are at most maxValues, and More is the number of the others. They are empty for an aspect
	// that has none, and hold the two times for AspectMaxAge, the old one first.
	Values []string
	More   int
	// Sources are the origin sources and the environment variables (as ${NAME}) among the Values,
	// whose origins are not known.
	Sources []string
	// Targets are what the difference is for: full names of procedures, selectors for the other
	// procedures that they cover, "*" for all other procedures, and patterns of paths. They are sorted.
	Targets []string
	// Old and New are the places in the two policies that lead to the difference, as far as there
	// are any.
	Old, New rules.Place
	// Witness is a call that shows the difference: one policy grants it and the other does not.
	Witness Call
}

// Call is a call that shows what a policy grants.
type Call struct {
	// Origin is the origin of the page; empty for a request that has no Origin field.
	Origin string
	// Procedure is the full name of the procedure; empty for a path.
	Procedure string
	// Path is the path of the request, Escaped its escaped form if that is not the default, and Query
	// its query.
	Path, Escaped, Query string
	// Method is the HTTP method.
	Method string
	// RequestHeaders are the names of headers that the script sets, in lower case.
	RequestHeaders []string
	// ResponseHeader is a header of the response whose readability is the difference; empty if the
	// difference is about something else.
	ResponseHeader string
	// Credentials is true if the call carries credentials and cookies.
	Credentials bool
	// Navigation is true for a GET without Origin that is a navigation, such as a link, and false for
	// one of an image or a script.
	Navigation bool
	// Sources holds the origins that origin sources need to have for the call, and Env the values of
	// environment variables.
	Sources map[string][]string
	Env     map[string]string
}

// Verdict is the result of a comparison as a whole.
type Verdict string

// The verdicts.
const (
	// Same: the two policies grant the same.
	Same Verdict = "same"
	// Stricter: the new policy grants less and nothing more.
	Stricter Verdict = "stricter"
	// Wider: the new policy grants more and nothing less.
	Wider Verdict = "wider"
	// Both: the new policy grants more here and less there.
	Both Verdict = "both"
)

// Comparison is the result of Compare.
type Comparison struct {
	// Differences are what only one of the policies grants: first what the new one does.
	Differences []Difference
	// Undecided says what could not be compared, one sentence each. The two policies may differ
	// there.
	Undecided []string
}

// Verdict returns the verdict on the differences. It does not cover what is Undecided.
func (c *Comparison) Verdict() Verdict {
	gained, lost := false, false
	for _, d := range c.Differences {
		gained, lost = gained || d.Gained, lost || !d.Gained
	}
	switch {
	case gained && lost:
		return Both
	case gained:
		return Wider
	case lost:
		return Stricter
	}
	return Same
}

// maxValues is the maximum number of values that a difference lists.
const maxValues = 20

// Compare returns what the new policy grants that the old one does not, and the reverse. It covers
// every origin that exists, every procedure, known or not, and every path, each spelled as clients
// spell it, and every name of a header. Any other spelling of a path gets at most what the spellings
// that it may be read as get. Origin sources and environment variables that are not set hold any
// origins, the same in both policies. The shadow policies are not compared. HTTP authentication that
// a browser adds by itself is not compared either: the layer keeps it from procedures for the pages
// of everyone, but not for pages that a policy lists.
func Compare(old, next *rules.Rules) *Comparison {
	c := newComparer(old, next)
	c.enforcement()
	for _, p := range c.pairs() {
		c.compare(p, true)
		c.compare(p, false)
	}
	return c.result()
}
