//go:build unix

package filewatch

import (
	"os"
	"syscall"
)

// openFlags are the flags with which Read opens a file. With O_NONBLOCK, opening a named pipe
// does not wait for a writer. Reading a regular file is the same with and without it.
const openFlags = os.O_RDONLY | syscall.O_NONBLOCK
