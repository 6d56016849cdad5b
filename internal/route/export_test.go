package route

// Steps returns how many comparisons the calls of Add have taken.
func (ps *Patterns) Steps() int { return ps.search.steps }
