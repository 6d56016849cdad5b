package gatewayfile

import (
	"fmt"
	"net"
	"net/netip"
	"strconv"
	"strings"
)

// checkPorts checks the public and the internal port.
func (c *checker) checkPorts() {
	listen, internal := c.gateway.GetListen(), c.gateway.GetInternal()
	if listen.GetAddress() != "" {
		c.checkAddress("listen.address", listen.GetAddress())
	}
	if internal.GetAddress() != "" {
		c.checkAddress("internal.address", internal.GetAddress())
	}
	if a, b := listen.GetAddress(), internal.GetAddress(); a != "" && a == b && !strings.HasSuffix(a, ":0") {
		c.fail("internal.address", CodeDuplicate, b, "is the address of the public port too", `another port, such as "127.0.0.1:9901"`)
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
	if n, err := strconv.ParseUint(address, 10, 16); err == nil {
		c.fail(field, CodeAddress, address, "is a port without a colon", fmt.Sprintf(`":%d"`, n))
		return
	}
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		c.fail(field, CodeAddress, address, "is not of the form host:port", `an address such as ":8080" or "127.0.0.1:8080"`)
		return
	}
	if n, err := strconv.ParseUint(port, 10, 16); err != nil || strconv.FormatUint(n, 10) != port {
		c.fail(field, CodeAddress, address, "has no valid port, which is a number from 0 to 65535", `an address such as ":8080"`)
		return
	}
	if host == "" {
		return
	}
	if _, err := netip.ParseAddr(host); err != nil && !isHostName(strings.ToLower(host)) {
		c.fail(field, CodeAddress, address, "has a host that is neither a name nor an IP address", `an address such as ":8080"`)
	}
}

// isHostName reports whether a text is the name of a host in lower case.
func isHostName(text string) bool {
	if len(text) == 0 || len(text) > 253 {
		return false
	}
	for label := range strings.SplitSeq(text, ".") {
		if label == "" || len(label) > 63 || strings.Trim(label, "abcdefghijklmnopqrstuvwxyz0123456789-_") != "" || label[0] == '-' || label[len(label)-1] == '-' {
			return false
		}
	}
	return true
}

// checkHost checks a host as a browser calls it: a name or an address, or `*.` and a name.
func (c *checker) checkHost(field, host string, wildcard bool) {
	fix := "a name such as api.example.com"
	rest := host
	if _, after, ok := strings.Cut(rest, "://"); ok {
		rest, _, _ = strings.Cut(after, "/")
	}
	if name, port, err := net.SplitHostPort(rest); err == nil && port != "" {
		rest = name
	}
	rest = strings.ToLower(strings.TrimSuffix(rest, "."))
	name := rest
	if wildcard {
		name = strings.TrimPrefix(rest, "*.")
	}
	address, err := netip.ParseAddr(strings.Trim(name, "[]"))
	valid := isHostName(name) && !isNumber(name[strings.LastIndexByte(name, '.')+1:])
	if err == nil && name == rest {
		valid, rest = true, address.String()
	}
	if valid {
		fix = strconv.Quote(rest)
	}
	switch {
	case host == "*":
		c.fail(field, CodeHost, host, "is not a host; a virtual host without hosts has all that the others do not have", `no hosts, or a name such as "*.example.com"`)
	case !valid && strings.IndexFunc(host, func(r rune) bool { return r >= 0x80 }) >= 0:
		c.fail(field, CodeHost, host, "has letters that browsers send in ASCII", "the name that begins with xn--")
	case !valid:
		c.fail(field, CodeHost, host, "is neither a name nor an IP address", fix)
	case host != rest:
		c.fail(field, CodeHost, host, "is not the plain host in lower case, without scheme, port, brackets and a dot at its end", fix)
	}
}

func isNumber(text string) bool { return text != "" && strings.Trim(text, "0123456789") == "" }
