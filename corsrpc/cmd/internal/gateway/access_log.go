package gateway

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/corsrpc/corsrpc-go/corsrpc/corsrpcv1"
	"github.com/corsrpc/corsrpc-go/internal/safetext"
)

// accessLog writes one line of JSON for each request. It is safe for concurrent use. The nil access log
// writes nothing.
type accessLog struct {
	lines *slog.Logger
	file  *logFile // nil for the standard output
}

// logFile is a file that lines are appended to. It is safe for concurrent use.
type logFile struct {
	name string
	mu   sync.Mutex
	file *os.File
}

// open opens the file, and closes the one that was open before. If it fails, that one stays open.
func (f *logFile) open() error {
	file, err := os.OpenFile(f.name, os.O_WRONLY|os.O_APPEND|os.O_CREATE, 0o640)
	if err != nil {
		return err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.file != nil {
		_ = f.file.Close() // lines are not buffered: nothing is lost
	}
	f.file = file
	return nil
}

// Write appends a line.
func (f *logFile) Write(line []byte) (int, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.file.Write(line)
}

// openAccessLog opens the access log. It is nil if none is configured.
func openAccessLog(config *corsrpcv1.AccessLog, stdout io.Writer) (*accessLog, error) {
	if config == nil {
		return nil, nil
	}
	log := &accessLog{}
	out := stdout
	if config.GetFile() != "-" {
		log.file = &logFile{name: config.GetFile()}
		if err := log.file.open(); err != nil {
			return nil, fmt.Errorf("the access log: %w", err)
		}
		out = log.file
	}
	log.lines = slog.New(slog.NewJSONHandler(out, &slog.HandlerOptions{ReplaceAttr: func(groups []string, a slog.Attr) slog.Attr {
		if len(groups) == 0 && (a.Key == slog.LevelKey || a.Key == slog.MessageKey) {
			return slog.Attr{}
		}
		return a
	}}))
	return log, nil
}

// close closes the file.
func (l *accessLog) close() {
	if l != nil && l.file != nil {
		l.file.mu.Lock()
		defer l.file.mu.Unlock()
		_ = l.file.file.Close() // lines are not buffered: nothing is lost
	}
}

// reopen opens the file by its name again, after a rotation has renamed it.
func (l *accessLog) reopen() error {
	if l == nil || l.file == nil {
		return nil
	}
	return l.file.open()
}

// write writes the line of a request that has ended. It leaves out the query, which may hold the message
// of a Connect GET, and cookies. header is that of the response.
func (l *accessLog) write(r *http.Request, rec *record, header http.Header) {
	if l == nil {
		return
	}
	attributes := make([]slog.Attr, 0, 20)
	add := func(a ...slog.Attr) { attributes = append(attributes, a...) }
	add(slog.String("method", r.Method), slog.String("host", sample(rec.host)), slog.String("path", sample(r.URL.EscapedPath())),
		slog.String("protocol", r.Proto), slog.Int("status", rec.status),
		slog.Float64("duration_ms", float64(time.Since(rec.start).Microseconds())/1000),
		slog.Int64("received_bytes", rec.received.Load()), slog.Int64("sent_bytes", rec.sent), slog.String("client", rec.client))
	optional := func(name, value string) {
		if value != "" {
			add(slog.String(name, sample(value)))
		}
	}
	optional("grpc_status", grpcStatus(header))
	optional("origin", rec.decision.Origin())
	procedure, _ := rec.decision.Procedure()
	optional("procedure", procedure)
	optional("reason", string(rec.decision.Reason()))
	if rec.decision.Refused() {
		add(slog.Bool("refused", true))
	}
	optional("virtual_host", rec.virtualHost)
	optional("upstream", rec.upstream)
	optional("user_agent", r.UserAgent())
	if rec.upgraded {
		add(slog.Bool("upgraded", true))
	}
	if rec.died {
		add(slog.Bool("broken", true)) // the connection or the stream was broken before the end of the response
	}
	l.lines.LogAttrs(context.Background(), slog.LevelInfo, "", attributes...)
}

// sample returns a text from the network, shortened and safe to log.
func sample(text string) string { return safetext.Sample(text) }

// grpcStatus returns the gRPC status of a response from its header, which holds trailers too; empty if it
// has none there. The trailers of gRPC-Web are in its body.
func grpcStatus(header http.Header) string {
	for _, name := range []string{"Grpc-Status", http.TrailerPrefix + "Grpc-Status"} {
		if v := header[name]; len(v) == 1 {
			return v[0]
		}
	}
	for name, v := range header {
		if len(v) == 1 && strings.EqualFold(strings.TrimPrefix(name, http.TrailerPrefix), "grpc-status") {
			return v[0]
		}
	}
	return ""
}
