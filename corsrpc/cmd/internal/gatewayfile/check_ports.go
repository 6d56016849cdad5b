package gatewayfile

import (
	"cmp"
	"fmt"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// checkPorts checks the public and the internal port.
func (c *checker) checkPorts() {
	listen, internal := c.gateway.GetListen(), c.gateway.GetInternal()
	switch address := listen.GetAddress(); {
	case c.program == Processor && strings.HasPrefix(address, UnixScheme):
		c.checkSocket("listen.address", strings.TrimPrefix(address, UnixScheme))
	case address != "":
		c.checkAddress("listen.address", address)
	}
	if internal.GetAddress() != "" {
		c.checkAddress("internal.address", internal.GetAddress())
	}
	if a, b := cmp.Or(listen.GetAddress(), c.program.address()), cmp.Or(internal.GetAddress(), c.program.internal()); overlap(a, b) {
		field, value, other := "internal.address", b, ":9901"
		if internal.GetAddress() == "" {
			field, value, other = "listen.address", a, c.program.address()
		}
		c.fail(field, CodeDuplicate, value, "is taken by the other port: the public port has "+a+", and the internal port "+b, "another port, such as "+strconv.Quote(other))
	}
	if tls := listen.GetTls(); tls != nil {
		c.checkPair("listen.tls", tls.GetCertificate(), tls.GetKey(), true)
		if name := tls.GetClientCa(); name != "" {
			c.checkFile("listen.tls.client_ca", name)
		}
	}
	for i, host := range internal.GetHosts() {
		c.checkHost(fmt.Sprintf("internal.hosts[%d]", i), host, false)
	}
}

// maxSocketBytes is the greatest length of the name of a Unix socket on all systems.
const maxSocketBytes = 103

// checkSocket checks the name of a Unix socket.
func (c *checker) checkSocket(field, name string) {
	const example = "unix:/run/corsrpc/extproc.sock"
	switch path := c.path(name); {
	case name == "" || strings.HasPrefix(name, "//") || strings.HasPrefix(name, "@"): // @ is Linux's abstract names, which everyone may connect to
		c.fail(field, CodeAddress, UnixScheme+name, "is not the name of a Unix socket", example)
	case len(path) > maxSocketBytes:
		c.fail(field, CodeAddress, UnixScheme+name, fmt.Sprintf("has a name of more than %d bytes, which systems do not take", maxSocketBytes), example)
	default:
		if info, err := os.Stat(filepath.Dir(path)); err != nil || !info.IsDir() {
			c.fail(field, CodeFileMissing, UnixScheme+name, "is in a folder that does not exist", "a folder that exists, such as that of "+example)
		}
	}
	if c.gateway.GetListen().GetTls() != nil {
		c.fail("listen.tls", CodeFieldMisplaced, "", "is for ports, and the address is a Unix socket", "an address such as "+strconv.Quote(defaultProcessor)+", or leave tls out")
	}
}

// overlap reports whether a port cannot be opened at an address while another one is open.
func overlap(a, b string) bool {
	hostA, portA, errA := net.SplitHostPort(a)
	hostB, portB, errB := net.SplitHostPort(b)
	if errA != nil || errB != nil || portA != portB || portA == "0" {
		return false
	}
	return everywhere(hostA) || everywhere(hostB) || plainHost(hostA) == plainHost(hostB)
}

// everywhere reports whether a host stands for all addresses.
func everywhere(host string) bool {
	a, err := netip.ParseAddr(host)
	return host == "" || err == nil && a.IsUnspecified()
}

// plainHost returns a host in one form.
func plainHost(host string) string {
	if a, err := netip.ParseAddr(host); err == nil {
		return a.Unmap().String()
	}
	if host = strings.ToLower(strings.TrimSuffix(host, ".")); host == "localhost" {
		return "127.0.0.1"
	}
	return host
}

// checkPair checks the files of a certificate and its key.
func (c *checker) checkPair(field, certificate, key string, required bool) {
	switch {
	case certificate == "" && (required || key != ""):
		c.missing(field+".certificate", "the name of a file with a certificate in PEM form")
	case certificate != "":
		c.checkFile(field+".certificate", certificate)
	}
	switch {
	case key == "" && (required || certificate != ""):
		c.missing(field+".key", "the name of a file with the private key in PEM form")
	case key != "":
		c.checkFile(field+".key", key)
	}
}

// checkAddress checks an address to listen on.
func (c *checker) checkAddress(field, address string) {
	const example = `an address such as ":8080" or "127.0.0.1:8080"`
	if isPort(address) {
		c.fail(field, CodeAddress, address, "is a port without a colon", strconv.Quote(":"+address))
		return
	}
	if _, rest, ok := strings.Cut(address, "://"); ok {
		fix := example
		if rest = strings.TrimSuffix(rest, "/"); isListenAddress(rest) {
			fix = strconv.Quote(rest)
		}
		c.fail(field, CodeAddress, address, "has a scheme; tls decides whether the port has TLS", fix)
		return
	}
	host, port, err := net.SplitHostPort(address)
	fix := example
	switch {
	case err != nil && isListenAddress(net.JoinHostPort(strings.Trim(address, "[]"), "8080")):
		c.fail(field, CodeAddress, address, "has no port", strconv.Quote(net.JoinHostPort(strings.Trim(address, "[]"), "8080")))
	case err != nil:
		c.fail(field, CodeAddress, address, "is not of the form host:port", fix)
	case !isPort(port):
		c.fail(field, CodeAddress, address, "has no valid port, which is a number from 0 to 65535", fix)
	case host == "*":
		c.fail(field, CodeAddress, address, "has a * for all addresses", strconv.Quote(":"+port))
	case !isListenAddress(address):
		c.fail(field, CodeAddress, address, "has a host that is neither a name nor an IP address", strconv.Quote(":"+port))
	}
}

// isPort reports whether a text is a number from 0 to 65535.
func isPort(text string) bool {
	n, err := strconv.ParseUint(text, 10, 16)
	return err == nil && strconv.FormatUint(n, 10) == text
}

// isListenAddress reports whether a text is an address to listen on.
func isListenAddress(text string) bool {
	host, port, err := net.SplitHostPort(text)
	return err == nil && isPort(port) && (host == "" || isAddress(host) || isHostName(strings.ToLower(host)))
}

// isAddress reports whether a text is an IP address.
func isAddress(text string) bool {
	_, err := netip.ParseAddr(text)
	return err == nil
}
