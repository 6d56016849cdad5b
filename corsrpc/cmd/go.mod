module github.com/corsrpc/corsrpc-go/corsrpc/cmd

go 1.26.0

require (
	github.com/corsrpc/corsrpc-go v0.0.0
	go.yaml.in/yaml/v3 v3.0.4
	golang.org/x/net v0.60.0
	google.golang.org/grpc v1.85.0
	google.golang.org/protobuf v1.36.12
)

require (
	github.com/fsnotify/fsnotify v1.8.0 // indirect
	golang.org/x/sys v0.48.0 // indirect
	golang.org/x/text v0.42.0 // indirect
	google.golang.org/genproto/googleapis/rpc v0.0.0-20260817212433-ac3dfec99bb1 // indirect
)

replace github.com/corsrpc/corsrpc-go => ../../
