module github.com/corsrpc/corsrpc-go/examples

go 1.26.0

require github.com/corsrpc/corsrpc-go v0.0.0

require (
	connectrpc.com/connect v1.21.1 // indirect
	connectrpc.com/connect/v2 v2.0.2 // indirect
	google.golang.org/protobuf v1.36.12 // indirect
)

replace github.com/corsrpc/corsrpc-go => ../
