package capture

import (
	"encoding/binary"
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
	memory  []byte // nil: unmapped
	size    int    // of a block
	block   []byte // the one that is read; nil: none is
	number  int    // of it, or of the one that comes next
	left    uint32 // packets of the block that were not given
	at      uint32 // where in the block the next packet begins
	link    LinkType
	among   int // index of the loopback interface, where all are captured; else 0
}

const (
	blockOfRing = 128 << 10 // a packet of 64 KiB, as segmentation offload makes them, has room
	retire      = 1         // milliseconds after which a block is given though it is not full: as many are needed as there may be between two looks
	tagSize     = 4         // of a VLAN tag
)

// next gives the next packet, which it waits for until then; the zero time is for
// ever. The packet's Data is valid until the next call.
func (r *ring) next(p *Packet, until time.Time) error {
	if r.memory == nil {
		return io.EOF
	}
	if r.more(p) {
		return nil
	}
	err := r.file.SetReadDeadline(until)
	if err == nil {
		err = r.socket.Read(func(uintptr) bool { return r.more(p) })
	}
	if err != nil && r.stopped.Load() {
		return io.EOF
	}
	return err
}

// more gives the next packet, if there is one at the moment.
func (r *ring) more(p *Packet) bool {
	for r.left == 0 {
		if r.block != nil {
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

// wake ends a wait: its deadline is over.
func (r *ring) wake() { _ = r.file.SetReadDeadline(time.Unix(1, 0)) }

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
