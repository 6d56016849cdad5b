package proxies

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

const startTimeout = 20 * time.Second

// Proxy is a running proxy.
type Proxy struct {
	// Address is the host:port that clients call.
	Address string
	// Processes are those whose processor time counts, each with its worker processes. Each of them is the leader of
	// its process group, and has been started by Start.
	Processes []*exec.Cmd
}

// Start starts a process as the leader of a process group.
func Start(command *exec.Cmd) error {
	command.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	return command.Start()
}

// Stop ends a process that Start has started and its worker processes, and waits for its end.
func Stop(command *exec.Cmd) {
	_ = syscall.Kill(-command.Process.Pid, syscall.SIGKILL)
	_ = command.Wait()
}

// cpu returns the processor time of each process until now.
func (p *Proxy) cpu() (all []time.Duration, err error) {
	for _, process := range p.Processes {
		used, err := processorTime(process.Process.Pid)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", process.Path, err)
		}
		all = append(all, used)
	}
	return all, nil
}

// processorTime returns the processor time of all threads of a process, those of its worker processes included.
// See https://docs.kernel.org/scheduler/sched-stats.html.
func processorTime(process int) (time.Duration, error) {
	var sum time.Duration
	pids := []string{strconv.Itoa(process)}
	children, err := filepath.Glob(fmt.Sprintf("/proc/%s/task/*/children", pids[0]))
	if err != nil {
		return 0, err
	}
	for _, file := range children {
		text, err := os.ReadFile(file)
		if err != nil {
			return 0, err
		}
		pids = append(pids, strings.Fields(string(text))...)
	}
	for _, pid := range pids {
		threads, err := filepath.Glob("/proc/" + pid + "/task/*/schedstat")
		if err != nil || len(threads) == 0 {
			return 0, errors.Join(err, errors.New("the process has no threads"))
		}
		for _, file := range threads {
			text, err := os.ReadFile(file)
			if err != nil {
				return 0, err
			}
			n, err := strconv.ParseInt(strings.Fields(string(text))[0], 10, 64)
			if err != nil {
				return 0, err
			}
			sum += time.Duration(n)
		}
	}
	return sum, nil
}

// FreeAddress returns an address of loopback whose port was free a moment ago.
func FreeAddress(ctx context.Context) (string, error) {
	l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	return l.Addr().String(), l.Close()
}

// WaitForPort waits until a program answers at an address, for at most 20 seconds.
func WaitForPort(ctx context.Context, program, address string) error {
	ctx, cancel := context.WithTimeout(ctx, startTimeout)
	defer cancel()
	for {
		conn, err := (&net.Dialer{}).DialContext(ctx, "tcp", address)
		if err == nil {
			return conn.Close()
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("%s does not begin to answer at %s", program, address)
		case <-time.After(20 * time.Millisecond):
		}
	}
}
