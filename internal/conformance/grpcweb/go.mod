module github.com/improbable-eng/grpc-web

go 1.25.0

require (
	github.com/corsrpc/corsrpc-go v0.0.0
	github.com/rs/cors v1.11.1
	google.golang.org/grpc v1.84.0
)

require (
	github.com/fsnotify/fsnotify v1.8.0 // indirect
	go.yaml.in/yaml/v3 v3.0.4 // indirect
	golang.org/x/net v0.58.0 // indirect
	golang.org/x/sys v0.47.0 // indirect
	golang.org/x/text v0.41.0 // indirect
	google.golang.org/genproto/googleapis/rpc v0.0.0-20260706201446-f0a921348800 // indirect
	google.golang.org/protobuf v1.36.11 // indirect
)

replace (
	github.com/corsrpc/corsrpc-go => ../../../
	github.com/rs/cors => ../cors
)
