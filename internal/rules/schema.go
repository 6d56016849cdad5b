package rules

import (
	"maps"
	"slices"
	"strings"

	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"
	"google.golang.org/protobuf/types/descriptorpb"

	"github.com/corsrpc/corsrpc-go/corsrpc/corsrpcv1"
	"github.com/corsrpc/corsrpc-go/internal/route"
)

// schema holds the data of service descriptors that a compilation needs.
type schema struct {
	methods  []schemaMethod // sorted by name
	services map[string]bool
	names    map[string]bool // the full names of services and methods
	packages map[string]bool
	// options holds the corsrpc options in their binary form, by the full name of the service
	// or method.
	options map[string][]byte
	places  map[string]Place // of these options
}

type schemaMethod struct {
	name            string // acme.v1.Catalog.Get
	service, method string
	// noSideEffects is true if the method is declared NO_SIDE_EFFECTS: Connect clients may call
	// it by GET.
	noSideEffects bool
}

// readSchema reads the services of a registry.
func readSchema(files *protoregistry.Files) *schema {
	s := &schema{services: map[string]bool{}, names: map[string]bool{}, packages: map[string]bool{}, options: map[string][]byte{}, places: map[string]Place{}}
	files.RangeFiles(func(f protoreflect.FileDescriptor) bool {
		for i := range f.Services().Len() {
			s.addService(f.Services().Get(i))
		}
		return true
	})
	slices.SortFunc(s.methods, func(a, b schemaMethod) int { return strings.Compare(a.name, b.name) })
	return s
}

func (s *schema) addService(d protoreflect.ServiceDescriptor) {
	service := string(d.FullName())
	s.services[service], s.names[service] = true, true
	for pkg := route.ParentName(service); pkg != "" && !s.packages[pkg]; pkg = route.ParentName(pkg) {
		s.packages[pkg] = true
	}
	s.addOption(d, d.Options(), corsrpcv1.E_Service.TypeDescriptor().Number())
	for i := range d.Methods().Len() {
		m := d.Methods().Get(i)
		name := string(m.FullName())
		s.names[name] = true
		options, _ := m.Options().(*descriptorpb.MethodOptions)
		s.methods = append(s.methods, schemaMethod{
			name: name, service: service, method: string(m.Name()),
			noSideEffects: options.GetIdempotencyLevel() == descriptorpb.MethodOptions_NO_SIDE_EFFECTS,
		})
		s.addOption(m, m.Options(), corsrpcv1.E_Method.TypeDescriptor().Number())
	}
}

// addOption reads the corsrpc option, which is the extension with this number. It reads the
// binary form, which is the same whether the parser knew the extension, made a dynamic message
// of it, or kept it as an unknown field.
func (s *schema) addOption(d protoreflect.Descriptor, options proto.Message, number protoreflect.FieldNumber) {
	if options == nil {
		return
	}
	element := string(d.FullName())
	found := func(value []byte) {
		s.options[element] = append(s.options[element], value...) // concatenated messages are merged
		s.places[element] = optionPlace(d, number)
	}
	b, err := proto.MarshalOptions{AllowPartial: true}.Marshal(options)
	if err != nil {
		found(unreadable)
		return
	}
	for len(b) > 0 {
		n, kind, length := protowire.ConsumeField(b)
		if length < 0 {
			found(unreadable)
			return
		}
		if n == number {
			_, _, tag := protowire.ConsumeTag(b)
			value, size := protowire.ConsumeBytes(b[tag:])
			if kind != protowire.BytesType || size < 0 {
				value = unreadable
			}
			found(value)
		}
		b = b[length:]
	}
}

// unreadable replaces an option that is not a message. It does not parse, which readOptions
// reports.
var unreadable = []byte{0xff}

// has reports whether a selector other than * selects an element of the schema.
func (s *schema) has(selector string) bool {
	if pkg, ok := strings.CutSuffix(selector, ".*"); ok {
		return s.packages[pkg]
	}
	return s.names[selector]
}

// selectors returns every selector other than * that selects an element of the schema, sorted.
func (s *schema) selectors() []string {
	all := slices.Collect(maps.Keys(s.names))
	for pkg := range s.packages {
		all = append(all, pkg+".*")
	}
	slices.Sort(all)
	return all
}
