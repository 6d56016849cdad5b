module github.com/corsrpc/corsrpc-go/internal/e2e

go 1.26.0

require (
	connectrpc.com/connect v1.21.1
	connectrpc.com/cors v0.1.0
	github.com/corsrpc/corsrpc-go v0.0.0
	github.com/corsrpc/corsrpc-go/examples v0.0.0
	github.com/corsrpc/corsrpc-go/internal/fleet v0.0.0
	github.com/evanw/esbuild v0.28.2
	github.com/gorilla/handlers v1.5.2
	github.com/gorilla/websocket v1.5.3
	github.com/rs/cors v1.11.1
	google.golang.org/grpc v1.85.0
	google.golang.org/protobuf v1.36.12
)

require (
	connectrpc.com/connect/v2 v2.0.2 // indirect
	github.com/felixge/httpsnoop v1.0.3 // indirect
	github.com/fsnotify/fsnotify v1.8.0 // indirect
	github.com/google/jsonschema-go v0.4.3 // indirect
	github.com/modelcontextprotocol/go-sdk v1.8.0 // indirect
	github.com/segmentio/asm v1.1.3 // indirect
	github.com/segmentio/encoding v0.5.4 // indirect
	github.com/yosida95/uritemplate/v3 v3.0.2 // indirect
	go.yaml.in/yaml/v3 v3.0.5 // indirect
	golang.org/x/net v0.61.0 // indirect
	golang.org/x/oauth2 v0.36.0 // indirect
	golang.org/x/sync v0.24.0 // indirect
	golang.org/x/sys v0.49.0 // indirect
	golang.org/x/text v0.43.0 // indirect
	golang.org/x/time v0.15.0 // indirect
	google.golang.org/genproto/googleapis/rpc v0.0.0-20261110000943-09e21b237f2c // indirect
)

replace (
	github.com/corsrpc/corsrpc-go => ../../
	github.com/corsrpc/corsrpc-go/corsrpc/corsenvoy => ../../corsrpc/corsenvoy
	github.com/corsrpc/corsrpc-go/examples => ../../examples
	github.com/corsrpc/corsrpc-go/internal/fleet => ../fleet
)
