package main

import (
	"bufio"
	"context"
	_ "embed" // for nginxConfig
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"time"

	"github.com/corsrpc/corsrpc-go/internal/bench/proxies"
)

// startBare starts this program as the bare proxy.
func startBare(ctx context.Context, way way, server *proxies.Server) (*proxies.Proxy, error) {
	scheme := "http"
	if way.upstream == "grpc" {
		scheme = "h2c"
	}
	c := exec.CommandContext(ctx, os.Args[0], "-bare", scheme+"://"+server.Address)
	out, err := c.StdoutPipe()
	if err != nil {
		return nil, err
	}
	c.Stderr = os.Stderr
	if err := proxies.Start(c); err != nil {
		return nil, err
	}
	p := &proxies.Proxy{Processes: []*exec.Cmd{c}}
	lines := bufio.NewScanner(out)
	if !lines.Scan() {
		return p, errors.New("the bare proxy ended")
	}
	p.Address = lines.Text()
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
func startNginx(ctx context.Context, way way, server *proxies.Server, folder string) (*proxies.Proxy, error) {
	address, err := proxies.FreeAddress(ctx)
	if err != nil {
		return nil, err
	}
	listen, pass := address, "proxy_pass http://upstream; proxy_http_version 1.1; proxy_set_header Connection \"\"; proxy_set_header Host $http_host; proxy_set_header X-Forwarded-For $remote_addr; proxy_buffering off; proxy_request_buffering off;"
	if way.upstream == "grpc" {
		listen, pass = address+" http2", "grpc_pass grpc://upstream; grpc_set_header Host $http_host;"
	}
	config := filepath.Join(folder, "nginx.conf")
	text := fmt.Sprintf(nginxConfig, folder, server.Address, listen, pass)
	if err := os.WriteFile(config, []byte(text), 0o600); err != nil {
		return nil, err
	}
	program := "nginx"
	if _, err := exec.LookPath(program); err != nil {
		program = "/usr/sbin/nginx"
	}
	c := exec.CommandContext(ctx, program, "-p", folder, "-e", "stderr", "-c", config)
	c.Stderr = os.Stderr
	if err := proxies.Start(c); err != nil {
		return nil, fmt.Errorf("nginx: %w: install it by `apt-get install nginx-light`", err)
	}
	return &proxies.Proxy{Address: address, Processes: []*exec.Cmd{c}}, proxies.WaitForPort(ctx, "nginx", address)
}
