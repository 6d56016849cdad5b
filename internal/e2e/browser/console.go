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
	return p.ConsoleUntil(t, 0, do)
}

// ConsoleUntil is like [Page.Console], and waits after do until there are so many messages. It is for
// requests that outlive the script.
func (p *Page) ConsoleUntil(t testing.TB, count int, do func()) []string {
	t.Helper()
	if !p.console {
		t.Fatalf("%s does not print its console: use NewConsolePool", p.Engine)
	}
	begin := p.mark(t, "begins")
	do()
	end := p.consoleMark("ends")
	wait := func(done func(messages []string, ended bool) bool) (messages []string) {
		deadline := time.Now().Add(p.limit)
		poll := time.NewTicker(5 * time.Millisecond)
		defer poll.Stop()
		for {
			log, err := os.ReadFile(p.process.logPath())
			if err != nil {
				t.Fatal(err)
			}
			messages, ended := p.Engine.consoleBetween(string(log), begin, end)
			if done(messages, ended) {
				return messages
			}
			if time.Now().After(deadline) {
				t.Fatalf("after %s, the output of %s has the messages %q, and lacks others or the line %q", p.limit, p.Engine, messages, end)
			}
			<-poll.C
		}
	}
	wait(func(messages []string, _ bool) bool { return len(messages) >= count })
	end = p.mark(t, "ends")
	return wait(func(_ []string, ended bool) bool { return ended })
}

// consoleBetween returns the messages after the message begin and before the message end, or before
// the end of the log. ended is false if the log has no message end.
func (e Engine) consoleBetween(log, begin, end string) (messages []string, ended bool) {
	begun := false
	for line := range strings.Lines(log) {
		switch isMessage := strings.HasPrefix(line, consolePrefix) || e == Chromium && strings.Contains(line, ":CONSOLE:"); {
		case !isMessage:
		case strings.Contains(line, "PathUtils."): // from code of Firefox itself, at any time
		case strings.Contains(line, begin):
			begun = true
		case strings.Contains(line, end):
			return messages, true
		case begun:
			messages = append(messages, strings.TrimSpace(line))
		}
	}
	return messages, false
}

// consolePrefix begins each line of the output of Firefox and WebKit that is a message in a console.
const consolePrefix = "CONSOLE "

// mark adds an error to the console, and returns its message. It is an error since Firefox does not
// tell a listener of its console service about the messages of console.log.
func (p *Page) mark(t testing.TB, event string) string {
	t.Helper()
	message := p.consoleMark(event)
	p.Run(t, `reportError(args); return null`, message, nil)
	return message
}

// consoleMark returns the message of the next mark of an event.
func (p *Page) consoleMark(event string) string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return fmt.Sprintf("the console of %s %s before job %d;", p.Origin, event, p.lastJob+1)
}
