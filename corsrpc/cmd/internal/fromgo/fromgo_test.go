package fromgo

import (
	"os"
	"testing"
)

func TestTry(t *testing.T) {
	src, _ := os.ReadFile(os.Getenv("TRY"))
	f, err := Read(os.Getenv("TRY"), src)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range f.Configurations {
		p, err := c.Policy()
		if err != nil {
			t.Log(err)
			continue
		}
		t.Log("\n" + string(p.Text))
	}
}
