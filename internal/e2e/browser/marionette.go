package browser

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// firefoxConsolePreferences lets Marionette select a free port and keep Firefox's own preferences,
// and lets dump write to the standard output.
const firefoxConsolePreferences = `user_pref("marionette.port", 0);
user_pref("remote.prefs.recommended", false);
user_pref("browser.dom.window.dump.enabled", true);
`

// printFirefoxConsole makes a Firefox that runs with --marionette print each message of its console
// in a line that begins with consolePrefix. Firefox has no switch for that. The messages are
// printed until the connection is closed.
func printFirefoxConsole(profile string, exited <-chan struct{}) (io.Closer, error) {
	port, err := marionettePort(profile, exited)
	if err != nil {
		return nil, err
	}
	connection, err := net.Dial("tcp", net.JoinHostPort("127.0.0.1", port))
	if err != nil {
		return nil, err
	}
	m := &marionette{connection: connection, reader: bufio.NewReader(connection)}
	const listen = `Services.console.registerListener({observe(message) {
	const text = message instanceof Ci.nsIScriptError ? message.errorMessage : message.message;
	dump("` + consolePrefix + `" + text.replace(/\s+/g, " ") + "\n");
}})`
	if err := errors.Join(connection.SetDeadline(time.Now().Add(startLimit)), m.receive(nil)); err != nil {
		return nil, errors.Join(err, connection.Close())
	}
	for _, command := range []struct {
		name string
		args map[string]any
	}{
		{"WebDriver:NewSession", map[string]any{}},
		{"Marionette:SetContext", map[string]any{"value": "chrome"}},
		{"WebDriver:ExecuteScript", map[string]any{"script": listen, "args": []any{}, "sandbox": "system"}},
	} {
		if err := m.run(command.name, command.args); err != nil {
			return nil, errors.Join(fmt.Errorf("%s: %w", command.name, err), connection.Close())
		}
	}
	return connection, nil
}

// marionettePort waits until Firefox has written the port on which it listens, and returns it.
func marionettePort(profile string, exited <-chan struct{}) (string, error) {
	limit := time.NewTimer(startLimit)
	defer limit.Stop()
	poll := time.NewTicker(5 * time.Millisecond)
	defer poll.Stop()
	for {
		port, err := os.ReadFile(filepath.Join(profile, "MarionetteActivePort"))
		if err == nil && len(port) > 0 {
			return strings.TrimSpace(string(port)), nil
		}
		select {
		case <-poll.C:
		case <-exited:
			return "", errors.New("the browser ended before it listened for Marionette")
		case <-limit.C:
			return "", fmt.Errorf("the browser did not listen for Marionette within %s", startLimit)
		}
	}
}

// marionette is a connection over Firefox's remote protocol
// (https://firefox-source-docs.mozilla.org/testing/marionette/Protocol.html).
type marionette struct {
	connection net.Conn
	reader     *bufio.Reader
	last       int // the number of the last command
}

// run sends a command and waits for its response.
func (m *marionette) run(name string, args map[string]any) error {
	m.last++
	message, err := json.Marshal([]any{0, m.last, name, args})
	if err != nil {
		return err
	}
	if _, err := fmt.Fprintf(m.connection, "%d:%s", len(message), message); err != nil {
		return err
	}
	var response [4]json.RawMessage // the type, the number, the error and the result
	if err := m.receive(&response); err != nil {
		return err
	}
	if string(response[2]) != "null" {
		return errors.New(string(response[2]))
	}
	return nil
}

// receive reads one message into v, unless v is nil.
func (m *marionette) receive(v any) error {
	length, err := m.reader.ReadString(':')
	if err != nil {
		return err
	}
	n, err := strconv.Atoi(strings.TrimSuffix(length, ":"))
	if err != nil {
		return err
	}
	message := make([]byte, n)
	if _, err := io.ReadFull(m.reader, message); err != nil || v == nil {
		return err
	}
	return json.Unmarshal(message, v)
}
