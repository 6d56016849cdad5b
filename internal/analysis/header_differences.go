package analysis

import (
	"net/http"
	"slices"
	"strings"

	"github.com/corsrpc/corsrpc-go/internal/fetch"
	"github.com/corsrpc/corsrpc-go/internal/rpc"
	"github.com/corsrpc/corsrpc-go/internal/rules"
)

// headerCell is a set of header names that two rules treat alike.
type headerCell struct {
	text    string // a name, a prefix such as x-acme-*, or * for all other names
	witness string // a name of the set
}

// isPrefix reports whether the cell holds the names with a prefix.
func (c headerCell) isPrefix() bool { return strings.HasSuffix(c.text, "*") }

// freshHeader is a name that no policy is expected to have.
const freshHeader = "corsrpc-witness"

// cells returns the sets of names that two lists of rules and some other names tell apart: names first,
// then prefixes, and "*" last. A name that ends in freshHeader stands for all names with its prefix.
func cells(a, b rules.HeaderRules, more []string) (all []headerCell) {
	names, prefixes := a.Cells()
	moreNames, morePrefixes := b.Cells()
	names, prefixes = append(names, moreNames...), append(prefixes, morePrefixes...)
	for _, name := range more {
		if prefix, ok := strings.CutSuffix(name, freshHeader); ok {
			prefixes = append(prefixes, prefix)
		} else {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	names = slices.Compact(names)
	for _, name := range names {
		all = append(all, headerCell{name, name})
	}
	slices.SortFunc(prefixes, func(a, b string) int { return strings.Compare(b, a) })
	for _, prefix := range slices.Compact(prefixes) {
		witness := prefix + freshHeader
		for taken := true; taken; {
			if _, taken = slices.BinarySearch(names, witness); taken {
				witness += "-2"
			}
		}
		all = append(all, headerCell{prefix + "*", witness})
	}
	return all
}

// requestNames are names of request headers that rules without an item for them tell apart: those of
// the protocols and one of each family.
var requestNames = func() (names []string) {
	for _, h := range rpc.Table {
		if h.Direction == rpc.Request && !h.Prefix {
			names = append(names, h.Name)
		} else if h.Direction == rpc.Request {
			names = append(names, h.Name+freshHeader)
		}
	}
	return append(append(names, rpc.TracingNames()...), "grpc-trace-bin", "grpc-tags-bin", rpc.GatewayPrefix+"authorization")
}()

// grantedRequestHeaders returns the request headers that one rule grants and another one does not, and a
// name of the first of them.
func grantedRequestHeaders(from, to *facts) (values []string, witness string) {
	if from.requestKey == to.requestKey {
		return nil, ""
	}
	all := cells(from.rule.RequestHeaders(), to.rule.RequestHeaders(), requestNames)
	return differing(all, func(name string) bool {
		return !fetch.ForbiddenRequestHeader(name) && to.granted.Grants(name) && !from.granted.Grants(name)
	})
}

// exposedResponseHeaders returns the response headers that one rule exposes and another one does not, and
// a name of the first of them.
func exposedResponseHeaders(from, to *facts) (values []string, witness string) {
	if from.exposedKey == to.exposedKey {
		return nil, ""
	}
	a, b := from.rule.ResponseHeaders(), to.rule.ResponseHeaders()
	all := cells(a, b, responseNames(a, b))
	return differing(all, func(name string) bool { return !neverInResponse(name) && to.shows(name) && !from.shows(name) })
}

// responseNames returns names of response headers that rules without an item for them tell apart: those
// of the protocols and of the server's operation, and the trailer of each name.
func responseNames(a, b rules.HeaderRules) []string {
	names, prefixes := a.Cells()
	moreNames, morePrefixes := b.Cells()
	prefixes = append(prefixes, morePrefixes...)
	all := slices.Concat(rules.OperationalHeaders(), rpc.Names(rpc.GRPCWeb|rpc.MCP, rpc.Response), names, moreNames, []string{"mcp-" + freshHeader})
	for _, prefix := range prefixes {
		all = append(all, prefix+"accept-encoding", prefix+freshHeader)
	}
	for _, name := range slices.Clone(all) {
		if !strings.HasPrefix(name, rpc.TrailerPrefix) {
			all = append(all, rpc.TrailerPrefix+name)
		}
	}
	return all
}

// differing returns the texts of the cells whose witness differs, names first, and the first such
// witness. It leaves out a cell within a prefix that it returns, and the trailer of a name that it
// returns.
func differing(all []headerCell, differs func(name string) bool) (values []string, witness string) {
	has := map[string]bool{}
	isPrefix := map[string]bool{}
	for _, cell := range all {
		if cell.isPrefix() {
			isPrefix[cell.text] = true
		}
		has[cell.text] = differs(cell.witness)
	}
	covered := func(cell headerCell) bool {
		if plain, ok := strings.CutPrefix(cell.text, rpc.TrailerPrefix); ok && has[plain] {
			return true
		}
		name := strings.TrimSuffix(strings.TrimSuffix(cell.text, "*"), "-")
		for name != "" {
			name = name[:strings.LastIndexByte(name, '-')+1]
			if isPrefix[name+"*"] {
				return has[name+"*"]
			}
			name = strings.TrimSuffix(name, "-")
		}
		return cell.text != "*" && has["*"]
	}
	for _, cell := range all {
		if has[cell.text] && !covered(cell) {
			if values = append(values, cell.text); witness == "" {
				witness = cell.witness
			}
		}
	}
	return values, witness
}

// neverInResponse reports whether no handler's response has the header, or the layer removes it.
func neverInResponse(name string) bool {
	return fetch.SafelistedResponseHeader(name) || fetch.ForbiddenResponseHeader(name) || fetch.IsAccessControl(name) || fetch.RequestOnly(name)
}

// shows reports whether a script may read a header that the response carries. The name is in lower case.
func (f *facts) shows(name string) bool {
	if _, listed := slices.BinarySearch(f.exposed.Names(), name); listed {
		return true
	}
	return f.exposed.ExposesPresent(name, http.Header{})
}
