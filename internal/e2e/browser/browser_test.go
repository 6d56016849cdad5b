package browser

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"
)

func scripts() ([]byte, error) { return []byte("globalThis.answer = 42;"), nil }

func TestBrowserRunsScriptsOnAFreshOriginAndLeavesNothingBehind(t *testing.T) {
	for _, engine := range Engines {
		t.Run(string(engine), func(t *testing.T) {
			pool := NewPool(scripts)
			defer pool.Close()
			first := pool.Page(t, engine)
			var got struct {
				Origin string
				Sum    int
			}
			first.Run(t, `return {Origin: location.origin, Sum: args.a + answer}`, map[string]int{"a": 1}, &got)
			if got.Origin != first.Origin || got.Sum != 43 {
				t.Errorf("the script returned %+v on the page %s, want that origin and 43", got, first.Origin)
			}
			if err := first.run(`throw new Error("on purpose")`, nil, nil); err == nil || !strings.Contains(err.Error(), "on purpose") {
				t.Errorf("a script that throws gives %v, want what it threw", err)
			}
			second := pool.Page(t, engine)
			second.Run(t, `return {Origin: location.origin}`, nil, &got)
			if got.Origin != second.Origin || second.Origin == first.Origin {
				t.Errorf("the second page is on %s, the first was on %s, want the second's own origin %s", got.Origin, first.Origin, second.Origin)
			}
			process := *second.process
			if len(process.processes()) == 0 {
				t.Error("no process of the running browser is found, so that none is ever found left over")
			}
			if err := pool.Close(); err != nil {
				t.Errorf("Close: %v", err)
			}
			if left := process.processes(); len(left) > 0 {
				t.Errorf("processes did not end: %v", left)
			}
			if _, err := os.Stat(process.home); !errors.Is(err, os.ErrNotExist) {
				t.Errorf("the home %s is left over: %v", process.home, err)
			}
		})
	}
}

// TestConsole: Console returns the messages in the browser's console, and no earlier or later ones.
func TestConsole(t *testing.T) {
	for _, engine := range Engines {
		t.Run(string(engine), func(t *testing.T) {
			pool := NewConsolePool(scripts)
			defer pool.Close()
			page := pool.Page(t, engine)
			say := func(message string) func() {
				return func() { page.Run(t, `reportError(args); return null`, message, nil) }
			}
			say("before")()
			for _, message := range []string{"one", "two"} {
				if messages := page.Console(t, say(message)); len(messages) != 1 || !strings.Contains(messages[0], message) {
					t.Errorf("the console has %q, want one message %q", messages, message)
				}
				say("between")()
			}
			page = pool.Page(t, engine)
			if messages := page.Console(t, func() {}); len(messages) != 0 {
				t.Errorf("the console has %q, want no message", messages)
			}
		})
	}
}

// TestConsoleOfAPoolWithout: a pool of NewPool has the console of Chromium only.
func TestConsoleOfAPoolWithout(t *testing.T) {
	pool := NewPool(scripts)
	defer pool.Close()
	page := pool.Page(t, Chromium)
	if messages := page.Console(t, func() { page.Run(t, `console.log("one"); return null`, nil, nil) }); len(messages) != 1 || !strings.Contains(messages[0], `"one"`) {
		t.Errorf("the console has %q, want one message", messages)
	}
}

// TestMissingBrowserIsAnErrorThatSaysHowToInstallIt: the error has the command that installs the browser.
func TestMissingBrowserIsAnErrorThatSaysHowToInstallIt(t *testing.T) {
	t.Setenv("PATH", t.TempDir())
	for _, engine := range Engines {
		_, err := startProcess(engine, "about:blank", false, "")
		var missing *MissingError
		if !errors.As(err, &missing) {
			t.Fatalf("%s without its program: %v, want a MissingError", engine, err)
		}
		if want := "apt-get install --yes --no-install-recommends " + missing.Package; !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %q does not contain the command %q", engine, err, want)
		}
	}
}

// TestBrowserThatNoLongerAnswersIsReplaced: the pool replaces a browser whose script hangs, or that was killed.
func TestBrowserThatNoLongerAnswersIsReplaced(t *testing.T) {
	for _, engine := range Engines {
		t.Run(string(engine), func(t *testing.T) {
			pool := NewPool(scripts)
			defer pool.Close()
			for _, broken := range []struct {
				how, want string
				script    string
				meanwhile func(*Page)
			}{
				{"the script hangs", "did not end within", `for (;;) {}`, func(p *Page) { p.limit = 500 * time.Millisecond }},
				{"the browser is killed", "the browser ended", `await new Promise(() => {})`, func(p *Page) {
					go func() { _ = syscall.Kill(-p.process.group, syscall.SIGKILL) }()
				}},
			} {
				page := pool.Page(t, engine)
				old := *page.process
				broken.meanwhile(page)
				if err := page.run(broken.script, nil, nil); err == nil || !strings.Contains(err.Error(), broken.want) && !strings.Contains(err.Error(), "has ended") {
					t.Errorf("%s: %v, want an error that contains %q", broken.how, err, broken.want)
				}
				var answer int
				page = pool.Page(t, engine)
				page.Run(t, `return answer`, nil, &answer)
				if answer != 42 {
					t.Errorf("after %s the next browser answers %d, want 42", broken.how, answer)
				}
				if left := old.processes(); len(left) > 0 {
					t.Errorf("after %s processes did not end: %v", broken.how, left)
				}
			}
		})
	}
}

// TestNothingIsLeftOverAfterAnEndWithoutCleanUp: if a program panics while a browser runs, the watchdog ends the browser. The test
// runs itself as that program.
func TestNothingIsLeftOverAfterAnEndWithoutCleanUp(t *testing.T) {
	const marker = "CORSRPC_E2E_END_WITHOUT_CLEAN_UP"
	if engine := Engine(os.Getenv(marker)); engine != "" {
		page := NewPool(scripts).Page(t, engine)
		fmt.Printf("home=%s\n", page.process.home)
		panic("on purpose")
	}
	for _, engine := range Engines {
		t.Run(string(engine), func(t *testing.T) {
			cmd := exec.Command(os.Args[0], "-test.run=^TestNothingIsLeftOverAfterAnEndWithoutCleanUp$")
			cmd.Env = append(os.Environ(), marker+"="+string(engine))
			output, err := cmd.Output()
			if err == nil {
				t.Fatal("the program that panics exited with status 0")
			}
			_, rest, ok := strings.Cut(string(output), "home=")
			if !ok {
				t.Fatalf("the program did not print the home of its browser:\n%s", output)
			}
			home, _, _ := strings.Cut(rest, "\n")
			if left := (&process{home: home}).waitGone(startLimit); len(left) > 0 {
				t.Errorf("processes did not end: %v", left)
			}
		})
	}
}
