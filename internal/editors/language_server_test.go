package editors

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/textproto"
	"os/exec"
	"path/filepath"
	"strconv"
	"testing"
)

// languageServer is a running yaml-language-server, without network access to schemas of its own.
type languageServer struct {
	t       *testing.T
	in      io.Writer
	out     *bufio.Reader
	schemas map[string]string // the setting yaml.schemas
	last    int               // the number of the last request
	waiting []message
}

// message is a message of the Language Server Protocol.
type message struct {
	Version string          `json:"jsonrpc"`
	ID      json.RawMessage `json:"id,omitempty"`
	Method  string          `json:"method,omitempty"`
	Params  json.RawMessage `json:"params,omitempty"`
	Result  json.RawMessage `json:"result,omitempty"`
	Error   json.RawMessage `json:"error,omitempty"`
}

// startLanguageServer starts the server for a folder. The test ends it. The schemas are the setting yaml.schemas.
func startLanguageServer(t *testing.T, folder string, schemas map[string]string) *languageServer {
	t.Helper()
	program, err := filepath.Abs(filepath.Join(needNode(t), "node_modules/yaml-language-server/bin/yaml-language-server"))
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(context.Background(), "node", program, "--stdio")
	cmd.Dir = folder
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	s := &languageServer{t: t, in: in, out: bufio.NewReader(out), schemas: schemas}
	s.request("initialize", map[string]any{
		"processId": nil, "rootUri": fileURI(folder), "workspaceFolders": []any{map[string]any{"uri": fileURI(folder), "name": "policy"}},
		"capabilities": map[string]any{
			"textDocument": map[string]any{
				"hover":      map[string]any{"contentFormat": []string{"markdown"}},
				"completion": map[string]any{"completionItem": map[string]any{"snippetSupport": true, "documentationFormat": []string{"markdown"}}},
			},
			"workspace": map[string]any{"configuration": true},
		},
	})
	s.notify("initialized", map[string]any{})
	t.Cleanup(func() {
		s.request("shutdown", nil)
		s.notify("exit", nil)
		_ = cmd.Wait() // the exit code says whether shutdown came before, which is so
	})
	return s
}

func fileURI(name string) string { return "file://" + filepath.ToSlash(name) }

// open opens a text and returns the diagnostics of the server.
func (s *languageServer) open(name, text string) []diagnostic {
	s.t.Helper()
	uri := fileURI(name)
	s.notify("textDocument/didOpen", map[string]any{"textDocument": map[string]any{"uri": uri, "languageId": "yaml", "version": 1, "text": text}})
	for {
		m := s.await(func(m message) bool { return m.Method == "textDocument/publishDiagnostics" })
		var params struct {
			URI         string
			Diagnostics []diagnostic
		}
		s.decode(m.Params, &params)
		if params.URI == uri {
			return params.Diagnostics
		}
	}
}

// diagnostic is a problem that the server reports. Lines and characters count from 0.
type diagnostic struct {
	Range struct {
		Start struct{ Line, Character int }
	}
	Message string
}

func (d diagnostic) String() string {
	return fmt.Sprintf("%d:%d %s", d.Range.Start.Line+1, d.Range.Start.Character+1, d.Message)
}

// at returns the parameters of a request about a place of an open text.
func at(name string, line, column int) map[string]any {
	return map[string]any{
		"textDocument": map[string]any{"uri": fileURI(name)},
		"position":     map[string]any{"line": line - 1, "character": column - 1},
	}
}

// request sends a request and returns its result.
func (s *languageServer) request(method string, params any) json.RawMessage {
	s.t.Helper()
	s.last++
	id := json.RawMessage(strconv.Itoa(s.last))
	s.send(message{ID: id, Method: method}, params)
	m := s.await(func(m message) bool { return m.Method == "" && string(m.ID) == string(id) })
	if m.Error != nil {
		s.t.Fatalf("%s: %s", method, m.Error)
	}
	return m.Result
}

func (s *languageServer) notify(method string, params any) {
	s.t.Helper()
	s.send(message{Method: method}, params)
}

func (s *languageServer) send(m message, params any) {
	s.t.Helper()
	m.Version = "2.0"
	if params != nil {
		text, err := json.Marshal(params)
		if err != nil {
			s.t.Fatal(err)
		}
		m.Params = text
	}
	text, err := json.Marshal(m)
	if err != nil {
		s.t.Fatal(err)
	}
	if _, err := fmt.Fprintf(s.in, "Content-Length: %d\r\n\r\n%s", len(text), text); err != nil {
		s.t.Fatal(err)
	}
}

// await returns the next message that is wanted. It answers the requests of the server, and keeps
// other messages.
func (s *languageServer) await(wanted func(message) bool) message {
	s.t.Helper()
	for i, m := range s.waiting {
		if wanted(m) {
			s.waiting = append(s.waiting[:i:i], s.waiting[i+1:]...)
			return m
		}
	}
	for {
		m := s.read()
		switch {
		case wanted(m):
			return m
		case m.Method != "" && m.ID != nil:
			s.answer(m)
		default:
			s.waiting = append(s.waiting, m)
		}
	}
}

// answer answers a request of the server. The settings switch off the catalog of schemas, which is
// on the network.
func (s *languageServer) answer(m message) {
	s.t.Helper()
	result := json.RawMessage("null")
	if m.Method == "workspace/configuration" {
		settings, err := json.Marshal([]any{
			map[string]any{"schemas": s.schemas, "schemaStore": map[string]any{"enable": false}, "kubernetesCRDStore": map[string]any{"enable": false}, "validate": true, "hover": true, "completion": true},
			struct{}{}, struct{}{}, struct{}{}, struct{}{},
		})
		if err != nil {
			s.t.Fatal(err)
		}
		result = settings
	}
	s.send(message{ID: m.ID, Result: result}, nil)
}

func (s *languageServer) read() message {
	s.t.Helper()
	header, err := textproto.NewReader(s.out).ReadMIMEHeader()
	if err != nil {
		s.t.Fatalf("the language server ended: %v", err)
	}
	size, err := strconv.Atoi(header.Get("Content-Length"))
	if err != nil {
		s.t.Fatal(err)
	}
	text := make([]byte, size)
	if _, err := io.ReadFull(s.out, text); err != nil {
		s.t.Fatal(err)
	}
	var m message
	s.decode(text, &m)
	return m
}

func (s *languageServer) decode(text []byte, v any) {
	s.t.Helper()
	if err := json.Unmarshal(text, v); err != nil {
		s.t.Fatalf("%v: %s", err, text)
	}
}
