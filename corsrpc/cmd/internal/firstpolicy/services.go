package firstpolicy

import (
	"cmp"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"
	"google.golang.org/protobuf/types/descriptorpb"

	"github.com/corsrpc/corsrpc-go/corsrpc"
	"github.com/corsrpc/corsrpc-go/corsrpc/cmd/internal/report"
	"github.com/corsrpc/corsrpc-go/corsrpc/corsrpcv1"
	"github.com/corsrpc/corsrpc-go/internal/rpc"
)

// service is what a policy's author should know about a service.
type service struct {
	name, pkg, file string
	comment         string // its first sentence
	disabled        bool   // by the option of its .proto file
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
		comment: firstSentence(d.ParentFile().SourceLocations().ByDescriptor(d).LeadingComments), disabled: isDisabled(d),
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

// isDisabled reports whether the option of a service turns it off.
func isDisabled(d protoreflect.ServiceDescriptor) bool {
	// The option may be an unknown field or of a generated type, depending on who read the file.
	data, err := proto.MarshalOptions{AllowPartial: true}.Marshal(d.Options())
	options := &descriptorpb.ServiceOptions{}
	if err != nil || (proto.UnmarshalOptions{AllowPartial: true}).Unmarshal(data, options) != nil {
		return false // compiling a policy with this schema reports it
	}
	rule, _ := proto.GetExtension(options, corsrpcv1.E_Service).(*corsrpcv1.Rule)
	return rule.GetDisabled()
}

// maxCommentRunes is how much of a comment is shown.
const maxCommentRunes = 160

// sentenceEnd matches the end of a sentence within a paragraph.
var sentenceEnd = regexp.MustCompile(`[.!?] \p{Lu}`)

// firstSentence returns the first sentence of a comment, which may have several lines.
func firstSentence(comment string) string {
	var words []string
	for line := range strings.Lines(comment) {
		fields := strings.Fields(line)
		if len(fields) == 0 && len(words) > 0 {
			break // the end of the first paragraph
		}
		words = append(words, fields...)
	}
	text := strings.Join(words, " ")
	if end := sentenceEnd.FindStringIndex(text); end != nil {
		text = text[:end[0]+1]
	}
	if runes := []rune(text); len(runes) > maxCommentRunes {
		text = string(runes[:maxCommentRunes])
		if space := strings.LastIndexByte(text, ' '); space > 0 {
			text = text[:space]
		}
		text += " ..."
	}
	return text
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

// isDisabled reports whether the rule is for one service, which the option of its .proto file turns off.
func (g group) isDisabled() bool { return g.selector == g.services[0].name && g.services[0].disabled }

// MaxServices is the number of services for which a policy has a rule each. The rules of a larger schema are for
// packages, of which a policy has maxPackages at most.
const (
	MaxServices = 60
	maxPackages = 200
)

// byPackage reports whether the rules are for packages. services are those that are not operational.
func byPackage(services []*service) bool { return len(services) > MaxServices }

// groupsOf returns a group for each service, or for each package if there are many services. left is the number of
// groups that are left out. A package with operational services, or above some, has a group for each service, since a
// rule for the package would open those too.
func groupsOf(services, operational []*service) (groups []group, left int) {
	byPackage := byPackage(services)
	for _, s := range services {
		selector := s.name
		if byPackage && s.pkg != "" && !holdsAny(s.pkg, operational) {
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

// holdsAny reports whether one of the services is in a package or in one below it.
func holdsAny(pkg string, services []*service) bool {
	return slices.ContainsFunc(services, func(s *service) bool { return strings.HasPrefix(s.name, pkg+".") })
}

// describe writes what is known about the services of a group.
func (w *writer) describe(g group, options map[string][]string) {
	s := g.services[0]
	if g.selector != s.name {
		w.describePackage(g)
		return
	}
	about := s.name + " (" + s.file + ")"
	if s.comment != "" {
		about += ": " + s.comment
	}
	w.prose(about)
	w.methods("by POST, or by GET since their idempotency_level is NO_SIDE_EFFECTS", s.get)
	w.methods("by POST", s.post)
	w.methods("by POST, with a stream of responses", s.serverStreams)
	w.methods("with a stream of requests, which connect-web and grpc-web cannot send", s.clientStreams)
	if len(s.get)+len(s.post)+len(s.serverStreams)+len(s.clientStreams) == 0 {
		w.item("it has no methods")
	}
	for _, option := range options[s.name] {
		w.item("option in the .proto file: " + option)
	}
	if s.disabled {
		w.item("Its .proto file turns it off, and the rule turns it on by disabled: false.")
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
