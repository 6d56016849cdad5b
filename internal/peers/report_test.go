package peers

import (
	"flag"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"

	gincors "github.com/gin-contrib/cors"
	chicors "github.com/go-chi/cors"
	"github.com/gorilla/handlers"
	jub0bscors "github.com/jub0bs/cors"
	"github.com/rs/cors"
)

const (
	reportFile = "MISCONFIGURATIONS.md"
	command    = "cd internal/peers && go test -count=1 ."
)

var update = flag.Bool("update", false, "write "+reportFile+" anew")

// libraries are the columns of the table, by the names of their modules' repositories.
var libraries = []string{"corsrpc", "rs/cors", "gorilla/handlers", "go-chi/cors", "gin-contrib/cors", "jub0bs/cors"}

// TestMisconfigurations compares MISCONFIGURATIONS.md with the results of all configurations.
func TestMisconfigurations(t *testing.T) {
	trials := allTrials(t)
	for _, tr := range trials {
		switch tr.class {
		case reflectingOrigin, prefixMatch, suffixMatch, substringMatch, notEscapingDot:
			if tr.product == "corsrpc" && len(tr.readers) > 0 && !tr.byName {
				t.Errorf("%s: %q read the answer under %s", tr.class.name, tr.readers, tr.configuration)
			}
		}
	}
	got := report(t, trials)
	if *update {
		if err := os.WriteFile(reportFile, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(reportFile)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("%s differs; with -update it is written anew, then read the diff. Got:\n%s", reportFile, got)
	}
}

// allTrials tries every configuration of every library.
func allTrials(t *testing.T) (trials []*trial) {
	t.Helper()
	for _, p := range policies {
		trials = append(trials, try(t, trial{class: p.class, product: "corsrpc", configuration: p.String(), byName: p.byName()},
			func() loading { return p.load(t) }))
	}
	texts := secondValues(t, "rs_test.go", "rsConfigurations")
	for i, c := range rsConfigurations {
		trials = append(trials, try(t, trial{class: c.class, product: "rs/cors", configuration: "`" + texts[i] + "`", function: c.options.AllowOriginFunc != nil},
			func() loading { return loading{handler: loadRS(c.options)} }))
	}
	texts = secondValues(t, "gorilla_test.go", "gorillaConfigurations")
	for i, c := range gorillaConfigurations {
		function := strings.HasPrefix(texts[i], "handlers.AllowedOriginValidator(")
		trials = append(trials, try(t, trial{class: c.class, product: "gorilla/handlers", configuration: "`" + texts[i] + "`", function: function},
			func() loading { return loading{handler: loadGorilla(c.option)} }))
	}
	texts = secondValues(t, "chi_test.go", "chiConfigurations")
	for i, c := range chiConfigurations {
		trials = append(trials, try(t, trial{class: c.class, product: "go-chi/cors", configuration: "`" + texts[i] + "`", function: c.options.AllowOriginFunc != nil},
			func() loading { return loading{handler: loadChi(c.options)} }))
	}
	texts = secondValues(t, "gin_test.go", "ginConfigurations")
	for i, c := range ginConfigurations {
		trials = append(trials, try(t, trial{class: c.class, product: "gin-contrib/cors", configuration: "`" + texts[i] + "`", function: c.config.AllowOriginFunc != nil},
			func() loading { return loading{handler: loadGin(c.config)} }))
	}
	texts = secondValues(t, "jub0bs_test.go", "jub0bsConfigurations")
	for i, c := range jub0bsConfigurations {
		byName := strings.Contains(texts[i], "Dangerously")
		trials = append(trials, try(t, trial{class: c.class, product: "jub0bs/cors", configuration: "`" + texts[i] + "`", byName: byName},
			func() loading { return loadJub0bs(c.config) }))
	}
	return trials
}

// secondValues returns the source text of the second value in each row of a table in a file, on one line.
func secondValues(t *testing.T, file, table string) (texts []string) {
	t.Helper()
	source, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	files := token.NewFileSet()
	parsed, err := parser.ParseFile(files, file, source, 0)
	if err != nil {
		t.Fatal(err)
	}
	ast.Inspect(parsed, func(n ast.Node) bool {
		spec, ok := n.(*ast.ValueSpec)
		if !ok || spec.Names[0].Name != table {
			return true
		}
		for _, row := range spec.Values[0].(*ast.CompositeLit).Elts {
			value := row.(*ast.CompositeLit).Elts[1]
			text := string(source[files.Position(value.Pos()).Offset:files.Position(value.End()).Offset])
			text = strings.Join(strings.Fields(text), " ")
			if strings.Contains(text, "`") {
				t.Errorf("%s: %s does not fit into a row of the report", file, text)
			}
			texts = append(texts, text)
		}
		return false
	})
	if len(texts) == 0 {
		t.Fatalf("%s has no table %s", file, table)
	}
	return texts
}

// TestControls: with a sound configuration the intended page reads the answer, and no attacker of any class does.
func TestControls(t *testing.T) {
	for library, load := range map[string]func() loading{
		"corsrpc":          func() loading { return sound.load(t) },
		"rs/cors":          func() loading { return loading{handler: loadRS(cors.Options{AllowedOrigins: []string{intended}})} },
		"gorilla/handlers": func() loading { return loading{handler: loadGorilla(handlers.AllowedOrigins([]string{intended}))} },
		"go-chi/cors":      func() loading { return loading{handler: loadChi(chicors.Options{AllowedOrigins: []string{intended}})} },
		"gin-contrib/cors": func() loading { return loading{handler: loadGin(gincors.Config{AllowOrigins: []string{intended}})} },
		"jub0bs/cors":      func() loading { return loadJub0bs(jub0bscors.Config{Origins: []string{intended}}) },
	} {
		t.Run(library, func(t *testing.T) {
			everyone := &class{}
			for _, c := range classes {
				everyone.attackers = append(everyone.attackers, c.attackers...)
			}
			tr := try(t, trial{class: everyone}, load)
			if tr.handler == nil {
				t.Fatalf("refused: %q", tr.refused)
			}
			if !tr.intended {
				t.Errorf("the intended page: %+v", visitFrom(t, tr.handler, intended))
			}
			if len(tr.readers) > 0 || tr.anonymous || len(tr.words) > 0 {
				t.Errorf("%q read the answer; without cookies: %t; the library prints %q", tr.readers, tr.anonymous, tr.words)
			}
		})
	}
}

// TestVerdicts: a library that prints has a finding, and one that panics refuses the configuration.
func TestVerdicts(t *testing.T) {
	loud := try(t, trial{class: reflectingOrigin}, func() loading {
		return loading{handler: loadRS(cors.Options{Debug: true, AllowOriginFunc: func(string) bool { return true }})}
	})
	if loud.verdict() != finding {
		t.Errorf("a library that prints: %s", loud.verdict())
	}
	panics := try(t, trial{class: reflectingOrigin}, func() loading { panic("no origins") })
	if panics.verdict() != refusedAtLoad || panics.details() != "panic: no origins" {
		t.Errorf("a library that panics: %s, %s", panics.verdict(), panics.details())
	}
}

// report returns the text of MISCONFIGURATIONS.md.
func report(t *testing.T, trials []*trial) string {
	t.Helper()
	var b strings.Builder
	fmt.Fprintf(&b, `# Dangerous configurations, and what six libraries do with them

Written by %[1]scd internal/peers && go test -count=1 . -update%[1]s; not by hand. %[1]s%[2]s%[1]s compares this file with what happens.

corsrpc of this tree, github.com/rs/cors %[3]s, github.com/gorilla/handlers %[4]s, github.com/go-chi/cors %[5]s, github.com/gin-contrib/cors %[6]s, github.com/jub0bs/cors %[7]s.

The study is Jianjun Chen et al., [We Still Don't Have Secure Cross-Domain Requests: an Empirical Study of CORS](https://www.usenix.org/conference/usenixsecurity18/presentation/chen-jianjun),
USENIX Security 2018. The first eight rows are the classes of insecure configurations in its table 3, by their names there. The last row is an origin of a developer's machine that stays in production.

Each configuration below is loaded. Then pages of the class's attackers call the server in [corsbrowser](../../corsrpc/corsbrowser), which follows the Fetch standard.
They call with the visitor's cookies, by a GET without a preflight and by a POST with one. A page reads an answer if the script gets the text that only the visitor may see.

| class | trusts |`, "`", command, version(t, "github.com/rs/cors"), version(t, "github.com/gorilla/handlers"),
		version(t, "github.com/go-chi/cors"), version(t, "github.com/gin-contrib/cors"), version(t, "github.com/jub0bs/cors"))
	for _, library := range libraries {
		fmt.Fprintf(&b, " %s |", library)
	}
	b.WriteString("\n| --- | --- |" + strings.Repeat(" --- |", len(libraries)) + "\n")
	for _, c := range classes {
		fmt.Fprintf(&b, "| %s | %s |", c.name, c.trusts)
		for _, library := range libraries {
			fmt.Fprintf(&b, " %s |", cell(t, trials, c, library))
		}
		b.WriteString("\n")
	}
	b.WriteString(`
A cell lists the verdicts of the library's configurations of the class, and begins with the most dangerous one. It has “not readable” only if it has no other verdict.
“(by a function)” means that only a function of the program gets this verdict, and no list of origins does.

`)
	for _, v := range verdicts {
		fmt.Fprintf(&b, "- **%s**: %s.\n", v.verdict, v.meaning)
	}
	b.WriteString(`
All of these libraries except corsrpc and jub0bs/cors accept a function that decides about an origin. Such a function can make each of these mistakes, and no library can see them.
corsrpc accepts no function. The nearest equivalent is an origin source, which lists exact https origins from a database for example.

## All configurations

The configurations are quoted from [rs_test.go](rs_test.go), [gorilla_test.go](gorilla_test.go), [chi_test.go](chi_test.go), [gin_test.go](gin_test.go) and [jub0bs_test.go](jub0bs_test.go).
Each of these files adds credentials and the request header content-type, and that of gin-contrib/cors adds AllowWildcard. The policies of corsrpc are complete; “rows” are those of the origin source.
The column “intended page” tells whether ` + intended + ` reads the visitor's secret. The last section is not about a danger of the study: it shows which configurations a library refuses
that cannot mean what their author expects.

`)
	var never []string
	for _, library := range libraries {
		if !slices.ContainsFunc(trials, func(tr *trial) bool { return tr.product == library && tr.handler == nil }) {
			never = append(never, library)
		}
	}
	fmt.Fprintf(&b, "Libraries that load every configuration below: %s.\n", strings.Join(never, ", "))
	for _, c := range append(slices.Clone(classes), notAsMeant) {
		fmt.Fprintf(&b, "\n### %s\n\nSource: %s. Such a configuration trusts %s. The attackers: `%s`.\n\n", c.name, c.source, c.trusts, strings.Join(c.attackers, "`, `"))
		b.WriteString("| library | configuration | verdict | attackers that read | intended page |\n| --- | --- | --- | --- | --- |\n")
		for _, library := range libraries {
			for _, tr := range trials {
				if tr.class == c && tr.product == library {
					b.WriteString(tr.row())
				}
			}
		}
	}
	return b.String()
}

// row returns the trial's row in the list of all configurations.
func (tr *trial) row() string {
	result := string(tr.verdict())
	if details := tr.details(); details != "" {
		result += ": " + details
	}
	read, page := "none", "no"
	switch {
	case tr.handler == nil:
		read, page = "", ""
	case len(tr.readers) > 0:
		read = "`" + strings.Join(tr.readers, "`, `") + "`"
	case tr.anonymous:
		read = "none with cookies, all without"
	}
	if tr.intended {
		page = "reads"
	}
	return fmt.Sprintf("| %s | %s | %s | %s | %s |\n", tr.product, strings.ReplaceAll(tr.configuration, "|", "\\|"), result, read, page)
}

// cell returns the verdicts of a library's configurations of a class, the most dangerous first. The class is inexpressible if
// no configuration fails for another reason than its syntax, and no attacker reads.
func cell(t *testing.T, trials []*trial, c *class, library string) string {
	t.Helper()
	got := map[verdict][]*trial{}
	for _, tr := range trials {
		if tr.class == c && tr.product == library {
			got[tr.verdict()] = append(got[tr.verdict()], tr)
		}
	}
	refused := got[refusedAtLoad]
	meaningful := slices.ContainsFunc(refused, func(tr *trial) bool { return !tr.invalid })
	if len(refused) > 0 && !meaningful && len(got[inSilence])+len(got[byName])+len(got[finding]) == 0 {
		return string(inexpressible)
	}
	var texts []string
	for _, v := range verdicts {
		if len(got[v.verdict]) == 0 || v.verdict == notReadable && len(got) > 1 {
			continue
		}
		text := string(v.verdict)
		if !slices.ContainsFunc(got[v.verdict], func(tr *trial) bool { return !tr.function }) {
			text += " (by a function)"
		}
		texts = append(texts, text)
	}
	if len(texts) == 0 {
		t.Errorf("%s has no configuration of the class %s", library, c.name)
	}
	return strings.Join(texts, "; ")
}

// version returns the version of a module that the tests are built with. A test's own build information does not have it.
func version(t *testing.T, module string) string {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), "go", "list", "-m", "-f", "{{.Version}}", module).Output()
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimSpace(string(out))
}
