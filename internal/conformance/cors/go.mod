module github.com/rs/cors

go 1.26.0

require github.com/corsrpc/corsrpc-go v0.0.0

require (
	github.com/fsnotify/fsnotify v1.8.0 // indirect
	go.yaml.in/yaml/v3 v3.0.5 // indirect
	golang.org/x/net v0.61.0 // indirect
	golang.org/x/sys v0.49.0 // indirect
	golang.org/x/text v0.43.0 // indirect
	google.golang.org/protobuf v1.36.12 // indirect
)

replace github.com/corsrpc/corsrpc-go => ../../../
