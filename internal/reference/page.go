package main

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"
	"google.golang.org/protobuf/types/dynamicpb"

	"github.com/corsrpc/corsrpc-go/internal/policyfile"
	"github.com/corsrpc/corsrpc-go/internal/protocomment"
)

// duration is the message whose YAML is a text such as 600s.
const duration protoreflect.FullName = "google.protobuf.Duration"

// rule is the message that stands in several places of a policy, and in options.
const rule protoreflect.FullName = "corsrpc.v1.Rule"

// optionsFile declares the options for .proto files.
const optionsFile = "corsrpc/v1/options.proto"

// writer writes the page about one .proto file.
type writer struct {
	own   string // the path of the .proto file; types of other files are on other pages
	files *protoregistry.Files
	text  strings.Builder
	queue []protoreflect.Descriptor // the messages and enums that the page describes, in the order of their use
}

// page returns the text of a page.
func (w *writer) page(p page, root protoreflect.MessageDescriptor) (string, error) {
	fmt.Fprintf(&w.text, "# %s\n\n", p.title)
	fmt.Fprintf(&w.text, "Written by `make generate` from [%s](../../proto/%[1]s); not by hand. %[2]s\n", w.own, p.lead)
	w.queue = []protoreflect.Descriptor{root}
	for i := 0; i < len(w.queue); i++ {
		var err error
		switch d := w.queue[i].(type) {
		case protoreflect.MessageDescriptor:
			err = w.message(d)
		case protoreflect.EnumDescriptor:
			err = w.enum(d)
		}
		if err != nil {
			return "", err
		}
	}
	if p.policy {
		d, err := w.files.FindFileByPath(optionsFile)
		if err != nil {
			return "", fmt.Errorf("the image does not have %s: %w", optionsFile, err)
		}
		if err := w.options(d); err != nil {
			return "", err
		}
		w.checks()
	}
	return w.text.String(), nil
}

// message writes the section of a message: its comment, a table of its fields, and a section for each field.
func (w *writer) message(md protoreflect.MessageDescriptor) error {
	comment, err := commentOf(md)
	if err != nil {
		return err
	}
	fmt.Fprintf(&w.text, "\n## %s\n\n%s\n\n| Field | Value | In short |\n| --- | --- | --- |\n", md.Name(), w.markdown(comment))
	fields := md.Fields()
	for i := range fields.Len() {
		fd := fields.Get(i)
		comment, err := commentOf(fd)
		if err != nil {
			return err
		}
		fmt.Fprintf(&w.text, "| [%s](%s) | %s | %s |\n", fd.Name(), anchor(heading(fd)), w.value(fd), firstSentence(comment))
	}
	if md.FullName() == rule {
		if err := w.where(md); err != nil {
			return err
		}
	}
	for i := range fields.Len() {
		fd := fields.Get(i)
		comment := protocomment.Of(fd)
		if err := checkExamples(md, fd, comment); err != nil {
			return err
		}
		fmt.Fprintf(&w.text, "\n### %s\n\nValue: %s.\n\n%s\n", heading(fd), w.value(fd), w.markdown(comment))
	}
	return nil
}

// enum writes the section of an enum: its comment, and a table of its values.
func (w *writer) enum(ed protoreflect.EnumDescriptor) error {
	comment, err := commentOf(ed)
	if err != nil {
		return err
	}
	fmt.Fprintf(&w.text, "\n## %s\n\n%s\n\n| Value | Meaning |\n| --- | --- |\n", ed.Name(), w.markdown(comment))
	for _, v := range policyfile.EnumValues(ed) {
		comment, err := commentOf(ed.Values().ByNumber(v.Number))
		if err != nil {
			return err
		}
		fmt.Fprintf(&w.text, "| `%s` | %s |\n", v.Short, inCell(w.linked(protocomment.Plain(comment))))
	}
	return nil
}

// options writes the section of the options for .proto files.
func (w *writer) options(file protoreflect.FileDescriptor) error {
	fmt.Fprintf(&w.text, "\n## Options in .proto files\n\n[%s](../../proto/%[1]s) declares them. The value of each is a [Rule](#rule).\n", file.Path())
	for i := range file.Extensions().Len() {
		fd := file.Extensions().Get(i)
		comment, err := commentOf(fd)
		if err != nil {
			return err
		}
		text := strings.ReplaceAll(w.markdown(comment), "```yaml\noption ", "```proto\noption ")
		fmt.Fprintf(&w.text, "\n### (%s)\n\n%s\n", fd.FullName(), text)
	}
	return nil
}

// commentOf returns the comment of a declaration, which it must have.
func commentOf(d protoreflect.Descriptor) (string, error) {
	comment := protocomment.Of(d)
	if comment == "" {
		return "", fmt.Errorf("%s does not have a comment: it is the text of the reference", d.FullName())
	}
	return comment, nil
}

// value returns the kind of value that a field has in YAML, and notes the type of the field for its section.
func (w *writer) value(fd protoreflect.FieldDescriptor) string {
	switch {
	case fd.IsMap():
		return "a map from texts, each value " + w.single(fd.MapValue())
	case fd.IsList():
		return "a list, each item " + w.single(fd)
	}
	return w.single(fd)
}

// single returns the kind of one value.
func (w *writer) single(fd protoreflect.FieldDescriptor) string {
	switch fd.Kind() {
	case protoreflect.BoolKind:
		return "`true` or `false`"
	case protoreflect.StringKind:
		return "a text"
	case protoreflect.EnumKind:
		return choices(fd.Enum()) + ": see " + w.link(fd.Enum())
	case protoreflect.MessageKind:
		if fd.Message().FullName() == duration {
			return "a duration such as `600s`"
		}
		if strings.ContainsRune("AEIOU", rune(fd.Message().Name()[0])) {
			return "an " + w.link(fd.Message())
		}
		return "a " + w.link(fd.Message())
	default:
		return "a whole number"
	}
}

// choices returns the values of an enum as YAML has them.
func choices(ed protoreflect.EnumDescriptor) string {
	var texts []string
	for _, v := range policyfile.EnumValues(ed) {
		texts = append(texts, "`"+v.Short+"`")
	}
	n := len(texts) - 1
	return strings.Join(texts[:n], ", ") + " or " + texts[n]
}

// link returns a link to the section of a message or an enum.
func (w *writer) link(d protoreflect.Descriptor) string {
	if d.ParentFile().Path() == w.own && !slices.Contains(w.queue, d) {
		w.queue = append(w.queue, d)
	}
	name := string(d.Name())
	return "[" + name + "](" + w.fileOf(d) + anchor(name) + ")"
}

// fileOf returns the file of the page that describes a message or an enum; empty for the page itself.
func (w *writer) fileOf(d protoreflect.Descriptor) string {
	if path := d.ParentFile().Path(); path != w.own {
		return pageOf(path)
	}
	return ""
}

// fieldRE matches the name of a message and of its field, outside of words and of paths of options.
var fieldRE = regexp.MustCompile(`\b[A-Z]\w+\.[a-z]\w*\b`)

// linked returns a text in which each field that is named with its message is a link to its section.
func (w *writer) linked(text string) string {
	spans := strings.Split(text, "`")
	for i := 0; i < len(spans); i += 2 { // the others are code
		spans[i] = fieldRE.ReplaceAllStringFunc(spans[i], func(name string) string {
			d, err := w.files.FindDescriptorByName(protoreflect.FullName("corsrpc.v1." + name))
			if err != nil {
				return name
			}
			return "[" + name + "](" + w.fileOf(d) + anchor(name) + ")"
		})
	}
	return strings.Join(spans, "`")
}

// markdown returns a comment as Markdown with links, apart from its examples.
func (w *writer) markdown(comment string) string {
	parts := strings.Split(protocomment.Markdown(comment), "```")
	for i := 0; i < len(parts); i += 2 {
		parts[i] = w.linked(parts[i])
	}
	return strings.Join(parts, "```")
}

// pageOf returns the file of the page about a .proto file.
func pageOf(path string) string {
	for _, p := range pages {
		if name := strings.ToLower(string(p.root.Name())); strings.HasSuffix(path, "/"+name+".proto") {
			return p.file
		}
	}
	panic("reference: " + path + " has a type that a page uses, and does not have a page")
}

// heading returns the heading of the section of a field.
func heading(fd protoreflect.FieldDescriptor) string {
	return string(fd.Parent().Name()) + "." + string(fd.Name())
}

// anchor returns the link to a heading as Markdown's renderers make it: in lower case, without punctuation.
func anchor(heading string) string {
	return "#" + strings.ReplaceAll(strings.ToLower(heading), ".", "")
}

// firstSentence returns the first sentence of a comment without its list of forms, for a cell of a table.
func firstSentence(comment string) string {
	first, _, _ := strings.Cut(protocomment.Plain(comment), "\n")
	if before, _, ok := strings.Cut(first, ": `"); ok && !strings.Contains(before, ". ") {
		return inCell(before + ".")
	}
	for i := 0; ; {
		end := strings.Index(first[i:], ". ")
		if end < 0 {
			return inCell(first)
		}
		i += end + 1
		if strings.Count(first[:i], "(") == strings.Count(first[:i], ")") {
			return inCell(first[:i])
		}
	}
}

// inCell returns a text as the content of a cell.
func inCell(text string) string {
	return strings.ReplaceAll(strings.Join(strings.Fields(text), " "), "|", `\|`)
}

// checkExamples returns an error if an example of a field's comment is not a valid part of its message, or
// does not set the field.
func checkExamples(md protoreflect.MessageDescriptor, fd protoreflect.FieldDescriptor, comment string) error {
	for _, example := range protocomment.Examples(comment) {
		m := dynamicpb.NewMessage(md)
		if problems := policyfile.Parse("example.yaml", []byte(example), m, 1<<20).Problems; len(problems) > 0 {
			return fmt.Errorf("%s: the example is not valid: %v\n%s", fd.FullName(), problems[0], example)
		}
		if !m.Has(fd) {
			return fmt.Errorf("%s: the example does not set the field:\n%s", fd.FullName(), example)
		}
	}
	return nil
}
