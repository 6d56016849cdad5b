package fromgo

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

// TestVariables: what is known of a variable depends on the statements that change it.
func TestVariables(t *testing.T) {
	t.Parallel()
	for lines, want := range map[string]string{
		`o := []string{"https://a.example.com"}; o = append(o, "https://b.example.com"); cors.New(cors.Options{AllowedOrigins: o})`:                           "- https://b.example.com",
		`o := []string{"https://a.example.com"}; cors.New(cors.Options{AllowedOrigins: o}); o = nil`:                                                          "- https://a.example.com",
		`o := []string{"https://a.example.com"}; if http.Dir("") != "" { o = append(o, "https://b.example.com") }; cors.New(cors.Options{AllowedOrigins: o})`: "- https://a.example.com",
		`o := []string{"https://a.example.com"}; o[0] = "https://b.example.com"; cors.New(cors.Options{AllowedOrigins: o})`:                                   "disabled: true",
		`o := []string{"https://a.example.com"}; c := cors.Options{AllowedOrigins: o}; o[0] = "https://b.example.com"; cors.New(c)`:                           "disabled: true",
		`o := []string{"https://a.example.com"}; options(o); cors.New(cors.Options{AllowedOrigins: o})`:                                                       "disabled: true",
		`o := []string{"https://a.example.com"}; slices.Reverse(o); cors.New(cors.Options{AllowedOrigins: o})`:                                                "disabled: true",
		`o := []string{"https://a.example.com"}; copy(o, parameter); cors.New(cors.Options{AllowedOrigins: o})`:                                               "disabled: true",
		`o := []string{"https://a.example.com"}; log.Println(o); cors.New(cors.Options{AllowedOrigins: o})`:                                                   "- https://a.example.com",
		`o := cors.Options{AllowedOrigins: global}; elsewhere.Log(o); cors.New(o)`:                                                                            "- https://a.example.com",
		`o := []string{"https://a.example.com"}; change(&o); cors.New(cors.Options{AllowedOrigins: o})`:                                                       "disabled: true",
		`o := []string{"https://a.example.com"}; defer func() { cors.New(cors.Options{AllowedOrigins: o}) }(); o = nil`:                                       "disabled: true",
		`for _, o := range parameter { cors.New(cors.Options{AllowedOrigins: []string{o}}) }`:                                                                 "disabled: true",
		`o, err := load(); cors.New(cors.Options{AllowedOrigins: o})`:                                                                                         "disabled: true",
		`w := os.Getenv("WEB"); if w == "" { w = "https://a.example.com" }; cors.New(cors.Options{AllowedOrigins: []string{w}})`:                              `- "${WEB:-https://a.example.com}"`,
		`w := os.Getenv("WEB"); if w == "x" { w = "https://a.example.com" }; cors.New(cors.Options{AllowedOrigins: []string{w}})`:                             "disabled: true",
		`w := "https://a.example.com"; if w == "" { w = "https://b.example.com" }; cors.New(cors.Options{AllowedOrigins: []string{w}})`:                       "disabled: true",
		`{ global := parameter; cors.New(cors.Options{AllowedOrigins: global}) }`:                                                                             "disabled: true",
		`cors.New(options())`: "- https://a.example.com",
		`o := cors.Options{AllowedOrigins: global}; o.AllowCredentials = true; cors.New(o)`:                                         "allow_credentials: true",
		`o := cors.Options{AllowedOrigins: global}; if os.Args != nil { o.AllowedOrigins = nil }; cors.New(o)`:                      "disabled: true",
		`o := &cors.Options{AllowedOrigins: global}; o.MaxAge = 7; cors.New(*o)`:                                                    "max_age: 7s",
		`c := gin.DefaultConfig(); c.AllowOrigins = global; c.AddAllowHeaders("X-A"); c.AddAllowHeaders(parameter...); gin.New(c)`:  "allow_headers: [x-a]",
		`c := gin.DefaultConfig(); c.AllowOrigins = global; if c.AllowWildcard { c.AllowCredentials = true }; gin.New(c)`:           "allow_origins:\n- https://a.example.com\nexpose",
		`c := gin.Config{AllowOrigins: global, AllowCredentials: true, MaxAge: 90 * time.Second}; mount(c)`:                         "max_age: 90s",
		`h := append(connectcors.AllowedHeaders(), "X-A"); jub0bs.NewMiddleware(jub0bs.Config{Origins: global, RequestHeaders: h})`: "allow_headers: [x-a]",
		`a := handlers.AllowedOrigins(global); list := []handlers.CORSOption{a, handlers.MaxAge(3600)}; handlers.CORS(list...)`:     "max_age: 600s",
		`cors.New(cors.Options{AllowedOrigins: global, MaxAge: int((2 * time.Hour).Seconds())})`:                                    "max_age: 7200s",
		`cors.New(cors.Options{AllowedOrigins: global, MaxAge: 1/0})`:                                                               "max_age: 0s",
		`cors.New(cors.Options{AllowedOrigins: global, AllowOriginFunc: check})`:                                                    "disabled: true",
		`cors.New(cors.Options{AllowedOrigins: global, AllowedMethods: []string{"GET"}})`:                                           "disabled: true\nallow_origins:\n- https://a.example.com",
		`cors.New(cors.Options{AllowedOrigins: global, AllowedMethods: parameter})`:                                                 "disabled: true\nallow_origins:\n- https://a.example.com",
		`handlers.CORS(handlers.AllowedOriginValidator(check), handlers.AllowedOrigins(global))`:                                    "disabled: true",
		`gin.New(gin.Config{AllowOrigins: []string{"https://*.example.com"}})`:                                                      "disabled: true",
		`gin.New(gin.Config{AllowOrigins: []string{"https://*.example.com"}, AllowWildcard: elsewhere.Wildcard})`:                   "disabled: true",
		`cors.New(cors.Options{AllowedOrigins: []string{"*"}, AllowCredentials: true})`:                                             "allow_origins:\n- \"*\"\nallow_headers",
		`cors.New(cors.Options{AllowedOrigins: global, MaxAge: parameter})`:                                                         "max_age: 0s",
		`cors.New(cors.Options{AllowedOrigins: noValue})`:                                                                           "disabled: true",
		`var o []string; cors.New(cors.Options{AllowedOrigins: o})`:                                                                 "- \"*\"",
	} {
		if got, _ := policyOf(t, lines); !strings.Contains(got, want) {
			t.Errorf("%s:\n%s", lines, got)
		}
	}
}

// TestOrder: an assignment takes the values before it, and only what always runs is certain.
func TestOrder(t *testing.T) {
	t.Parallel()
	const a, use = `o := []string{"https://a.example.com"}; `, `; cors.New(cors.Options{AllowedOrigins: o})`
	appended := func(names ...string) string {
		var b strings.Builder
		for _, name := range names {
			fmt.Fprintf(&b, "o = append(o, \"https://%s.example.com\");", name)
		}
		return b.String()
	}
	for lines, want := range map[string]string{
		a + appended("b", "c") + use:                                                                                                        "a b c",
		a + appended(slices.Repeat([]string{"b"}, 60)...) + use:                                                                             "a b",
		a + `if parameter == nil { ` + appended("b") + ` }; ` + appended("c") + use:                                                         "a c",
		a + `if parameter == nil { ` + appended("b") + ` }; o = []string{"https://c.example.com"}` + use:                                    "c",
		a + `f := func() { o = parameter }; o = []string{"https://c.example.com"}; f()` + use:                                               "",
		a + `p := []string{"https://p.example.com"}; p, o = []string{"https://x.example.com"}, p` + use:                                     "p",
		a + `p := o; p[0] = "https://b.example.com"` + use:                                                                                  "",
		a + `var p = o[:1]; p[0] = "https://b.example.com"` + use:                                                                           "",
		a + `p := o; q := p; slices.Sort(q)` + use:                                                                                          "",
		a + `_ = append(o[:0], "https://b.example.com")` + use:                                                                              "",
		a + `c := cors.Options{AllowedOrigins: o}; c.AllowedOrigins[0] = "https://b.example.com"` + use:                                     "",
		a + `lists := [][]string{o}; lists[0][0] = "https://b.example.com"` + use:                                                           "",
		a + `func(p []string) { p[0] = "https://b.example.com" }(o)` + use:                                                                  "",
		a + `parameter.change(o)` + use:                                                                                                     "",
		a + `for i := 0; i < len(parameter); o = parameter { i++ }` + use:                                                                   "",
		a + `if parameter == nil { i++ } else if o = parameter; true { i++ }` + use:                                                         "",
		a + `if o = []string{"https://b.example.com"}; true { i++ }` + use:                                                                  "b",
		a + `again: cors.New(cors.Options{AllowedOrigins: o}); o = parameter; goto again`:                                                   "",
		`w := os.Getenv("WEB"); if parameter == nil { if w == "" { w = "https://a.example.com" } }; o := []string{w}` + use:                 "",
		`w := os.Getenv("WEB"); if parameter == nil { i++ } else if w == "" { w = "https://a.example.com" }; o := []string{w}` + use:        "",
		`c := cors.Options{}; c.AllowedOrigins = global; c.AllowedOrigins = append(c.AllowedOrigins, "https://b.example.com"); cors.New(c)`: "a b",
	} {
		got, _ := policyOf(t, lines)
		var names []string
		for line := range strings.Lines(got) {
			if name, ok := strings.CutPrefix(line, "- https://"); ok {
				name, _, _ = strings.Cut(name, ".")
				names = append(names, name)
			}
		}
		if strings.Join(names, " ") != want || strings.Contains(got, "disabled: true") != (want == "") || strings.Contains(got, "${") {
			t.Errorf("%s: %q, want %q\n%s", lines, names, want, got)
		}
	}
}

// TestPointers: a configuration whose address other code gets is not known, since that code may change it.
func TestPointers(t *testing.T) {
	t.Parallel()
	const literal = `cors.Options{AllowedOrigins: []string{"https://b.example.com"}}`
	for lines, known := range map[string]bool{
		"o := &" + literal + "; cors.New(*o)":                                                true,
		"o := &" + literal + "; elsewhere.Log(*o); cors.New(*o)":                             true,
		"o := &" + literal + "; elsewhere.Change(o); cors.New(*o)":                           false,
		"o := &" + literal + "; p := o; p.AllowedOrigins = parameter; cors.New(*o)":          false,
		"var o *cors.Options = &" + literal + "; elsewhere.Change(o); cors.New(*o)":          false,
		"o := " + literal + "; elsewhere.Change(&o); cors.New(o)":                            false,
		"o := &" + literal + "; var p = o; p.AllowedOrigins = parameter; cors.New(*o)":       false,
		"o := &" + literal + "; s := server{o: o}; s.change(); cors.New(*o)":                 false,
		"o := &" + literal + "; list := []any{o}; change(list); cors.New(*o)":                false,
		"o := &" + literal + "; channel <- o; cors.New(*o)":                                  false,
		"o := &" + literal + "; if o != nil { cors.New(*o); return o }":                      true,
		"o := " + literal + "; p := &o; p.AllowedOrigins = parameter; cors.New(o)":           false,
		"o := " + literal + "; func() { o.AllowedOrigins = parameter }(); cors.New(o)":       false,
		"o := " + literal + "; go func(p *cors.Options) { p.Debug = true }(&o); cors.New(o)": false,
	} {
		if got, _ := policyOf(t, lines); strings.Contains(got, "b.example.com") != known {
			t.Errorf("%s:\n%s", lines, got)
		}
	}
}
