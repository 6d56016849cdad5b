package e2e

import (
	"io"
	"log"
	"net/http"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/corsrpc/corsrpc-go/corsrpc"
	"github.com/corsrpc/corsrpc-go/internal/e2e/browser"
)

// failuresPage is the document that has the sentences.
const failuresPage = "../../corsrpc/docs/when-a-call-fails.md"

// failureSection is a section of the document, or the part before the first one.
type failureSection struct {
	sentences map[browser.Engine][]string // those of the browser's rows, without the ones that are marked as not read
	rows      map[string]string           // the rows of the other tables: the first column, and the whole row
}

// codeSpan matches a code span of Markdown: text in one backquote, or in two and with backquotes.
var codeSpan = regexp.MustCompile("``([^`]+(?:`[^`]+`[^`]*)*)``|`([^`]+)`")

// sentencesOf returns the code spans of several words.
func sentencesOf(text string) (spans []string) {
	for _, span := range codeSpan.FindAllStringSubmatch(text, -1) {
		if sentence := span[1] + span[2]; strings.Contains(sentence, " ") {
			spans = append(spans, sentence)
		}
	}
	return spans
}

// readFailuresPage returns the sections of the document by their headings. The part of the section "Find the sentence of the
// console" before the first heading below it has the sentences that surround others.
func readFailuresPage(t *testing.T) map[string]*failureSection {
	t.Helper()
	text, err := os.ReadFile(failuresPage)
	if err != nil {
		t.Fatal(err)
	}
	engines := map[string]browser.Engine{"Chromium": browser.Chromium, "Firefox": browser.Firefox, "Safari": browser.WebKit}
	sections := map[string]*failureSection{}
	var section *failureSection
	for line := range strings.Lines(string(text)) {
		if _, heading, ok := strings.Cut(line, "# "); ok && strings.HasPrefix(line, "#") {
			section = &failureSection{sentences: map[browser.Engine][]string{}, rows: map[string]string{}}
			sections[strings.TrimSpace(heading)] = section
			continue
		}
		if section == nil {
			continue
		}
		cells := strings.Split(strings.Trim(strings.TrimSpace(line), "|"), " | ")
		if !strings.HasPrefix(line, "|") || len(cells) < 2 {
			continue
		}
		first := strings.TrimSpace(cells[0])
		engine, ok := engines[first]
		if !ok {
			section.rows[first] = line
			continue
		}
		if strings.Contains(line, "not read by the test") {
			continue
		}
		section.sentences[engine] = append(section.sentences[engine], sentencesOf(cells[1])...)
	}
	return sections
}

// row returns the first column of the row of the document that the call belongs to.
func (c blockedCall) row() string {
	if c.cause != "" {
		return c.cause
	}
	return "`" + string(c.reason) + "`"
}

// TestConsoleSentences: for each blocked call, the layer has the reason, and the browser's console the sentences, that the
// document has in the call's section. The document has no sentence that no browser says. For a call of fetch, corsbrowser has the
// console's first sentence.
func TestConsoleSentences(t *testing.T) {
	sections := readFailuresPage(t)
	around := sections["Find the sentence of the console"]
	if around == nil {
		t.Fatal("the document has no section about the sentences")
	}
	consoles := browser.NewConsolePool(bundle)
	defer consoles.Close()
	forEachEngine(t, func(t *testing.T, engine browser.Engine) {
		page := consoles.PageBeside(t, engine, http.HandlerFunc(publicPage))
		setCookie(t, page)
		seen := map[string]bool{}
		complete := true
		for _, c := range blockedCalls {
			if c.engine != "" && c.engine != engine {
				continue
			}
			complete = t.Run(c.name, func(t *testing.T) {
				section := sections[c.section]
				if section == nil || section.rows[c.row()] == "" {
					t.Fatalf("the document has no row %s in the section %q", c.row(), c.section)
				}
				said, reason := c.make(t, page)
				if reason != c.reason {
					t.Errorf("the layer's reason is %q, want %q", reason, c.reason)
				}
				allowed := slices.Concat(section.sentences[engine], sentencesOf(section.rows[c.row()]))
				if len(said) == 0 && len(section.sentences[engine]) > 0 {
					t.Errorf("the console has no sentence, and the document %q", section.sentences[engine])
				}
				for i, sentence := range said {
					own := slices.DeleteFunc(slices.Clone(allowed), func(s string) bool { return !strings.Contains(sentence, s) })
					other := slices.DeleteFunc(slices.Clone(around.sentences[engine]), func(s string) bool { return !strings.Contains(sentence, s) })
					for _, s := range slices.Concat(own, other) {
						seen[s] = true
					}
					if len(own) == 0 && (i == 0 || len(other) == 0) {
						t.Errorf("the console has %q, which is not in the section: %q", sentence, allowed)
					}
				}
			}) && complete
		}
		if filtered() || !complete {
			return
		}
		for heading, section := range sections {
			for _, sentence := range section.sentences[engine] {
				if !seen[sentence] && (section == around || slices.ContainsFunc(blockedCalls, func(c blockedCall) bool { return c.section == heading })) {
					t.Errorf("no call has the sentence %q of the section %q", sentence, heading)
				}
			}
		}
	})
}

// make makes the call in the page, and returns the sentences of the console, with the values of the document, and the reason of
// the layer's decision about the first request that it got.
func (c blockedCall) make(t *testing.T, page *browser.Page) (said []string, reason corsrpc.Reason) {
	t.Helper()
	policy := c.policy
	if policy == "" {
		policy = consolePolicy
	}
	layer := newLayer(t, page.Origin, policy)
	reasons := make(chan corsrpc.Reason, 16)
	wrapped := layer.Wrap(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/post-only" && r.Method != http.MethodPost {
			w.WriteHeader(http.StatusMethodNotAllowed)
		}
		_, _ = io.WriteString(w, "{}")
	}))
	var handler http.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		reasons <- layer.Plan().Decide(corsrpc.RequestOf(r)).Reason()
		wrapped.ServeHTTP(w, r)
	})
	if c.outside != nil {
		handler = c.outside(handler)
	}
	arrived := make(chan struct{}, 16)
	server := ""
	if c.serve != nil {
		server = c.serve(t)
	} else {
		server = serveAPI(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			handler.ServeHTTP(w, r)
			arrived <- struct{}{}
		})).URL
	}
	url := server + c.path
	least := 0
	if c.outlives {
		least = 1
	}
	lines := page.ConsoleUntil(t, least, func() {
		if c.script == "" {
			fetchRaw(t, page, url, c.init)
			return
		}
		page.Run(t, c.script+"; return null", map[string]any{"url": url}, nil)
		if strings.Contains(c.script, "sendBeacon") {
			<-arrived // the request outlives the script
		}
	})
	if c.script == "" && c.init.Mode == "" {
		compareSentence(t, page.Engine, lines, simulate(t, page.Engine, page.Origin, url, c.init))
	}
	values := strings.NewReplacer("‘"+url+"’", "URL", url, "URL", page.Origin, "PAGE")
	for _, line := range lines {
		line = statusCode.ReplaceAllString(values.Replace(line), "Status code: N")
		said = append(said, strings.TrimPrefix(manyName.ReplaceAllString(line, "x-tenant-id"), "CONSOLE "))
	}
	select {
	case reason = <-reasons:
	default:
	}
	return said, reason
}

var (
	statusCode = regexp.MustCompile(`Status code: \d+`)
	manyName   = regexp.MustCompile(`x-many-\d+`)
)

// TestEachReasonHasASection: the document has each reason for which the layer refuses a request in a section about the console, and its meaning.
func TestEachReasonHasASection(t *testing.T) {
	sections := readFailuresPage(t)
	for _, reason := range corsrpc.Reasons() {
		if reason.Remedy() == "" && reason != corsrpc.ReasonRequestedHeadersMalformed {
			continue
		}
		row := "`" + string(reason) + "`"
		if sections["Reasons"].rows[row] == "" {
			t.Errorf("the document does not tell the meaning of %s", reason)
		}
		if reason == corsrpc.ReasonOwnOriginNotAllowed {
			continue // for the browser the call is same-origin, and its page reads the refusal
		}
		if !slices.ContainsFunc(blockedCalls, func(c blockedCall) bool { return c.row() == row }) {
			t.Errorf("no call is refused for %s", reason)
		}
	}
}

// discardLog returns a logger without output.
func discardLog() *log.Logger { return log.New(io.Discard, "", 0) }
