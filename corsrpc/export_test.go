package corsrpc

// WithLongLists has lists of more than n origins stand apart from their rules.
func WithLongLists(n int) CompileOption {
	return compileOption(func(c *compileConfig) { c.longList = n })
}
