module github.com/corsrpc/corsrpc-go

go 1.25.0

require (
	connectrpc.com/connect v1.18.1
	github.com/fsnotify/fsnotify v1.8.0
	go.yaml.in/yaml/v3 v3.0.4
	golang.org/x/net v0.58.0
	google.golang.org/genproto/googleapis/rpc v0.0.0-20260526163538-3dc84a4a5aaa
	// grpc's own go.mod lists go.opentelemetry.io/otel/sdk v1.44.0, below the fixed
	// v1.45.0. No package here imports it, so no importer of this module compiles it in.
	google.golang.org/grpc v1.83.2
	google.golang.org/protobuf v1.36.11
)

require (
	golang.org/x/sys v0.47.0 // indirect
	golang.org/x/text v0.41.0 // indirect
)
