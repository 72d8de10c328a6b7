package captest

import (
	"encoding/binary"
	"net/netip"

	"why520/capture"
)

// A Frame is a packet of a capture.
type Frame struct {
	Time   int64 // nanoseconds since 1970-01-01 UTC
	Length int   // on the wire
	Data   []byte
}

// Packet gives f as package capture wants it.
func (f *Frame) Packet(link capture.LinkType) capture.Packet {
	return capture.Packet{Time: f.Time, Link: link, Length: f.Length, Data: f.Data}
}

// A segment is what an endpoint sends, with all that a reader may look at.
type segment struct {
	from, to netip.AddrPort
	vlan     uint16
	ttl      uint8
	id       uint16
	seq, ack uint32
	flags    uint8
	window   uint16
	syn      bool // the options of a SYN
	unscaled bool // of these, no window scale
	stamped  bool
	stamp    uint32
	payload  []byte

	unsized  bool // of IPv4: total length 0, as hardware that cuts segments is given it
	more     bool // the first fragment of several
	extended bool // of IPv6: an extension header stands before TCP
}

// ethernet gives the segment as an Ethernet frame.
func (s *segment) ethernet() []byte {
	b := make([]byte, 0, 14+8+40+60+len(s.payload))
	b = append(b, 2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2)
	if s.vlan != 0 {
		b = binary.BigEndian.AppendUint16(b, 0x8100)
		b = binary.BigEndian.AppendUint16(b, s.vlan)
	}
	if s.from.Addr().Is4() {
		b = binary.BigEndian.AppendUint16(b, 0x0800)
	} else {
		b = binary.BigEndian.AppendUint16(b, 0x86DD)
	}
	return s.ip(b)
}

// ip appends the segment as an IP packet.
func (s *segment) ip(b []byte) []byte {
	options := s.options()
	length := 20 + len(options) + len(s.payload)
	if s.from.Addr().Is4() {
		start := len(b)
		total := 20 + length
		if s.unsized {
			total = 0
		}
		b = append(b, 0x45, 0)
		b = binary.BigEndian.AppendUint16(b, uint16(total))
		b = binary.BigEndian.AppendUint16(b, s.id)
		switch {
		case s.more:
			b = append(b, 0x20, 0)
		default:
			b = append(b, 0x40, 0) // DF
		}
		b = append(b, s.ttl, 6, 0, 0)
		from, to := s.from.Addr().As4(), s.to.Addr().As4()
		b = append(append(b, from[:]...), to[:]...)
		binary.BigEndian.PutUint16(b[start+10:], sum(b[start:]))
	} else {
		next := byte(6)
		if s.extended {
			next = 60
			length += 8
		}
		b = append(b, 0x60, 0, 0, 0)
		b = binary.BigEndian.AppendUint16(b, uint16(length))
		b = append(b, next, s.ttl)
		from, to := s.from.Addr().As16(), s.to.Addr().As16()
		b = append(append(b, from[:]...), to[:]...)
		if s.extended { // destination options, padding only
			b = append(b, 6, 0, 1, 4, 0, 0, 0, 0)
		}
	}
	b = binary.BigEndian.AppendUint16(b, s.from.Port())
	b = binary.BigEndian.AppendUint16(b, s.to.Port())
	b = binary.BigEndian.AppendUint32(b, s.seq)
	b = binary.BigEndian.AppendUint32(b, s.ack)
	b = append(b, byte((20+len(options))/4)<<4, s.flags)
	b = binary.BigEndian.AppendUint16(b, s.window)
	b = append(b, 0, 0, 0, 0) // checksum: left to the hardware
	return append(append(b, options...), s.payload...)
}

// options gives the TCP options in the order in which Linux writes them.
func (s *segment) options() []byte {
	var o []byte
	if s.syn {
		o = append(o, 2, 4, 5, 0xB4) // MSS 1460
		if s.stamped {
			o = append(o, 4, 2) // SACK permitted
		} else {
			o = append(o, 1, 1, 4, 2)
		}
	} else if s.stamped {
		o = append(o, 1, 1)
	}
	if s.stamped {
		o = append(o, 8, 10)
		o = binary.BigEndian.AppendUint32(o, s.stamp)
		o = binary.BigEndian.AppendUint32(o, s.stamp-7)
	}
	if s.syn && !s.unscaled {
		o = append(o, 1, 3, 3, 7) // scale 7
	}
	return o
}

// sum gives the checksum of an IPv4 header (RFC 791 section 3.1).
func sum(b []byte) uint16 {
	var n uint32
	for i := 0; i < len(b); i += 2 {
		n += uint32(binary.BigEndian.Uint16(b[i:]))
	}
	for n > 0xFFFF {
		n = n>>16 + n&0xFFFF
	}
	return ^uint16(n)
}
