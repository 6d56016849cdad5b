module github.com/corsrpc/corsrpc-go/internal/fleet

go 1.26.0

require (
	github.com/corsrpc/corsrpc-go v0.0.0
	github.com/corsrpc/corsrpc-go/corsrpc/corsenvoy v0.0.0
	github.com/envoyproxy/go-control-plane/envoy v1.40.0
	github.com/vishvananda/netns v0.0.5
	go.yaml.in/yaml/v3 v3.0.4
	golang.org/x/net v0.60.0
	google.golang.org/grpc v1.85.0
	google.golang.org/protobuf v1.36.12
	pgregory.net/rapid v1.3.0
)

require (
	cel.dev/expr v0.25.3 // indirect
	github.com/cncf/xds/go v0.0.0-20260202195803-dba9d589def2 // indirect
	github.com/envoyproxy/protoc-gen-validate v1.3.3 // indirect
	github.com/fsnotify/fsnotify v1.8.0 // indirect
	github.com/kr/text v0.2.0 // indirect
	github.com/planetscale/vtprotobuf v0.6.1-0.20240319094008-0393e58bdf10 // indirect
	golang.org/x/sys v0.48.0 // indirect
	golang.org/x/text v0.42.0 // indirect
	google.golang.org/genproto/googleapis/api v0.0.0-20260817212433-ac3dfec99bb1 // indirect
	google.golang.org/genproto/googleapis/rpc v0.0.0-20260817212433-ac3dfec99bb1 // indirect
)

replace github.com/corsrpc/corsrpc-go => ../../

replace github.com/corsrpc/corsrpc-go/corsrpc/corsenvoy => ../../corsrpc/corsenvoy

replace github.com/corsrpc/corsrpc-go/examples => ../../examples

require (
	connectrpc.com/connect v1.21.1
	go.uber.org/goleak v1.3.0
)
