package e2e

import (
	"maps"
	"net"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/corsrpc/corsrpc-go/internal/e2e/browser"
)

// openPageOfCalls opens the page of examples/gateway or examples/mcp in a frame, and returns what it shows of each call. With arguments,
// it sends a POST to args.path whenever the page shows args.text alone of a call.
const openPageOfCalls = `
	const frame = document.createElement("iframe");
	frame.src = "/";
	document.body.append(frame);
	await new Promise((done) => { frame.onload = done; });
	const page = frame.contentDocument;
	const button = page.getElementById("call");
	await new Promise((done) => {
		const told = new Set();
		const look = () => {
			for (const result of args ? page.querySelectorAll("dd") : []) {
				if (result.textContent === args.text && !told.has(result)) told.add(result), fetch(args.path, {method: "POST"});
			}
			return !button.disabled && page.querySelector("dd:last-child")?.textContent && (observer.disconnect(), done());
		};
		const observer = new MutationObserver(look);
		observer.observe(page.body, {attributes: true, subtree: true, childList: true});
		look();
	});
	const shown = {};
	for (const name of page.querySelectorAll("dt")) shown[name.textContent] = name.nextSibling.textContent;
	frame.remove();
	return shown;
`

// TestGatewayExample: one command starts the servers in Python and Node.js, the gateway and the page, and the page's script reads
// all that they send: answers with metadata and trailers, streams, errors with details. A call that the policy refuses fails
// as one that the network has lost. The command ends all of them.
func TestGatewayExample(t *testing.T) {
	testBookshop(t, "gateway/run.sh")
}

// testBookshop runs the bookshop of examples/gateway by a script, and reads its page.
func testBookshop(t *testing.T, script string) {
	var ports []string
	t.Cleanup(func() { // after the command has ended
		for _, port := range ports {
			for deadline := time.Now().Add(10 * time.Second); ; {
				conn, err := net.Dial("tcp", port)
				if err != nil {
					break
				}
				conn.Close()
				if time.Now().After(deadline) {
					t.Errorf("a program of the example still listens on %s", port)
					break
				}
			}
		}
	})
	servers := startServers(t, syscall.SIGTERM, script, "--free-ports")
	for _, name := range []string{"page", "gateway", "inspector"} {
		if servers[name] == nil {
			t.Fatalf("the command does not print the address of the %s", name)
		}
		ports = append(ports, servers[name].Host)
	}
	forEachEngine(t, func(t *testing.T, engine browser.Engine) {
		page := pool.PageBeside(t, engine, &exampleProxy{servers["page"]})
		warmUp(t, page)
		var shown map[string]string
		page.Run(t, openPageOfCalls, nil, &shown)
		want := map[string]string{
			"Python, one answer":                      "The C Programming Language; header: Hello Ada; trailer: 9 in stock",
			"Python, a stream":                        "The C Programming Language; Design Patterns; Structure and Interpretation of Computer Programs; trailer: 3 books",
			"Python, an error":                        "NotFound: there is no book 1; detail: UnknownBook 1",
			"Node.js, one answer":                     "2 × 9780131103627 for Ada; header: order 1; trailer: costs 60",
			"Node.js, a stream":                       "packed sent delivered ",
			"Node.js, an error":                       "FailedPrecondition: too few copies; detail: OutOfStock 9",
			"Node.js, a call that the policy refuses": "Unknown: " + networkErrors[engine],
		}
		for _, call := range slices.Sorted(maps.Keys(want)) {
			if shown[call] != want[call] {
				t.Errorf("%s: the page shows %q, want %q", call, shown[call], want[call])
			}
		}
		if len(shown) != len(want) {
			t.Errorf("the page shows other calls than %s", strings.Join(slices.Sorted(maps.Keys(want)), "; "))
		}
	})
}
