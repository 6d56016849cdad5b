package proxy

import (
	"syscall"

	"golang.org/x/sys/unix"
)

// setUserTimeout makes a connection break when what was sent is not acknowledged for userTimeout; TCP itself tries
// for 15 minutes. It is for HTTP/2 only: a server of HTTP/1.1 may leave a body unread for longer, which counts too.
//
// See https://man7.org/linux/man-pages/man7/tcp.7.html, TCP_USER_TIMEOUT.
func setUserTimeout(_, _ string, conn syscall.RawConn) error {
	var failed error
	err := conn.Control(func(fd uintptr) {
		failed = unix.SetsockoptInt(int(fd), unix.IPPROTO_TCP, unix.TCP_USER_TIMEOUT, int(userTimeout.Milliseconds()))
	})
	if err != nil {
		return err
	}
	return failed
}
