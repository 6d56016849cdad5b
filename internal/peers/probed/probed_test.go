package probed

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// The exit codes of the command.
const (
	fine     = 0
	findings = 1
	usage    = 2
	unknown  = 3
)

// The classes of findings that say what the probe does not know.
const (
	unreachable = "UNREACHABLE"
	notExamined = "NOT_EXAMINED"
)

// A row is a server and what the probe has to find.
type row struct {
	name string
	// fault is the planted fault, as a sentence. Empty: the server is sound.
	fault string
	start func(*testing.T, *traffic) server
	// flags are the flags besides --audit, --from, --engine, --credentials and -o.
	flags []string
	// anonymous says that the page calls without credentials.
	anonymous bool
	// policy is the text of the policy that --against names; empty: no --against.
	policy string
	// differs are all aspects in which the server differs from the policy.
	differs []string
	// all says that --all with the schema is given instead of one procedure.
	all bool
	// sends says that --send is given.
	sends bool
	// page is what a page gets, by the probe without --audit: the check that blocks its call, or the result
	// of the call; with --all, all of these, separated by spaces. The default is that the preflight passes;
	// of a call that is sent, that it is readable.
	page string
	// words are what the probe says if it gets no answer in HTTP, with the exit code 2 and no document. Empty:
	// it gets one, or has waited for it.
	words string
	// found are all classes of findings, by --audit. A class that is not here must not be found.
	found []string
	// says are words of the finding of a class.
	says map[string]string
	// notes says that all findings are notes, with which the exit code is that of a sound server.
	notes bool
	// fixed starts the server after the fix of the finding, and left are the classes that are still found.
	// Nil: the fix cannot be tried.
	fixed func(*testing.T, *traffic) server
	left  []string
	// hand is the server by hand, whose header fields a test can set as a fix says. Nil: it is none.
	hand *byHand
}

// rows are all servers: those with a fault, and the sound ones.
var rows = slices.Concat(originRows, answerRows, callRows, secureRows, rsRows, sentRows, gorillaRows, routingRows, nginxRows, corsrpcRows, soundByHand, soundNginx, soundCorsrpc)

// program is the built command.
var program string

func TestMain(m *testing.M) { os.Exit(run(m)) }

// run builds the command, and runs the tests.
func run(m *testing.M) int {
	dir, err := os.MkdirTemp("", "corsrpc-probed")
	if err != nil {
		panic(err)
	}
	defer os.RemoveAll(dir)
	program = filepath.Join(dir, "corsrpc")
	build := exec.Command("go", "build", "-o", program, "./corsrpc")
	build.Dir = filepath.Join("..", "..", "..", "corsrpc", "cmd")
	build.Stderr = os.Stderr
	if err := build.Run(); err != nil {
		panic(err)
	}
	return m.Run()
}

// TestProbed: the probe finds each planted fault, and invents none. It sends no more than it says.
func TestProbed(t *testing.T) {
	all := make([]results, len(rows))
	t.Run("rows", func(t *testing.T) { // ends when all rows have ended
		for i, r := range rows {
			t.Run(r.name, func(t *testing.T) {
				t.Parallel()
				all[i].page = r.try(t, r.start)
				r.comparePage(t, all[i].page)
				all[i].audit = r.try(t, r.start, "--audit")
				r.compareAudit(t, all[i].audit)
				if r.policy != "" {
					all[i].against = r.try(t, r.start, r.against(t)...)
					r.comparePolicy(t, all[i].against)
				}
			})
		}
	})
	compareReport(t, all)
}

// TestFixes: a server with a fault, changed as the finding says, is sound.
func TestFixes(t *testing.T) {
	for _, r := range rows {
		if r.fixed == nil {
			continue
		}
		t.Run(r.name, func(t *testing.T) {
			t.Parallel()
			if page := r.try(t, r.fixed); !slices.Equal(page.outcomes(), strings.Fields(r.passing())) || page.exit != fine {
				t.Errorf("after the fix: exit code %d\n%s", page.exit, page.text)
			}
			audit := r.try(t, r.fixed, "--audit")
			if want := r.expected(r.left); !slices.Equal(audit.classes(), want) || audit.exit != fine {
				t.Errorf("after the fix: exit code %d\n%s", audit.exit, audit.text)
			}
			if r.policy != "" {
				against := r.try(t, r.fixed, r.against(t)...)
				if len(against.Against.Differences) > 0 || against.exit != fine {
					t.Errorf("after the fix: exit code %d\n%s", against.exit, against.text)
				}
			}
		})
	}
}

// sendField and addNames match fixes that say literally what to send.
var (
	sendField = regexp.MustCompile(`^Send ([A-Z][A-Za-z-]+): ([A-Za-z0-9-]+(?:, [a-z]+-[a-z-]+)*)`)
	addNames  = regexp.MustCompile(`^Add (.+) to (Access-Control-Allow-Headers)[.]`)
)

// TestFixesAsWritten: a server by hand that sends literally what the fix says is sound.
func TestFixesAsWritten(t *testing.T) {
	tried := 0
	for _, r := range rows {
		if r.hand == nil {
			continue
		}
		for _, f := range r.try(t, r.start, "--audit").Audit.Findings {
			field, names := sendField.FindStringSubmatch(f.Fix), addNames.FindStringSubmatch(f.Fix)
			fixed := *r.hand
			switch {
			case field != nil:
				fixed.fix = func(h http.Header) { h.Set(field[1], field[2]) }
			case names != nil:
				fixed.fix = func(h http.Header) { h.Set(names[2], h.Get(names[2])+", "+names[1]) }
			default:
				continue
			}
			tried++
			t.Run(r.name, func(t *testing.T) {
				audit := r.try(t, handServer(fixed), "--audit")
				if want := r.expected(nil); !slices.Equal(audit.classes(), want) {
					t.Errorf("the fix %q leads to %q\n%s", f.Fix, audit.classes(), audit.text)
				}
			})
		}
	}
	if tried < 5 {
		t.Errorf("only %d fixes say what to send", tried)
	}
}

// A result is what the command says about a server.
type result struct {
	exit     int
	text     string // all of the standard output and the standard error
	Requests struct{ Sent int }
	Calls    []struct {
		Outcomes []struct{ Result, Check string }
	}
	Audit struct {
		Sent     int
		Findings []finding
	}
	Against struct {
		Sent        int
		Differences []struct{ Aspect, Message string }
		Causes      []string
	}
}

// finding is a finding of the audit.
type finding struct{ Class, Message, Fix string }

// sent returns how many requests the command says that it sent, in whichever mode it ran.
func (r result) sent() int { return r.Requests.Sent + r.Audit.Sent + r.Against.Sent }

// announcement matches the numbers of requests in what the command says before it sends them.
var announcement = regexp.MustCompile(`(?:sends |, |and |at most |add )([0-9]+)(?: preflight| GET| call| request| at most)`)

// announced returns how many requests a text announces at most.
func announced(t *testing.T, text string) (sum int) {
	t.Helper()
	line, _, _ := strings.Cut(text, "\n")
	for _, match := range announcement.FindAllStringSubmatch(line, -1) {
		n, err := strconv.Atoi(match[1])
		if err != nil {
			t.Fatal(err)
		}
		sum += n
	}
	if sum == 0 {
		t.Errorf("the command announces no requests: %q", text)
	}
	return sum
}

// results are those of the probe without --audit, with it, and with --against.
type results struct{ page, audit, against result }

// classes returns the classes of the findings, sorted, each once.
func (r result) classes() []string {
	var classes []string
	for _, f := range r.Audit.Findings {
		classes = append(classes, f.Class)
	}
	slices.Sort(classes)
	return slices.Compact(classes)
}

// outcomes returns how the calls of the page end, sorted, each once.
func (r result) outcomes() []string {
	var all []string
	for _, c := range r.Calls {
		for _, o := range c.Outcomes {
			all = append(all, cmp.Or(o.Check, o.Result))
		}
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// differences returns the aspects in which the server differs from the policy, sorted, each once.
func (r result) differences() []string {
	var aspects []string
	for _, d := range r.Against.Differences {
		aspects = append(aspects, d.Aspect)
	}
	slices.Sort(aspects)
	return slices.Compact(aspects)
}

// against returns the flags of a comparison with the policy.
func (r row) against(t *testing.T) []string {
	t.Helper()
	return []string{"--against", write(t, "cors.yaml", r.policy), "--descriptors", descriptors(t)}
}

// arguments returns the arguments of the command. The mode is none, or the flags of another one.
func (r row) arguments(t *testing.T, s server, mode []string) []string {
	t.Helper()
	arguments := slices.Concat([]string{"probe"}, mode, []string{"--from", intended, "-o", "json"}, r.flags, s.args)
	if !r.anonymous {
		arguments = append(arguments, "--credentials")
	}
	if len(mode) == 0 {
		arguments = append(arguments, "--engine", "chromium", "--engine", "firefox") // WebKit lets no https page call http on loopback
	}
	if r.sends {
		arguments = append(arguments, "--send")
	}
	if r.all {
		return append(arguments, "--all", "--descriptors", descriptors(t), s.url)
	}
	return append(arguments, s.url, "acme.v1.AccountService.Me")
}

// try starts the server, and runs the command against it.
func (r row) try(t *testing.T, start func(*testing.T, *traffic) server, mode ...string) (got result) {
	t.Helper()
	seen := &traffic{}
	command := exec.CommandContext(t.Context(), program, r.arguments(t, start(t, seen), mode)...)
	var out, words bytes.Buffer
	command.Stdout, command.Stderr = &out, &words
	err := command.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	got.exit, got.text = command.ProcessState.ExitCode(), out.String()+words.String()
	sent := -1
	if out.Len() > 0 || got.exit != usage {
		if err := json.Unmarshal(out.Bytes(), &got); err != nil {
			t.Fatalf("%s: %v\n%s", command, err, got.text)
		}
		sent = got.sent()
	}
	if strings.ContainsAny(got.text, "\x1b\x00") {
		t.Errorf("the output has control characters of the server: %q", got.text)
	}
	for _, problem := range seen.problems(announced(t, words.String()), sent, r.sends) {
		t.Errorf("%s: %s", command, problem)
	}
	return got
}

// passing is how the calls of a page end if the server is sound.
func (r row) passing() string {
	switch {
	case r.all: // Connect's GETs need no preflight, and are sent
		return "preflight_passes readable"
	case r.sends:
		return "readable"
	}
	return "preflight_passes"
}

// comparePage fails unless the probe says what a page gets.
func (r row) comparePage(t *testing.T, got result) {
	t.Helper()
	if r.words != "" {
		r.compareWords(t, got)
		return
	}
	want := cmp.Or(r.page, r.passing())
	if !slices.Equal(got.outcomes(), strings.Fields(want)) {
		t.Errorf("a page gets %q, want %q\n%s", got.outcomes(), want, got.text)
	}
	exit := findings
	switch want {
	case r.passing():
		exit = fine
	case "unreachable", "not_followed":
		exit = unknown
	}
	if got.exit != exit {
		t.Errorf("exit code %d, want %d", got.exit, exit)
	}
}

// finds returns the row with other classes of findings.
func (r row) finds(classes ...string) row {
	r.found, r.notes = classes, false
	return r
}

// onlyNotes returns the row with findings that are notes only.
func (r row) onlyNotes() row {
	r.notes = true
	return r
}

// sent returns the row with --send, and with what a page gets.
func (r row) sent(page string) row {
	r.sends, r.page = true, page
	return r
}

// gets returns the row with what a page gets.
func (r row) gets(page string) row {
	r.page = page
	return r
}

// telling returns the row with words of the finding of a class.
func (r row) telling(class, words string) row {
	r.says = map[string]string{class: words}
	return r
}

// with returns the row with flags.
func (r row) with(flags ...string) row {
	r.flags = flags
	return r
}

// expected returns classes, sorted, and the one that says what a run without --send does not examine. A
// server that does not answer is not examined further.
func (r row) expected(classes []string) []string {
	if !r.sends && !slices.Contains(classes, unreachable) {
		classes = append(slices.Clone(classes), notExamined)
	}
	return slices.Sorted(slices.Values(classes))
}

// compareWords fails unless the probe says why it gets no answer, and nothing else.
func (r row) compareWords(t *testing.T, got result) {
	t.Helper()
	if got.exit != usage || !strings.Contains(got.text, r.words) || len(got.classes())+len(got.outcomes()) > 0 {
		t.Errorf("exit code %d without %q:\n%s", got.exit, r.words, got.text)
	}
}

// compareAudit fails unless the audit found what is planted.
func (r row) compareAudit(t *testing.T, got result) {
	t.Helper()
	if r.words != "" {
		r.compareWords(t, got)
		return
	}
	if want := r.expected(r.found); !slices.Equal(got.classes(), want) {
		t.Errorf("found %q, want %q\n%s", got.classes(), want, got.text)
	}
	exit := findings
	switch {
	case slices.Contains(r.found, unreachable):
		exit = unknown
	case r.notes || len(r.found) == 0:
		exit = fine
	}
	if got.exit != exit {
		t.Errorf("--audit: exit code %d, want %d\n%s", got.exit, exit, got.text)
	}
	for _, f := range got.Audit.Findings {
		if f.Message == "" || f.Fix == "" {
			t.Errorf("%s has no message or no fix: %+v", f.Class, f)
		}
	}
	for class, words := range r.says {
		if !slices.ContainsFunc(got.Audit.Findings, func(f finding) bool { return f.Class == class && strings.Contains(f.Message+" "+f.Fix, words) }) {
			t.Errorf("no finding %s says %q\n%s", class, words, got.text)
		}
	}
}

// comparePolicy fails unless the comparison with the policy found what is planted.
func (r row) comparePolicy(t *testing.T, got result) {
	t.Helper()
	if want := slices.Sorted(slices.Values(r.differs)); !slices.Equal(got.differences(), want) {
		t.Errorf("the server differs in %q, want %q\n%s", got.differences(), want, got.text)
	}
	exit := fine
	if len(r.differs) > 0 {
		exit = findings
	}
	if got.exit != exit {
		t.Errorf("--against: exit code %d, want %d\n%s", got.exit, exit, got.text)
	}
}
