package corstest_test

import "testing"

// TestExample: the example's test passes.
func TestExample(t *testing.T) {
	t.Parallel()
	testHello(t)
}
