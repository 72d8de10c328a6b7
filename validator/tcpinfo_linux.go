package validator

import (
	"net"

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
type peeking struct {
	polled [1]unix.PollFd
	room   [1]byte
}

// peek looks at the descriptor, without waiting and without taking a byte.
func (p *peeking) peek(fd uintptr) look {
	p.polled[0] = unix.PollFd{Fd: int32(fd), Events: unix.POLLIN}
	if n, err := unix.Poll(p.polled[:], 0); n == 0 && err == nil {
		return alive // as a rule; Recvfrom would allocate an address
	}
	switch n, _, err := unix.Recvfrom(int(fd), p.room[:], unix.MSG_PEEK|unix.MSG_DONTWAIT); {
	case n > 0:
		return talks
	case err == unix.EAGAIN:
		return alive
	}
	return closed
}
