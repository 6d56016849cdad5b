package sidebyside

import (
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/corsrpc/corsrpc-go/corsrpc/corsbrowser"
)

// Named is a difference that a page names.
type Named struct {
	// Code is the name in the rows of the page, such as REFUSED_BEFORE_HANDLER. A code that corsrpc init --from-go
	// has is used for the same difference.
	Code string
	// Words describe it on the page.
	Words string
	// Explains reports whether a difference is of this name.
	Explains func(Difference) bool
}

// Check fails the test for each difference that has no name, and for each own name that explains none. The names of
// everyRow are those that the page gives once for all rows of a table: they need not occur, and an own name counts
// only where none of them explains the difference.
func Check(t testing.TB, diffs []Difference, everyRow, own []Named) {
	t.Helper()
	occurred := Occurred(diffs, everyRow)
	for _, d := range diffs {
		if slices.ContainsFunc(everyRow, func(n Named) bool { return n.Explains(d) }) {
			continue
		}
		explained := false
		for _, n := range own {
			if n.Explains(d) {
				explained, occurred[n.Code] = true, true
			}
		}
		if !explained {
			t.Errorf("no name for: %s", d)
		}
	}
	for _, n := range own {
		if !occurred[n.Code] {
			t.Errorf("the difference %s does not occur", n.Code)
		}
	}
}

// Occurred returns the codes of the names that explain a difference.
func Occurred(diffs []Difference, names []Named) map[string]bool {
	occurred := map[string]bool{}
	for _, n := range names {
		if slices.ContainsFunc(diffs, n.Explains) {
			occurred[n.Code] = true
		}
	}
	return occurred
}

// The names that configurations of several kinds share.
var (
	RefusedBeforeHandler = Named{
		"REFUSED_BEFORE_HANDLER", "A call of an origin that is not allowed does not run. Before, a call without a preflight ran, and the page could not read the answer",
		func(d Difference) bool { return d.What == "ran" && !d.Wider && !d.Before.Readable },
	}
	CredentialsRefused = Named{
		"CREDENTIALS_REFUSED", "A call with cookies does not run where credentials are not allowed. Before, a call without a preflight ran, and the page could not read the answer",
		func(d Difference) bool {
			return d.What == "ran" && !d.Wider && (d.Before.Blocked == corsbrowser.CheckCredentials || d.Before.Blocked == corsbrowser.CheckOriginWildcard)
		},
	}
	Methods = Named{
		"METHODS", "Pages call no procedure by PUT, PATCH, DELETE and the like. POST, GET and HEAD never needed a list",
		func(d Difference) bool { return d.lost() && d.procedure() && !schemaMethod(d.Call) },
	}
	Get = Named{
		"GET", "A procedure that is declared NO_SIDE_EFFECTS has the methods GET and HEAD too",
		func(d Difference) bool { return d.called() && d.Wider && d.Call.Path == Me },
	}
	OtherPaths = Named{
		"OTHER_PATHS", "Pages of other origins cannot read paths that are neither procedures nor named in a rule",
		func(d Difference) bool { return d.lost() && d.Call.Path == File },
	}
	OtherPathsRun = Named{
		"OTHER_PATHS_RUN", "The layer leaves paths alone that are neither procedures nor named in a rule, so that calls of other origins run there. Before, they were refused on every path",
		func(d Difference) bool { return d.What == "ran" && d.Wider && d.Call.Path == File },
	}
	OperationalServices = Named{
		"OPERATIONAL_SERVICES", "Health checks and reflection are not for pages, unless a rule names them",
		func(d Difference) bool { return d.lost() && d.Call.Path == Health },
	}
	ProtocolHeaders = Named{
		"PROTOCOL_HEADERS", "Pages may send the headers that clients of Connect and gRPC-Web send",
		func(d Difference) bool {
			return d.called() && d.Wider && d.procedure() && protocolHeaders(d.Call.Header) && d.Before.Preflight != http.StatusMethodNotAllowed
		},
	}
	StatusHeaders = Named{
		"STATUS_HEADERS", "Scripts read the status of a gRPC-Web answer",
		func(d Difference) bool {
			return d.What == "exposed" && d.Wider && (d.Header == "grpc-status" || d.Header == "grpc-message" || d.Header == "grpc-status-details-bin")
		},
	}
	Trailers = Named{
		"TRAILERS", "With a header, scripts read its form in trailers, which Connect writes as trailer-NAME",
		func(d Difference) bool { return d.What == "exposed" && d.Wider && d.Header == "trailer-x-request-id" },
	}
	HeaderStar = Named{
		"HEADER_STAR", "A star does not grant headers by which a server may take another method or URL for the request's",
		func(d Difference) bool {
			return d.lost() && d.Call.Header.Get("X-Http-Method-Override") != ""
		},
	}
	ExposeStar = Named{
		"EXPOSE_STAR", "Scripts do not read headers of the transport and of the CORS protocol",
		func(d Difference) bool {
			return d.What == "exposed" && !d.Wider && (d.Header == "vary" || d.Header == "date" || strings.HasPrefix(d.Header, "access-control-"))
		},
	}
	Exposed = Named{
		"EXPOSED", "Scripts read every header of the application that an answer has, and not those of a list only",
		func(d Difference) bool { return d.What == "exposed" && d.Wider },
	}
	PreflightsAnswered = Named{
		"PREFLIGHTS_ANSWERED", "The layer answers preflights, and not the handler",
		func(d Difference) bool { return d.called() && d.Wider && d.Before.Preflight/100 != 2 },
	}
	MaxAge = Named{
		"MAX_AGE", "Browsers keep the preflight for another time",
		func(d Difference) bool { return d.What == "max_age" },
	}
)

// OriginsRefused is a name for what pages of some origins no longer get.
func OriginsRefused(code, words string, origins ...string) Named {
	return Named{code, words, func(d Difference) bool { return d.called() && !d.Wider && slices.Contains(origins, d.Call.Origin) }}
}

// called reports whether the difference is in whether a call runs or is readable.
func (d Difference) called() bool { return d.What == "ran" || d.What == "readable" }

// lost reports whether a call worked before, and does not any more.
func (d Difference) lost() bool { return d.called() && !d.Wider && d.Before.Readable }

func (d Difference) procedure() bool { return d.Call.Path == Me || d.Call.Path == Buy }

// schemaMethod reports whether the schema gives the method of a call to its procedure.
func schemaMethod(c Call) bool {
	return c.Method == http.MethodPost || c.Path == Me && (c.Method == http.MethodGet || c.Method == http.MethodHead)
}

// protocolHeaders reports whether a call has headers of Connect or gRPC-Web that make a preflight.
func protocolHeaders(h http.Header) bool {
	for _, name := range []string{"Connect-Protocol-Version", "Connect-Timeout-Ms", "X-Grpc-Web", "X-User-Agent"} {
		if h.Get(name) != "" {
			return true
		}
	}
	return h.Get("Content-Type") != "" && h.Get("Content-Type") != "text/plain"
}
