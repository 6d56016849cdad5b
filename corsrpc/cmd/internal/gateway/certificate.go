package gateway

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"log/slog"
	"sync/atomic"
	"time"

	"github.com/corsrpc/corsrpc-go/corsrpc/corsrpcv1"
	"github.com/corsrpc/corsrpc-go/internal/filewatch"
)

// maxPEMBytes is the maximum size of a file with certificates or a key.
const maxPEMBytes = 1 << 20

// certificates are those of the public port. They are read again when their files change. It is safe
// for concurrent use.
type certificates struct {
	files   *corsrpcv1.ServerTLS
	current atomic.Pointer[tls.Config]
	log     *slog.Logger
}

// newCertificates reads the certificates. It fails if a file cannot be read or used.
func newCertificates(files *corsrpcv1.ServerTLS, log *slog.Logger) (*certificates, error) {
	c := &certificates{files: files, log: log}
	if err := c.load(); err != nil {
		return nil, err
	}
	return c, nil
}

// config returns the configuration of a listener. Each handshake uses the certificates that are in force
// when it begins.
func (c *certificates) config() *tls.Config {
	return &tls.Config{
		MinVersion:         tls.VersionTLS12,
		NextProtos:         []string{"h2", "http/1.1"},
		GetConfigForClient: func(*tls.ClientHelloInfo) (*tls.Config, error) { return c.current.Load(), nil },
	}
}

// load reads the files and puts them in force, all of them or none.
func (c *certificates) load() error {
	read := func(name string) ([]byte, error) { return filewatch.Read(name, maxPEMBytes) }
	certificate, err := read(c.files.GetCertificate())
	if err != nil {
		return fmt.Errorf("the certificate of the public port: %w", err)
	}
	key, err := read(c.files.GetKey())
	if err != nil {
		return fmt.Errorf("the key of the public port: %w", err)
	}
	pair, err := tls.X509KeyPair(certificate, key)
	if err != nil {
		return fmt.Errorf("the certificate %s and the key %s: %w", c.files.GetCertificate(), c.files.GetKey(), err)
	}
	config := &tls.Config{MinVersion: tls.VersionTLS12, NextProtos: []string{"h2", "http/1.1"}, Certificates: []tls.Certificate{pair}}
	if name := c.files.GetClientCa(); name != "" {
		text, err := read(name)
		if err != nil {
			return fmt.Errorf("the authorities of client certificates: %w", err)
		}
		config.ClientCAs = x509.NewCertPool()
		if !config.ClientCAs.AppendCertsFromPEM(text) {
			return fmt.Errorf("%s has no certificate in PEM form", name)
		}
		config.ClientAuth = tls.RequireAndVerifyClientCert
	}
	c.current.Store(config)
	return nil
}

// names returns the names of the files.
func (c *certificates) names() []string {
	names := []string{c.files.GetCertificate(), c.files.GetKey()}
	if ca := c.files.GetClientCa(); ca != "" {
		names = append(names, ca)
	}
	return names
}

// follow reads the files again when one of them changes, until the context ends. A certificate and its
// key are two files: a pair that does not fit yet is tried again with the next change of either.
func (c *certificates) follow(ctx context.Context) {
	followFiles(ctx, c.names(), maxPEMBytes, func() { c.reload() })
}

// reload reads the files again. Files that cannot be used change nothing.
func (c *certificates) reload() {
	before := c.current.Load()
	if err := c.load(); err != nil {
		c.log.Error("the certificates have changed and are not usable; the previous ones stay in force", "error", err)
		return
	}
	if now := c.current.Load(); !sameCertificates(before, now) {
		c.log.Info("certificates reloaded", "expires", expiry(now))
	}
}

// sameCertificates reports whether two configurations have equal certificates.
func sameCertificates(a, b *tls.Config) bool {
	if len(a.Certificates[0].Certificate) != len(b.Certificates[0].Certificate) || (a.ClientCAs == nil) != (b.ClientCAs == nil) {
		return false
	}
	for i, der := range a.Certificates[0].Certificate {
		if string(der) != string(b.Certificates[0].Certificate[i]) {
			return false
		}
	}
	return a.ClientCAs == nil || a.ClientCAs.Equal(b.ClientCAs)
}

// expiry returns the time when the certificate expires.
func expiry(c *tls.Config) time.Time {
	leaf := c.Certificates[0].Leaf
	if leaf == nil {
		return time.Time{}
	}
	return leaf.NotAfter.UTC()
}
