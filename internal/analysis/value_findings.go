package analysis

import (
	"fmt"
	"slices"
	"strings"

	"github.com/corsrpc/corsrpc-go/corsrpc/corsrpcv1"
	"github.com/corsrpc/corsrpc-go/internal/fetch"
	"github.com/corsrpc/corsrpc-go/internal/rpc"
	"github.com/corsrpc/corsrpc-go/internal/rules"
)

// values reports on single values of a rule other than its origins, and on the risks that a profile
// accepts for its add_origins.
func (f *finder) values(w *rules.Written) {
	if w.Added {
		for name, p := range f.whole.Profiles() {
			if prefix := fmt.Sprintf("profiles[%q].", name); w.Field == prefix+"add_origins" {
				f.risks(w, prefix+"accept_risks", p.GetAcceptRisks())
			}
		}
		return
	}
	if w.Message == nil {
		return
	}
	for _, list := range headerLists {
		f.headers(w, list, list.items(w.Message))
	}
	f.risks(w, w.Field+".accept_risks", w.Message.GetAcceptRisks())
	f.duplicates(w.Field+".allow_methods", w.Message.GetAllowMethods())
	var protocols []string
	for _, p := range w.Message.GetProtocols() {
		protocols = append(protocols, strings.TrimPrefix(p.String(), "PROTOCOL_"))
	}
	f.duplicates(w.Field+".protocols", protocols)
}

// headerList is a list of header names in a rule.
type headerList struct {
	field string
	items func(*corsrpcv1.Rule) []string
	// idle returns why an item of the list changes nothing; "" if it may change something.
	idle func(f *finder, w *rules.Written, lower string) string
}

// headerLists are the four lists of header names in a rule.
var headerLists = []headerList{
	{"allow_headers", (*corsrpcv1.Rule).GetAllowHeaders, (*finder).alwaysGranted},
	{"deny_headers", (*corsrpcv1.Rule).GetDenyHeaders, func(f *finder, w *rules.Written, lower string) string {
		if fetch.ForbiddenRequestHeader(strings.TrimSuffix(lower, "*")) {
			return "no script can send this header (https://fetch.spec.whatwg.org/#forbidden-request-header)"
		}
		return f.neededByMCP(w, rpc.Request, lower)
	}},
	{"expose_headers", (*corsrpcv1.Rule).GetExposeHeaders, (*finder).alwaysShown},
	{"hide_headers", (*corsrpcv1.Rule).GetHideHeaders, func(f *finder, w *rules.Written, lower string) string {
		switch {
		case fetch.ForbiddenResponseHeader(lower):
			return "no script can read this header (https://fetch.spec.whatwg.org/#forbidden-response-header-name)"
		case fetch.IsAccessControl(lower):
			return "corsrpc never exposes this header"
		}
		return f.neededByMCP(w, rpc.Response, lower)
	}},
}

// neededByMCP returns why an item that withholds a header changes nothing: it is an item of the
// chosen profile, and every effective rule of its level serves MCP, whose clients need the header. A rule
// with protocols: [MCP] cannot have the item.
func (f *finder) neededByMCP(w *rules.Written, d rpc.Direction, lower string) string {
	of := f.levels[w.Field].rules
	if !w.Profile || len(of) == 0 || !rpc.Needs(rpc.MCP, d, strings.TrimSuffix(lower, "*")) || slices.ContainsFunc(of, func(e *rules.Effective) bool { return !e.ServesMCP() }) {
		return ""
	}
	return "the clients of MCP need this header, and it cannot be withheld from them"
}

// headers reports the items of a list of header names that change nothing.
func (f *finder) headers(w *rules.Written, list headerList, items []string) {
	lower := make([]string, len(items))
	for i, item := range items {
		lower[i] = fetch.Lower(item)
	}
	twice := f.duplicates(w.Field+"."+list.field, lower)
	for i, item := range lower {
		if twice[i] {
			continue
		}
		why := list.idle(f, w, item)
		if why == "" {
			if wider, ok := w.WiderItem(list.field, item); ok {
				why = fmt.Sprintf("%q in the same list covers it", wider)
			}
		}
		if why != "" {
			f.add(KindHeaderChangesNothing, f.item(KindHeaderChangesNothing, w.Field+"."+list.field, i), items[i], "changes nothing, because "+why, "leave it out")
		}
	}
}

// alwaysGranted returns why a name in allow_headers changes nothing: tracing of the same level grants
// it, or it is a header of the protocols that every effective rule of the level grants.
func (f *finder) alwaysGranted(w *rules.Written, lower string) string {
	if w.Message.GetTracing() && rpc.IsTracing(lower) {
		return "tracing: true in the same rule grants it"
	}
	needs := func(p rpc.Protocols) bool {
		return slices.Contains(rpc.Names(p, rpc.Request), lower) || rpc.InFamily(p&rpc.MCP, strings.TrimSuffix(lower, "*"))
	}
	of := f.levels[w.Field].rules
	if !needs(rpc.OfProcedures) && !(len(of) > 0 && needs(rpc.MCP)) {
		return ""
	}
	if !needs(rpc.Connect) || !needs(rpc.GRPCWeb) || w.Message.GetPath() != "" {
		if f.anyProfile(func(m *corsrpcv1.Rule) bool { return len(m.GetProtocols()) > 0 }) {
			return "" // the profile may serve the other protocol only
		}
	}
	if slices.ContainsFunc(of, func(e *rules.Effective) bool { return !needs(e.Protocols()) }) {
		return ""
	}
	return "the clients of the RPC protocols need this header, and it is always granted"
}

// alwaysShown returns why a name in expose_headers changes nothing: browsers show the header anyway.
func (f *finder) alwaysShown(w *rules.Written, lower string) string {
	if !fetch.SafelistedResponseHeader(lower) || slices.ContainsFunc(f.levels[w.Field].rules, func(e *rules.Effective) bool { return e.WithholdsResponse(lower) }) {
		return ""
	}
	if f.anyProfile(func(m *corsrpcv1.Rule) bool { return len(m.GetHideHeaders()) > 0 }) {
		return ""
	}
	return "every script that may read a response may read this header (https://fetch.spec.whatwg.org/#cors-safelisted-response-header-name)"
}

// risks reports accepted risks that no value of the level needs, and those that are listed twice.
func (f *finder) risks(w *rules.Written, field string, risks []corsrpcv1.Risk) {
	names := make([]string, len(risks))
	for i, risk := range risks {
		names[i] = strings.TrimPrefix(risk.String(), "RISK_")
	}
	f.duplicates(field, names)
	for _, i := range w.UnneededRisks(risks) {
		f.add(KindRiskNotNeeded, f.item(KindRiskNotNeeded, field, i), names[i], "accepts a risk that nothing here has", "leave it out")
	}
}

// duplicates reports the items of a list that are equal to an earlier one, and returns their indexes.
func (f *finder) duplicates(field string, items []string) (twice map[int]bool) {
	if len(items) < 2 {
		return nil
	}
	twice = map[int]bool{}
	first := make(map[string]int, len(items))
	for i, item := range items {
		have, ok := first[item]
		if !ok {
			first[item] = i
			continue
		}
		twice[i] = true
		f.add(KindDuplicateValue, f.item(KindDuplicateValue, field, i), item, "is listed twice", "leave one out", f.item(KindDuplicateValue, field, have))
	}
	return twice
}

// item returns the place of an item of a list; the zero Place if the finding would only be counted.
func (f *finder) item(kind Kind, list string, i int) rules.Place {
	if f.full(kind) {
		return rules.Place{}
	}
	return f.Place(fmt.Sprintf("%s[%d]", list, i))
}
