package corstest_test

import "testing"

// TestExample runs the test of the example.
func TestExample(t *testing.T) {
	t.Parallel()
	testHello(t)
}
