package probe

import (
	"cmp"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"strings"
	"syscall"
	"time"
)

// NoAnswer reports whether a server was reached and did not answer in time.
func NoAnswer(err error) bool {
	var dial *net.OpError
	return isTimeout(err) && !(errors.As(err, &dial) && dial.Op == "dial")
}

func isTimeout(err error) bool {
	var timeout net.Error
	return errors.Is(err, context.DeadlineExceeded) || errors.Is(err, os.ErrDeadlineExceeded) || errors.As(err, &timeout) && timeout.Timeout()
}

// Failure says in a sentence why a request got no response, and what to do.
func (s Server) Failure(err error) string {
	if text := s.certificateFailure(err); text != "" {
		return text
	}
	host := s.URL.Host
	var dns *net.DNSError
	var record tls.RecordHeaderError
	var alert tls.AlertError
	var notFinal *notFinalError
	message := err.Error()
	switch {
	case errors.As(err, &notFinal):
		return fmt.Sprintf("the server answered with status %d, which is not that of a final response, so browsers treat it as a network error: look at the server, or at the proxy in front of it", notFinal.status)
	case errors.As(err, &dns) && dns.IsNotFound:
		return fmt.Sprintf("the host %s is not known: look for a mistake in the name", s.URL.Hostname())
	case errors.As(err, &dns):
		return fmt.Sprintf("looking up the host %s failed (%s): try again, or write an address", s.URL.Hostname(), dns.Err)
	case errors.Is(err, syscall.ECONNREFUSED):
		return fmt.Sprintf("the server does not listen at %s: start it, or write another port", s.address())
	case NoAnswer(err):
		return fmt.Sprintf("the server did not answer within %s: look at what keeps the request waiting, such as a proxy whose server is down", s.timeout())
	case isTimeout(err):
		return fmt.Sprintf("the connection to %s was not made within %s: a firewall may drop it, or the address is wrong", s.address(), dialTimeout)
	case errors.Is(err, syscall.EHOSTUNREACH), errors.Is(err, syscall.ENETUNREACH):
		return fmt.Sprintf("the network has no way to %s: look at the address and at the network", s.address())
	case errors.As(err, &record), strings.Contains(message, "server gave HTTP response to HTTPS client"):
		return fmt.Sprintf("the server does not speak TLS: write http://%s, or h2c://%[1]s for HTTP/2 without TLS", host)
	case errors.As(err, &alert), strings.Contains(message, "remote error: tls:"):
		return "the server refuses the TLS connection (" + message + "): it may need a client certificate, or another name by --server-name"
	case s.URL.Scheme == "h2c" && (strings.Contains(message, "HTTP/1.1 header") || strings.Contains(message, "malformed HTTP")):
		return fmt.Sprintf("the server answers in HTTP/1.1, and not in HTTP/2: write http://%s", host)
	case s.URL.Scheme != "https" && speaksTLS(message):
		return fmt.Sprintf("the server speaks TLS: write https://%s", host)
	case s.URL.Scheme == "http" && strings.Contains(message, `malformed HTTP response "\x00\x00`):
		return fmt.Sprintf("the server answers in HTTP/2 without TLS: write h2c://%s", host)
	case strings.Contains(message, "malformed MIME header"), strings.Contains(message, "multiple Content-Length"), strings.Contains(message, "bad Content-Length"):
		return "the header of the response is not valid (" + message + "), and was not read: correct the server, or the proxy that adds the field"
	case strings.Contains(message, "malformed HTTP"):
		return "the server does not answer in HTTP (" + message + "): write the URL of the HTTP server"
	case strings.Contains(message, "server response headers exceeded"):
		return "the header of the response is larger than 1 MiB, and was not read"
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, syscall.ECONNRESET), errors.Is(err, syscall.EPIPE),
		strings.Contains(message, "server closed idle connection"), strings.Contains(message, "http2: "), strings.Contains(message, "stream error"):
		return fmt.Sprintf("the server closed the connection without a response (%s)%s", message, s.otherScheme())
	}
	return "the request failed: " + message
}

// speaksTLS reports whether an error shows the begin of a TLS record in place of HTTP.
func speaksTLS(message string) bool {
	return strings.Contains(message, `malformed HTTP response "\x15\x03`) || strings.Contains(message, "looked like a TLS")
}

// otherScheme returns what to try where a server closes a connection.
func (s Server) otherScheme() string {
	switch s.URL.Scheme {
	case "h2c":
		return fmt.Sprintf(": if it speaks HTTP/1.1 only, write http://%s; if it speaks TLS, write https://%[1]s", s.URL.Host)
	case "http":
		return fmt.Sprintf(": if it speaks TLS, write https://%s; if it speaks HTTP/2 only, write h2c://%[1]s", s.URL.Host)
	}
	return ": look at the server's log"
}

// certificateFailure says what is wrong with the server's certificate. It is empty if nothing is.
func (s Server) certificateFailure(err error) string {
	const browsers = "; browsers refuse the connection too"
	var unknown x509.UnknownAuthorityError
	var host x509.HostnameError
	var invalid x509.CertificateInvalidError
	var verification *tls.CertificateVerificationError
	switch {
	case errors.As(err, &unknown):
		return "the certificate of the server is not signed by an authority that is trusted here: write --ca FILE with the authority's certificate" + browsers + ", unless they trust that authority"
	case errors.As(err, &host):
		names := append([]string(nil), host.Certificate.DNSNames...)
		for _, ip := range host.Certificate.IPAddresses {
			names = append(names, ip.String())
		}
		if len(names) == 0 {
			return "the certificate of the server has no name, so it is not valid for " + host.Host + browsers
		}
		return fmt.Sprintf("the certificate of the server is for %s, and not for %s: write the host for which it is, or --server-name NAME", strings.Join(names[:min(len(names), 5)], ", "), host.Host) + browsers
	case errors.As(err, &invalid) && invalid.Reason == x509.Expired && invalid.Cert != nil:
		if time.Now().Before(invalid.Cert.NotBefore) {
			return "the certificate of the server is valid only from " + invalid.Cert.NotBefore.UTC().Format(time.DateTime) + " UTC on: look at the clock of this machine" + browsers
		}
		return "the certificate of the server has expired (" + invalid.Cert.NotAfter.UTC().Format(time.DateTime) + " UTC): renew it" + browsers
	case errors.As(err, &invalid), errors.As(err, &verification):
		return "the certificate of the server is not valid (" + err.Error() + ")" + browsers
	}
	return ""
}

// address returns the host and the port of the server.
func (s Server) address() string {
	return net.JoinHostPort(s.URL.Hostname(), cmp.Or(s.URL.Port(), defaultPort(s.URL.Scheme)))
}
