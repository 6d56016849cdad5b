package analysis

// WithSharedHosts replaces the table of hosts whose origin unrelated people share, until the returned
// function is called.
func WithSharedHosts(hosts map[string]string) (restore func()) {
	have := sharedHost
	sharedHost = func(host string) (string, bool) { why, ok := hosts[host]; return why, ok }
	return func() { sharedHost = have }
}
