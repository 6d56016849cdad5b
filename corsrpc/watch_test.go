package corsrpc_test

import (
	"context"
	"errors"
	"iter"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/corsrpc/corsrpc-go/corsrpc"
)

// policyOf returns a policy that allows one origin.
func policyOf(name string) string {
	return "defaults: {allow_origins: [https://" + name + ".example.com]}\n"
}

// watched is a layer that follows its file, with the events that it reports.
type watched struct {
	t        *testing.T
	layer    *corsrpc.Layer
	reported chan corsrpc.Event // reload events
	partial  bool               // the file changes in several steps, so reloads of incomplete content may be reported too
}

// watch follows the file until the test ends, by notifications of the file system only, without polling.
func watch(t *testing.T, file string, opts ...corsrpc.Option) *watched {
	t.Helper()
	w := loadWatched(t, file, opts...)
	w.layer.PollEvery(time.Hour)
	w.follow()
	return w
}

// loadWatched loads the file.
func loadWatched(t *testing.T, file string, opts ...corsrpc.Option) *watched {
	t.Helper()
	w := &watched{t: t, reported: make(chan corsrpc.Event, 1000)}
	layer, err := corsrpc.Load(file, append(opts, quiet, corsrpc.WithObserver(corsrpc.ObserverFunc(func(_ context.Context, e corsrpc.Event) {
		if e.Kind == corsrpc.EventReload {
			w.reported <- e
		}
	})))...)
	if err != nil {
		t.Fatal(err)
	}
	w.layer = layer
	return w
}

// follow follows the file until the test ends.
func (w *watched) follow() {
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- w.layer.Watch(ctx) }()
	w.t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			w.t.Error(err)
		}
	})
}

// next returns the next reload event, and checks its error and the policy in force.
func (w *watched) next(says, inForce string) {
	w.t.Helper()
	for again := true; again; {
		select {
		case e := <-w.reported:
			as := (e.Err == nil) == (says == "") && (e.Err == nil || strings.Contains(e.Err.Error(), says))
			if again = w.partial && !as; !as && !again {
				w.t.Errorf("reported %v, want %q", e.Err, says)
			}
		case <-time.After(time.Minute):
			w.t.Fatalf("nothing is reported in a minute, want %q", says)
		}
	}
	if !allows(w.layer, "https://"+inForce+".example.com") {
		w.t.Errorf("%s is not in force", inForce)
	}
}

func replace(t *testing.T, file, text string) {
	t.Helper()
	if err := os.WriteFile(file+"~", []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(file+"~", file); err != nil {
		t.Fatal(err)
	}
}

func writeInPlace(t *testing.T, file, text string) {
	t.Helper()
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// TestWatchFile checks, for every way in which files change, that valid content is put in force in one step,
// and that invalid content changes nothing and is reported once.
func TestWatchFile(t *testing.T) {
	t.Parallel()
	bad := strings.Replace(policyOf("b"), "allow_origins", "allow_origin", 1)
	for name, change := range map[string]func(t *testing.T, file, text string){"renamed over": replace, "written in place": writeInPlace, "removed and created": func(t *testing.T, file, text string) {
		if err := os.Remove(file); err != nil {
			t.Fatal(err)
		}
		writeInPlace(t, file, text)
	}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			file := writeFile(t, "cors.yaml", policyOf("a"))
			w := watch(t, file)
			w.partial = name != "renamed over"
			change(t, file, policyOf("b"))
			w.next("", "b")
			change(t, file, bad)
			w.next("cors.yaml:1:12: defaults.allow_origin", "b")
			change(t, file, bad) // the same content
			change(t, file, policyOf("c"))
			w.next("", "c")
			change(t, file, "defaults: [")
			w.next("[SYNTAX]", "c")
			change(t, file, policyOf("c"))
			w.next("", "c")
		})
	}
}

// TestWatchHalfWritten checks that the beginning of a policy is refused, and that the previous policy stays
// in force until the rest is written.
func TestWatchHalfWritten(t *testing.T) {
	t.Parallel()
	file := writeFile(t, "cors.yaml", policyOf("a"))
	w := watch(t, file)
	w.partial = true // Watch may also see an empty file
	text := policyOf("b")
	f, err := os.Create(file)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if _, err := f.WriteString(text[:len(text)/2]); err != nil {
		t.Fatal(err)
	}
	w.next("[SYNTAX]", "a")
	if _, err := f.WriteString(text[len(text)/2:]); err != nil {
		t.Fatal(err)
	}
	w.next("", "b")
}

// TestWatchReadsEarlierChanges checks that Watch reads a change between Load and Watch.
func TestWatchReadsEarlierChanges(t *testing.T) {
	t.Parallel()
	file := writeFile(t, "cors.yaml", policyOf("a"))
	layer, err := corsrpc.Load(file, quiet)
	if err != nil {
		t.Fatal(err)
	}
	replace(t, file, policyOf("b"))
	reported := make(chan struct{})
	layer2, err := corsrpc.Load(file, quiet, corsrpc.WithObserver(corsrpc.ObserverFunc(func(_ context.Context, e corsrpc.Event) { close(reported) })))
	if err != nil {
		t.Fatal(err)
	}
	replace(t, file, policyOf("c"))
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	go func() { _ = layer2.Watch(ctx) }()
	<-reported
	if !allows(layer2, "https://c.example.com") || !allows(layer, "https://a.example.com") {
		t.Error("not in force")
	}
}

// TestWatchWithEndedContext checks that Watch with an ended context loads no source and reads no change of the
// file, so that the next Watch reports the change.
func TestWatchWithEndedContext(t *testing.T) {
	t.Parallel()
	ended, end := context.WithCancel(t.Context())
	end()
	asked := corsrpc.OriginSourceFunc(func(context.Context) iter.Seq2[string, error] {
		t.Error("the source is asked")
		return rowsOf().Origins(ended)
	})
	layer, _ := newLayer(t, tenantsPolicy, corsrpc.WithOriginSource("tenants", asked))
	file := writeFile(t, "cors.yaml", policyOf("a"))
	w := loadWatched(t, file)
	replace(t, file, "bad: policy")
	for range 50 { // select chooses at random
		if err := errors.Join(layer.Watch(ended), w.layer.Watch(ended)); err != nil {
			t.Fatal(err)
		}
	}
	w.follow()
	w.next("bad", "a")
}

// TestWatchKeepsTheProfile checks that a reload uses the same options as Load.
func TestWatchKeepsTheProfile(t *testing.T) {
	t.Parallel()
	file := writeFile(t, "cors.yaml", policyOf("a")+"profiles: {dev: {add_origins: [https://dev.example.com]}}")
	w := watch(t, file, withEnv(map[string]string{"CORSRPC_PROFILE": "dev"}))
	replace(t, file, policyOf("b")+"profiles: {dev: {add_origins: [https://dev2.example.com]}}")
	w.next("", "dev2")
	replace(t, file, policyOf("c"))
	w.next(`"dev" is not a profile`, "dev2")
}
