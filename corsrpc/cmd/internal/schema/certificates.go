package schema

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"net"
	"os"

	"google.golang.org/grpc/credentials"
)

// Certificates reads the authorities in a PEM file, which a flag names.
func Certificates(flag, name string) (*x509.CertPool, error) {
	text, err := os.ReadFile(name)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", flag, err)
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(text) {
		return nil, fmt.Errorf("%s %s: there is not a certificate in PEM form (-----BEGIN CERTIFICATE-----) in the file", flag, name)
	}
	return pool, nil
}

// tlsConfig reads the files of the TLS connection to the server.
func (s Server) tlsConfig() (*tls.Config, error) {
	config := &tls.Config{MinVersion: tls.VersionTLS12, ServerName: s.ServerName}
	if s.CAFile != "" {
		flag := "--reflect-ca"
		if s.Name != "" {
			flag = s.Name
		}
		pool, err := Certificates(flag, s.CAFile)
		if err != nil {
			return nil, err
		}
		config.RootCAs = pool
	}
	if s.CertificateFile != "" {
		pair, err := tls.LoadX509KeyPair(s.CertificateFile, s.KeyFile)
		if err != nil {
			return nil, s.fail("the client certificate cannot be used: %w", err)
		}
		config.Certificates = []tls.Certificate{pair}
	}
	return config, nil
}

// tlsOfFiles reads the files of a TLS connection again for each connection.
type tlsOfFiles struct {
	credentials.TransportCredentials
	config func() (*tls.Config, error)
}

// ClientHandshake makes a TLS connection.
func (t *tlsOfFiles) ClientHandshake(ctx context.Context, authority string, raw net.Conn) (net.Conn, credentials.AuthInfo, error) {
	config, err := t.config()
	if err != nil {
		return nil, nil, err
	}
	return credentials.NewTLS(config).ClientHandshake(ctx, authority, raw)
}

// Clone returns t, which is never modified.
func (t *tlsOfFiles) Clone() credentials.TransportCredentials { return t }
