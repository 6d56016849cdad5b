package route

// Steps returns the number of comparisons that all calls of Add have taken.
func (ps *Patterns) Steps() int { return ps.search.steps }
