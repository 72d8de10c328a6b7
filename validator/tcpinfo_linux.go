package validator

import (
	"net"
	"syscall"

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

// peek looks at the connection that raw gives access to, without waiting
// and without taking a byte.
func peek(raw syscall.RawConn) look {
	seen := closed
	err := raw.Control(func(fd uintptr) {
		var one [1]byte
		switch n, _, err := unix.Recvfrom(int(fd), one[:], unix.MSG_PEEK|unix.MSG_DONTWAIT); {
		case n > 0:
			seen = talks
		case err == unix.EAGAIN || err == unix.EINTR:
			seen = alive
		}
	})
	if err != nil {
		return closed
	}
	return seen
}
