module github.com/corsrpc/corsrpc-go/internal/fleet

go 1.26.0

replace github.com/corsrpc/corsrpc-go => ../../

replace github.com/corsrpc/corsrpc-go/examples => ../../examples

require github.com/vishvananda/netns v0.0.5

require golang.org/x/sys v0.2.0 // indirect
