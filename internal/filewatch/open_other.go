//go:build !unix

package filewatch

import "os"

// openFlags are the flags with which Read opens a file.
const openFlags = os.O_RDONLY
