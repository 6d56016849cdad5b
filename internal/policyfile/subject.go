package policyfile

import (
	"maps"
	"slices"
	"strings"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
)

// subject is the kind of content that a file has. It holds the words of messages, and what people mean
// by other words and forms. It is read-only.
type subject struct {
	noun    string // with the article "a"
	begin   string // the fields that most files begin with
	fields  string // the same, as part of a sentence
	yaml    string // a small file
	json    string
	text    string
	inherit string // the end of "leave it out", for a field without a value
	limit   string // where the limit on the size of the text is set
	binary  string // the message that a binary file holds

	// synonyms maps other words for a field to fields, separated by spaces: the first one that the message
	// has is meant. The keys are results of fold.
	synonyms map[string]string
	// values maps other words for a value of an enum to the value. The keys are results of fold.
	values map[string]string
	// main names the field that a value means which stands in place of a whole message.
	main map[protoreflect.Name]protoreflect.Name
	// needed holds the messages of main that mean nothing without that field, each with the value that is meant
	// where the message is only switched on; empty if that is not known.
	needed map[protoreflect.Name]string
	// standard are words that mean the value in needed.
	standard []string
	// keys names the field that a key means which stands in place of an item of a list.
	keys map[protoreflect.Name]protoreflect.Name
}

// The placeholders of static texts, which File.named replaces.
const (
	nounPlaceholder  = "{policy}"
	beginPlaceholder = "{fields}"
)

var policySubject = subject{
	noun: "policy", begin: "defaults: or rules:", fields: "defaults and rules",
	yaml:    "defaults: {allow_origins: [https://app.example.com]}",
	json:    `{"defaults": {"allow_origins": ["https://app.example.com"]}}`,
	text:    `defaults { allow_origins: "https://app.example.com" }`,
	inherit: " to inherit its value",
	limit:   " (WithMaxPolicyBytes sets the limit, which does not apply to binary policies)",
	binary:  "corsrpc.v1.Policy",
	synonyms: map[string]string{ // most of them from other CORS middlewares
		"origins": "allow_origins", "origin": "allow_origins", "allowedorigins": "allow_origins",
		"credentials": "allow_credentials", "allowedcredentials": "allow_credentials", "supportscredentials": "allow_credentials",
		"headers": "allow_headers", "allowedheaders": "allow_headers", "requestheaders": "allow_headers",
		"exposedheaders": "expose_headers", "responseheaders": "expose_headers",
		"methods": "allow_methods", "allowedmethods": "allow_methods",
		"timingalloworigin": "timing", "timingallowed": "timing", "tracingheaders": "tracing",
		"maxageseconds": "max_age", "maxagesec": "max_age", "ttl": "max_age",
		"procedure": "selector", "service": "selector", "method": "selector", "services": "rules", "procedures": "rules",
	},
	keys: map[protoreflect.Name]protoreflect.Name{"Rule": "selector"},
}

var testSubject = subject{
	noun: "policy test", begin: "policy: and cases:", fields: "policy and cases",
	yaml:   "policy: cors.yaml, and cases: below it",
	json:   `{"policy": "cors.yaml", "cases": [...]}`,
	text:   `policy: "cors.yaml" cases { ... }`,
	binary: "corsrpc.v1.PolicyTest",
	synonyms: map[string]string{
		"policyfile": "policy", "policypath": "policy", "file": "policy",
		"descriptor": "descriptors", "schema": "descriptors", "image": "descriptors",
		"environment": "env", "variables": "env", "vars": "env",
		"source": "sources", "prefixes": "path_prefixes", "pathprefix": "path_prefixes",
		"url": "server call", "baseurl": "server", "host": "server",
		"tests": "cases", "calls": "cases calls", "guarantee": "guarantees", "invariants": "guarantees", "assertions": "guarantees",
		"title": "name", "description": "name", "comment": "name",
		"origin": "from origins", "page": "from", "fromorigin": "from",
		"procedure": "call calls", "procedures": "calls", "rpc": "call", "path": "call calls", "paths": "calls", "target": "call calls",
		"selector": "calls", "selectors": "calls", "to": "call", "service": "calls",
		"method": "http_method http_methods", "methods": "http_methods", "verb": "http_method",
		"header": "headers", "requestheader": "headers request_headers", "requestheaders": "headers",
		"responseheader": "headers response_headers", "responseheaders": "headers",
		"cookies": "credentials", "withcredentials": "credentials", "allowcredentials": "credentials",
		"engine": "engines", "browser": "engines", "browsers": "engines",
		"response": "answer", "handler": "answer", "responds": "answer",
		"expects": "expect", "expected": "expect", "want": "expect", "result": "expect", "outcome": "expect", "then": "expect",
		"denied": "blocked", "refused": "blocked", "forbidden": "blocked", "blockedby": "blocked",
		"allowed": "readable", "granted": "readable", "ok": "readable", "success": "readable",
		"preflight": "preflights", "preflightcount": "preflights",
		"because": "reason", "code": "reason status", "statuscode": "status", "httpstatus": "status",
		"hidden": "hidden_headers", "notreadable": "hidden_headers", "exposed": "headers", "exposedheaders": "headers", "exposeheaders": "headers",
		"alloworigins": "origins", "outside": "origins_outside", "notorigins": "origins_outside", "originsexcept": "origins_outside",
		"exceptorigins": "origins_outside", "except": "except_sources",
	},
	values: map[string]string{
		"chrome": "CHROMIUM", "edge": "CHROMIUM", "blink": "CHROMIUM", "safari": "WEBKIT", "gecko": "FIREFOX",
		"grpc": "GRPC_WEB", "grpcwebtext": "GRPC_WEB", "connectrpc": "CONNECT", "connectweb": "CONNECT",
	},
	main: map[protoreflect.Name]protoreflect.Name{
		"Blocked": "reason", "Readable": "headers", "SourceOrigins": "origins", "CallSet": "calls", "Answer": "status",
	},
	keys: map[protoreflect.Name]protoreflect.Name{"Case": "name", "Guarantee": "name"},
}

var gatewaySubject = subject{
	noun: "gateway file", begin: "upstreams: and virtual_hosts:", fields: "upstreams and virtual_hosts",
	yaml:   `upstreams: [{name: api, url: "grpc://127.0.0.1:9090"}], and virtual_hosts: [{policy: cors.yaml, routes: [{upstream: api}]}] below it`,
	json:   `{"upstreams": [{"name": "api", "url": "grpc://127.0.0.1:9090"}], "virtual_hosts": [{"policy": "cors.yaml", "routes": [{"upstream": "api"}]}]}`,
	text:   `upstreams { name: "api" url: "grpc://127.0.0.1:9090" } virtual_hosts { policy: "cors.yaml" routes { upstream: "api" } }`,
	binary: "corsrpc.v1.Gateway",
	synonyms: map[string]string{ // most of them from other proxies
		"listener": "listen", "bind": "listen", "port": "address", "addr": "address url", "address": "url", "hostport": "address url",
		"admin": "internal", "internalport": "internal", "management": "internal",
		"backends": "upstreams", "backend": "upstream", "clusters": "upstreams", "cluster": "upstream", "servers": "upstreams url", "services": "upstreams service",
		"proxypass": "upstream", "target": "upstream url", "destination": "upstream url", "reverseproxy": "upstream", "server": "upstream url", "endpoint": "url", "uri": "url", "id": "name",
		"hosts": "virtual_hosts", "vhosts": "virtual_hosts", "sites": "virtual_hosts", "domains": "hosts", "servername": "server_name hosts", "hostnames": "hosts", "host": "hosts",
		"cors": "policy", "corspolicy": "policy", "policyfile": "policy",
		"selector": "service", "procedure": "service", "rpc": "service", "method": "service", "prefix": "path", "location": "path", "match": "path",
		"rewrite": "strip_prefix", "prefixrewrite": "strip_prefix", "stripprefixes": "strip_prefix", "pathprefix": "path_prefixes", "prefixes": "path_prefixes",
		"cert": "certificate", "crt": "certificate", "tlscert": "certificate", "certfile": "certificate", "keyfile": "key", "tlskey": "key", "privatekey": "key",
		"cafile": "ca", "rootca": "ca", "cacert": "ca", "clientcafile": "client_ca", "sni": "server_name",
		"descriptor": "descriptors", "schema": "descriptors", "image": "descriptors", "reflection": "reflect",
		"timeout": "response_timeout timeout", "readtimeout": "response_timeout header_timeout", "dialtimeout": "connect_timeout", "connecttimeout": "connect_timeout",
		"sources": "origin_sources", "origins": "origin_sources", "tenants": "origin_sources", "databases": "origin_sources", "dsn": "url", "database": "url", "sql": "query", "interval": "every", "period": "every",
		"proxies": "trusted_proxies", "trustedproxy": "trusted_proxies", "trustforwarded": "trusted_proxies", "trustedips": "trusted_proxies", "setrealipfrom": "trusted_proxies", "forwardedallowips": "trusted_proxies",
		"accesslogs": "access_log", "log": "access_log", "logfile": "file", "path": "file", "filename": "file", "output": "file", "shutdown": "drain", "graceful": "drain", "graceperiod": "drain timeout",
		"maxbodysize": "max_body_bytes", "clientmaxbodysize": "max_body_bytes", "maxheadersize": "max_header_bytes", "connections": "max_connections",
	},
	main: map[protoreflect.Name]protoreflect.Name{
		"Listener": "address", "InternalListener": "address", "Upstream": "url", "Route": "upstream", "AccessLog": "file", "Drain": "timeout", "VirtualHost": "policy", "OriginSource": "url", "ClientTLS": "ca", "ServerTLS": "certificate",
	},
	needed:   map[protoreflect.Name]string{"AccessLog": "-", "Upstream": "", "VirtualHost": "", "Route": "", "OriginSource": "", "ServerTLS": ""},
	standard: []string{"stdout", "STDOUT", "/dev/stdout"},
	keys:     map[protoreflect.Name]protoreflect.Name{"Upstream": "name", "VirtualHost": "name", "OriginSource": "name", "Route": "service"},
}

// subjectOf returns the subject of a message.
func subjectOf(md protoreflect.MessageDescriptor) *subject {
	switch md.Name() {
	case "PolicyTest":
		return &testSubject
	case "Gateway":
		return &gatewaySubject
	}
	return &policySubject
}

// newFile returns a file without values and problems, for the content of msg.
func newFile(format Format, msg proto.Message) *File {
	return &File{format: format, subject: subjectOf(msg.ProtoReflect().Descriptor()), positions: map[string]Position{}}
}

// newTrial returns the file of a text that is a changed one.
func newTrial(format Format, msg proto.Message) *File {
	f := newFile(format, msg)
	f.trial = true
	return f
}

// named returns a text of this package with the words of the subject in place of the placeholders.
func (f *File) named(text string) string {
	if f.subject == nil || !strings.Contains(text, "{") {
		return text
	}
	return strings.NewReplacer(nounPlaceholder, f.subject.noun, beginPlaceholder, f.subject.begin).Replace(text)
}

// example returns the fix for a file without content.
func (f *File) example() string {
	switch f.format {
	case FormatJSON:
		return f.subject.json
	case FormatText:
		return f.subject.text
	}
	return f.subject.yaml
}

// otherSubject returns what is wrong if the root of a file is one of another subject; "" if it is not.
func otherSubject(root *node, s *subject) string {
	own := false
	var other *subject
	for _, p := range root.pairs {
		switch of := subjectOfField(p.key); {
		case of == s:
			own = true
		case of != nil:
			other = of
		}
	}
	switch {
	case own || other == nil:
		return ""
	case s == &testSubject && other == &policySubject:
		return "the file is a policy, not a policy test: a test names its policy, as in policy: cors.yaml"
	case s == &policySubject && other == &testSubject:
		return "the file is a policy test, not a policy: run it with corsrpc test"
	case s == &gatewaySubject && other == &testSubject:
		return "the file is a policy test, not a gateway file: run it with corsrpc test"
	case s == &gatewaySubject && other == &policySubject:
		return "the file is a policy, not a gateway file: pass it to corsrpc gateway as --policy, or name it in virtual_hosts, as in policy: cors.yaml"
	case other == &gatewaySubject:
		return "the file is a gateway file, not a " + s.noun + ": run it with corsrpc gateway --config"
	}
	return "the file is a " + other.noun + ", not a " + s.noun
}

// subjectOfField returns the subject whose files alone have a field at their top; nil if there is none.
func subjectOfField(name string) *subject {
	switch name {
	case "cases", "guarantees":
		return &testSubject
	case "defaults", "rules", "profiles":
		return &policySubject
	case "upstreams", "virtual_hosts", "virtualHosts":
		return &gatewaySubject
	}
	return nil
}

// nearestSynonym returns the field that a misspelling of another word means; nil if there is none.
func (f *File) nearestSynonym(word string, md protoreflect.MessageDescriptor) protoreflect.FieldDescriptor {
	var words []string
	for _, known := range slices.Sorted(maps.Keys(f.subject.synonyms)) {
		if f.synonym(known, md) != nil {
			words = append(words, known)
		}
	}
	nearest, ok := Nearest(word, words)
	if !ok || len(nearest) < 4 {
		return nil
	}
	return f.synonym(nearest, md)
}

// synonym returns the field of a message that another word means; nil if there is none.
func (f *File) synonym(word string, md protoreflect.MessageDescriptor) protoreflect.FieldDescriptor {
	for _, name := range strings.Fields(f.subject.synonyms[fold(word)]) {
		if fd := md.Fields().ByName(protoreflect.Name(name)); fd != nil {
			return fd
		}
	}
	return nil
}
