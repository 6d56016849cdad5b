module github.com/corsrpc/corsrpc-go/examples

go 1.26.0

require (
	connectrpc.com/connect v1.21.1
	connectrpc.com/connect/v2 v2.0.2
	github.com/corsrpc/corsrpc-go v0.0.0
	google.golang.org/protobuf v1.36.12
)

require (
	go.yaml.in/yaml/v3 v3.0.4 // indirect
	golang.org/x/net v0.48.0 // indirect
)

replace github.com/corsrpc/corsrpc-go => ../
