package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"gopkg.in/yaml.v3"
)

// examples has for each rule texts that break it and texts that do not. Each pattern of a rule
// needs a text that breaks it.
var examples = map[string]struct{ bad, good []string }{
	"Subject": {
		bad: []string{
			"What a policy permits is sent.",
			"what the browser sent in the request",
			"Whatever the policy permits is sent.",
			"Whoever reads the list can change it.",
			"Who reads the list can change it.",
			"Whichever comes first wins.",
			"Where a header is missing, the request is refused.",
			"That which is missing is refused.",
		},
		good: []string{
			"The policy permits what the table lists.",
			"What does a script read?",
			"Where does the header come from?",
			"A request without the header is refused.",
		},
	},
	"Order": {
		bad: []string{
			"Nor does it send a header.",
			"Never is the header sent.",
			"Only then is the header sent.",
			"So does the server.",
		},
		good: []string{
			"It does not send a header either.",
			"The header is never sent.",
			"The header is sent only then.",
			"Only the server sends it.",
			"So the server does the same.",
		},
	},
	"IsNo": {
		bad: []string{
			"The value is no origin.",
			"These are no valid names.",
			`the value is no "origin"`,
			"A plan that is none has no effect.",
		},
		good: []string{
			"The value is not a valid origin.",
			"There is no origin.",
			"There are no names.",
			"The origin is no longer in the list.",
			"The value is no more than the limit.",
		},
	},
	"Phrases": {
		bad: []string{
			"It sends that which is missing.",
			"It refuses more of the same.",
			"It is a request of the same origin.",
			"It is nothing but a list.",
			"It is none but the first.",
			"It returns the name; nil for none.",
			"It is lost for good.",
			"It keeps the one before.",
			"A field says so.",
			"It is copied so that no reader waits, so that no write is lost.",
			"It needs a mention of the header.",
			"It copies the list lest it change.",
			"It has a name, whence the rule comes.",
			"It has a list and the end thereof.",
			"It is hitherto unknown.",
			"It is an error, albeit a small one.",
			"It reads headers, e.g. Origin.",
			"It reads one header, i.e. Origin.",
		},
		good: []string{
			"It sends the header that is missing.",
			"It suppresses similar refusals.",
			"It reads two fields of the same rule.",
			"It returns the name, nil if there is none.",
			"It is copied so that no reader waits.",
			"For good reasons it keeps the previous one.",
			"Errors mention the header.",
			"It reads headers, for example Origin.",
		},
	},
	"Metaphors": {
		bad: []string{
			"The path leads to a procedure.",
			"Nobody reads it.",
			"A stranger can cause it.",
			"The package knows nothing of policies.",
			"The buffer has room for one more.",
		},
		good: []string{
			"The path resolves to a procedure.",
			"No goroutine reads it. It runs as nobody with http.NoBody.",
			"Two readings lead to different answers.",
			"An unauthenticated client can cause it.",
			"The package imports no policies.",
			"The buffer holds 64 values.",
		},
	},
	"HasDo": {
		bad: []string{
			"WithExplain has every refused preflight say why.",
			"It has the server send a header.",
		},
		good: []string{
			"WithExplain adds the reason to refused preflights.",
			"It makes the server send a header.",
			"It has the right to read.",
		},
	},
	"Level": {
		bad: []string{
			"The layers of a policy are put together.",
			"It is a layer of the policy.",
			"A policy's layer wins.",
		},
		good: []string{
			"The levels of a policy are put together.",
			"A layer of a policy without rules refuses requests.",
			"The policy of the layer changes.",
		},
	},
	"Terms": {
		bad: []string{
			"It speaks gRPC-web.",
			"It speaks GRPC.",
			"It answers a pre-flight.",
			"It is a cross origin request.",
			"It is a same origin request.",
			"The header is safe-listed.",
			"It is in the whitelist.",
			"It is in the blacklist.",
			"It reads the origin header.",
			"It sends a vary header.",
			"It sends Access-control-allow-origin.",
			"It opens a Websocket.",
			"It runs Javascript.",
			"It compiles Typescript.",
			"It is on Github.",
			"It is written in golang.",
			"It is in RFC9110.",
			"It is a sub-domain.",
			"It is a wild card.",
			"It is in protocol buffers.",
		},
		good: []string{
			"It speaks gRPC-Web, gRPC and Connect, and reads X-Grpc-Web and GRPC-Status.",
			"It answers a preflight.",
			"It is a cross-origin request.",
			"It is a same-origin request to the same origin.",
			"The field name is CORS-safelisted.",
			"It reads the Origin header and sends Vary and Access-Control-Allow-Origin.",
			"It opens a WebSocket, runs JavaScript and compiles TypeScript.",
			"It imports golang.org/x/net from github.com.",
			"It is in RFC 9110, for subdomains and wildcards in protobuf.",
		},
	},
	"Weasel": {
		bad: []string{
			"It is very fast.", "It is quite fast.", "It simply works.", "It is easily done.", "It is obviously right.",
			"Of course it works.", "It basically works.", "It actually works.", "It really works.", "It is somewhat slow.", "It is extremely slow.",
		},
		good: []string{"It takes 3 µs."},
	},
	"SentenceLength": {
		bad:  []string{strings.Repeat("word ", 40) + "end."},
		good: []string{strings.Repeat("word ", 39) + "end. " + strings.Repeat("word ", 39) + "end."},
	},
}

// TestRules checks that vale finds the bad examples and not the good ones, in comments of Go and
// in paragraphs of Markdown with a line break at each space.
func TestRules(t *testing.T) {
	vale := buildVale(t)
	rules := readRules(t)
	for name := range examples {
		if rules[name] == nil {
			t.Errorf("examples of a rule that does not exist: %s", name)
		}
	}
	root := t.TempDir()
	styles, err := filepath.Abs("styles")
	if err != nil {
		t.Fatal(err)
	}
	writeFile(t, filepath.Join(root, ".vale.ini"), "StylesPath = "+styles+"\n[*]\nBasedOnStyles = corsrpc\n")
	for name := range rules {
		t.Run(name, func(t *testing.T) {
			texts := examples[name]
			if len(texts.bad) == 0 || len(texts.good) == 0 {
				t.Fatal("a rule needs examples that break it and examples that do not")
			}
			var paths []string
			broken := map[string]string{}
			for i, text := range append(texts.bad, texts.good...) {
				for ext, content := range map[string]string{
					".go": "package p\n\n// " + text + "\nvar V int\n",
					".md": strings.ReplaceAll(text, " ", "\n") + "\n",
				} {
					path := fmt.Sprint(name, i, ext)
					writeFile(t, filepath.Join(root, path), content)
					paths = append(paths, path)
					if i < len(texts.bad) {
						broken[path] = text
					}
				}
			}
			findings, err := check(vale, root, paths)
			if err != nil {
				t.Fatal(err)
			}
			found := map[string]bool{}
			for _, f := range findings {
				if f.rule == "corsrpc."+name {
					found[f.path] = true
				}
			}
			for _, path := range paths {
				if text := broken[path]; (text != "") != found[path] {
					t.Errorf("%s: found: %t, to be found: %t (%s)", path, found[path], text != "", text)
				}
			}
		})
	}
}

// TestPatterns checks that each pattern of a rule alone finds one of the rule's bad examples: a
// misspelt pattern would find nothing and would not be missed.
func TestPatterns(t *testing.T) {
	vale := buildVale(t)
	root := t.TempDir()
	writeFile(t, filepath.Join(root, ".vale.ini"), "StylesPath = styles\n[*]\nBasedOnStyles = one\n")
	var paths []string
	patterns := map[string]string{} // by the name of a rule of one pattern
	for name, rule := range readRules(t) {
		for i, single := range onePatternRules(rule) {
			text, err := yaml.Marshal(single.rule)
			if err != nil {
				t.Fatal(err)
			}
			id := fmt.Sprint(name, i)
			patterns["one."+id] = single.pattern
			writeFile(t, filepath.Join(root, "styles", "one", id+".yml"), string(text))
		}
		path := name + ".md"
		writeFile(t, filepath.Join(root, path), strings.Join(examples[name].bad, "\n\n")+"\n")
		paths = append(paths, path)
	}
	findings, err := check(vale, root, paths)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range findings {
		if strings.HasPrefix(f.rule, "one."+strings.TrimSuffix(f.path, ".md")) {
			delete(patterns, f.rule)
		}
	}
	for id, pattern := range patterns {
		t.Errorf("%s: no bad example of the rule has this pattern: %s", id, pattern)
	}
}

type rule map[string]any

type onePatternRule struct {
	pattern string
	rule    rule
}

// onePatternRules returns a rule's patterns, each as a rule that has no other.
func onePatternRules(whole rule) []onePatternRule {
	var single []onePatternRule
	with := func(pattern, key string, value any) {
		one := rule{}
		for k, v := range whole {
			one[k] = v
		}
		one[key] = value
		single = append(single, onePatternRule{pattern, one})
	}
	tokens, _ := whole["tokens"].([]any)
	for _, token := range tokens {
		with(token.(string), "tokens", []any{token})
	}
	swap, _ := whole["swap"].(rule)
	for pattern, better := range swap {
		with(pattern, "swap", rule{pattern: better})
	}
	if len(single) == 0 {
		with("all of it", "level", "error")
	}
	return single
}

// readRules returns the rules by name.
func readRules(t *testing.T) map[string]rule {
	t.Helper()
	paths, err := filepath.Glob("styles/corsrpc/*.yml")
	if err != nil || len(paths) == 0 {
		t.Fatalf("no rules: %v", err)
	}
	rules := map[string]rule{}
	for _, path := range paths {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		var r rule
		if err := yaml.Unmarshal(text, &r); err != nil {
			t.Fatalf("%s: %v", path, err)
		}
		if !strings.HasPrefix(string(text), "# ") {
			t.Errorf("%s: a rule begins with the reason for it", path)
		}
		rules[strings.TrimSuffix(filepath.Base(path), ".yml")] = r
	}
	return rules
}

func buildVale(t *testing.T) string {
	t.Helper()
	vale, err := valePath()
	if err != nil {
		t.Fatal(err)
	}
	return vale
}

func writeFile(t *testing.T, path, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// TestHeadings checks that headings and cells of tables may begin with What.
func TestHeadings(t *testing.T) {
	root := t.TempDir()
	styles, err := filepath.Abs("styles")
	if err != nil {
		t.Fatal(err)
	}
	writeFile(t, filepath.Join(root, ".vale.ini"), "StylesPath = "+styles+"\n[*]\nBasedOnStyles = corsrpc\n")
	writeFile(t, filepath.Join(root, "a.md"), "# What importers need to know\n\n| What to do here | b |\n| --- | --- |\n| what it is | two |\n")
	findings, err := check(buildVale(t), root, []string{"a.md"})
	if err != nil || len(findings) > 0 {
		t.Errorf("%v, %v", findings, err)
	}
}
