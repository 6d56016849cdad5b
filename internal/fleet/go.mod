module github.com/corsrpc/corsrpc-go/internal/fleet

go 1.26.0

require (
	github.com/corsrpc/corsrpc-go v0.0.0
	github.com/corsrpc/corsrpc-go/corsrpc/corsenvoy v0.0.0
	github.com/envoyproxy/go-control-plane/envoy v1.40.0
	github.com/vishvananda/netns v0.0.5
	golang.org/x/net v0.60.0
	google.golang.org/grpc v1.85.0
	google.golang.org/protobuf v1.36.12
)

replace github.com/corsrpc/corsrpc-go => ../../

replace github.com/corsrpc/corsrpc-go/corsrpc/corsenvoy => ../../corsrpc/corsenvoy
