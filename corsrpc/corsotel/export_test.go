package corsotel

// Kept returns how many measurements are kept as attributes.
func (o *Observer) Kept() int {
	o.kept.mu.RLock()
	defer o.kept.mu.RUnlock()
	return len(o.kept.kept)
}

// Layers returns how many layers the observer knows of.
func (o *Observer) Layers() int {
	o.mu.Lock()
	defer o.mu.Unlock()
	return len(o.layers)
}
