package policyfile

import "regexp"

// foreignText returns the mistake of a text that is not a policy at all, or that a tool has
// left unfinished: an error page, a merge conflict, a template. It looks at the first limit
// bytes. Each pattern is one that no valid policy has outside of quotes and comments.
func foreignText(text []byte, limit int, patterns []foreignPattern) (mistake, bool) {
	first, found := mistake{}, false
	for _, p := range patterns {
		at := p.pattern.FindSubmatchIndex(text[:min(limit, len(text))])
		if at == nil || found && first.at <= at[2] {
			continue
		}
		first, found = mistake{at: at[2], value: string(text[at[2]:at[3]]), reason: p.reason, known: true}, true
	}
	return first, found
}

// foreignPattern is a pattern of a text that is not a policy. Its first group is the culprit.
type foreignPattern struct {
	pattern *regexp.Regexp
	reason  string
}

const (
	isTemplate = "is a placeholder of a template that is not filled in: run the template first, and load its output"
	// beforePlaceholder matches the part of a line before a placeholder that is neither in quotes nor in a comment.
	beforePlaceholder = `(?m)^(?:[^#"'\r\n]|"[^"\r\n]*"|'[^'\r\n]*')*?`
)

// foreignPatterns are for every text format.
var foreignPatterns = []foreignPattern{
	{regexp.MustCompile(`^\s*(<(?:!DOCTYPE|!doctype|html|HTML|\?xml)[^\n>]*>?)`), "is the beginning of an HTML or XML text, which is not a {policy}: check where the file comes from"},
	{regexp.MustCompile(`(?m)^(<{7}(?: [^\r\n]*)?|\|{7}(?: [^\r\n]*)?|={7}|>{7}(?: [^\r\n]*)?)\r?$`), "is a line of a merge conflict: keep one of the two versions, and remove the lines with <<<<<<<, ======= and >>>>>>>"},
	{regexp.MustCompile("(?m)^(```[^\\r\\n]*)"), "is a code fence of Markdown: remove the line"},
	{regexp.MustCompile(beforePlaceholder + `(\{%[^\r\n]*?%\}|<%[^\r\n]*?%>)`), isTemplate},
}

// yamlPatterns are for YAML texts.
var yamlPatterns = append([]foreignPattern{
	{regexp.MustCompile(beforePlaceholder + `(\{\{[^\r\n]*?\}\})`), isTemplate},
	{regexp.MustCompile(`(?m)^(\[\[?[A-Za-z_][A-Za-z0-9_.]*\]\]?)[ \t]*\r?\n[ \t]*[A-Za-z_]+[ \t]*=`), "begins a table of TOML, but a file with this extension is YAML: write {fields}, with the fields indented below"},
}, foreignPatterns...)

// jsonPatterns are for JSON texts.
var jsonPatterns = append([]foreignPattern{
	{regexp.MustCompile(beforePlaceholder + `(\{\{[^\r\n]*?\}\})`), isTemplate},
}, foreignPatterns...)
