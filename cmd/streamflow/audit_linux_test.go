package main

import (
	"os/exec"
	"syscall"
)

// dieWithUs ends the process when the test dies, say by its time-out. The
// kernel means the thread that started it, so the caller keeps that thread.
func dieWithUs(cmd *exec.Cmd) { cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL} }
