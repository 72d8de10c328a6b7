package capture

import (
	"cmp"
	"encoding/binary"
	"errors"
	"io"
	"os"
	"sync/atomic"
	"syscall"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// A ring is a packet socket and the memory that the kernel puts packets into,
// block by block (TPACKET_V3; Linux's Documentation/networking/packet_mmap.rst).
// A block is the kernel's until its status says that it is ours, and ours until
// we say that it is the kernel's again.
type ring struct {
	file    *os.File // in the runtime's poller: closing it ends a wait
	socket  syscall.RawConn
	stopped atomic.Bool
	woken   atomic.Bool // waits end at once; for who calls each to clear, before
	failed  error       // of the socket: no more packets will come
	done    int         // blocks that were given back
	memory  []byte      // nil: unmapped
	size    int         // of a block
	block   []byte      // the one that is read; nil: none is
	number  int         // of it, or of the one that comes next
	left    uint32      // packets of the block that were not given
	at      uint32      // where in the block the next packet begins
	link    LinkType
	among   int // index of the loopback interface, where all are captured; else 0
}

const (
	blockOfRing = 128 << 10 // a packet of 64 KiB, as segmentation offload makes them, has room
	retire      = 1         // milliseconds after which a block is given though it is not full: as many are needed as there may be between two looks

	// look is how often a wait looks for an error of the socket: the poller need
	// not tell of it, and to ask each time costs too much.
	look = 100 * time.Millisecond
	last = 10 * retire * time.Millisecond // then a block is given on any machine
)

// down is the error of an interface that is down, or no more.
const down = unix.ENETDOWN

// next gives the next packet, which it waits for until then; the zero time is for
// ever. The packet's Data is valid until the next call.
func (r *ring) next(p *Packet, until time.Time) error {
	if r.memory == nil {
		return io.EOF
	}
	if r.more(p) {
		return nil
	}
	if r.failed != nil {
		return r.failed
	}
	for r.failed == nil {
		at := time.Now().Add(look)
		whole := !until.IsZero() && until.Before(at)
		if whole {
			at = until
		}
		err := r.file.SetReadDeadline(at)
		if r.woken.Load() { // if it is set later, wake's deadline comes after ours
			return os.ErrDeadlineExceeded
		}
		if err == nil {
			err = r.socket.Read(func(uintptr) bool { return r.more(p) })
		}
		switch {
		case err == nil:
			return nil
		case r.stopped.Load():
			return io.EOF
		case !errors.Is(err, os.ErrDeadlineExceeded): // the poller's, who knows no more than that there is one
			r.failed = cmp.Or(r.pending(), err)
		case r.woken.Load():
			return err
		default:
			if r.failed = r.pending(); r.failed == nil && whole {
				return err
			}
		}
	}
	time.Sleep(last) // what the kernel has begun to fill is given yet
	if r.more(p) {
		return nil
	}
	return r.failed
}

// pending gives the error that the socket has to tell of, which it tells once.
func (r *ring) pending() (err error) {
	_ = r.socket.Control(func(fd uintptr) {
		switch number, failed := unix.GetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_ERROR); {
		case failed != nil:
			err = os.NewSyscallError("getsockopt", failed)
		case number != 0:
			err = syscall.Errno(number)
		}
	})
	return err
}

// more gives the next packet, if there is one at the moment and nobody stopped the
// ring since its block was begun.
func (r *ring) more(p *Packet) bool {
	for r.left == 0 {
		if r.stopped.Load() {
			return false
		}
		if r.block != nil {
			r.done++
			atomic.StoreUint32(&head(r.block).Block_status, unix.TP_STATUS_KERNEL)
			r.block = nil
			if r.number++; r.number*r.size == len(r.memory) {
				r.number = 0
			}
		}
		b := r.memory[r.number*r.size:][:r.size]
		h := head(b)
		if atomic.LoadUint32(&h.Block_status)&unix.TP_STATUS_USER == 0 {
			return false
		}
		r.block, r.left, r.at = b, h.Num_pkts, h.Offset_to_first_pkt
	}
	r.left--
	h := (*unix.Tpacket3Hdr)(unsafe.Pointer(&r.block[r.at]))
	from := r.at + uint32(h.Mac)
	p.Time = int64(h.Sec)*1e9 + int64(h.Nsec)
	p.Link, p.Length, p.Data = r.link, int(h.Len), r.block[from:from+h.Snaplen]
	if h.Status&unix.TP_STATUS_VLAN_VALID != 0 && r.link == Ethernet && h.Snaplen >= 12 {
		r.tag(p, h, from)
	}
	if h.Status&unix.TP_STATUS_VLAN_VALID != 0 && r.link == Raw && begunByTag(p.Data, p.Length) && !leaves(h) {
		p.Data = p.Data[tagSize:]
		p.Length -= tagSize
	}
	r.at += h.Next_offset
	return true
}

// tag puts the VLAN tag back that the kernel took out of a frame: behind both
// addresses, which move to the front, into the room that was reserved.
func (r *ring) tag(p *Packet, h *unix.Tpacket3Hdr, from uint32) {
	const addresses = 12
	kind := uint16(typeVLAN)
	if h.Status&unix.TP_STATUS_VLAN_TPID_VALID != 0 {
		kind = h.Hv1.Vlan_tpid
	}
	p.Data = r.block[from-tagSize : from+h.Snaplen]
	copy(p.Data, p.Data[tagSize:tagSize+addresses])
	binary.BigEndian.PutUint16(p.Data[addresses:], kind)
	binary.BigEndian.PutUint16(p.Data[addresses+2:], uint16(h.Hv1.Vlan_tci))
	p.Length += tagSize
}

// leaves reports whether a packet was captured on its way out.
func leaves(h *unix.Tpacket3Hdr) bool {
	const behind = (unsafe.Sizeof(*h) + unix.TPACKET_ALIGNMENT - 1) &^ (unix.TPACKET_ALIGNMENT - 1)
	return (*unix.RawSockaddrLinklayer)(unsafe.Add(unsafe.Pointer(h), behind)).Pkttype == unix.PACKET_OUTGOING
}

// begunByTag reports whether b, the beginning of a packet of that length, begins
// with the tag of a VLAN and not with IP. Kernels before 6.10 say so with the
// packet, later ones do not; IP's own length tells it in any case.
func begunByTag(b []byte, length int) bool {
	if len(b) < tagSize+1 {
		return false
	}
	version, behind := b[0]>>4, b[tagSize]>>4
	switch kind := binary.BigEndian.Uint16(b[2:]); kind {
	case typeIPv4: // as IPv4, it would be as long
		return behind == 4 && (version != 4 || length != typeIPv4)
	case typeIPv6:
		return behind == 6 && len(b) >= 6 && (version != 6 || length != 40+int(binary.BigEndian.Uint16(b[4:])))
	}
	return false
}

// head gives the header of a block.
func head(block []byte) *unix.TpacketHdrV1 {
	return (*unix.TpacketHdrV1)(unsafe.Pointer(&(*unix.TpacketBlockDesc)(unsafe.Pointer(&block[0])).Hdr))
}

// drops gives how many packets were lost since the last call.
func (r *ring) drops() (lost int64) {
	_ = r.socket.Control(func(fd uintptr) {
		if s, err := unix.GetsockoptTpacketStatsV3(int(fd), unix.SOL_PACKET, unix.PACKET_STATISTICS); err == nil {
			lost = int64(s.Drops)
		}
	})
	return lost
}

// blocks gives how many there are.
func (r *ring) blocks() int { return len(r.memory) / r.size }

// wake ends a wait, and all that follow until woken is cleared: their deadline is
// over.
func (r *ring) wake() {
	r.woken.Store(true)
	_ = r.file.SetReadDeadline(time.Unix(1, 0))
}

// stop closes the socket, which ends a wait.
func (r *ring) stop() error {
	r.stopped.Store(true)
	return r.file.Close()
}

// unmap gives the memory back; nobody reads it any more.
func (r *ring) unmap() {
	if r.memory != nil {
		_ = unix.Munmap(r.memory)
		r.memory, r.block, r.left = nil, nil, 0
	}
}
