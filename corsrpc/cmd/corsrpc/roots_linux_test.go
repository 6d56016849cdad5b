package main

import (
	"crypto/x509"
	"os"
	"os/exec"
	"testing"
)

// TestRootCertificates: where the system has no root certificates, as in a container image from scratch, the program has
// its own. macOS and Windows always have some.
func TestRootCertificates(t *testing.T) {
	const child = "CORSRPC_TEST_WITHOUT_ROOTS"
	if os.Getenv(child) == "" {
		cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestRootCertificates$")
		cmd.Env = append(os.Environ(), child+"=1", "SSL_CERT_FILE="+t.TempDir()+"/none", "SSL_CERT_DIR="+t.TempDir())
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
		return
	}
	roots, err := x509.SystemCertPool()
	if err != nil || roots.Equal(x509.NewCertPool()) {
		t.Errorf("the program has no root certificates: %v", err)
	}
}
