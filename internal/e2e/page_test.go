package e2e

import (
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/corsrpc/corsrpc-go/internal/e2e/browser"
)

// shownCell is the content of a cell on the showcase's page, for a kind of call and a protocol.
type shownCell struct {
	Kind, Protocol string
	Outcome        string // the value of data-outcome
	Text           string // the first line
	Cause          string
	Preflights     string
	Parts          string // "name: value", in order
}

// shown is the content of the page.
type shown struct {
	Status string
	Why    string
	Cells  []shownCell
	// The number of pixels by which the page is wider than its frame of 360 px, with all details open.
	Overflow int
}

// openShowcase opens the page in a frame of a small phone's width, selects the server and the checkbox for cookies, waits until
// the page has made all calls, and reads its content.
const openShowcase = `
	const frame = document.createElement("iframe");
	frame.width = 360;
	frame.height = 740;
	frame.style.border = "0";
	frame.src = "/";
	document.body.append(frame);
	await new Promise((done) => { frame.onload = done; });
	const page = frame.contentDocument;
	const button = page.getElementById("call");
	const settled = () => new Promise((done) => {
		const look = () => page.body.dataset.done === "true" && !button.disabled && (observer.disconnect(), done());
		const observer = new MutationObserver(look);
		observer.observe(page.body, {attributes: true, subtree: true, childList: true});
		look();
	});
	await settled();
	const server = page.getElementById("server");
	if (server.value !== args.server) {
		server.value = args.server;
		server.dispatchEvent(new Event("change"));
		await settled();
	}
	if (args.credentials) {
		page.getElementById("credentials").click();
		await settled();
	}
	for (const details of page.querySelectorAll("details")) details.open = true;
	const text = (within, selector) => within.querySelector(selector)?.textContent ?? "";
	const status = page.getElementById("status");
	const why = text(status, ".why");
	const cells = [];
	for (const row of page.querySelectorAll("#rows tr")) {
		const title = row.querySelector("th");
		const what = text(title, "span");
		for (const cell of row.querySelectorAll("td")) {
			const names = [...cell.querySelectorAll("dt")].map((e) => e.textContent);
			const values = [...cell.querySelectorAll("dd")].map((e) => e.textContent);
			cells.push({
				Kind: title.textContent.slice(0, -what.length) + ", " + what,
				Protocol: cell.dataset.protocol,
				Outcome: cell.dataset.outcome,
				Text: text(cell, ".outcome"),
				Cause: text(cell, ".cause"),
				Preflights: text(cell, ".preflights"),
				Parts: names.map((name, i) => name + ": " + values[i]).join(", "),
			});
		}
	}
	const shown = {
		Status: status.textContent.slice(0, status.textContent.length - why.length),
		Why: why,
		Cells: cells,
		Overflow: page.documentElement.scrollWidth - frame.contentWindow.innerWidth,
	};
	frame.remove();
	return shown;
`

// shownColumns lists the page's columns: a client and a protocol. grpc-go does not support the first one.
var shownColumns = []string{"connect-web: Connect", "connect-web: gRPC-Web", "grpc-web: text", "grpc-web: binary"}

// shownKinds lists the page's rows, and the parts that its script must read: over Connect, and over gRPC-Web if they differ.
// COOKIES is replaced by the cookies that arrive.
var shownKinds = []struct {
	name           string
	parts          string
	partsOfGRPCWeb string
	impossible     bool
	get            bool // a GET over Connect, which needs no preflight
	granted        bool // covered by the cached preflight of another row
}{
	{name: "Greet, unary", parts: "✓ message: Hello, browser! (cookies: COOKIES), " + shownHeaders("Greet")},
	{
		name:           "Lookup, no side effects",
		parts:          "✓ message: ANSWER (by GET), " + shownHeaders("Lookup"),
		partsOfGRPCWeb: "✓ message: ANSWER (by POST), " + shownHeaders("Lookup"),
		get:            true,
	},
	{name: "Count, stream", parts: "✓ message: 1, 2, 3, " + shownHeaders("Count")},
	{name: "Silence, empty stream", parts: "✓ message: no messages, as expected, " + shownHeaders("Silence")},
	{name: "Fail, unary error", parts: shownError("Fail")},
	{name: "FailStream, error before the first message", parts: shownError("FailStream")},
	{name: "FailStream, error after two messages", parts: "✓ messages before: 1, 2, " + shownError("FailStream"), granted: true},
	{name: "Collect, client stream", impossible: true},
	{name: "Chat, bidirectional stream", impossible: true},
}

func shownHeaders(method string) string {
	return "✓ header: head-" + method + ", ✓ binary header: AQID, ✓ trailer: trail-" + method
}

func shownError(method string) string {
	return "✓ code: failed_precondition, ✓ message: not today, ✓ details: hint, ✓ error metadata: meta-" + method
}

// TestShowcasePage: in each browser, the showcase's page shows all parts of the responses on an allowed origin, and blocked calls
// on a refused origin.
func TestShowcasePage(t *testing.T) {
	program := buildExample(t, "showcase")
	// The page's server sets a cookie, which other tests must not get.
	pool := browser.NewPool(bundle)
	t.Cleanup(func() {
		if err := pool.Close(); err != nil {
			t.Error(err)
		}
	})
	forEachEngine(t, func(t *testing.T, engine browser.Engine) {
		for _, test := range []struct {
			name        string
			server      string
			granted     bool
			credentials bool
		}{
			{"allowed origin", "connect-go", true, false},
			{"allowed origin, with cookies", "connect-go", true, true},
			{"refused origin", "connect-go", false, false},
			{"refused origin, with cookies", "connect-go", false, true},
			{"allowed origin, grpc-go", "grpc-go", true, false},
			{"allowed origin, grpc-go, with cookies", "grpc-go", true, true},
			{"refused origin, grpc-go", "grpc-go", false, false},
		} {
			t.Run(test.name, func(t *testing.T) {
				proxy := &exampleProxy{}
				page := pool.PageBeside(t, engine, proxy)
				warmUp(t, page)
				granted := page.Origin
				if !test.granted {
					granted = "https://app.example.com"
				}
				proxy.target = startShowcase(t, program, granted)
				var got shown
				page.Run(t, openShowcase, map[string]any{"server": test.server, "credentials": test.credentials}, &got)
				columns := shownColumns
				if test.server == "grpc-go" {
					columns = columns[1:]
				}
				if got.Overflow > 0 {
					t.Errorf("the page is %d px wider than a screen of 360 px", got.Overflow)
				}
				if test.granted {
					assertReadable(t, got, columns, test.credentials)
				} else {
					assertBlocked(t, got, columns, engine, page.Origin)
				}
			})
		}
	})
}

// assertReadable asserts that the page shows all parts of the responses.
func assertReadable(t *testing.T, got shown, columns []string, credentials bool) {
	t.Helper()
	var want []shownCell
	total, possible := 0, 0
	for _, kind := range shownKinds {
		asked := kind.granted
		for _, column := range columns {
			cell := shownCell{Kind: kind.name, Protocol: column}
			if kind.impossible {
				want = append(want, impossible(cell))
				continue
			}
			possible++
			preflights := 0
			if get := kind.get && column == shownColumns[0]; !get && !asked {
				asked, preflights = true, 1
			}
			total += preflights
			cell.Outcome, cell.Text = "readable", "✓ all readable"
			cell.Preflights = plural(preflights, "preflight")
			cell.Parts = kind.parts
			if column != shownColumns[0] && kind.partsOfGRPCWeb != "" {
				cell.Parts = kind.partsOfGRPCWeb
			}
			cookies := "none"
			if credentials {
				cookies = "showcase"
			}
			cell.Parts = strings.ReplaceAll(cell.Parts, "COOKIES", cookies)
			want = append(want, cell)
		}
	}
	assertCells(t, got.Cells, want)
	assertStatus(t, got, possible, possible, total)
	if got.Why != "" {
		t.Errorf("the page shows the reason %q although no call is blocked", got.Why)
	}
}

// impossible returns the cell of a call that browsers or the client do not support.
func impossible(cell shownCell) shownCell {
	cell.Outcome, cell.Text = "impossible", "– not in a browser"
	cell.Cause = noRequestStream.message
	if strings.HasPrefix(cell.Protocol, "grpc-web:") {
		cell.Cause = "The grpc-web client does not support this kind of call"
	}
	return cell
}

// assertBlocked asserts that the page shows blocked calls and the reason.
func assertBlocked(t *testing.T, got shown, columns []string, engine browser.Engine, origin string) {
	t.Helper()
	var want []shownCell
	blocked, total := 0, 0
	for _, kind := range shownKinds {
		for _, column := range columns {
			cell := shownCell{Kind: kind.name, Protocol: column}
			if kind.impossible {
				want = append(want, impossible(cell))
				continue
			}
			blocked++
			cell.Outcome, cell.Text = "blocked", "✗ blocked"
			cell.Cause = "“" + networkErrors[engine] + "”"
			if strings.HasPrefix(column, "grpc-web:") {
				cell.Cause = "http status code: 0”" // the client's text for a network error
			}
			preflights := 1 // a refused preflight is not cached
			if kind.get && column == shownColumns[0] {
				preflights = 0
			}
			total += preflights
			cell.Preflights = plural(preflights, "preflight")
			want = append(want, cell)
		}
	}
	assertCells(t, got.Cells, want)
	assertStatus(t, got, 0, blocked, total)
	if !strings.Contains(got.Why, "policy does not allow "+origin) {
		t.Errorf("the page shows the reason %q, want that the policy does not allow %s", got.Why, origin)
	}
}

// assertStatus asserts the numbers in the page's status line.
func assertStatus(t *testing.T, got shown, readable, possible, preflights int) {
	t.Helper()
	sums := regexp.MustCompile(`\d+`).FindAllString(got.Status, -1)
	if want := []string{strconv.Itoa(readable), strconv.Itoa(possible), strconv.Itoa(preflights)}; !slices.Equal(sums, want) {
		t.Errorf("the status line is %q, want the numbers %q", got.Status, want)
	}
}

// assertCells asserts the content of each cell. A cause only has to contain the expected text.
func assertCells(t *testing.T, got, want []shownCell) {
	t.Helper()
	if len(got) != len(want) {
		t.Errorf("the page shows %d cells, want %d", len(got), len(want))
	}
	for i := range min(len(got), len(want)) {
		if g, w := got[i], want[i]; w.Cause != "" && strings.Contains(g.Cause, w.Cause) {
			got[i].Cause = w.Cause
		}
		if got[i] != want[i] {
			t.Errorf("the page shows\n%+v\nwant\n%+v", got[i], want[i])
		}
	}
}

func plural(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}

// startShowcase runs the program with its own policy, in which it replaces the origin, and returns the URL of the page.
func startShowcase(t *testing.T, program, granted string) *url.URL {
	t.Helper()
	const written = "http://localhost:8081"
	policy, err := os.ReadFile(filepath.Join(examples, "showcase/cors.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(policy), written) {
		t.Fatalf("the showcase's policy does not list %s, which this test replaces", written)
	}
	file := filepath.Join(t.TempDir(), "cors.yaml")
	if err := os.WriteFile(file, []byte(strings.ReplaceAll(string(policy), written, granted)), 0o600); err != nil {
		t.Fatal(err)
	}
	return startExample(t, program, "-policy", file, "-page", "showcase/web/dist",
		"-api", "localhost:0", "-grpc", "localhost:0", "-allowed", "localhost:0", "-refused", "localhost:0", "-inspector", "localhost:0")["page"]
}
