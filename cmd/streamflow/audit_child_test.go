//go:build unix

package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"syscall"
	"time"
)

// child is one process of a world, which is started again whenever it ends.
type child struct {
	w          *world
	kind, name string
	line       []string // the command

	// All below is guarded by w.mu.
	process *os.Process // nil while it is down
	starts  int
	started time.Time
	stopped bool          // do not start it again
	pause   time.Duration // before the next start
	changed chan struct{} // closed and renewed whenever it starts or ends
	gone    chan struct{} // closed when nobody starts it again
}

func (c *child) logName() string { return filepath.Join(c.w.dir, c.name+".log") }

// launch keeps the process running.
func (c *child) launch() {
	up, gone := make(chan struct{}), make(chan struct{})
	c.w.mu.Lock()
	c.gone = gone
	c.w.mu.Unlock()
	go func() {
		defer close(gone)
		runtime.LockOSThread() // see dieWithUs
		defer runtime.UnlockOSThread()
		for first := true; ; first = false {
			cmd, ok := c.begin()
			if first {
				close(up)
			}
			if !ok {
				return
			}
			err := cmd.Wait()
			c.w.mu.Lock()
			c.process = nil
			c.note(fmt.Sprintf("ended: %v", err))
			pause := max(c.pause, 50*time.Millisecond)
			c.pause = 0
			c.announce()
			c.w.mu.Unlock()
			time.Sleep(pause)
		}
	}()
	<-up
}

// begin starts the process unless it is to stay down.
func (c *child) begin() (*exec.Cmd, bool) {
	c.w.mu.Lock()
	defer c.w.mu.Unlock()
	if c.stopped {
		return nil, false
	}
	log, err := os.OpenFile(c.logName(), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		c.w.t.Error(err)
		return nil, false
	}
	defer log.Close()
	cmd := exec.Command(c.line[0], c.line[1:]...)
	cmd.Env, cmd.Stdout, cmd.Stderr = c.w.env(), log, log
	dieWithUs(cmd)
	if err := cmd.Start(); err != nil {
		c.w.t.Error(err)
		return nil, false
	}
	c.process, c.started = cmd.Process, time.Now()
	c.starts++
	c.announce()
	return cmd, true
}

// announce wakes who waits for a change; w.mu is held.
func (c *child) announce() {
	close(c.changed)
	c.changed = make(chan struct{})
}

// note writes a line into the log, between those of the process; w.mu is held.
func (c *child) note(text string) {
	if log, err := os.OpenFile(c.logName(), os.O_APPEND|os.O_WRONLY, 0o644); err == nil {
		fmt.Fprintf(log, "=== %s %s\n", time.Now().Format("15:04:05.000"), text)
		log.Close()
	}
}

// signal sends a signal to the process, if it is up.
func (c *child) signal(s syscall.Signal) bool {
	c.w.mu.Lock()
	defer c.w.mu.Unlock()
	return c.process != nil && c.process.Signal(s) == nil
}

// kill ends the process without a word; it stays down for pause.
func (c *child) kill(pause time.Duration) bool {
	c.w.mu.Lock()
	defer c.w.mu.Unlock()
	c.pause = pause
	return c.process != nil && c.process.Kill() == nil
}

// stop ends the process for good and waits for it.
func (c *child) stop(s syscall.Signal) {
	c.w.mu.Lock()
	c.stopped = true
	if c.process != nil {
		_ = c.process.Signal(syscall.SIGCONT)
		_ = c.process.Signal(s)
	}
	gone := c.gone
	c.w.mu.Unlock()
	if !c.awaitDown(time.Minute) {
		c.signal(syscall.SIGKILL)
		c.awaitDown(5 * time.Second)
	}
	<-gone
}

// resume starts the process again after [child.stop].
func (c *child) resume() {
	c.w.mu.Lock()
	c.stopped = false
	c.w.mu.Unlock()
	c.launch()
}

func (c *child) awaitDown(atMost time.Duration) bool {
	return c.awaitState(atMost, func() bool { return c.process == nil })
}

// awaitUp waits until the process has been started for the nth time.
func (c *child) awaitUp(n int, atMost time.Duration) bool {
	return c.awaitState(atMost, func() bool { return c.process != nil && c.starts >= n })
}

func (c *child) awaitState(atMost time.Duration, ok func() bool) bool {
	deadline := time.After(atMost)
	for {
		c.w.mu.Lock()
		good, changed := ok(), c.changed
		c.w.mu.Unlock()
		if good {
			return true
		}
		select {
		case <-changed:
		case <-deadline:
			return false
		}
	}
}

// pid returns the number of the process, 0 while it is down.
func (c *child) pid() int {
	c.w.mu.Lock()
	defer c.w.mu.Unlock()
	if c.process == nil {
		return 0
	}
	return c.process.Pid
}

func (c *child) count() int {
	c.w.mu.Lock()
	defer c.w.mu.Unlock()
	return c.starts
}
