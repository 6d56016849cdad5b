// Command behindgateway is a server for the suite of connectrpc.com/conformance: one of the suite's own servers, with
// corsrpc gateway in front.
//
//	behindgateway -scheme h2c GATEWAY SERVER
//
// GATEWAY is the program corsrpc, SERVER a server of the suite. The suite's request for a server arrives on the
// standard input. The server gets it with what the gateway does itself taken out: the client's TLS and HTTP version. The
// response on the standard output has the gateway's address.
package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"runtime"
	"strconv"
	"syscall"
)

func main() {
	runtime.LockOSThread() // Pdeathsig is about the thread that starts a process
	scheme := flag.String("scheme", "", "how the gateway calls the server: http, h2c, https or grpc")
	flag.Parse()
	if err := run(*scheme, flag.Args()); err != nil {
		fmt.Fprintln(os.Stderr, "behindgateway:", err)
		os.Exit(1)
	}
}

// run serves until SIGTERM.
func run(scheme string, args []string) error {
	if len(args) != 2 {
		return errors.New("write behindgateway -scheme SCHEME GATEWAY SERVER")
	}
	ended, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer stop()
	folder, err := os.MkdirTemp("", "behindgateway-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(folder)
	var asked request
	if err := readMessage(os.Stdin, &asked); err != nil {
		return fmt.Errorf("the suite's request: %w", err)
	}
	server, at, err := startServer(args[1], asked.behind(scheme))
	if err != nil {
		return fmt.Errorf("%s: %w", args[1], err)
	}
	defer end(server)
	gateway, address, err := startGateway(args[0], folder, scheme, &asked, at)
	if err != nil {
		return fmt.Errorf("%s: %w", args[0], err)
	}
	defer end(gateway)
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		return err
	}
	front := response{host: host, certificate: asked.certificate}
	if front.port, err = strconv.ParseUint(port, 10, 16); err != nil {
		return err
	}
	if err := writeMessage(os.Stdout, front.append(nil)); err != nil {
		return err
	}
	<-ended.Done()
	return nil
}

// startServer starts a server of the suite and returns its response.
func startServer(name string, asked *request) (*exec.Cmd, *response, error) {
	cmd := command(name, "--port", "0")
	in, err1 := cmd.StdinPipe()
	out, err2 := cmd.StdoutPipe()
	if err := errors.Join(err1, err2, cmd.Start()); err != nil {
		return nil, nil, err
	}
	var at response
	err := errors.Join(writeMessage(in, asked.append(nil)), in.Close(), readMessage(out, &at))
	if err != nil {
		end(cmd)
		return nil, nil, err
	}
	return cmd, &at, nil
}

// startGateway starts the gateway in front of a server, and returns its address.
func startGateway(name, folder, scheme string, asked *request, server *response) (*exec.Cmd, string, error) {
	type object = map[string]any
	listen := object{"address": "127.0.0.1:0"}
	upstream := object{"name": "server", "url": scheme + "://" + net.JoinHostPort(server.host, strconv.FormatUint(server.port, 10))}
	files := map[string]any{
		"cors.yaml": object{"defaults": object{"allow_origins": []string{"https://app.example.com"}}},
		"gateway.yaml": object{
			"listen": listen, "internal": object{"address": "127.0.0.1:0"}, "upstreams": []any{upstream},
			"virtual_hosts": []any{object{"policy": "cors.yaml", "routes": []any{object{"upstream": "server"}}}},
			"drain":         object{"delay": "0s", "timeout": "2s"},
		},
	}
	if asked.useTLS {
		files["tls.crt"], files["tls.key"] = asked.certificate, asked.key
		tls := object{"certificate": "tls.crt", "key": "tls.key"}
		if len(asked.clientCertificate) > 0 {
			files["client.crt"], tls["client_ca"] = asked.clientCertificate, "client.crt"
		}
		listen["tls"] = tls
	}
	if scheme == "https" {
		files["server.crt"], upstream["tls"] = server.certificate, object{"ca": "server.crt"}
	}
	for file, content := range files {
		text, isText := content.([]byte)
		if !isText {
			var err error
			if text, err = json.Marshal(content); err != nil { // JSON is YAML too
				return nil, "", err
			}
		}
		if err := os.WriteFile(filepath.Join(folder, file), text, 0o600); err != nil {
			return nil, "", err
		}
	}
	cmd := command(name, "gateway", "--log", "json", "--config", filepath.Join(folder, "gateway.yaml"))
	cmd.Stderr = nil
	errs, err := cmd.StderrPipe()
	if err := errors.Join(err, cmd.Start()); err != nil {
		return nil, "", err
	}
	var log string
	for lines, address := bufio.NewScanner(errs), ""; lines.Scan(); {
		var line struct{ Msg, Address string }
		_ = json.Unmarshal(lines.Bytes(), &line)
		switch line.Msg {
		case "listening":
			address = line.Address
		case "ready":
			go func() { _, _ = io.Copy(io.Discard, errs) }() // failures of calls, which are among the cases
			return cmd, address, nil
		}
		log += lines.Text() + "\n"
	}
	end(cmd)
	return nil, "", fmt.Errorf("the gateway does not become ready:\n%s", log)
}

// command returns a command that ends with this program.
func command(name string, args ...string) *exec.Cmd {
	cmd := exec.Command(name, args...)
	cmd.Stderr = os.Stderr
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	return cmd
}

// end ends a command with SIGTERM.
func end(cmd *exec.Cmd) {
	_ = cmd.Process.Signal(syscall.SIGTERM)
	_ = cmd.Wait()
}
