package origintest

import (
	"fmt"
	"net"
	"net/netip"
	"time"

	"golang.org/x/sys/unix"
)

// rawSockets: bindOnly, listenFull and deafen work here.
const rawSockets = true

// bindOnly binds a port on which nobody listens, so that nobody else gets it.
func bindOnly(listen string) (address string, closeIt func(), err error) {
	fd, address, err := bound(listen)
	if err != nil {
		return "", nil, err
	}
	return address, func() { unix.Close(fd) }, nil
}

// listenFull listens on a port whose accept queue is full.
func listenFull(listen string) (address string, closeIt func(), err error) {
	fd, address, err := bound(listen)
	if err != nil {
		return "", nil, err
	}
	var queue []net.Conn
	closeIt = func() {
		for _, c := range queue {
			reset(c)
		}
		unix.Close(fd)
	}
	if err := unix.Listen(fd, 0); err != nil {
		closeIt()
		return "", nil, fmt.Errorf("listen on %s: %w", address, err)
	}
	const most = 16
	for range most {
		if isFull(fd) {
			return address, closeIt, nil
		}
		c, err := net.DialTimeout("tcp", address, time.Second)
		if err != nil {
			return address, closeIt, nil
		}
		queue = append(queue, c)
	}
	closeIt()
	return "", nil, fmt.Errorf("the accept queue of %s does not fill", address)
}

// isFull reports whether the accept queue of a listening socket takes no more. Of
// such a socket, TCP_INFO has the queue's length and its limit.
func isFull(fd int) bool {
	info, err := unix.GetsockoptTCPInfo(fd, unix.IPPROTO_TCP, unix.TCP_INFO)
	const listening = 10 // TCP_LISTEN
	return err == nil && info.State == listening && info.Unacked > info.Sacked
}

// bound gives a socket that is bound to listen, and the address it got.
func bound(listen string) (fd int, address string, err error) {
	at, err := netip.ParseAddrPort(listen)
	if err != nil {
		return 0, "", err
	}
	ip := at.Addr().Unmap()
	family, name := unix.AF_INET6, unix.Sockaddr(&unix.SockaddrInet6{Port: int(at.Port()), Addr: ip.As16()})
	if ip.Is4() {
		family, name = unix.AF_INET, &unix.SockaddrInet4{Port: int(at.Port()), Addr: ip.As4()}
	}
	fd, err = unix.Socket(family, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return 0, "", fmt.Errorf("socket: %w", err)
	}
	if err := unix.Bind(fd, name); err != nil {
		unix.Close(fd)
		return 0, "", fmt.Errorf("bind %s: %w", listen, err)
	}
	got, err := unix.Getsockname(fd)
	if err != nil {
		unix.Close(fd)
		return 0, "", fmt.Errorf("getsockname: %w", err)
	}
	port := at.Port()
	switch name := got.(type) {
	case *unix.SockaddrInet4:
		port = uint16(name.Port)
	case *unix.SockaddrInet6:
		port = uint16(name.Port)
	}
	return fd, netip.AddrPortFrom(ip, port).String(), nil
}

// deafen makes the TCP of c drop every segment that comes, by a socket filter
// that lets none pass: nothing is acknowledged any more.
func deafen(c *net.TCPConn) {
	raw, err := c.SyscallConn()
	if err != nil {
		return
	}
	none := []unix.SockFilter{{Code: unix.BPF_RET | unix.BPF_K, K: 0}}
	_ = raw.Control(func(fd uintptr) {
		_ = unix.SetsockoptSockFprog(int(fd), unix.SOL_SOCKET, unix.SO_ATTACH_FILTER, &unix.SockFprog{Len: 1, Filter: &none[0]})
	})
}
