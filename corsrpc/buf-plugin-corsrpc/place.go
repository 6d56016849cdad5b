package main

import (
	"slices"
	"strconv"
	"strings"

	"google.golang.org/protobuf/reflect/protoreflect"

	"github.com/corsrpc/corsrpc-go/corsrpc/corsrpcv1"
)

// place is a place in a .proto file, in the form of buf. The zero place is nowhere.
type place struct {
	file string
	path protoreflect.SourcePath
}

// splitField splits the field path of a value in an option, such as option(acme.v1.S.Get).allow_headers[0], into the
// element and the field of the option. It returns false for a field of a policy.
func splitField(path string) (element, field string, ok bool) {
	path, ok = strings.CutPrefix(path, "option(")
	element, field, closed := strings.Cut(path, ")")
	return element, strings.TrimPrefix(field, "."), ok && closed
}

// placeOf returns the place of a service or a method.
func placeOf(d protoreflect.Descriptor) place {
	return place{d.ParentFile().Path(), d.ParentFile().SourceLocations().ByDescriptor(d).Path}
}

// placeOfField returns the place of a field of the corsrpc option of a service or method. A compiler may know no place
// for the field: then it is the place of the list around it, of the option, or of the service or method.
func placeOfField(d protoreflect.Descriptor, field string) place {
	option := corsrpcv1.E_Service.TypeDescriptor().Number()
	if _, ok := d.(protoreflect.MethodDescriptor); ok {
		option = corsrpcv1.E_Method.TypeDescriptor().Number()
	}
	return placeOfOption(d, append([]int32{int32(option)}, numbersOf(field)...))
}

// placeOfOption returns the place of the option of a service or method with a path of field numbers and indexes in it.
func placeOfOption(d protoreflect.Descriptor, option []int32) place {
	at := placeOf(d)
	if at.path == nil {
		return at
	}
	const serviceOptions, methodOptions = 3, 4 // the fields in ServiceDescriptorProto and MethodDescriptorProto
	path := append(slices.Clone(at.path), serviceOptions)
	if _, ok := d.(protoreflect.MethodDescriptor); ok {
		path[len(path)-1] = methodOptions
	}
	locations := d.ParentFile().SourceLocations()
	for end := len(option); end > 0; end-- {
		want := append(slices.Clone(path), option[:end]...)
		if l := locations.ByPath(want); l.Path != nil {
			return place{at.file, l.Path}
		}
		for i := range locations.Len() { // option (corsrpc.v1.method).max_age = {...} has the place of the field alone
			if l := locations.Get(i); len(l.Path) > len(want) && slices.Equal(l.Path[:len(want)], want) {
				return place{at.file, l.Path}
			}
		}
	}
	return at
}

// numbersOf returns a field of a rule, such as allow_headers[0], as field numbers and indexes.
func numbersOf(field string) (numbers []int32) {
	name, rest, _ := strings.Cut(field, "[")
	f := (&corsrpcv1.Rule{}).ProtoReflect().Descriptor().Fields().ByName(protoreflect.Name(name))
	if f == nil {
		return nil
	}
	numbers = append(numbers, int32(f.Number()))
	if i, err := strconv.Atoi(strings.TrimSuffix(rest, "]")); err == nil {
		numbers = append(numbers, int32(i))
	}
	return numbers
}
