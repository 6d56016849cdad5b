package analysis

import (
	"cmp"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/corsrpc/corsrpc-go/internal/rules"
)

// aspects are all aspects, each with what a policy then grants.
var aspects = []struct {
	aspect  Aspect
	meaning string
}{
	{AspectOrigin, "pages of an origin may call"},
	{AspectCredentials, "calls may carry credentials"},
	{AspectMethod, "calls may have an HTTP method"},
	{AspectRequestHeader, "scripts may set a request header"},
	{AspectResponseHeader, "scripts may read a response header"},
	{AspectMaxAge, "browsers may use the answer to a preflight for longer"},
	{AspectTiming, "pages may see the timing details of a call"},
	{AspectUngoverned, "requests of every page reach the handler"},
	{AspectWithoutOrigin, "GET requests without an Origin field reach the handler"},
	{AspectCookies, "requests with cookies reach the handler without a grant of credentials"},
	{AspectOwnOrigin, "requests reach the handler whose Host header alone says that they are same-origin"},
}

// Aspects returns all aspects.
func Aspects() (all []Aspect) {
	for _, row := range aspects {
		all = append(all, row.aspect)
	}
	return all
}

// Meaning returns what a policy grants that grants an aspect, as a clause in English; empty for a value
// that is not an aspect.
func (a Aspect) Meaning() string {
	for _, row := range aspects {
		if row.aspect == a {
			return row.meaning
		}
	}
	return ""
}

// Sentences says differences between two policies in English.
type Sentences struct {
	services map[string]string // the service of each procedure in either schema
	methods  map[string]int    // the number of methods of each service there

	names    []string // the services of both schemas and the selectors of both policies, sorted
	prefixes []string // the path prefixes of both policies, the longest first
}

// NewSentences returns the sentences for the differences of Compare(old, next).
func NewSentences(old, next *rules.Rules) *Sentences {
	s := &Sentences{services: map[string]string{}, methods: map[string]int{}}
	for _, r := range []*rules.Rules{old, next} {
		for _, p := range r.Procedures {
			if _, ok := s.services[p.Name]; !ok {
				s.services[p.Name] = p.Service
				s.methods[p.Service]++
			}
		}
		for _, name := range r.Services {
			s.methods[name] += 0 // a service may have no methods
		}
		for _, selector := range r.Selectors {
			s.names = append(s.names, selector.Name)
		}
		s.prefixes = append(s.prefixes, r.Prefixes...)
	}
	slices.SortFunc(s.prefixes, func(a, b string) int { return cmp.Or(cmp.Compare(len(b), len(a)), cmp.Compare(a, b)) })
	s.prefixes = slices.Compact(s.prefixes)
	s.names = slices.AppendSeq(s.names, maps.Keys(s.methods))
	slices.Sort(s.names)
	s.names = slices.Compact(s.names)
	return s
}

// Of returns the sentence for a difference, such as "Pages of https://evil.example.com may call
// acme.v1.S.Get (cors.yaml:12:7; before: none)". It does not end in a full stop.
func (s *Sentences) Of(d Difference) string {
	return s.Clause(d) + s.places(d)
}

// Clause returns the sentence without the places.
func (s *Sentences) Clause(d Difference) string {
	may := "may"
	if !d.Gained {
		may = "may no longer"
	}
	to := s.Targets(d.Targets)
	if d.Old.Field == "enforcement" || d.New.Field == "enforcement" {
		to = "every procedure and path"
	}
	switch d.Aspect {
	case AspectOrigin:
		if d.isRead() {
			return fmt.Sprintf("Pages of %s %s read GET requests to %s", originsOf(d), may, to)
		}
		return fmt.Sprintf("Pages of %s %s call %s", originsOf(d), may, to)
	case AspectCredentials:
		return fmt.Sprintf("Calls%s to %s %s carry credentials", ofPages(d), to, may)
	case AspectMethod:
		return fmt.Sprintf("Calls to %s %s have %s", to, may, namesOf(d, "method", "methods"))
	case AspectRequestHeader:
		return fmt.Sprintf("Calls to %s %s have %s", to, may, namesOf(d, "request header", "request headers"))
	case AspectResponseHeader:
		return fmt.Sprintf("Scripts %s read %s of %s", may, namesOf(d, "response header", "response headers"), to)
	case AspectMaxAge:
		return maxAge(d, to)
	case AspectTiming:
		return fmt.Sprintf("Pages%s %s see the timing details of calls to %s", ofOrigins(d), may, to)
	}
	return s.withoutGrant(d, to)
}

// withoutGrant returns the clause for requests that reach the handler although no script can read the
// response.
func (s *Sentences) withoutGrant(d Difference, to string) string {
	reach, requests := "reach", "Requests"
	if !d.Gained {
		reach = "no longer reach"
	}
	if d.isRead() {
		requests = "GET requests"
	}
	switch d.Aspect {
	case AspectUngoverned:
		return fmt.Sprintf("%s of every page %s the handler of %s without a grant", requests, reach, to)
	case AspectWithoutOrigin:
		return fmt.Sprintf("GET requests without an Origin field, such as those of images and links on any page, %s the handler of %s", reach, to)
	case AspectOwnOrigin:
		return fmt.Sprintf("%s of pages whose host name was rebound to the server (DNS rebinding) %s the handler of %s", requests, reach, to)
	case AspectCookies:
		return fmt.Sprintf("Calls with cookies%s %s the handler of %s, although they are not granted credentials", ofPages(d), reach, to)
	}
	return fmt.Sprintf("%s differs for %s", d.Aspect, to)
}

// isRead reports whether a difference is about GET requests for the path of a procedure that are not calls
// of it.
func (d Difference) isRead() bool {
	return d.Witness.Procedure != "" && d.Witness.Method == http.MethodGet && d.Witness.Query == ""
}

// maxAge returns the clause for the time for which browsers use the answer to a preflight.
func maxAge(d Difference, to string) string {
	only := ""
	if !d.Gained {
		only = "only "
	}
	times := ""
	if len(d.Values) == 2 {
		times = fmt.Sprintf(" for %s instead of %s", d.Values[1], d.Values[0])
	}
	return fmt.Sprintf("Browsers may use the answer to a preflight of %s %s%s", to, only, strings.TrimSpace(times))
}

// ofPages returns " from pages of" with the origins of a difference; empty if it has none.
func ofPages(d Difference) string {
	if o := originsOf(d); o != "" {
		return " from pages of " + o
	}
	return ""
}

// ofOrigins returns " of" with the origins of a difference; empty if it has none.
func ofOrigins(d Difference) string {
	if o := originsOf(d); o != "" {
		return " of " + o
	}
	return ""
}

// originsOf returns the origins of a difference as a list in English.
func originsOf(d Difference) string {
	items := []string{}
	for _, v := range d.Values {
		switch {
		case slices.Contains(d.Sources, v):
		case v == "*":
			items = append(items, "every origin")
		case v == "null":
			items = append(items, "opaque origins (null)")
		default:
			items = append(items, v)
		}
	}
	for _, source := range d.Sources {
		if strings.HasPrefix(source, "${") {
			items = append(items, "origins in "+source)
		} else {
			items = append(items, "origins of the source "+source)
		}
	}
	return list(items, d.More, "origin", "origins")
}

// namesOf returns the methods or header names of a difference in English, after the noun for them.
func namesOf(d Difference, one, many string) string {
	items := slices.DeleteFunc(slices.Clone(d.Values), func(v string) bool { return v == "*" })
	others := len(items) < len(d.Values)
	switch {
	case others && len(items) == 0 && d.More == 0:
		return "any other " + one
	case others:
		items = append(items, "any other")
	}
	if len(items)+d.More == 1 && !strings.HasSuffix(items[0], "*") {
		return "the " + one + " " + items[0]
	}
	return "the " + many + " " + list(items, d.More, "", "")
}

// list joins items in English. more is the number of items that are not among them.
func list(items []string, more int, one, many string) string {
	switch {
	case more == 1:
		items = append(items, strings.TrimSpace("1 more "+one))
	case more > 1:
		items = append(items, strings.TrimSpace(strconv.Itoa(more)+" more "+many))
	}
	if n := len(items); n > 1 {
		return strings.Join(items[:n-1], ", ") + " and " + items[n-1]
	}
	return strings.Join(items, "")
}
