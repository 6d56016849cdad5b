module github.com/corsrpc/corsrpc-go/internal/fleet

go 1.26.0

replace github.com/corsrpc/corsrpc-go => ../../

replace github.com/corsrpc/corsrpc-go/examples => ../../examples

require (
	connectrpc.com/connect v1.21.1
	github.com/vishvananda/netns v0.0.5
	go.uber.org/goleak v1.3.0
	google.golang.org/grpc v1.85.0
	google.golang.org/protobuf v1.36.12
)

require (
	golang.org/x/net v0.60.0 // indirect
	golang.org/x/sys v0.48.0 // indirect
	golang.org/x/text v0.42.0 // indirect
	google.golang.org/genproto/googleapis/rpc v0.0.0-20260817212433-ac3dfec99bb1 // indirect
)
