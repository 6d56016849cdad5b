package browser

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// process is a running browser, with its helper processes and its home directory.
type process struct {
	home     string // has the profile and the log; the HOME of all processes of the browser
	group    int    // the process group of the browser and of its X server
	started  bool
	exited   chan struct{} // closed when the browser has exited, if it was started
	watchdog *exec.Cmd
	lifeline io.Closer // the watchdog acts when it is closed, also by the end of this program
	control  io.Closer // the connection over which Firefox was told to print its console; nil if there is none
}

// startProcess opens a URL in a new browser. If this program ends without cleanup (by a panic,
// a test's time limit, or a kill), a watchdog ends all processes of the browser.
func startProcess(engine Engine, url string, console bool, trusted string) (p *process, err error) {
	home, err := os.MkdirTemp("", "corsrpc-e2e-")
	if err != nil {
		return nil, err
	}
	p = &process{home: home, exited: make(chan struct{})}
	defer func() {
		if err != nil {
			err = errors.Join(err, p.end())
		}
	}()
	cmd, err := engine.command(home, url, console, trusted)
	if err != nil {
		return p, err
	}
	log, err := os.Create(p.logPath())
	if err != nil {
		return p, err
	}
	defer log.Close()
	env := append(os.Environ(),
		"HOME="+home,
		"TMPDIR="+home,
		"XDG_RUNTIME_DIR="+home,
		"XDG_CONFIG_HOME="+filepath.Join(home, "config"),
		"XDG_CACHE_HOME="+filepath.Join(home, "cache"),
		"XDG_DATA_HOME="+filepath.Join(home, "data"),
		"DBUS_SESSION_BUS_ADDRESS=disabled:", // otherwise a bus is started that does not end
		"NO_AT_BRIDGE=1",
		"GSETTINGS_BACKEND=memory",
		"MOZ_CRASHREPORTER_DISABLE=1",
	)
	if engine.needsDisplay() {
		display, err := p.startDisplay(engine, env, log)
		if err != nil {
			return p, err
		}
		env = append(env, "DISPLAY=:"+display, "GDK_BACKEND=x11", "WAYLAND_DISPLAY=")
	}
	cmd.Env, cmd.Stdout, cmd.Stderr = env, log, log
	if err := p.start(cmd); err != nil {
		return p, err
	}
	p.started = true
	go func() {
		_ = cmd.Wait()
		close(p.exited)
	}()
	if err := p.startWatchdog(); err != nil || !console || engine != Firefox {
		return p, err
	}
	p.control, err = printFirefoxConsole(filepath.Join(home, "profile"), p.exited)
	return p, err
}

// start starts a program in the process group of the browser.
func (p *process) start(cmd *exec.Cmd) error {
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pgid: p.group}
	if err := cmd.Start(); err != nil {
		return err
	}
	if p.group == 0 {
		p.group = cmd.Process.Pid
	}
	return nil
}

// startDisplay starts a virtual X server and returns its display number. The server itself
// selects a free number.
func (p *process) startDisplay(engine Engine, env []string, log *os.File) (string, error) {
	path, err := exec.LookPath("Xvfb")
	if err != nil {
		return "", &MissingError{engine, "Xvfb", "xvfb"}
	}
	reader, writer, err := os.Pipe()
	if err != nil {
		return "", err
	}
	defer reader.Close()
	cmd := exec.Command(path, "-displayfd", "3", "-screen", "0", "1280x1024x24", "-nolisten", "tcp", "-noreset")
	cmd.Env, cmd.Stdout, cmd.Stderr, cmd.ExtraFiles = env, log, log, []*os.File{writer}
	err = p.start(cmd)
	writer.Close()
	if err != nil {
		return "", err
	}
	go func() { _ = cmd.Wait() }()
	if err := reader.SetReadDeadline(time.Now().Add(startLimit)); err != nil {
		return "", err
	}
	line, err := bufio.NewReader(reader).ReadString('\n')
	if err != nil {
		return "", fmt.Errorf("the X server did not start: %w\n%s", err, p.log())
	}
	return strings.TrimSpace(line), nil
}

// startWatchdog starts a process that ends the browser when lifeline is closed.
func (p *process) startWatchdog() error {
	reader, writer, err := os.Pipe()
	if err != nil {
		return err
	}
	defer reader.Close()
	p.lifeline = writer
	p.watchdog = exec.Command("/bin/sh", "-c",
		`read -r _; kill -KILL "-$1" 2>/dev/null; rm -rf "$2"`, "sh", strconv.Itoa(p.group), p.home)
	p.watchdog.Stdin = reader
	p.watchdog.Dir = "/"
	p.watchdog.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} // otherwise an interrupt of this program's group ends the watchdog first
	return p.watchdog.Start()
}

// end ends every process of the browser and removes its home. It returns an error if a process
// does not end. A second call does nothing.
func (p *process) end() error {
	if p.home == "" {
		return nil
	}
	if p.control != nil {
		_ = p.control.Close()
	}
	if p.group != 0 {
		// An X server that is killed leaves its lock file, so it gets time to end.
		_ = syscall.Kill(-p.group, syscall.SIGTERM)
		p.waitGone(time.Second)
		_ = syscall.Kill(-p.group, syscall.SIGKILL)
		// Processes that have left the group still have the browser's HOME.
		for _, pid := range p.processes() {
			_ = syscall.Kill(pid, syscall.SIGKILL)
		}
	}
	var err error
	if left := p.waitGone(startLimit); len(left) > 0 {
		err = fmt.Errorf("processes of a browser did not end: %v", left)
	}
	if p.started {
		<-p.exited // waitGone does not find Chromium, which overwrites its environment
	}
	if p.watchdog != nil {
		_ = p.watchdog.Process.Kill() // before lifeline is closed, since another process group may have the number by now
		_ = p.watchdog.Wait()
		_ = p.lifeline.Close()
	}
	err = errors.Join(err, os.RemoveAll(p.home))
	p.home = ""
	return err
}

// waitGone waits until no process of the browser is left, or until the limit has passed. It
// returns the remaining processes.
func (p *process) waitGone(limit time.Duration) []int {
	deadline := time.Now().Add(limit)
	poll := time.NewTicker(5 * time.Millisecond)
	defer poll.Stop()
	for {
		left := p.processes()
		if len(left) == 0 || time.Now().After(deadline) {
			return left
		}
		<-poll.C
	}
}

// processes returns the running processes that have the browser's HOME.
func (p *process) processes() []int {
	mark := []byte("\x00HOME=" + p.home + "\x00")
	entries, _ := filepath.Glob("/proc/[0-9]*/environ")
	var pids []int
	for _, entry := range entries {
		environ, err := os.ReadFile(entry) // the environment of a zombie is empty
		if err != nil || !bytes.Contains(append([]byte{0}, environ...), mark) {
			continue
		}
		if pid, err := strconv.Atoi(filepath.Base(filepath.Dir(entry))); err == nil {
			pids = append(pids, pid)
		}
	}
	return pids
}

func (p *process) logPath() string { return filepath.Join(p.home, "log") }

// log returns the end of the browser's output.
func (p *process) log() string {
	text, err := os.ReadFile(p.logPath())
	if err != nil {
		return ""
	}
	const maxBytes = 4096
	if len(text) > maxBytes {
		text = text[len(text)-maxBytes:]
	}
	return string(text)
}
