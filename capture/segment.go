package capture

import (
	"encoding/binary"
	"net/netip"
)

// Flags of a TCP header (RFC 9293 section 3.1).
const (
	FIN = 1 << iota
	SYN
	RST
	PSH
	ACK
	URG
)

// A Segment is a TCP segment and what of the layers below it a verdict needs.
// It is flat and holds no copy: Payload points into the packet.
type Segment struct {
	Source, Destination         Address
	SourcePort, DestinationPort uint16

	VLAN    uint16 // the innermost VLAN's number; 0: none
	Version uint8  // of IP: 4 or 6
	TTL     uint8  // or hop limit
	ID      uint16 // IP identification; valid iff Version is 4
	Flags   uint8
	Scale   uint8 // window scale; valid iff Scaled

	Scaled   bool // the window scale option is there
	Stamped  bool // the timestamp option is there
	Fragment bool // the first fragment of a packet: more payload is in others
	Cut      bool // Payload is shorter than Length: the capture has not all of it
	Window   uint16
	Header   uint8 // bytes of the TCP header
	Seq, Ack uint32
	Stamp    uint32 // timestamp value; valid iff Stamped
	Length   int    // bytes of payload on the wire
	Payload  []byte // of them, what was captured
}

// SourceAddress gives address and port of the sender.
func (s *Segment) SourceAddress() netip.AddrPort { return address(s.Source, s.SourcePort) }

// DestinationAddress gives address and port of the receiver.
func (s *Segment) DestinationAddress() netip.AddrPort {
	return address(s.Destination, s.DestinationPort)
}

func address(a Address, port uint16) netip.AddrPort { return netip.AddrPortFrom(a.Netip(), port) }

// A Layer says how far a packet was decoded.
type Layer uint8

const (
	NotDecoded    Layer = iota // the frame is cut before the TCP header ends, or malformed
	NotIP                      // another protocol than IP, or a link type that is not known
	NotTCP                     // IP that carries another protocol
	LaterFragment              // a fragment without the header
	IsTCP                      // a segment
)

// Ethernet's types, and IP's protocols.
const (
	typeIPv4          = 0x0800
	typeIPv6          = 0x86DD
	typeVLAN          = 0x8100
	typeQinQ          = 0x88A8
	typeOldQinQ       = 0x9100
	typePPPoE         = 0x8864
	typeMPLS          = 0x8847
	typeMPLSMulticast = 0x8848
	unknownType       = 0xFFFF
	longest8023       = 1500 // up to here a type is the length of an IEEE 802.3 frame
	tagSize           = 4    // of a VLAN's tag
	protocolTCP       = 6
	hopByHop          = 0
	routing           = 43
	fragment          = 44
	authentic         = 51
	destinations      = 60
	mobility          = 135
	hostIdentity      = 139
	shim6             = 140
)

// Decode takes p apart. s is valid iff the result is IsTCP. Checksums are not
// looked at: captures hold packets whose sums hardware was to fill in.
func (s *Segment) Decode(p *Packet) Layer {
	b := p.Data
	beyond := p.Length - len(b) // bytes of the frame that were not captured
	kind := uint16(0)           // 0: the version of IP tells
	s.VLAN = 0
	switch p.Link {
	case Ethernet:
		if len(b) < 14 {
			return NotDecoded
		}
		kind = binary.BigEndian.Uint16(b[12:])
		b = b[14:]
	case Raw, RawBSD, RawOBSD, IPv4, IPv6:
	case Null, Loop:
		if len(b) < 4 {
			return NotDecoded
		}
		// The family's number for IPv6 differs by system: what follows tells.
		b = b[4:]
	case SLL:
		if len(b) < 16 {
			return NotDecoded
		}
		kind = binary.BigEndian.Uint16(b[14:])
		b = b[16:]
	case SLL2:
		if len(b) < 20 {
			return NotDecoded
		}
		kind = binary.BigEndian.Uint16(b)
		b = b[20:]
	default:
		return NotIP
	}
	for kind == typeVLAN || kind == typeQinQ || kind == typeOldQinQ {
		if len(b) < 4 {
			return NotDecoded
		}
		s.VLAN = binary.BigEndian.Uint16(b) & 0x0FFF
		kind = binary.BigEndian.Uint16(b[2:])
		b = b[4:]
	}
	if kind != 0 && kind != typeIPv4 && kind != typeIPv6 {
		if kind, b = carried(kind, b); kind == unknownType {
			return NotIP
		}
	}
	if len(b) == 0 {
		return NotDecoded
	}
	s.Fragment = false
	switch version := b[0] >> 4; {
	case version == 4 && kind != typeIPv6:
		return s.ipv4(b, beyond)
	case version == 6 && kind != typeIPv4:
		return s.ipv6(b, beyond)
	}
	if kind == 0 {
		return NotIP
	}
	return NotDecoded
}

// carried takes off b what may stand between Ethernet's type and IP; the type that
// it gives is 0 where the version of IP tells.
func carried(kind uint16, b []byte) (uint16, []byte) {
	switch {
	case kind == typePPPoE && len(b) >= 8:
		b = b[6:]
		protocol := uint16(b[0])
		if b[0]&1 == 0 { // else it is compressed (RFC 1661 section 6.5)
			protocol, b = binary.BigEndian.Uint16(b), b[1:]
		}
		switch protocol {
		case 0x21:
			return typeIPv4, b[1:]
		case 0x57:
			return typeIPv6, b[1:]
		}
	case kind == typeMPLS || kind == typeMPLSMulticast: // RFC 3032 section 2.1
		for len(b) >= 4 {
			bottom := b[2]&1 != 0
			if b = b[4:]; bottom {
				return 0, b
			}
		}
	case kind <= longest8023 && len(b) >= 8 && b[0] == 0xAA && b[1] == 0xAA && b[2] == 3 && b[3]|b[4]|b[5] == 0: // SNAP (RFC 1042)
		if kind = binary.BigEndian.Uint16(b[6:]); kind == typeIPv4 || kind == typeIPv6 {
			return kind, b[8:]
		}
	}
	return unknownType, b
}

// ipv4 decodes an IPv4 packet (RFC 791 section 3.1).
func (s *Segment) ipv4(b []byte, beyond int) Layer {
	if len(b) < 20 {
		return NotDecoded
	}
	header := int(b[0]&0x0F) * 4
	if header < 20 || header > len(b) {
		return NotDecoded
	}
	total := int(binary.BigEndian.Uint16(b[2:]))
	if total == 0 { // not filled in: segmentation is left to the hardware
		total = len(b) + beyond
	}
	offset := binary.BigEndian.Uint16(b[6:])
	switch {
	case total < header:
		return NotDecoded
	case b[9] != protocolTCP:
		return NotTCP
	case offset&0x1FFF != 0:
		return LaterFragment
	}
	s.Fragment = offset&0x2000 != 0
	s.Version, s.TTL, s.ID = 4, b[8], binary.BigEndian.Uint16(b[4:])
	s.Source = Address{0, mapped | uint64(binary.BigEndian.Uint32(b[12:]))}
	s.Destination = Address{0, mapped | uint64(binary.BigEndian.Uint32(b[16:]))}
	if total < len(b) {
		b = b[:total] // what is behind it pads the frame
	}
	return s.tcp(b[header:], total-header)
}

// ipv6 decodes an IPv6 packet and its extension headers (RFC 8200 section 4).
func (s *Segment) ipv6(b []byte, beyond int) Layer {
	const fixed = 40
	if len(b) < fixed {
		return NotDecoded
	}
	length := int(binary.BigEndian.Uint16(b[4:]))
	jumbo := length == 0 // BIG TCP: an option says the length, or it is the frame's
	if jumbo {
		length = len(b) + beyond - fixed
	}
	next := b[6]
	s.Version, s.TTL, s.ID = 6, b[7], 0
	s.Source = Address{binary.BigEndian.Uint64(b[8:]), binary.BigEndian.Uint64(b[16:])}
	s.Destination = Address{binary.BigEndian.Uint64(b[24:]), binary.BigEndian.Uint64(b[32:])}
	b = b[fixed:]
	if length < len(b) {
		b = b[:length]
	}
	for next != protocolTCP {
		if len(b) < 8 {
			switch next {
			case hopByHop, routing, destinations, mobility, hostIdentity, shim6, authentic, fragment:
				return NotDecoded
			}
			return NotTCP
		}
		var n int
		switch next {
		case hopByHop:
			n = 8 + 8*int(b[1])
			// RFC 2675 section 2: the jumbo payload option.
			if jumbo && b[2] == 0xC2 && b[3] == 4 {
				if claimed := int(binary.BigEndian.Uint32(b[4:])); claimed < length {
					length = claimed
					b = b[:min(len(b), length)]
				}
			}
		case routing, destinations, mobility, hostIdentity, shim6:
			n = 8 + 8*int(b[1])
		case authentic: // RFC 4302 section 2.2
			n = 8 + 4*int(b[1])
		case fragment:
			n = 8
			switch place := binary.BigEndian.Uint16(b[2:]); {
			case place&0xFFF8 != 0:
				if b[0] != protocolTCP {
					return NotTCP
				}
				return LaterFragment
			case place&1 != 0:
				s.Fragment = true
			}
		default:
			return NotTCP
		}
		if n > len(b) {
			return NotDecoded
		}
		next = b[0]
		b, length = b[n:], length-n
	}
	return s.tcp(b, length)
}

// tcp decodes a TCP header (RFC 9293 section 3.1); length is that of the segment
// on the wire.
func (s *Segment) tcp(b []byte, length int) Layer {
	if len(b) < 20 {
		return NotDecoded
	}
	header := int(b[12]>>4) * 4
	if header < 20 || header > length || header > len(b) {
		return NotDecoded
	}
	s.SourcePort, s.DestinationPort = binary.BigEndian.Uint16(b), binary.BigEndian.Uint16(b[2:])
	s.Seq, s.Ack = binary.BigEndian.Uint32(b[4:]), binary.BigEndian.Uint32(b[8:])
	s.Flags, s.Window, s.Header = b[13], binary.BigEndian.Uint16(b[14:]), uint8(header)
	s.Scaled, s.Stamped = false, false
	s.Payload, s.Length = b[header:], length-header
	s.Cut = len(s.Payload) < s.Length
	if header == 20 {
		return IsTCP
	}
	const stamps = 0x0101080A // NOP, NOP, timestamps of 10 bytes: what nearly all stacks send
	if header == 32 && binary.BigEndian.Uint32(b[20:]) == stamps {
		s.Stamped, s.Stamp = true, binary.BigEndian.Uint32(b[24:])
		return IsTCP
	}
	// What Linux sends with a SYN: segment size, SACK, timestamps, NOP, scale.
	if header == 40 && binary.BigEndian.Uint16(b[20:]) == 0x0204 && binary.BigEndian.Uint32(b[24:]) == 0x0402080A && binary.BigEndian.Uint32(b[36:])>>8 == 0x010303 {
		s.Stamped, s.Stamp = true, binary.BigEndian.Uint32(b[28:])
		s.Scaled, s.Scale = true, min(b[39], 14)
		return IsTCP
	}
	s.options(b[20:header])
	return IsTCP
}

// options reads the options that a verdict needs; a malformed one ends them.
func (s *Segment) options(b []byte) {
	for len(b) > 0 {
		switch b[0] {
		case 0:
			return
		case 1:
			b = b[1:]
			continue
		}
		if len(b) < 2 || b[1] < 2 || int(b[1]) > len(b) {
			return
		}
		n := int(b[1])
		switch {
		case b[0] == 3 && n == 3: // RFC 7323 section 2.2
			s.Scaled, s.Scale = true, min(b[2], 14)
		case b[0] == 8 && n == 10: // RFC 7323 section 3.2
			s.Stamped, s.Stamp = true, binary.BigEndian.Uint32(b[2:])
		}
		b = b[n:]
	}
}
