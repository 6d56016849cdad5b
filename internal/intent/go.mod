module github.com/corsrpc/corsrpc-go/internal/intent

go 1.26.0

require (
	github.com/corsrpc/corsrpc-go v0.0.0
	google.golang.org/protobuf v1.36.12
	pgregory.net/rapid v1.3.0
)

require (
	github.com/fsnotify/fsnotify v1.8.0 // indirect
	go.yaml.in/yaml/v3 v3.0.5 // indirect
	golang.org/x/net v0.61.0 // indirect
	golang.org/x/sys v0.49.0 // indirect
)

replace github.com/corsrpc/corsrpc-go => ../../
