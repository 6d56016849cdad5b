package main

import (
	"bufio"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"connectrpc.com/connect"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"

	showcasev1 "github.com/corsrpc/corsrpc-go/examples/showcase/gen/showcase/v1"
	"github.com/corsrpc/corsrpc-go/examples/showcase/gen/showcase/v1/showcasev1connect"
)

// start runs the program on free ports, and returns the addresses that it prints.
func start(t *testing.T, policy string) (addresses map[string]string) {
	t.Helper()
	dist := t.TempDir()
	if err := os.WriteFile(filepath.Join(dist, "index.html"), []byte("<!doctype html>the page"), 0o600); err != nil {
		t.Fatal(err)
	}
	r, w := io.Pipe()
	ctx, stop := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() {
		done <- run(ctx, []string{"-policy", policy, "-page", dist, "-api", "localhost:0", "-grpc", "localhost:0", "-allowed", "localhost:0", "-refused", "localhost:0", "-inspector", "localhost:0"}, w)
		w.Close()
	}()
	t.Cleanup(func() {
		stop()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	addresses = map[string]string{}
	lines := bufio.NewScanner(r)
	for lines.Scan() {
		if m := regexp.MustCompile(`^(\w+) +(http://localhost:\d+)`).FindStringSubmatch(lines.Text()); m != nil {
			addresses[m[1]] = m[2]
		}
		if strings.HasPrefix(lines.Text(), "Press Ctrl-C") {
			break
		}
	}
	go io.Copy(io.Discard, r)
	return addresses
}

// TestShowcase: the program prints the addresses of its servers, and they work.
func TestShowcase(t *testing.T) {
	addresses := start(t, "cors.yaml")
	get := func(url string) (string, http.Header) {
		t.Helper()
		res, err := http.Get(url)
		if err != nil {
			t.Fatal(err)
		}
		defer res.Body.Close()
		body, err := io.ReadAll(res.Body)
		if err != nil || res.StatusCode != http.StatusOK {
			t.Fatalf("%s: %d %v", url, res.StatusCode, err)
		}
		return string(body), res.Header
	}
	page, header := get(addresses["page"])
	if !strings.Contains(page, "the page") || !strings.Contains(header.Get("Set-Cookie"), "showcase=1") {
		t.Errorf("%q %v", page, header)
	}
	config, _ := get(addresses["refused"] + "/config.json")
	var c map[string]string
	if err := json.Unmarshal([]byte(config), &c); err != nil || c["api"] != addresses["service"] || c["grpc"] != addresses["grpc"] || c["refused"] != addresses["refused"] {
		t.Errorf("%s %v", config, err)
	}

	if inspector, _ := get(addresses["inspector"] + "?target=showcase.v1.ShowcaseService.Greet&origin=https://evil.example&server=http://localhost:8080&method=POST&headers=Connect-Protocol-Version:1"); !strings.Contains(inspector, "the browser does not send the call") {
		t.Errorf("%s", inspector)
	}

	client := showcasev1connect.NewShowcaseServiceClient(http.DefaultClient, addresses["service"])
	res, err := client.Greet(t.Context(), connect.NewRequest(&showcasev1.GreetRequest{Name: "you"}))
	if err != nil || res.Msg.GetGreeting() != "Hello, you!" || res.Trailer().Get("X-Showcase-Trailer") != "trail-Greet" {
		t.Errorf("%v %v", res, err)
	}
	conn, err := grpc.NewClient(strings.TrimPrefix(addresses["grpc"], "http://"), grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if res, err := showcasev1.NewShowcaseServiceClient(conn).Greet(t.Context(), &showcasev1.GreetRequest{Name: "you"}); err != nil || res.GetGreeting() != "Hello, you!" {
		t.Errorf("by grpc-go: %v %v", res, err)
	}
	r, err := http.NewRequestWithContext(t.Context(), http.MethodOptions, addresses["service"]+showcasev1connect.ShowcaseServiceGreetProcedure, nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Origin", "http://localhost:8081")
	r.Header.Set("Access-Control-Request-Method", "POST")
	preflight, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	preflight.Body.Close()
	if preflight.StatusCode != http.StatusNoContent {
		t.Errorf("preflight: %d", preflight.StatusCode)
	}
	if count, _ := get(addresses["page"] + "/preflights"); strings.TrimSpace(count) != `{"count":1}` {
		t.Errorf("preflights: %s", count)
	}
}

// TestPageNotBuilt: the error for a page that is not built names the command to run.
func TestPageNotBuilt(t *testing.T) {
	err := run(t.Context(), []string{"-policy", "cors.yaml", "-page", t.TempDir()}, io.Discard)
	if err == nil || !strings.Contains(err.Error(), "make run") {
		t.Errorf("%v", err)
	}
}
