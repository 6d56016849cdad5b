package comingfrom

import (
	"net/http"

	connectcors "connectrpc.com/cors"
	"github.com/rs/cors"

	"github.com/corsrpc/corsrpc-go/internal/peers/sidebyside"
)

var connect = library{
	name: "connectrpc.com/cors", init: true,
	base:  []string{"allow_origins: [https://app.example.com]", "expose: DECLARED", "max_age: 5s"},
	every: []sidebyside.Named{sidebyside.RefusedBeforeHandler, sidebyside.CredentialsRefused, sidebyside.OtherPaths, sidebyside.OperationalServices, sidebyside.ProtocolHeaders, sidebyside.Get},
	rows: []row{
		{option: "AllowedHeaders", wrap: connectLists, note: "Nothing: the headers of the protocols are granted"},
		{option: "AllowedMethods", wrap: connectLists, note: methodsBySchema},
		{option: "ExposedHeaders", wrap: connectLists, note: "Nothing: the status of gRPC-Web is exposed"},
		{words: "`append(connectcors.AllowedHeaders(), \"Authorization\")`", wrap: connectAppend, policy: []string{"allow_headers: [authorization]"}},
	},
}

func connectLists(next http.Handler) http.Handler {
	return cors.New(cors.Options{
		AllowedOrigins: []string{"https://app.example.com"},
		AllowedMethods: connectcors.AllowedMethods(),
		AllowedHeaders: connectcors.AllowedHeaders(),
		ExposedHeaders: connectcors.ExposedHeaders(),
	}).Handler(next)
}

func connectAppend(next http.Handler) http.Handler {
	return cors.New(cors.Options{
		AllowedOrigins: []string{"https://app.example.com"},
		AllowedMethods: connectcors.AllowedMethods(),
		AllowedHeaders: append(connectcors.AllowedHeaders(), "Authorization"),
		ExposedHeaders: connectcors.ExposedHeaders(),
	}).Handler(next)
}
