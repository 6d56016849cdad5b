package main

import (
	"bufio"
	"context"
	_ "embed" // for nginxConfig
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// proxied is a running proxy.
type proxied struct {
	name, address string
	command       *exec.Cmd
}

// stop ends the process, and waits for its end.
func (p *proxied) stop() {
	_ = p.command.Process.Signal(syscall.SIGKILL)
	if p.name == "nginx" {
		_ = syscall.Kill(-p.command.Process.Pid, syscall.SIGKILL) // its workers
	}
	_ = p.command.Wait()
}

// cpu returns the processor time of all threads of the proxy, those of its worker processes included.
// See https://docs.kernel.org/scheduler/sched-stats.html.
func (p *proxied) cpu() (time.Duration, error) {
	var sum time.Duration
	pids := []string{strconv.Itoa(p.command.Process.Pid)}
	children, err := filepath.Glob(fmt.Sprintf("/proc/%s/task/*/children", pids[0]))
	if err != nil {
		return 0, err
	}
	for _, file := range children {
		text, err := os.ReadFile(file)
		if err != nil {
			return 0, err
		}
		pids = append(pids, strings.Fields(string(text))...)
	}
	for _, pid := range pids {
		threads, err := filepath.Glob("/proc/" + pid + "/task/*/schedstat")
		if err != nil || len(threads) == 0 {
			return 0, errors.Join(err, fmt.Errorf("%s has no threads", p.name))
		}
		for _, file := range threads {
			text, err := os.ReadFile(file)
			if err != nil {
				return 0, err
			}
			n, err := strconv.ParseInt(strings.Fields(string(text))[0], 10, 64)
			if err != nil {
				return 0, err
			}
			sum += time.Duration(n)
		}
	}
	return sum, nil
}

// startProxies starts the proxies that can serve the way. It returns those that have begun also with an
// error.
func startProxies(ctx context.Context, way way, server *server, folder, command string) (all []*proxied, err error) {
	gateway, err := startGateway(ctx, way, server, folder, command)
	if gateway != nil {
		all = append(all, gateway)
	}
	if err != nil {
		return all, err
	}
	bare, err := startBare(ctx, way, server)
	if bare != nil {
		all = append(all, bare)
	}
	if err != nil || !way.others {
		return all, err
	}
	nginx, err := startNginx(ctx, way, server, folder)
	if nginx != nil {
		all = append(all, nginx)
	}
	return all, err
}

// startGateway starts the gateway with a policy for the page.
func startGateway(ctx context.Context, way way, server *server, folder, command string) (*proxied, error) {
	policy := filepath.Join(folder, "cors.yaml")
	if err := os.WriteFile(policy, []byte("defaults: {allow_origins: ["+page+"]}\n"), 0o600); err != nil {
		return nil, err
	}
	c := exec.CommandContext(ctx, command, "gateway", "--policy", policy, "--upstream", way.upstream+"://"+server.address,
		"--listen", "127.0.0.1:0", "--internal", "127.0.0.1:0", "--log", "json")
	log, err := c.StderrPipe()
	if err != nil {
		return nil, err
	}
	if err := c.Start(); err != nil {
		return nil, err
	}
	p := &proxied{name: gatewayName, command: c}
	lines := bufio.NewScanner(log)
	for lines.Scan() {
		var line struct{ Msg, Address string }
		if json.Unmarshal(lines.Bytes(), &line) == nil && line.Msg == "listening" {
			p.address = line.Address
		}
		if line.Msg == "ready" {
			go func() { _, _ = io.Copy(io.Discard, log) }()
			return p, nil
		}
	}
	return p, errors.New("the gateway ended")
}

// startBare starts this program as the bare proxy.
func startBare(ctx context.Context, way way, server *server) (*proxied, error) {
	scheme := "http"
	if way.server {
		scheme = "h2c"
	}
	c := exec.CommandContext(ctx, os.Args[0], "-bare", scheme+"://"+server.address)
	out, err := c.StdoutPipe()
	if err != nil {
		return nil, err
	}
	c.Stderr = os.Stderr
	if err := c.Start(); err != nil {
		return nil, err
	}
	p := &proxied{name: bareName, command: c}
	lines := bufio.NewScanner(out)
	if !lines.Scan() {
		return p, errors.New("the bare proxy ended")
	}
	p.address = lines.Text()
	return p, nil
}

// serveBare is the bare proxy: httputil.ReverseProxy, with the settings that a gateway of streams needs.
func serveBare(target string) error {
	u, err := url.Parse(target)
	if err != nil {
		return err
	}
	protocols := new(http.Protocols)
	protocols.SetHTTP1(u.Scheme == "http")
	protocols.SetUnencryptedHTTP2(u.Scheme == "h2c")
	u.Scheme = "http"
	proxy := &httputil.ReverseProxy{
		Rewrite: func(r *httputil.ProxyRequest) {
			r.SetURL(u)
			r.Out.Host = r.In.Host
			r.SetXForwarded()
		},
		FlushInterval: -1,
		Transport:     &http.Transport{Protocols: protocols, MaxIdleConnsPerHost: 256, DisableCompression: true},
	}
	l, err := (&net.ListenConfig{}).Listen(context.Background(), "tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	both := new(http.Protocols)
	both.SetHTTP1(true)
	both.SetUnencryptedHTTP2(true)
	fmt.Println(l.Addr())
	h := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.ProtoMajor == 1 {
			// Without it, a call fails now and then whose response begins before its body was read to the end.
			_ = http.NewResponseController(w).EnableFullDuplex()
		}
		proxy.ServeHTTP(w, r)
	})
	return (&http.Server{Handler: h, Protocols: both, ReadHeaderTimeout: time.Minute}).Serve(l)
}

// nginxConfig is the configuration of nginx, with its folder, the server, the port, and the directives that pass
// a request on.
//
//go:embed nginx.conf.txt
var nginxConfig string

// startNginx starts nginx on a port that was free a moment ago.
func startNginx(ctx context.Context, way way, server *server, folder string) (*proxied, error) {
	l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	address := l.Addr().String()
	l.Close()
	listen, pass := address, "proxy_pass http://upstream; proxy_http_version 1.1; proxy_set_header Connection \"\"; proxy_set_header Host $http_host; proxy_set_header X-Forwarded-For $remote_addr; proxy_buffering off; proxy_request_buffering off;"
	if way.server {
		listen, pass = address+" http2", "grpc_pass grpc://upstream; grpc_set_header Host $http_host;"
	}
	config := filepath.Join(folder, "nginx.conf")
	text := fmt.Sprintf(nginxConfig, folder, server.address, listen, pass)
	if err := os.WriteFile(config, []byte(text), 0o600); err != nil {
		return nil, err
	}
	program := "nginx"
	if _, err := exec.LookPath(program); err != nil {
		program = "/usr/sbin/nginx"
	}
	c := exec.CommandContext(ctx, program, "-p", folder, "-e", "stderr", "-c", config)
	c.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	c.Stderr = os.Stderr
	if err := c.Start(); err != nil {
		return nil, fmt.Errorf("nginx: %w: install it by `apt-get install nginx-light`", err)
	}
	p := &proxied{name: "nginx", address: address, command: c}
	return p, waitFor(ctx, "nginx", func() bool {
		conn, err := (&net.Dialer{}).DialContext(ctx, "tcp", address)
		if err == nil {
			conn.Close()
		}
		return err == nil
	})
}
