package firstpolicy

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"
	"google.golang.org/protobuf/types/descriptorpb"

	"github.com/corsrpc/corsrpc-go/corsrpc"
	"github.com/corsrpc/corsrpc-go/corsrpc/cmd/internal/report"
	"github.com/corsrpc/corsrpc-go/internal/rpc"
)

// service is what a policy's author should know about a service.
type service struct {
	name, pkg, file string
	comment         string // its first line
	// The names of its methods: those that clients may call by GET too, other methods that clients call by POST, among
	// those the ones with a stream of responses, and those with a stream of requests.
	get, post, serverStreams, clientStreams []string
}

// servicesOf returns the services of a schema, by name.
func servicesOf(files *protoregistry.Files) (all []*service) {
	files.RangeFiles(func(f protoreflect.FileDescriptor) bool {
		for i := range f.Services().Len() {
			all = append(all, serviceOf(f.Services().Get(i)))
		}
		return true
	})
	slices.SortFunc(all, func(a, b *service) int { return cmp.Or(cmp.Compare(a.pkg, b.pkg), cmp.Compare(a.name, b.name)) })
	return all
}

func serviceOf(d protoreflect.ServiceDescriptor) *service {
	s := &service{
		name: string(d.FullName()), pkg: string(d.ParentFile().Package()), file: d.ParentFile().Path(),
		comment: firstLine(d.ParentFile().SourceLocations().ByDescriptor(d).LeadingComments),
	}
	for i := range d.Methods().Len() {
		m := d.Methods().Get(i)
		name := string(m.Name())
		options, _ := m.Options().(*descriptorpb.MethodOptions)
		switch {
		case m.IsStreamingClient():
			s.clientStreams = append(s.clientStreams, name)
		case m.IsStreamingServer():
			s.serverStreams = append(s.serverStreams, name)
		case options.GetIdempotencyLevel() == descriptorpb.MethodOptions_NO_SIDE_EFFECTS:
			s.get = append(s.get, name)
		default:
			s.post = append(s.post, name)
		}
	}
	return s
}

// maxCommentRunes is how much of a comment is shown.
const maxCommentRunes = 160

// firstLine returns the first line of a comment that has text.
func firstLine(comment string) string {
	for line := range strings.Lines(comment) {
		if line = strings.TrimSpace(line); line != "" {
			if runes := []rune(line); len(runes) > maxCommentRunes {
				line = string(runes[:maxCommentRunes]) + "..."
			}
			return line
		}
	}
	return ""
}

// splitOperational separates the operational services from the others.
func splitOperational(services []*service) (operational, ordinary []*service) {
	for _, s := range services {
		if rpc.IsOperational(s.name) {
			operational = append(operational, s)
		} else {
			ordinary = append(ordinary, s)
		}
	}
	return operational, ordinary
}

// group are the services that one rule is for.
type group struct {
	selector string
	services []*service
}

// A policy has a rule for each of maxServices services at most, and for each of maxPackages packages of a larger schema.
const (
	maxServices = 60
	maxPackages = 200
)

// groupsOf returns a group for each service, or for each package if there are many services. left is the number of
// packages that are left out.
func groupsOf(services []*service) (groups []group, left int) {
	byPackage := len(services) > maxServices
	for _, s := range services {
		selector := s.name
		if byPackage && s.pkg != "" {
			selector = s.pkg + ".*"
		}
		if n := len(groups); n > 0 && groups[n-1].selector == selector {
			groups[n-1].services = append(groups[n-1].services, s)
			continue
		}
		groups = append(groups, group{selector, []*service{s}})
	}
	if left = len(groups) - maxPackages; left > 0 && byPackage {
		return groups[:maxPackages], left
	}
	return groups, 0
}

// describe writes what is known about the services of a group.
func (w *writer) describe(g group, options map[string][]string) {
	if len(g.services) > 1 {
		w.describePackage(g)
		return
	}
	s := g.services[0]
	about := s.name + " (" + s.file + ")"
	if s.comment != "" {
		about += ": " + s.comment
	}
	w.prose(about)
	w.methods("by POST, or by GET since their idempotency_level is NO_SIDE_EFFECTS", s.get)
	w.methods("by POST", s.post)
	w.methods("by POST, with a stream of responses", s.serverStreams)
	w.methods("with a stream of requests, for which web clients have no support", s.clientStreams)
	for _, option := range options[s.name] {
		w.item("option in the .proto file: " + option)
	}
}

// methods writes the names of methods of one kind.
func (w *writer) methods(kind string, names []string) {
	if len(names) > 0 {
		w.item(kind + ": " + few(names))
	}
}

// maxNames is how many names of methods are listed.
const maxNames = 30

// few lists names, and counts those beyond maxNames.
func few(names []string) string {
	if left := len(names) - maxNames; left > 0 {
		return strings.Join(names[:maxNames], ", ") + fmt.Sprintf(" and %d more", left)
	}
	return strings.Join(names, ", ")
}

// describePackage writes how many services and methods a package has.
func (w *writer) describePackage(g group) {
	var get, all int
	var names []string
	for _, s := range g.services {
		get += len(s.get)
		all += len(s.get) + len(s.post) + len(s.serverStreams) + len(s.clientStreams)
		names = append(names, strings.TrimPrefix(s.name, s.pkg+"."))
	}
	w.prose(fmt.Sprintf("The package %s and those below it: %s with %s, of which clients may call %d by GET too: %s.",
		g.services[0].pkg, report.Count(len(g.services), "service"), report.Count(all, "method"), get, few(names)))
}

// Options returns what the options of the .proto files say about each service and its methods, from the plan of a policy
// with the same schema.
func Options(plan *corsrpc.Plan) map[string][]string {
	all := map[string][]string{}
	seen := map[string]bool{}
	for _, p := range plan.Procedures() {
		dot := strings.LastIndexByte(p.Name, '.')
		if dot < 0 {
			continue
		}
		name := p.Name[:dot]
		for _, v := range p.Values() {
			element, ok := strings.CutPrefix(v.From.Field, "option(")
			if !ok {
				continue
			}
			element, _, _ = strings.Cut(element, ")")
			of := "all its methods"
			if element != name {
				of = strings.TrimPrefix(element, name+".")
			}
			text := fmt.Sprintf("%s: %s for %s", v.Field, v.Value, of)
			if key := name + "\n" + text; !seen[key] {
				seen[key] = true
				all[name] = append(all[name], text)
			}
		}
	}
	for name := range all {
		slices.Sort(all[name])
	}
	return all
}
