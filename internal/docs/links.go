package docs

import (
	"net/url"
	"path"
	"regexp"
	"strings"
)

var lineAnchorRE = regexp.MustCompile(`^L\d+`)

// checkLinks returns the links and images of a page that do not resolve: to a
// file, folder or heading that does not exist, or by an address that is not a
// complete https URL. It does not fetch addresses. A link to a line is refused,
// because the next change moves the line.
func checkLinks(t *tree, p *page) (problems []problem) {
	for _, l := range p.links {
		if why := t.resolve(p, l.to); why != "" {
			problems = append(problems, problem{p.path, l.line, why})
		}
	}
	return problems
}

func (t *tree) resolve(p *page, to string) string {
	u, err := url.Parse(to)
	switch {
	case err != nil || to == "":
		return "the link " + to + " is not a URL"
	case u.Scheme == "https" && u.Host != "" && !strings.HasPrefix(to, "https://github.com/corsrpc/corsrpc-go/blob/"):
		return ""
	case u.Scheme == "https" && u.Host != "":
		return "the link " + to + " names a file of this repository by its address: write a relative link"
	case u.Scheme != "" || u.Host != "":
		return "the link " + to + " is neither relative nor an https URL"
	case strings.HasPrefix(u.Path, "/"):
		return "the link " + to + " begins at the root of the site: write it relative to the page"
	case lineAnchorRE.MatchString(u.Fragment):
		return "the link " + to + " names a line: link the file, and name the function"
	}
	target := p
	if u.Path != "" {
		name := p.beside(u.Path)
		switch {
		case !t.files[name] && !t.dirs[name]:
			return "the link " + to + " does not resolve: there is no " + name
		case u.Fragment == "":
			return ""
		case path.Ext(name) != ".md":
			return "the link " + to + " has a fragment, and " + name + " is not a page"
		}
		target = parse(name, []byte(t.text(name)))
	}
	if u.Fragment != "" && !target.anchors[u.Fragment] {
		return "the link " + to + " does not resolve: " + target.path + " has no heading #" + u.Fragment
	}
	return ""
}

var (
	commentRE = regexp.MustCompile(`(?m)^[\t ]*(?://|#).*$`)
	mentionRE = regexp.MustCompile(`(?:^|[\s(\x60"'\[])((?:[\w.-]+/)*[\w-]+\.md(?:#[\w-]+)?)(?:$|[^\w.]|\.\W|\.$)`)
)

// checkMentions returns the Markdown files that comments of a source file name
// and that do not exist: beside the file, in a folder above it, or in the
// library's folder. A name without a folder may be that of any file, and NAME.md
// stands for any name.
func checkMentions(t *tree, file string) (problems []problem) {
	p := &page{path: file}
	source := t.text(file)
	for _, at := range commentRE.FindAllStringIndex(source, -1) {
		for _, m := range mentionRE.FindAllStringSubmatch(source[at[0]:at[1]], -1) {
			if !t.mentioned(p, m[1]) {
				line := 1 + strings.Count(source[:at[0]], "\n")
				problems = append(problems, problem{file, line, "the comment names " + m[1] + ", which does not exist"})
			}
		}
	}
	return problems
}

func (t *tree) mentioned(from *page, name string) bool {
	if path.Base(name) == "NAME.md" {
		return true
	}
	if !strings.ContainsAny(name, "/#") && len(t.matching(`(^|/)`+regexp.QuoteMeta(name)+`$`)) > 0 {
		return true
	}
	for dir := pathDir(from.path); ; dir = pathDir(dir) {
		for _, below := range []string{dir, path.Join(dir, "corsrpc")} {
			if t.resolve(&page{path: path.Join(below, "page.md")}, name) == "" {
				return true
			}
		}
		if dir == "." {
			return false
		}
	}
}
