package browser

import (
	"fmt"
	"os"
	"strings"
	"testing"
	"time"
)

// Console calls do, and returns the messages that the browser adds to the console of the page
// meanwhile, as lines of its output. It fails the test in Firefox and WebKit, unless
// [NewConsolePool] made the pool.
func (p *Page) Console(t testing.TB, do func()) []string {
	t.Helper()
	if !p.console {
		t.Fatalf("%s does not print its console: use NewConsolePool", p.Engine)
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
		if messages, ended := p.Engine.consoleBetween(string(log), begin, end); ended {
			return messages
		}
		if time.Now().After(deadline) {
			t.Fatalf("the output of %s has no line %q after %s", p.Engine, end, p.limit)
		}
		<-poll.C
	}
}

// consoleBetween returns the messages after the message begin and before the message end. ended is
// false if the log has no message end.
func (e Engine) consoleBetween(log, begin, end string) (messages []string, ended bool) {
	begun := false
	for line := range strings.Lines(log) {
		switch isMessage := strings.HasPrefix(line, consolePrefix) || e == Chromium && strings.Contains(line, ":CONSOLE:"); {
		case !isMessage:
		case strings.Contains(line, begin):
			begun = true
		case strings.Contains(line, end):
			return messages, true
		case begun:
			messages = append(messages, strings.TrimSpace(line))
		}
	}
	return nil, false
}

// consolePrefix begins each line of the output of Firefox and WebKit that is a message in a console.
const consolePrefix = "CONSOLE "

// mark adds an error to the console, and returns its message. It is an error since Firefox does not
// tell a listener of its console service about the messages of console.log.
func (p *Page) mark(t testing.TB, what string) string {
	t.Helper()
	p.mu.Lock()
	message := fmt.Sprintf("the console of %s %s before job %d", p.Origin, what, p.lastJob+1)
	p.mu.Unlock()
	p.Run(t, `reportError(args); return null`, message, nil)
	return message
}
