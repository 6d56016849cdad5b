package main

// inputFaults are faults of what the command reads: schemas from files and servers, policies of
// commits, and variables.
var inputFaults = []fault{
	// Descriptor files.
	{name: "a missing import is not told", old: `if !p.imports[name] && !isWellKnown(name) {`, new: `if false {`},
	{name: "the first of two different files counts", old: `case !sameServices(before.proto, f.proto):`, new: `case false:`},
	{name: "an option of corsrpc does not make files differ", old: `proto.SetExtension(service.Options, corsrpcv1.E_Service, rule)`, new: `_ = rule`},
	{name: "a descriptor file may have any size", old: `if len(data) > limit {`, new: `if false {`},
	{name: "gzip makes a descriptor file of any size", old: `io.ReadAll(io.LimitReader(r, int64(limit)+1))`, new: `io.ReadAll(r)`},
	{name: "positions in .proto files are lost", old: `if len(locations) > 0 {`, new: `if false {`},
	{name: "an unknown value in an image of text is dropped", old: `protoregistry.GlobalTypes}, false); err != nil {`, new: `protoregistry.GlobalTypes}, true); err != nil {`},
	{name: "a schema without services is one", old: `if len(c.services) == 0 {`, new: `if false {`},
	// Server reflection.
	{name: "a service without a descriptor is left out", old: `!ok && !rpc.IsOperational(service) {`, new: `!ok && rpc.IsOperational(service) && false {`},
	{name: "a server may list any number of services", old: `case len(list.GetService()) > r.bounds.services:`, new: `case false:`},
	{name: "a server may send without end", old: `r.bytes > r.bounds.received {`, new: `false {`},
	{name: "a server's message may have any size", old: `grpc.MaxCallRecvMsgSize(b.message)`, new: `grpc.MaxCallRecvMsgSize(1 << 30)`},
	{name: "only the first version of reflection is spoken", old: `if isUnimplemented(err) {`, new: `if false {`},
	{name: "a server's certificate may be for any name", in: "tlsConfig", old: `ServerName: s.ServerName}`, new: `ServerName: s.ServerName, InsecureSkipVerify: true}`},
	{name: "errors show the password of a URL", old: `userInfo.ReplaceAllString(s.URL, "//")`, new: `s.URL`},
	// Policies of commits.
	{name: "a revision may begin with a dash", in: "readGit", old: `|| strings.HasPrefix(rev, "-") `, new: ``},
	{name: "a link in a commit is a policy", old: `case fields[0] == "120000":`, new: `case false:`},
	{name: "a path of a commit begins at the top", old: `file = path.Join(strings.TrimSuffix(folder, "\n"), file)`, new: `file = path.Join(folder[:0], file)`},
	{name: "a path may leave the repository", old: `case file == ".." || strings.HasPrefix(file, "../"):`, new: `case false:`},
	{name: "a pointer of Git LFS is a policy", old: `bytes.HasPrefix(text, []byte("version https://git-lfs.")) {`, new: `bytes.HasPrefix(text, []byte("version https://git-lfs.")) && false {`},
	// Policies, and variables.
	{name: "the standard input is a policy twice", old: `if err == nil && len(text) == 0 {`, new: `if false {`},
	{name: "a policy may have any size", old: `if len(text) > limit && !strings.HasSuffix(name, ".binpb") {`, new: `if false {`},
	{name: "the flag for a policy's size is forgotten", old: `options := []any{corsrpc.WithMaxPolicyBytes(limit)}`, new: `options := []any{}`},
	{name: "the last of two equal variables counts", old: `first, twice := lines[variable]; twice {`, new: `first, twice := lines[variable]; twice && false {`},
	{name: "a quoted value loses what follows", old: `case text[i] == quote && comment.MatchString(text[i+1:]):`, new: `case text[i] == quote:`},
	{name: "an unused variable is not told", old: `if !used[name] {`, new: `if false {`},
}
