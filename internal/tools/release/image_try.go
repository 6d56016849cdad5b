package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/health"
	"google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/reflection"
)

// A container is an unpacked image. As root, its programs run with its folder as their root and as its user, so that they
// find nothing of the machine. Without root they run as they are.
type container struct {
	root    string // the folder
	program string
	version string
}

// imageTries has, for each program that has an image, how the one for this machine is tried.
var imageTries = map[string]func(context.Context, *container) error{"corsrpc": tryGateway}

// tryImages unpacks the images for this machine below dir and tries their programs.
func tryImages(ctx context.Context, out io.Writer, files map[string][]byte, dir, version string, tries map[string]func(context.Context, *container) error) error {
	tried := 0
	for _, name := range slices.Sorted(maps.Keys(files)) {
		if !strings.HasSuffix(name, imageSuffix) {
			continue
		}
		program, _, _ := strings.Cut(name, "_")
		c := &container{filepath.Join(dir, "root of "+program), program, version}
		if tries[program] == nil {
			return fmt.Errorf("%s: the table of tries does not say how it is tried", program)
		}
		err := c.unpack(files[name])
		if err == nil {
			err = tries[program](ctx, c)
		}
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		tried++
	}
	if tried == 0 {
		return errors.New("there is no image to try")
	}
	if os.Geteuid() != 0 {
		fmt.Fprintln(out, "Programs of images ran outside of a container's root folder, since only root can change it.")
	}
	return nil
}

// unpack writes the files of the image for this machine into the container's folder.
func (c *container) unpack(data []byte) error {
	entries, err := hostsLayer(data)
	if err != nil {
		return err
	}
	if err := os.Mkdir(c.root, 0o755); err != nil {
		return err
	}
	for _, e := range entries {
		name := filepath.Join(c.root, filepath.FromSlash(e.Name))
		if strings.HasSuffix(e.Name, "/") {
			err = os.Mkdir(name, os.FileMode(e.Mode))
		} else {
			err = os.WriteFile(name, e.data, os.FileMode(e.Mode))
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// hostsLayer returns the files of the image for this machine.
func hostsLayer(data []byte) ([]archiveEntry, error) {
	dir, err := os.MkdirTemp("", "image-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	if _, err := unpackLayout(data, dir); err != nil {
		return nil, err
	}
	index, _, err := indexIn(dir)
	if err != nil {
		return nil, err
	}
	manifest, err := index.IndexManifest()
	if err != nil {
		return nil, err
	}
	for _, d := range manifest.Manifests {
		if d.Platform != nil && d.Platform.OS == imageSystem && d.Platform.Architecture == runtime.GOARCH {
			image, err := index.Image(d.Digest)
			if err != nil {
				return nil, err
			}
			return layerOf(image)
		}
	}
	return nil, fmt.Errorf("no image is for %s/%s", imageSystem, runtime.GOARCH)
}

// command returns a command that runs the program of the image, as a container's first process.
func (c *container) command(ctx context.Context, args ...string) *exec.Cmd {
	if os.Geteuid() != 0 {
		return exec.CommandContext(ctx, filepath.Join(c.root, c.program), args...)
	}
	cmd := exec.CommandContext(ctx, "/"+c.program, args...)
	cmd.Dir = "/"
	cmd.Env = []string{}
	enterRoot(cmd, c.root, imageUserID)
	return cmd
}

// file returns the name that the program has for a file of the container.
func (c *container) file(name string) string {
	if os.Geteuid() != 0 {
		return filepath.Join(c.root, filepath.FromSlash(name))
	}
	return "/" + name
}

// prints fails unless the program, run with some arguments, prints a text.
func (c *container) prints(ctx context.Context, want string, args ...string) error {
	said, err := c.command(ctx, args...).CombinedOutput()
	if err == nil && !strings.Contains(string(said), want) {
		err = errors.New("it should print " + want)
	}
	if err != nil {
		return fmt.Errorf("%s %q: %w\n%s", c.program, args, err, said)
	}
	return nil
}

// checked is the procedure of gRPC servers that tells their health, as a path.
const checked = "/grpc.health.v1.Health/Check"

// tryGateway runs the gateway of an image in front of a gRPC server, with the configuration where a Kubernetes volume
// would put it. A page of one origin may call it, and one of another may not.
func tryGateway(ctx context.Context, c *container) error {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	if err := c.prints(ctx, "corsrpc "+c.version+" ", "--version"); err != nil {
		return err
	}
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	server := grpc.NewServer()
	grpc_health_v1.RegisterHealthServer(server, health.NewServer())
	reflection.Register(server)
	go func() { _ = server.Serve(listener) }()
	defer server.Stop()
	configuration := map[string]string{
		"gateway.yaml": fmt.Sprintf("listen: {address: \"127.0.0.1:0\"}\ninternal: {address: \"127.0.0.1:0\"}\ndrain: {delay: 0s}\n"+
			"upstreams: [{name: health, url: \"grpc://%s\", reflect: true}]\nvirtual_hosts: [{policy: cors.yaml, routes: [{upstream: health}]}]\n", listener.Addr()),
		"cors.yaml": "rules:\n  - selector: grpc.health.v1.Health\n    allow_origins: [https://app.example.com]\n",
	}
	for name, text := range configuration {
		if err := os.WriteFile(filepath.Join(c.root, "etc", "corsrpc", name), []byte(text), 0o644); err != nil {
			return err
		}
	}
	g, err := c.start(ctx, "gateway", "--config", c.file("etc/corsrpc/gateway.yaml"))
	if err != nil {
		return err
	}
	err = callThrough(ctx, g)
	if stopped := g.stop(); err == nil {
		err = stopped
	}
	if err != nil {
		return fmt.Errorf("the gateway: %w\n%s", err, g.log.String())
	}
	return nil
}

// A running is a program of a container that runs and writes a log.
type running struct {
	cmd    *exec.Cmd
	lines  chan string   // of the log; closed at its end
	log    *bytes.Buffer // complete when the program has ended
	cancel context.CancelFunc
}

// start starts the program of the container.
func (c *container) start(ctx context.Context, args ...string) (*running, error) {
	ctx, cancel := context.WithCancel(ctx)
	r := &running{c.command(ctx, args...), make(chan string, 1000), &bytes.Buffer{}, cancel}
	output, err := r.cmd.StderrPipe()
	if err == nil {
		err = r.cmd.Start()
	}
	if err != nil {
		cancel()
		return nil, err
	}
	go func() {
		defer close(r.lines)
		for lines := bufio.NewScanner(io.TeeReader(output, r.log)); lines.Scan(); {
			r.lines <- lines.Text()
		}
	}()
	return r, nil
}

// stop asks the program to end, and waits until it has. The error says if it did not end well.
func (r *running) stop() error {
	defer r.cancel()
	timer := time.AfterFunc(10*time.Second, r.cancel)
	defer timer.Stop()
	err := r.cmd.Process.Signal(syscall.SIGTERM)
	for range r.lines { //nolint:revive // the log ends when the program does
	}
	return errors.Join(err, r.cmd.Wait())
}

var listening = regexp.MustCompile(`msg=listening address=(\S+)`)

// callThrough waits until a gateway is ready, and calls a procedure as pages of two origins.
func callThrough(ctx context.Context, g *running) error {
	address := ""
	for ready := false; !ready; {
		line, open := <-g.lines
		if !open {
			return errors.New("it ended before it was ready")
		}
		if m := listening.FindStringSubmatch(line); m != nil {
			address = m[1]
		}
		ready = strings.Contains(line, "msg=ready")
	}
	for origin, want := range map[string]string{"https://app.example.com": "https://app.example.com", "https://other.example.com": ""} {
		message := make([]byte, 5) // an empty message, with its flag and its length
		r, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://"+address+checked, bytes.NewReader(message))
		if err != nil {
			return err
		}
		r.Header.Set("Origin", origin)
		r.Header.Set("Content-Type", "application/grpc-web+proto")
		r.Header.Set("X-Grpc-Web", "1")
		answer, err := http.DefaultClient.Do(r)
		if err != nil {
			return err
		}
		body, err := io.ReadAll(answer.Body)
		answer.Body.Close()
		if err != nil {
			return err
		}
		if got := answer.Header.Get("Access-Control-Allow-Origin"); got != want {
			return fmt.Errorf("a page of %s: Access-Control-Allow-Origin is %q, and should be %q\n%s", origin, got, want, body)
		}
		serving := []byte{0, 0, 0, 0, 2, 8, byte(grpc_health_v1.HealthCheckResponse_SERVING)}
		if want != "" && (!bytes.HasPrefix(body, serving)) {
			return fmt.Errorf("the server's answer is %d %q", answer.StatusCode, body)
		}
	}
	return nil
}
