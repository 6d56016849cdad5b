package envoy

import (
	"syscall"
	"time"
)

const (
	stopTimeout = 10 * time.Second // after SIGTERM, until SIGKILL
	logTail     = 16 << 10         // the bytes of the log that a failed test prints
)

// stop ends the process and prints the end of its log if the test has failed.
func (e *Envoy) stop() {
	e.end()
	if !e.t.Failed() {
		return
	}
	log := e.Log()
	e.t.Logf("the end of Envoy's log:\n%s", log[max(0, len(log)-logTail):])
}

// end sends SIGCONT, since a test may have stopped the process, and SIGTERM, and SIGKILL if the process
// does not end by itself. It returns once the process has ended.
func (e *Envoy) end() {
	for _, signal := range []syscall.Signal{syscall.SIGCONT, syscall.SIGTERM} {
		_ = e.command.Process.Signal(signal) // fails only if the process has ended
	}
	select {
	case <-e.ended:
		return
	case <-time.After(stopTimeout):
	}
	_ = e.command.Process.Kill()
	<-e.ended
}
