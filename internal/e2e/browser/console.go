package browser

import (
	"fmt"
	"os"
	"strings"
	"testing"
	"time"
)

// Console calls do, and returns the messages that Chromium adds to the console of the page
// meanwhile, as lines of its log. It fails the test in the other engines, which do not print
// their consoles.
func (p *Page) Console(t testing.TB, do func()) []string {
	t.Helper()
	if p.Engine != Chromium {
		t.Fatalf("%s does not print its console", p.Engine)
	}
	begin := p.mark(t, "begins")
	do()
	end := p.mark(t, "ends")
	deadline := time.Now().Add(p.limit)
	poll := time.NewTicker(5 * time.Millisecond)
	defer poll.Stop()
	for {
		log, err := os.ReadFile(p.process.logPath())
		if err != nil {
			t.Fatal(err)
		}
		_, text, _ := strings.Cut(string(log), begin)
		if text, _, ended := strings.Cut(text, end); ended {
			var messages []string
			for line := range strings.Lines(text) {
				if strings.Contains(line, ":CONSOLE:") && !strings.HasSuffix(line, `] "`) { // not the line of a mark
					messages = append(messages, strings.TrimSpace(line))
				}
			}
			return messages
		}
		if time.Now().After(deadline) {
			t.Fatalf("Chromium's log has no line %q after %s", end, p.limit)
		}
		<-poll.C
	}
}

// mark adds a message to the console, and returns the message.
func (p *Page) mark(t testing.TB, what string) string {
	t.Helper()
	p.mu.Lock()
	message := fmt.Sprintf("the console of %s %s before job %d", p.Origin, what, p.lastJob+1)
	p.mu.Unlock()
	p.Run(t, `console.log(args); return null`, message, nil)
	return message
}
