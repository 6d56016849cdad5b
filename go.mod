module github.com/corsrpc/corsrpc-go

go 1.25.0

require (
	connectrpc.com/connect v1.18.1
	github.com/fsnotify/fsnotify v1.8.0
	go.yaml.in/yaml/v3 v3.0.4
	golang.org/x/net v0.48.0
	google.golang.org/genproto/googleapis/rpc v0.0.0-20241202173237-19429a94021a
	google.golang.org/grpc v1.70.0
	google.golang.org/protobuf v1.36.6
)

require (
	golang.org/x/sys v0.39.0 // indirect
	golang.org/x/text v0.32.0 // indirect
)
