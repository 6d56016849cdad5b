package corsotel

// Cached returns the number of cached measurement options.
func (o *Observer) Cached() int {
	o.options.mu.RLock()
	defer o.options.mu.RUnlock()
	return len(o.options.entries)
}

// Layers returns the number of layers that the observer refers to.
func (o *Observer) Layers() int {
	o.mu.Lock()
	defer o.mu.Unlock()
	return len(o.layers)
}
