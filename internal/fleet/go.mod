module github.com/corsrpc/corsrpc-go/internal/fleet

go 1.26.0
