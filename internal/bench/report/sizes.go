package main

import (
	"os"
	"path/filepath"
)

// programs are the servers whose sizes are compared, each a folder of sizes.
var programs = []struct{ with, folder string }{
	{"nothing", "none"}, {"rs", "rs"}, {"corsrpc", "corsrpc"}, {"corsrpc and its inspector", "inspector"},
}

// measureSizes builds the programs, with and without symbols.
func (m *measuring) measureSizes() error {
	for _, p := range programs {
		l := line{Name: "Size/with=" + p.with, Values: map[string][]float64{}}
		for unit, flags := range map[string]string{"B": "", "B-stripped": "-s -w"} {
			binary := filepath.Join(m.dir, p.folder)
			if err := run(os.Stderr, "go", "build", "-trimpath", "-ldflags", flags, "-o", binary, "./sizes/"+p.folder); err != nil {
				return err
			}
			info, err := os.Stat(binary)
			if err != nil {
				return err
			}
			l.Values[unit] = []float64{float64(info.Size())}
		}
		m.lines = append(m.lines, l)
	}
	return nil
}
