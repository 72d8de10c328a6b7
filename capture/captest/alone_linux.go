package captest

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"runtime"
	"syscall"

	"golang.org/x/sys/unix"
)

// isAlone is the variable of the environment that says that a process is alone.
const isAlone = "WHY520_ALONE"

// Alone runs tests, and gives their exit status. Where this process may, as root
// may, they run in a process of their own, in a network namespace that has a
// loopback interface and nothing else: what they capture there are no packets of
// other tests, and nobody takes their ports. Elsewhere, it calls run. It is for
// TestMain, and comes first there: os.Exit(captest.Alone(m.Run)).
func Alone(run func() int) int {
	if os.Getenv(isAlone) != "" {
		if err := loopbackUp(); err != nil {
			fmt.Fprintln(os.Stderr, "the loopback interface:", err)
			return 1
		}
		return run()
	}
	self, err := os.Executable()
	if err != nil {
		return run()
	}
	runtime.LockOSThread() // which the other process does not outlive
	defer runtime.UnlockOSThread()
	c := exec.Command(self, os.Args[1:]...)
	c.Env = append(os.Environ(), isAlone+"=1")
	c.Stdin, c.Stdout, c.Stderr = os.Stdin, os.Stdout, os.Stderr
	c.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWNET, Pdeathsig: syscall.SIGKILL}
	if err := c.Start(); err != nil {
		return run()
	}
	interrupted := make(chan os.Signal, 1)
	signal.Notify(interrupted, os.Interrupt) // so is the other process: its end is waited for
	defer signal.Stop(interrupted)
	err = c.Wait()
	var exit *exec.ExitError
	switch {
	case err == nil:
		return 0
	case errors.As(err, &exit) && exit.Exited():
		return exit.ExitCode()
	}
	fmt.Fprintln(os.Stderr, "the tests:", err)
	return 1
}

// loopbackUp brings the loopback interface up.
func loopbackUp() error {
	socket, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return err
	}
	defer unix.Close(socket)
	lo, err := unix.NewIfreq("lo")
	if err != nil {
		return err
	}
	if err := unix.IoctlIfreq(socket, unix.SIOCGIFFLAGS, lo); err != nil {
		return err
	}
	if lo.Uint16()&unix.IFF_UP != 0 {
		return nil
	}
	lo.SetUint16(lo.Uint16() | unix.IFF_UP)
	return unix.IoctlIfreq(socket, unix.SIOCSIFFLAGS, lo)
}
