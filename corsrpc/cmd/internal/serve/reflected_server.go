package serve

import (
	"context"
	"errors"
	"log/slog"
	"math/rand/v2"
	"regexp"
	"strings"
	"time"

	"github.com/corsrpc/corsrpc-go/corsrpc/cmd/internal/schema"
	"github.com/corsrpc/corsrpc-go/corsrpc/corsrpcv1"
)

// ReflectedServer is a server that tells its schema by gRPC server reflection, v1 or v1alpha.
type ReflectedServer struct {
	// Name names the server in logs and errors, such as "the upstream catalog (grpc://127.0.0.1:9090)". Required.
	Name string
	// URL is grpc://, h2c:// or http:// and host:port for a server without TLS, and grpcs:// or https:// for
	// one with TLS. The default port is 80 or 443. Required.
	URL string
	// CAFile is a PEM file with the authorities of the server's certificate. Default: those of the system.
	CAFile string
	// CertificateFile and KeyFile are PEM files with a client certificate and its key. Default: none.
	CertificateFile, KeyFile string
	// ServerName is the name that the server's certificate has to be valid for. Default: the host of the URL.
	ServerName string
	// ConnectTimeout is how long an attempt to connect may take. Default: 5s.
	ConnectTimeout time.Duration
}

// ReflectedUpstream returns an upstream of a gateway file as a server that tells its schema.
func ReflectedUpstream(u *corsrpcv1.Upstream) ReflectedServer {
	return ReflectedServer{
		Name: "the upstream " + u.GetName() + " (" + u.GetUrl() + ")", URL: u.GetUrl(),
		CAFile: u.GetTls().GetCa(), CertificateFile: u.GetTls().GetCertificate(), KeyFile: u.GetTls().GetKey(),
		ServerName: u.GetTls().GetServerName(), ConnectTimeout: u.GetConnectTimeout().AsDuration(),
	}
}

// schemes are the schemes of URLs, and those of the package schema that mean the same.
var schemes = strings.NewReplacer("grpc://", "h2c://", "grpcs://", "https://")

// terms replaces names of the flags of other subcommands in errors about a server by those of a gateway file.
var terms = strings.NewReplacer(
	"pass --descriptors FILE", "set descriptors of the upstream", "--reflect-ca FILE", "ca in tls of the upstream", "--reflect-ca", "ca",
	"--reflect-server-name", "server_name in tls of the upstream", "h2c://", "grpc://", "https://", "grpcs://")

// mergeTerms does the same in errors about the schema of several servers, which have URLs.
var mergeTerms = strings.NewReplacer(
	"pass --descriptors FILE with it too", "set descriptors of the upstream too",
	"pass one of them", "take the schema from one of them")

// connect begins to connect to the server.
func (s ReflectedServer) connect() (*schema.Connection, error) {
	timeout := s.ConnectTimeout
	if timeout <= 0 {
		timeout = 5 * time.Second
	}
	server := schema.Server{
		URL: schemes.Replace(s.URL), CAFile: s.CAFile, CertificateFile: s.CertificateFile, KeyFile: s.KeyFile,
		ServerName: s.ServerName, Name: s.Name, Terms: terms,
	}
	return server.Connect(timeout)
}

// Pauses between attempts to ask a server that does not tell its schema. A pause doubles after each failure.
const (
	firstPause = 100 * time.Millisecond
	maxPause   = 5 * time.Second
)

// follower asks a server for its schema: until it has answered, then after each new connection, each period,
// and when it is told to.
type follower struct {
	server  ReflectedServer
	every   time.Duration
	timeout time.Duration // bounds the time that the server may take to tell its schema
	ask     chan struct{} // holds one item while someone waits for the server to be asked
	log     *slog.Logger

	conn    *schema.Connection // nil if there is none
	told    bool               // whether the server has told its schema once
	failure string             // the failure that was logged last; empty if the server has answered since
}

// follow calls answered after each attempt, until the context ends.
func (f *follower) follow(ctx context.Context, answered func(*schema.Part, error)) {
	defer f.disconnect()
	pause := firstPause
	for ctx.Err() == nil {
		part, err := f.read(ctx)
		if ctx.Err() != nil {
			return
		}
		wait := f.every - f.every/10 + rand.N(f.every/5+1) // instances of a fleet do not ask all at once
		if err != nil {
			wait, pause = pause, min(2*pause, maxPause)
		} else {
			pause = firstPause
		}
		f.report(err)
		answered(part, err)
		f.wait(ctx, wait)
	}
}

// read asks the server once.
func (f *follower) read(ctx context.Context) (*schema.Part, error) {
	if f.conn == nil {
		conn, err := f.server.connect()
		if err != nil {
			return nil, err
		}
		f.conn = conn
	}
	connected := f.conn.Ready()
	ctx, cancel := context.WithTimeout(ctx, f.timeout)
	defer cancel()
	part, err := f.conn.Read(ctx)
	switch {
	case err == nil && !connected: // the server was asked over the new connection already
		select {
		case <-f.conn.Made():
		default:
		}
	case err != nil && errors.Is(ctx.Err(), context.DeadlineExceeded):
		f.disconnect() // the connection may be dead without a sign of it
	}
	return part, err
}

// wait waits for the next reason to ask the server.
func (f *follower) wait(ctx context.Context, longest time.Duration) {
	timer := time.NewTimer(longest)
	defer timer.Stop()
	var made <-chan struct{}
	if f.conn != nil {
		made = f.conn.Made()
	}
	select {
	case <-ctx.Done():
	case <-timer.C:
	case <-made:
	case <-f.ask:
	}
}

func (f *follower) disconnect() {
	if f.conn != nil {
		_ = f.conn.Close()
		f.conn = nil
	}
}

// report logs each new reason why a server does not tell its schema, and that it does again.
func (f *follower) report(err error) {
	if err == nil {
		if f.failure != "" {
			f.log.Info("corsrpc: a server tells its schema again", "server", f.server.Name)
		}
		f.told, f.failure = true, ""
		return
	}
	reason := ports.ReplaceAllString(err.Error(), "") // ports of clients differ each time
	if reason == f.failure {
		return
	}
	f.failure = reason
	message := "corsrpc: waiting for the schema of a server"
	if f.told {
		message = "corsrpc: a server does not tell its schema; keeping the last one"
	}
	f.log.Warn(message, "error", err)
}

// ports matches the port of an address.
var ports = regexp.MustCompile(`:\d+\b`)
