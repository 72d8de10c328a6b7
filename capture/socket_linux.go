package capture

import (
	"encoding/binary"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"syscall"

	"golang.org/x/sys/unix"
)

// open makes the socket, then its filter, then the ring, and binds it last: so
// no packet is seen that nobody asked for, and none is missed from then on.
func (l *Live) open() error {
	fail := func(doing string, err error) error { return &LiveError{l.o.Interface, doing, err} }
	index, loopback, err := l.find()
	if err != nil {
		return fail("looking for the interface", err)
	}
	// Without a protocol, the socket takes nothing before it is bound.
	fd, err := unix.Socket(unix.AF_PACKET, unix.SOCK_RAW|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, 0)
	if err != nil {
		return fail("opening a packet socket", err)
	}
	l.link = Ethernet
	if index == 0 || !framed(fd, l.o.Interface) {
		unix.Close(fd)
		if fd, err = unix.Socket(unix.AF_PACKET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, 0); err != nil {
			return fail("opening a packet socket", err)
		}
		l.link = Raw // without what the link puts before it, which differs
	}
	l.ring = &ring{size: blockOfRing, link: l.link}
	doing, err := l.ring.set(fd, l, index, loopback)
	if err == nil && l.o.Drop {
		doing, err = "giving up capabilities", dropCapabilities()
	}
	if err != nil {
		l.ring.unmap()
		unix.Close(fd)
		return fail(doing, err)
	}
	l.ring.file = os.NewFile(uintptr(fd), "packet socket")
	if l.ring.socket, err = l.ring.file.SyscallConn(); err != nil {
		return fail("waiting for packets", err)
	}
	return nil
}

// find gives the index of the interface, 0 where it is any, and that of the
// loopback interface, 0 where it is another one.
func (l *Live) find() (index, loopback int, err error) {
	all, err := net.Interfaces()
	if err != nil {
		return 0, 0, err
	}
	var names []string
	for _, i := range all {
		names = append(names, i.Name)
		if i.Name == l.o.Interface {
			index = i.Index
		}
		if i.Flags&net.FlagLoopback != 0 {
			loopback = i.Index
		}
	}
	if l.o.Interface == "any" {
		return 0, loopback, nil
	}
	if index == 0 {
		return 0, 0, fmt.Errorf("there is none of that name, only %q", names)
	}
	if index != loopback {
		loopback = 0
	}
	return index, loopback, nil
}

// framed reports whether the frames of an interface are Ethernet's.
func framed(fd int, name string) bool {
	request, err := unix.NewIfreq(name)
	if err != nil || unix.IoctlIfreq(fd, unix.SIOCGIFHWADDR, request) != nil {
		return false
	}
	kind := request.Uint16() // the family of the hardware address
	return kind == unix.ARPHRD_ETHER || kind == unix.ARPHRD_LOOPBACK
}

// set makes fd ready, in the order that open tells; an error comes with what was
// being done.
func (r *ring) set(fd int, l *Live, index, loopback int) (doing string, err error) {
	if index == 0 {
		r.among = loopback
	}
	if err := attach(fd, l.o.Origins, l.link, r.among, l.o.Snap); err != nil {
		return "setting the filter", err
	}
	integer := func(level, option, value int) {
		if err == nil {
			err = unix.SetsockoptInt(fd, level, option, value)
		}
	}
	doing = "setting the socket up"
	if len(l.o.Origins) > 0 {
		integer(unix.SOL_SOCKET, unix.SO_LOCK_FILTER, 1)
	}
	integer(unix.SOL_PACKET, unix.PACKET_VERSION, unix.TPACKET_V3)
	integer(unix.SOL_PACKET, unix.PACKET_RESERVE, tagSize)
	if index != 0 && index == loopback {
		integer(unix.SOL_PACKET, unix.PACKET_IGNORE_OUTGOING, 1) // each packet passes there twice
	}
	if err != nil {
		return doing, err
	}
	blocks := max(l.o.Ring/r.size, 2)
	const frame = 2048 // divides a block; TPACKET_V3 packs packets more tightly
	err = unix.SetsockoptTpacketReq3(fd, unix.SOL_PACKET, unix.PACKET_RX_RING, &unix.TpacketReq3{
		Block_size: uint32(r.size), Block_nr: uint32(blocks),
		Frame_size: frame, Frame_nr: uint32(r.size / frame * blocks),
		Retire_blk_tov: retire,
	})
	if err != nil {
		return fmt.Sprintf("making a ring of %d bytes", r.size*blocks), err
	}
	if r.memory, err = unix.Mmap(fd, 0, r.size*blocks, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED); err != nil {
		return "mapping the ring", err
	}
	everything := binary.NativeEndian.Uint16([]byte{0, unix.ETH_P_ALL}) // in network byte order; what leaves is seen, too
	err = unix.Bind(fd, &unix.SockaddrLinklayer{Protocol: everything, Ifindex: index})
	if err != nil || l.o.Fanout == 0 {
		return "binding to the interface", err
	}
	how := unix.PACKET_FANOUT_HASH
	if index != 0 && index == loopback {
		how |= unix.PACKET_FANOUT_FLAG_IGNORE_OUTGOING // the group's flag is what counts
	}
	integer(unix.SOL_PACKET, unix.PACKET_FANOUT, int(l.o.Fanout)|how<<16)
	return "joining the fanout group", err
}

// attach puts a filter before fd.
func attach(fd int, origins []Origin, link LinkType, loopback, snap int) error {
	code, err := filter(origins, link, loopback, snap)
	if err != nil {
		return err
	}
	raw := make([]unix.SockFilter, len(code))
	for i, c := range code {
		raw[i] = unix.SockFilter{Code: c.Op, Jt: c.Jt, Jf: c.Jf, K: c.K}
	}
	return unix.SetsockoptSockFprog(fd, unix.SOL_SOCKET, unix.SO_ATTACH_FILTER, &unix.SockFprog{Len: uint16(len(raw)), Filter: &raw[0]})
}

// only changes the filter to TCP of these origins.
func (l *Live) only(origins []Origin) (err error) {
	failed := l.ring.socket.Control(func(fd uintptr) { err = attach(int(fd), origins, l.link, l.ring.among, l.o.Snap) })
	if failed != nil {
		return failed
	}
	return err
}

// bind binds a TCP socket that is about to connect to an address from there; the
// system chooses the port.
func bind(c syscall.RawConn, from netip.Addr) (at netip.AddrPort, err error) {
	var a unix.Sockaddr
	if from.Is4() {
		a = &unix.SockaddrInet4{Addr: from.As4()}
	} else {
		six := &unix.SockaddrInet6{Addr: from.As16()}
		if i, err := net.InterfaceByName(from.Zone()); err == nil {
			six.ZoneId = uint32(i.Index)
		}
		a = six
	}
	var chosen unix.Sockaddr
	failed := c.Control(func(fd uintptr) {
		if err = unix.Bind(int(fd), a); err == nil {
			chosen, err = unix.Getsockname(int(fd))
		}
	})
	switch s := chosen.(type) {
	case *unix.SockaddrInet4:
		return netip.AddrPortFrom(from, uint16(s.Port)), nil
	case *unix.SockaddrInet6:
		return netip.AddrPortFrom(from, uint16(s.Port)), nil
	}
	return netip.AddrPort{}, errors.Join(failed, err)
}
