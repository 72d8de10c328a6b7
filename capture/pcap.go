package capture

import (
	"encoding/binary"
	"math/bits"
)

// The first four bytes of pcap files, as a number in the file's byte order
// (draft-ietf-opsawg-pcap section 4).
const (
	pcapMicro    = 0xA1B2C3D4
	pcapNano     = 0xA1B23C4D
	pcapModified = 0xA1B2CD34 // Kuznetzov's: 8 bytes more in every record
)

const (
	pcapHeader   = 24
	recordHeader = 16
)

// openPcap reads a pcap file's header.
func (r *Reader) openPcap() error {
	b, err := r.peek(pcapHeader)
	switch little := binary.LittleEndian.Uint32(b); little {
	case pcapMicro, pcapNano, pcapModified:
		r.order = binary.LittleEndian
	default:
		r.order, r.swapped = binary.BigEndian, true
	}
	r.scale, r.header = 1000, recordHeader
	switch magic := r.order.Uint32(b); magic {
	case pcapMicro:
	case pcapNano:
		r.scale = 1
	case pcapModified:
		r.header += 8
	default:
		return r.wrong("no capture begins with % X", b[:4])
	}
	if len(b) < pcapHeader {
		return r.unopened(err)
	}
	r.link = LinkType(r.order.Uint32(b[20:])) // the bits above are about a frame check sequence
	r.skip(pcapHeader)
	return nil
}

// nextRecord reads a record of a pcap file. The snapshot length of the file's
// header binds nobody: there are files whose records are longer.
func (r *Reader) nextRecord(p *Packet) error {
	b, err := r.buf[r.from:r.to], error(nil)
	if len(b) < recordHeader+8 { // the longer of both headers
		if b, err = r.record(r.header); err != nil {
			return err
		}
	}
	h := (*[recordHeader]byte)(b)
	seconds, fraction := binary.LittleEndian.Uint32(h[:]), binary.LittleEndian.Uint32(h[4:])
	captured, length := binary.LittleEndian.Uint32(h[8:]), binary.LittleEndian.Uint32(h[12:])
	if r.swapped {
		seconds, fraction = bits.ReverseBytes32(seconds), bits.ReverseBytes32(fraction)
		captured, length = bits.ReverseBytes32(captured), bits.ReverseBytes32(length)
	}
	if captured > MaxRecord-recordHeader-8 {
		return r.wrong("a record claims %d bytes", captured)
	}
	n := r.header + int(captured)
	if n > len(b) {
		if b, err = r.record(n); err != nil {
			return err
		}
	}
	p.Time = int64(seconds)*1e9 + int64(fraction)*r.scale
	p.Link = r.link
	p.Data = b[r.header:n:n]
	p.Length = max(int(length), int(captured))
	r.skip(n)
	return nil
}
