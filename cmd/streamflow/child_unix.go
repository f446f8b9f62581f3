//go:build !windows

package main

import "syscall"

// ownGroup keeps a terminal's Ctrl-C from a child.
func ownGroup() *syscall.SysProcAttr { return &syscall.SysProcAttr{Setpgid: true} }
