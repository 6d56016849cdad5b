module github.com/corsrpc/corsrpc-go/internal/peers

go 1.26.0

require (
	github.com/corsrpc/corsrpc-go v0.0.0
	github.com/gorilla/handlers v1.5.2
	github.com/rs/cors v1.11.1
	google.golang.org/protobuf v1.36.11
)

require (
	github.com/felixge/httpsnoop v1.0.3 // indirect
	github.com/fsnotify/fsnotify v1.8.0 // indirect
	go.yaml.in/yaml/v3 v3.0.4 // indirect
	golang.org/x/net v0.58.0 // indirect
	golang.org/x/sys v0.47.0 // indirect
)

replace github.com/corsrpc/corsrpc-go => ../../
