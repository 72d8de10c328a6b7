package validator

import (
	"net"
	"os"
	"unsafe"

	"golang.org/x/sys/unix"
)

// tcpAcked gives how many bytes the peer's TCP has acknowledged so far, the SYN
// counted, and whether that is known. It stays readable after a reset.
func tcpAcked(c net.Conn) (acked int64, ok bool) {
	raw := rawConn(c)
	if raw == nil {
		return 0, false
	}
	err := raw.Control(func(fd uintptr) {
		info, err := unix.GetsockoptTCPInfo(int(fd), unix.IPPROTO_TCP, unix.TCP_INFO)
		if err == nil {
			acked, ok = int64(info.Bytes_acked), true
		}
	})
	return acked, ok && err == nil
}

// canPeek is whether peek is known here.
const canPeek = true

// A peeking is the memory that peek needs.
type peeking struct{ room [1]byte }

// peek looks at the descriptor, without waiting and without taking a byte. The
// scheduler need not know of a call that cannot wait; and unix.Recvfrom would
// allocate an address.
func (p *peeking) peek(fd uintptr) look {
	n, _, err := unix.RawSyscall6(unix.SYS_RECVFROM, fd, uintptr(unsafe.Pointer(&p.room)), uintptr(len(p.room)), unix.MSG_PEEK|unix.MSG_DONTWAIT, 0, 0)
	switch {
	case err == unix.EAGAIN:
		return alive
	case err == 0 && n > 0:
		return talks
	}
	return closed
}

// give writes b to the descriptor without waiting: where it takes no more for
// now, n is less, and there is no error.
func give(fd uintptr, b []byte) (n int, err error) {
	for err = unix.EINTR; err == unix.EINTR; {
		n, err = unix.Write(int(fd), b)
	}
	if err == unix.EAGAIN {
		err = nil
	}
	return max(n, 0), os.NewSyscallError("write", err)
}
