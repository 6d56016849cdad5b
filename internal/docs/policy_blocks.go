package docs

import (
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"log/slog"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/corsrpc/corsrpc-go/corsrpc"
	"github.com/corsrpc/corsrpc-go/internal/vectors"
)

// errorPrefix is the start of the error of a policy that does not load.
const errorPrefix = "corsrpc: the policy has "

// policyFields are the fields of a policy: a YAML block that has one of them is a
// policy.
var policyFields = []string{"defaults", "rules", "profiles", "shadow", "enforcement", "schema_options"}

// checkYAML returns a problem unless a test proves the block. The block is one of
//
//   - the file that its first line names, as it stands,
//   - a policy that loads,
//   - a policy that is refused with the error in the next block,
//   - a policy that loads with the findings in the next block,
//   - a Kubernetes manifest whose policies load,
//   - a file that make scratch takes from this page,
//   - a piece of Envoy's configuration in examples/envoy, which Envoy itself validates.
func checkYAML(t *tree, p *page, i int) []problem {
	b := p.blocks[i]
	name := nameOf(b)
	if name == "" && t.files[b.marker] {
		name = b.marker
	}
	if shown, ok := t.shown(name); ok {
		if text := t.text(shown); text != b.text && text != afterName(b) {
			return []problem{b.problem("the block is not %s as it stands: copy the file", shown)}
		}
	}
	if name == "envoy.yaml" {
		b.text = afterName(b)
		return checkPieces(t, b, `^examples/envoy/envoy\.yaml$`)
	}
	var documents []map[string]any
	decoder := yaml.NewDecoder(strings.NewReader(b.text))
	for {
		var document map[string]any
		err := decoder.Decode(&document)
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return []problem{b.problem("not valid YAML: %v", err)}
		}
		documents = append(documents, document)
	}
	want := ""
	if i+1 < len(p.blocks) && p.blocks[i+1].lang == "text" && strings.HasPrefix(p.blocks[i+1].text, errorPrefix) {
		want = strings.TrimRight(p.blocks[i+1].text, "\n")
	}
	switch {
	case len(documents) == 1 && isPolicy(documents[0]) && i+1 < len(p.blocks) && areFindings(p.blocks[i+1]):
		return append(checkPolicy(b, b.text, ""), checkFindings(b, p.blocks[i+1])...)
	case len(documents) == 1 && isPolicy(documents[0]):
		return checkPolicy(b, b.text, want)
	case len(documents) > 0 && documents[0]["kind"] != nil && documents[0]["apiVersion"] != nil:
		return checkManifest(b, documents)
	case t.inScratch(b):
		return nil
	case b.marker != "" && t.files[b.marker]:
		return nil // equal to a file that its own tool reads
	}
	return []problem{b.problem("neither a policy nor a file that a test reads: name the file of the repository in the first line, or add a checker for this kind to internal/docs")}
}

func isPolicy(document map[string]any) bool {
	return slices.ContainsFunc(policyFields, func(field string) bool { _, has := document[field]; return has })
}

// nameOf returns the file that the first line of a block names in a comment, or
// "".
func nameOf(b block) string {
	first, _, _ := strings.Cut(b.text, "\n")
	first = strings.TrimSuffix(first, " -->")
	for _, begin := range []string{"# ", "// ", "<!-- "} {
		if name, ok := strings.CutPrefix(first, begin); ok && fileNameRE.MatchString(name) {
			return name
		}
	}
	return ""
}

var fileNameRE = regexp.MustCompile(`^[\w./-]+\.(yaml|go|proto|json|ts|js|py|html|conf)$`)

// afterName returns the text of a block after the line that names its file.
func afterName(b block) string {
	_, rest, _ := strings.Cut(b.text, "\n")
	return rest
}

// shown returns the path of the file that a block shows: of the repository, or
// of examples.
func (t *tree) shown(name string) (string, bool) {
	if name == "" || !strings.Contains(name, "/") {
		return "", false
	}
	for _, file := range []string{name, "examples/" + name} {
		if t.files[file] {
			return file, true
		}
	}
	return "", false
}

// checkPolicy loads a policy without and with each of its profiles. The server
// has the schema of the corpus, and every origin source that the policy names.
// The environment variables that the policy reads are set, and then unset if all
// have a fallback. If want is not empty, loading has to fail with exactly this
// error.
func checkPolicy(b block, text, want string) (problems []problem) {
	var policy map[string]any
	if err := yaml.Unmarshal([]byte(text), &policy); err != nil {
		return []problem{b.problem("%v", err)}
	}
	profiles := []string{""}
	if all, ok := policy["profiles"].(map[string]any); ok {
		for name := range all {
			profiles = append(profiles, name)
		}
	}
	slices.Sort(profiles)
	environments := []func(string) (string, bool){func(string) (string, bool) { return "https://variable.example.com", true }}
	if !strings.Contains(fallbackRE.ReplaceAllString(text, ""), "${") {
		environments = append(environments, func(string) (string, bool) { return "", false })
	}
	for _, profile := range profiles {
		for _, env := range environments {
			err := loadPolicy(b, text, profile, sourcesOf(policy), env)
			switch {
			case want == "" && err != nil:
				problems = append(problems, b.problem("the policy does not load (profile %q): %v", profile, err))
			case want != "" && err == nil:
				problems = append(problems, b.problem("the policy loads (profile %q), and the block after it shows an error", profile))
			case want != "" && err.Error() != want:
				problems = append(problems, b.problem("loading this policy says\n%v\nand the block after it says\n%s", err, want))
			default:
				continue
			}
			return problems
		}
	}
	return nil
}

var fallbackRE = regexp.MustCompile(`\$\{\w+:-[^}]*\}`)

func loadPolicy(b block, text, profile string, sources []string, env func(string) (string, bool)) error {
	files, err := vectors.Schema("acme")
	if err != nil {
		return err
	}
	dir, err := os.MkdirTemp("", "corsrpc-docs-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	name := "cors.yaml"
	if named := nameOf(b); named != "" {
		name = filepath.Base(named)
	}
	path := filepath.Join(dir, name)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		return err
	}
	options := []corsrpc.Option{corsrpc.WithFiles(files), corsrpc.WithProfile(profile), corsrpc.WithLookupEnv(env), corsrpc.WithLogger(slog.New(slog.DiscardHandler))}
	for _, source := range sources {
		options = append(options, corsrpc.WithOriginSource(source, corsrpc.OriginSourceFunc(noOrigins)))
	}
	if _, err := corsrpc.Load(path, options...); err != nil {
		return errors.New(strings.ReplaceAll(err.Error(), path, name))
	}
	return nil
}

// findingRE matches a line with a finding.
var findingRE = regexp.MustCompile(`^cors\.yaml:\d+:\d+: .* \[[A-Z_]+\]$`)

// areFindings reports whether a block has the findings about a policy, one in each line.
func areFindings(b block) bool {
	if b.lang != "text" {
		return false
	}
	for line := range strings.Lines(b.text) {
		if !findingRE.MatchString(strings.TrimSuffix(line, "\n")) {
			return false
		}
	}
	return b.text != ""
}

// checkFindings returns a problem unless the findings about a policy, without a profile, are the lines
// of the block after it.
func checkFindings(policy, shown block) []problem {
	files, err := vectors.Schema("acme")
	if err != nil {
		return []problem{policy.problem("%v", err)}
	}
	doc, err := corsrpc.ParsePolicy("cors.yaml", []byte(policy.text))
	if err != nil {
		return nil // reported by checkPolicy
	}
	plan, err := corsrpc.Compile(doc.Policy(), corsrpc.WithDocument(doc), corsrpc.WithFiles(files))
	if err != nil {
		return nil
	}
	var lines strings.Builder
	for _, f := range plan.Findings() {
		fmt.Fprintln(&lines, f)
	}
	if got := strings.TrimSuffix(lines.String(), "\n"); got != strings.TrimSuffix(shown.text, "\n") {
		return []problem{shown.problem("the findings about the policy are\n%s\nand the block shows\n%s", got, shown.text)}
	}
	return nil
}

func noOrigins(context.Context) iter.Seq2[string, error] { return func(func(string, error) bool) {} }

// sourcesOf returns the origin sources that a policy names, anywhere in it.
func sourcesOf(value any) (names []string) {
	switch value := value.(type) {
	case map[string]any:
		for key, below := range value {
			if list, ok := below.([]any); ok && key == "allow_origins_from" {
				for _, name := range list {
					names = append(names, fmt.Sprint(name))
				}
				continue
			}
			names = append(names, sourcesOf(below)...)
		}
	case []any:
		for _, below := range value {
			names = append(names, sourcesOf(below)...)
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// checkManifest loads the policies in the ConfigMaps of a Kubernetes manifest. A
// manifest without one is refused, since nothing else in it is checked.
func checkManifest(b block, documents []map[string]any) (problems []problem) {
	policies := 0
	for _, document := range documents {
		data, _ := document["data"].(map[string]any)
		for name, value := range data {
			if text, ok := value.(string); ok && document["kind"] == "ConfigMap" && filepath.Ext(name) == ".yaml" {
				policies++
				problems = append(problems, checkPolicy(b, text, "")...)
			}
		}
	}
	if policies == 0 {
		problems = append(problems, b.problem("a Kubernetes manifest without a ConfigMap that holds a policy: add a checker for it to internal/docs"))
	}
	return problems
}

// The script that make scratch runs takes the blocks of one page whose first
// line names a file, and builds a module of a user's own from them.
const (
	scratchScript = "internal/tools/scratch.sh"
	scratchPage   = "corsrpc/docs/policy.md"
)

// inScratch reports whether make scratch reads the block.
func (t *tree) inScratch(b block) bool {
	name := nameOf(b)
	script := t.text(scratchScript)
	return b.page == scratchPage && name != "" && strings.Contains(script, "\npage="+scratchPage+"\n") && strings.Contains(script, "block "+name+" ")
}

// checkProto returns a problem unless make scratch compiles the block.
func checkProto(t *tree, b block) []problem {
	if t.inScratch(b) {
		return nil
	}
	return []problem{b.problem("no test compiles this block: show it on %s, with the file's name as a comment in the first line, and have %s take it from there", scratchPage, scratchScript)}
}
