//go:build unix

package main

import (
	"os/exec"
	"syscall"
)

// enterRoot makes a command run with a folder as its root and as a user.
func enterRoot(cmd *exec.Cmd, root string, user uint32) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Chroot: root, Credential: &syscall.Credential{Uid: user, Gid: user}}
}
