package schema

import (
	"crypto/x509"
	"fmt"
	"os"
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
