module github.com/corsrpc/corsrpc-go/internal/editors

go 1.26.0

require (
	github.com/corsrpc/corsrpc-go v0.0.0
	go.yaml.in/yaml/v3 v3.0.5
	google.golang.org/protobuf v1.36.12
)

require golang.org/x/net v0.61.0 // indirect

replace github.com/corsrpc/corsrpc-go => ../../
