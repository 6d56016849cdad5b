package cli

import (
	"bytes"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// TestProgress: a run that takes long says on the terminal what it does, and leaves nothing behind. A
// short run, and one without a terminal, say nothing.
func TestProgress(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		terminal bool
		takes    time.Duration
		want     string
	}{
		"short":                {true, progressAfter - time.Millisecond, ""},
		"long":                 {true, progressAfter + time.Millisecond, clearLine + "checking a ..." + clearLine + `checking \x1b[31m ...` + clearLine},
		"long, not a terminal": {false, time.Hour, ""},
	} {
		synctest.Test(t, func(t *testing.T) {
			var errs bytes.Buffer
			p := Streams{Err: &errs, Progress: c.terminal}.progress("checking a")
			time.Sleep(c.takes) // the bubble's clock
			synctest.Wait()
			p.set("checking \x1b[31m")
			p.stop()
			p.stop()
			p.set("late")
			time.Sleep(time.Hour)
			synctest.Wait()
			if errs.String() != c.want {
				t.Errorf("%s: %q, want %q", name, &errs, c.want)
			}
		})
	}
}

// TestProgressOfARun: the line is gone before a run writes to the standard error.
func TestProgressOfARun(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var out, errs bytes.Buffer
		code := Run(t.Context(), Streams{In: slowReader{strings.NewReader("defaults: {allow_origins: [https://app.example.com]}\n")}, Out: &out, Err: &errs, Progress: true}, []string{"check", "-"})
		want := clearLine + "checking - ..." + clearLine + "stdin.yaml: the schema"
		if code != exitFine || !strings.HasPrefix(errs.String(), want) || strings.Count(errs.String(), "\x1b") != 2 {
			t.Errorf("exit %d: %q", code, &errs)
		}
	})
}

// slowReader takes longer than a run may without saying what it does.
type slowReader struct{ *strings.Reader }

func (r slowReader) Read(p []byte) (int, error) {
	time.Sleep(2 * progressAfter)
	return r.Reader.Read(p)
}
