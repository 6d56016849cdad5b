package fromgo

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

// source returns a Go file that imports all libraries and has these lines in a function.
func source(lines string) string {
	return `package main

import (
	"cmp"
	"net/http"
	"os"
	"slices"
	"strings"
	"time"

	connectcors "connectrpc.com/cors"
	gin "github.com/gin-contrib/cors"
	chi "github.com/go-chi/cors"
	"github.com/gorilla/handlers/v2"
	jub0bs "github.com/jub0bs/cors"
	"github.com/rs/cors"
)

const domain = "example.com"

var global = []string{"https://a." + domain}

var changed = []string{"https://a.example.com"}

func init() { changed[0] = "https://b.example.com" }

func main(parameter []string) {
	` + lines + `
}

var noValue []string

func named() (o cors.Options) {
	defer func() { o.AllowedOrigins = load() }()
	return cors.Options{AllowedOrigins: global}
}

func (s *server) change(list []string) {}

func options() cors.Options { return cors.Options{AllowedOrigins: global} }
`
}

// policyOf returns the policy for the first configuration of these lines, without its comments.
func policyOf(t *testing.T, lines string) (string, []Change) {
	t.Helper()
	f, err := Read("main.go", []byte(source(lines)))
	if err != nil {
		t.Fatal(err)
	}
	p, err := f.Configurations[0].Policy()
	if err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	for line := range strings.Lines(string(p.Text)) {
		if line, _, _ = strings.Cut(strings.TrimSpace(line), " # "); !strings.HasPrefix(line, "#") {
			b.WriteString(line + "\n")
		}
	}
	return b.String(), p.Changes
}

// TestValues: the ways to write a value that is known, and some that are not.
func TestValues(t *testing.T) {
	t.Parallel()
	const known, left = "- https://a.example.com", "disabled: true"
	for origins, want := range map[string]string{
		`[]string{"https://a.example.com"}`:              known,
		`[]string{("https://a." + domain)}`:              known,
		"[]string{`https://a.example.com`}":              known,
		`[...]string{"https://a.example.com"}`:           known,
		`global`:                                         known,
		`(global)`:                                       known,
		`append([]string{}, global...)`:                  known,
		`append([]string(nil), "https://a.example.com")`: known,
		`slices.Concat(global, nil)`:                     known,
		`strings.Split("https://a.example.com,https://b.example.com", ",")`:           known,
		`[]string{strings.TrimSpace(" https://a.example.com ")}`:                      known,
		`[]string{os.Getenv("WEB")}`:                                                  `- "${WEB}"`,
		`strings.Split(os.Getenv("WEB"), ",")`:                                        `- "${WEB}"`,
		`[]string{cmp.Or(os.Getenv("WEB"), "https://a.example.com")}`:                 `- "${WEB:-https://a.example.com}"`,
		`[]string{cmp.Or(os.Getenv("WEB"), "http://plain.example.com")}`:              `- "${WEB}"`,
		`[]string{os.Getenv("not a name")}`:                                           left,
		`changed`:                                                                     left,
		`parameter`:                                                                   left,
		`parameter[1:]`:                                                               left,
		`elsewhere.Origins`:                                                           left,
		`elsewhere.Origins()`:                                                         left,
		`strings.Split(os.Getenv("WEB"), ";")`:                                        left,
		`[]string{0: "https://a.example.com"}`:                                        left,
		`[]string{string(parameter[0])}`:                                              left,
		`[]string{"https://a.example.com" + os.Getenv("WEB")}`:                        left,
		`func() []string { return global }()`:                                         left,
		`[]string{"a\x00b", "\u202e", "https://a.example.com\n# x", "*.` + "`" + `"}`: left,
	} {
		for _, form := range []string{
			"cors.New(cors.Options{AllowedOrigins: %s})",
			"chi.Handler(chi.Options{AllowedOrigins: %s})",
			"handlers.CORS(handlers.AllowedOrigins(%s))",
			"o := cors.Options{}\n o.AllowedOrigins = %s\n cors.New(o)",
			"var o cors.Options\n o.AllowedOrigins = %s\n use(o)",
			"list := %s\n cors.New(cors.Options{AllowedOrigins: list})",
		} {
			got, _ := policyOf(t, fmt.Sprintf(form, origins))
			if !strings.Contains(got, want+"\n") || want != left && strings.Contains(got, left) {
				t.Errorf("%s with %s:\n%s", form, origins, got)
			}
		}
	}
}

// TestAdded: a statement that does not always run and only adds items leaves those before it, and the added ones are named.
func TestAdded(t *testing.T) {
	t.Parallel()
	const o, use = `o := []string{"https://a.example.com"}; `, `; cors.New(cors.Options{AllowedOrigins: o})`
	const c, useC = `c := gin.DefaultConfig(); c.AllowOrigins = []string{"https://a.example.com"}; `, `; gin.New(c)`
	const b = `"https://b.example.com"`
	for lines, known := range map[string]bool{
		o + `if parameter == nil { o = append(o, ` + b + `) }` + use:                                                     true,
		o + `for range parameter { o = append(o, ` + b + `) }` + use:                                                     true,
		o + `switch { case parameter == nil: o = append(o, ` + b + `) }` + use:                                           true,
		c + `if parameter == nil { c.AllowOrigins = append(c.AllowOrigins, ` + b + `) }` + useC:                          true,
		o + `add := func() { o = append(o, ` + b + `) }; add()` + use:                                                    false,
		o + `if parameter == nil { o = append(parameter, ` + b + `) }` + use:                                             false,
		o + `if parameter == nil { o = append(o[:0], ` + b + `) }` + use:                                                 false,
		o + `if parameter == nil { o = append([]string{}, ` + b + `) }` + use:                                            false,
		o + `for range parameter { cors.New(cors.Options{AllowedOrigins: o}); o = append(o, ` + b + `) }`:                false,
		c + `d := c; if parameter == nil { c.AllowOrigins = append(d.AllowOrigins, ` + b + `) }` + useC:                  false,
		c + `if parameter == nil { c.AllowOrigins = append(c.AllowHeaders, ` + b + `) }` + useC:                          false,
		`o := parameter; if parameter == nil { o = append(o, ` + b + `) }` + use:                                         false,
		`var o []string; if parameter == nil { o = append(o, ` + b + `) }; o = append(o, "https://a.example.com")` + use: true,
	} {
		got, changes := policyOf(t, lines)
		named := slices.ContainsFunc(changes, func(c Change) bool {
			return c.Kind == UnknownValue && strings.Contains(c.Message, `has "https://b.example.com", which is not always added, and the policy leaves it out. Write`)
		})
		if named != known || strings.Contains(got, "a.example.com") != known || strings.Contains(got, "disabled") == known || strings.Contains(got, "b.example.com") {
			t.Errorf("%s: %s\n%+v", lines, got, changes)
		}
	}
	got, changes := policyOf(t, c+`if parameter == nil { c.AddAllowHeaders("X-B") }; c.AddAllowHeaders("X-A")`+useC)
	if !strings.Contains(got, "allow_headers: [x-a]") || !slices.ContainsFunc(changes, func(c Change) bool { return c.Kind == UnknownValue && c.Setting == "AllowHeaders" }) {
		t.Errorf("%s\n%+v", got, changes)
	}
}

// TestUnknownUse: a configuration that no call takes as it is written is said to be one.
func TestUnknownUse(t *testing.T) {
	t.Parallel()
	const literal = `cors.Options{AllowedOrigins: []string{"*"}}`
	for lines, want := range map[string]string{
		"cors.New(" + literal + ")":                                            "",
		"o := &" + literal + "; cors.New(*o)":                                  "",
		"use(" + literal + ")":                                                 "No call in this file gives cors.Options to the library as it is written here. If other code changes it, the server may grant something else: compare the policy with that code.",
		"s.o = " + literal + "; s.o.AllowedOrigins = parameter; cors.New(s.o)": "as it is written here, and cors.New in line 28 gets s.o, which is not written in this file. If",
		"cors.New(named())":                                                    "gets named(), the result of a call. If",
		"cors.New(change(" + literal + "))":                                    "gets change(cors.Options{AllowedOrigins: []string{\"*\"}}), the result of a call. If",
		"use(gin.Config{AllowAllOrigins: true}); cors.New(other)":              "gin.Config to the library as it is written here. If",
	} {
		_, changes := policyOf(t, lines)
		i := slices.IndexFunc(changes, func(c Change) bool { return c.Kind == UnknownUse })
		if (i >= 0) != (want != "") || i >= 0 && (!strings.Contains(changes[i].Message, want) || changes[i].Effect != Wider || changes[i].Line != 28 && lines != "cors.New(named())") {
			t.Errorf("%s: %+v", lines, changes)
		}
	}
}

// TestPlaces: places are lines of the file itself, and the name of the file stays in its comment.
func TestPlaces(t *testing.T) {
	t.Parallel()
	const text = "package a\nimport `github.com/rs/cors`\n//line b.go:70\nvar c = cors.New(cors.Options{AllowedOrigins: []string{`https://a.example`}})\n"
	f, err := Read("a\n  disabled: true\u0085.go", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	p, err := f.Configurations[0].Policy()
	if err != nil || f.Configurations[0].Line != 4 {
		t.Fatal(err, f.Configurations[0].Line)
	}
	if want := `    - https://a.example # a\n  disabled: true\u0085.go:4` + "\n"; !strings.Contains(string(p.Text), want) {
		t.Errorf("%s\ndoes not have %s", p.Text, want)
	}
	for text, want := range map[string]string{
		"package a\nimport `github.com/jub0bs/cors`\n//line b.go:70\nvar c, err = cors.NewMiddleware(cors.Config{})": "a.go: github.com/jub0bs/cors does not accept",
		"package a\n//line b.go:70\nfunc {": "a.go:3:6: the file is not Go",
	} {
		f, err := Read("a.go", []byte(text))
		if err == nil {
			_, err = f.Configurations[0].Policy()
		}
		if err == nil || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("%q: %v", text, err)
		}
	}
}

// TestEndless: values that refer to each other, or grow, end.
func TestEndless(t *testing.T) {
	t.Parallel()
	for name, text := range map[string]string{
		"variables":     "var a, b = b, a\n",
		"functions":     "func a() []string { return b() }\nfunc b() []string { return a() }\n",
		"growth":        "var a = a0\nconst a0 = \"x\" + a1 + a1\nconst a1 = a2 + a2\nconst a2 = a3 + a3\nconst a3 = a4 + a4\nconst a4 = a5 + a5\nconst a5 = a0 + a0\n",
		"concatenation": "var a = \"\"" + strings.Repeat(` + "x"`, 50_000) + "\n",
		"parentheses":   "var a = " + strings.Repeat("(", 5000) + "1" + strings.Repeat(")", 5000) + "\n",
		"lists":         "var a = append(b, b...)\nvar b = append(c, c...)\nvar c = append(a, a...)\n",
	} {
		_, _, isCall := strings.Cut(text, "func a()")
		use := "a"
		if isCall {
			use = "a()"
		}
		f, err := Read("main.go", []byte("package main\nimport \"github.com/rs/cors\"\n"+text+"var x = cors.New(cors.Options{AllowedOrigins: "+use+"})\n"))
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if p, err := f.Configurations[0].Policy(); err != nil || !strings.Contains(string(p.Text), "disabled: true") {
			t.Errorf("%s: %v %s", name, err, p.Text)
		}
	}
}

// TestErrors: a file without a configuration that can be read.
func TestErrors(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"":                             "x.go:1:1: the file is not Go: expected 'package', found 'EOF'",
		"package a\nfunc {":            "x.go:2:6: the file is not Go: expected 'IDENT', found '{'",
		"package a":                    "x.go: the file imports nothing, and none of the known CORS libraries: github.com/rs/cors, github.com/jub0bs/cors, github.com/gorilla/handlers, github.com/go-chi/cors, github.com/gin-contrib/cors",
		"package a\nimport `net/http`": "which are github.com/rs/cors, github.com/jub0bs/cors, github.com/gorilla/handlers, github.com/go-chi/cors, github.com/gin-contrib/cors: its imports are net/http",
		"package a\nimport _ `github.com/rs/cors`":                                                                                "none of the known CORS libraries",
		"package a\nimport . `github.com/rs/cors`":                                                                                "the import of github.com/rs/cors has a dot in place of a name, so it is not known which names are its own: give it a name",
		"package a\nimport `github.com/rs/cors`":                                                                                  "x.go imports github.com/rs/cors, and does not configure it: name the file in which the configuration is written",
		"package a\nimport c `github.com/rs/cors`\nfunc f(o c.Options) { c.New(o) }":                                              "x.go:3: c.New gets o, a parameter: name the file in which the values of the configuration are written",
		"package a\nimport `github.com/rs/cors`\nfunc f(cors x) { cors.New(cors.Options{}) }":                                     "does not configure it",
		"package a\nimport `github.com/gorilla/handlers`\nfunc f(o handlers.CORSOption) { handlers.CORS(handlers.MaxAge(1), o) }": "handlers.CORS gets o, a parameter",
		"package a\nimport `github.com/rs/cors`\nvar c = cors.New(cors.Options{nil})":                                             "cors.New gets cors.Options, whose values have no names",
		"package a\nimport `github.com/rs/cors`\nvar c = cors.New(other.Options{})":                                               "cors.New gets other.Options, a value of another type",
	} {
		_, err := Read("x.go", []byte(text))
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %s", text, err, want)
		}
	}
}

// TestRefused: a configuration that the library itself does not accept has no policy.
func TestRefused(t *testing.T) {
	t.Parallel()
	for lines, want := range map[string]string{
		`gin.New(gin.Config{})`: "github.com/gin-contrib/cors does not accept a configuration that allows no origin: write AllowOrigins, so a server with this configuration does not start: correct it first",
		`gin.New(gin.Config{AllowOrigins: []string{"example.com"}})`:                                                                        `main.go:28: github.com/gin-contrib/cors does not accept the origin "example.com", which has none of the schemes http://, https://`,
		`gin.New(gin.Config{AllowOrigins: []string{"moz-extension://a"}})`:                                                                  `"moz-extension://a"`,
		`gin.New(gin.Config{AllowOrigins: []string{"/^a/"}})`:                                                                               `"/^a/"`,
		`gin.New(gin.Config{AllowAllOrigins: true, AllowOrigins: []string{"https://a.example"}})`:                                           "AllowAllOrigins together with AllowOrigins",
		`gin.New(gin.Config{AllowWildcard: true, AllowOrigins: []string{"https://*.*.example"}})`:                                           "more than one *",
		`gin.New(gin.Config{AllowOrigins: []string{"*"}, AllowHeaders: []string{"X A"}})`:                                                   `sends a list of names with "X A"`,
		`gin.New(gin.Config{AllowOrigins: []string{"*"}, AllowMethods: []string{"G(T"}})`:                                                   `sends a list of names with "G(T"`,
		`jub0bs.NewMiddleware(jub0bs.Config{})`:                                                                                             "without Origins",
		`jub0bs.NewMiddleware(jub0bs.Config{Origins: []string{"*"}, Credentialed: true})`:                                                   "together with Credentialed",
		`jub0bs.NewMiddleware(jub0bs.Config{Origins: []string{"null"}})`:                                                                    "is prohibited",
		`jub0bs.NewMiddleware(jub0bs.Config{Origins: []string{"https://a.example/"}})`:                                                      "is not an origin",
		`jub0bs.NewMiddleware(jub0bs.Config{Origins: []string{"https://a-*.example.com"}})`:                                                 "star in another place",
		`jub0bs.NewMiddleware(jub0bs.Config{Origins: []string{"https://a.example:443"}})`:                                                   "default port",
		`jub0bs.NewMiddleware(jub0bs.Config{Origins: []string{"http://a.example"}, Credentialed: true})`:                                    "is insecure",
		`jub0bs.NewMiddleware(jub0bs.Config{Origins: []string{"https://*.github.io"}, Credentialed: true})`:                                 "public suffix",
		`jub0bs.NewMiddleware(jub0bs.Config{Origins: global, RequestHeaders: []string{"Cookie"}})`:                                          `the request header "Cookie"`,
		`jub0bs.NewMiddleware(jub0bs.Config{Origins: global, ResponseHeaders: []string{"Set-Cookie"}})`:                                     `the response header "Set-Cookie"`,
		`jub0bs.NewMiddleware(jub0bs.Config{Origins: global, Methods: []string{"CONNECT"}})`:                                                `the method "CONNECT"`,
		`jub0bs.NewMiddleware(jub0bs.Config{Origins: []string{"http://b.example"}, Credentialed: true, ExtraConfig: jub0bs.ExtraConfig{}})`: "is insecure",
		`jub0bs.NewMiddleware(jub0bs.Config{Origins: global, MaxAgeInSeconds: 86401})`:                                                      "the maximum age 86401",
		`jub0bs.NewMiddleware(jub0bs.Config{Origins: global, Credentialed: true, ResponseHeaders: []string{"*"}})`:                          `the response header "*"`,
	} {
		f, err := Read("main.go", []byte(source(lines)))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := f.Configurations[0].Policy(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", lines, err)
		}
	}
}

// TestAccepted: a configuration that the library may accept has a policy.
func TestAccepted(t *testing.T) {
	t.Parallel()
	for _, more := range []string{
		"DangerouslyTolerateInsecureOrigins: true", "DangerouslyTolerateInsecureOrigins: parameter != nil", "ExtraConfig: jub0bs.ExtraConfig{DangerouslyTolerateInsecureOrigins: true}", "ExtraConfig: elsewhere.Extra",
	} {
		_, changes := policyOf(t, `jub0bs.NewMiddleware(jub0bs.Config{Origins: []string{"http://a.example"}, Credentialed: true, `+more+`})`)
		if !slices.ContainsFunc(changes, func(c Change) bool { return c.Kind == OriginRisk }) {
			t.Errorf("%s: %+v", more, changes)
		}
	}
}

// TestOthers: a policy says which configurations of the file it does not have.
func TestOthers(t *testing.T) {
	t.Parallel()
	for lines, want := range map[string]string{
		"cors.Default()": "",
		"if parameter == nil { cors.AllowAll() } else {\n cors.New(cors.Options{AllowedOrigins: nil}) }": "cors.New at main.go:5. Make sure",
		"cors.Default()\n" + strings.Repeat("cors.AllowAll()\n", 7):                                      "cors.AllowAll at main.go:9 and 2 more. Make sure",
	} {
		f, err := Read("main.go", []byte("package main\nimport `github.com/rs/cors`\nfunc f() {\n"+lines+"\n}"))
		if err != nil {
			t.Fatal(err)
		}
		p, err := f.Configurations[0].Policy()
		if err != nil {
			t.Fatal(err)
		}
		text := strings.ReplaceAll(string(p.Text), "\n# ", " ")
		if strings.Contains(text, "other configurations") != (want != "") || !strings.Contains(text, want) {
			t.Errorf("%s:\n%s", lines, p.Text)
		}
	}
}

// TestAt: a line chooses a configuration.
func TestAt(t *testing.T) {
	t.Parallel()
	f, err := Read("main.go", []byte(source("cors.Default()\n\n cors.New(cors.Options{\n AllowedOrigins: nil,\n })\n c := gin.DefaultConfig()\n c.AllowOrigins = global\n gin.New(c)\n")))
	if err != nil {
		t.Fatal(err)
	}
	begin := f.Configurations[0].Line
	for offset, want := range map[int]int{0: 0, 2: 1, 3: 1, 4: 1, 7: 2, 1: -1, 8: -1} {
		c, err := f.At(begin + offset)
		switch {
		case want < 0 && (err == nil || !strings.Contains(err.Error(), fmt.Sprintf("write main.go:%d or main.go:%d or main.go:%d", begin, begin+2, begin+7))):
			t.Errorf("line +%d: %v", offset, err)
		case want >= 0 && c != f.Configurations[want]:
			t.Errorf("line +%d: %+v, %v", offset, c, err)
		}
	}
}

// FuzzRead: no file makes the program crash, and every policy has one line for each comment.
func FuzzRead(f *testing.F) {
	f.Add(source(`cors.New(cors.Options{AllowedOrigins: []string{"https://*.example.com", os.Getenv("A")}})`))
	f.Add(source(`handlers.CORS(handlers.AllowedHeaders(nil), handlers.AllowedMethods(), handlers.MaxAge("x"))`))
	f.Add(source(`c := gin.DefaultConfig(); c.AllowOriginFunc = func(o string) bool { return true }; gin.New(c)`))
	f.Add(source(`jub0bs.NewMiddleware(jub0bs.Config{Origins: global, RequestHeaders: []string{"*"}})`))
	f.Add(source(`cors.New(cors.Options{AllowedOrigins: {}, AllowedHeaders: {{}}})`))
	f.Add("package a\nimport `github.com/rs/cors`\nvar x = cors.New(&x)\nvar cors = 1")
	f.Fuzz(func(t *testing.T, text string) {
		file, err := Read("a.go", []byte(text))
		if err != nil {
			return
		}
		for _, c := range file.Configurations {
			p, err := c.Policy()
			if err != nil {
				continue
			}
			for line := range strings.Lines(string(p.Text)) {
				line = strings.TrimSpace(line)
				first, _, _ := strings.Cut(line, " ")
				switch strings.TrimSuffix(first, ":") {
				case "#", "-", "defaults", "disabled", "allow_origins", "allow_credentials", "allow_headers", "expose", "expose_headers", "max_age":
				default:
					t.Errorf("the line %q of\n%s", line, p.Text)
				}
			}
		}
	})
}
