package cli

import (
	"io"
	"sync"
	"time"

	"github.com/corsrpc/corsrpc-go/corsrpc/cmd/internal/report"
)

// progressAfter is how long a run takes before it shows what it does.
const progressAfter = time.Second

// progress is a line on the standard error that says what a long run does. Nothing else may be
// written there until stop. It is safe for concurrent use.
type progress struct {
	w     io.Writer
	timer *time.Timer

	mu      sync.Mutex
	text    string
	shown   bool
	stopped bool
}

// progress shows a text once the run has taken progressAfter, if the standard error is a terminal.
// The caller must call stop.
func (s Streams) progress(text string) *progress {
	p := &progress{w: s.Err, text: text}
	if s.Progress {
		p.timer = time.AfterFunc(progressAfter, p.show)
	}
	return p
}

// clearLine moves the cursor to the start of the line and erases the line.
const clearLine = "\r\x1b[K"

func (p *progress) show() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.stopped {
		p.shown = true
		p.write(clearLine + report.Printable(p.text) + " ...")
	}
}

// write writes to the terminal. A line that is lost does no harm.
func (p *progress) write(s string) { _, _ = io.WriteString(p.w, s) }

// set replaces the text.
func (p *progress) set(text string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.text = text
	if p.shown && !p.stopped {
		p.write(clearLine + report.Printable(text) + " ...")
	}
}

// stop removes the line. It may be called several times.
func (p *progress) stop() {
	if p.timer != nil {
		p.timer.Stop()
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.shown && !p.stopped {
		p.write(clearLine)
	}
	p.stopped = true
}
