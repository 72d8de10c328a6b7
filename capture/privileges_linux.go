package capture

import (
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// dropCapabilities gives up all capabilities of all threads, and those that a
// program which is started would gain. Capabilities are each thread's own: the
// runtime runs the call on all that it has, and new ones inherit from them. With
// cgo it cannot, for there may be threads that it does not know.
func dropCapabilities() error {
	if _, _, errno := syscall.AllThreadsSyscall6(unix.SYS_PRCTL, unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0, 0); errno != 0 {
		return notOnAllThreads(errno)
	}
	header := unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3} // pid 0: the thread that calls
	var none [2]unix.CapUserData
	_, _, errno := syscall.AllThreadsSyscall(unix.SYS_CAPSET, uintptr(unsafe.Pointer(&header)), uintptr(unsafe.Pointer(&none[0])), 0)
	if errno != 0 {
		return notOnAllThreads(errno)
	}
	return nil
}

func notOnAllThreads(errno syscall.Errno) error {
	if errno == syscall.ENOTSUP {
		return ErrCgo
	}
	return errno
}
