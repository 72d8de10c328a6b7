package capture

import (
	"encoding/binary"
	"math"
	"math/bits"
)

// The blocks of pcapng that are read (draft-ietf-opsawg-pcapng section 4).
const (
	interfaceBlock = 1
	packetBlock    = 2 // obsolete
	simpleBlock    = 3
	statistics     = 5
	enhancedBlock  = 6
	sectionHeader  = 0x0A0D0D0A

	byteOrderMagic = 0x1A2B3C4D
	blockFrame     = 12 // bytes of type and both lengths
)

// A device is an interface that packets were captured on.
type device struct {
	link    LinkType
	snaplen uint32
	// A timestamp counts 1/units seconds, from offset seconds after 1970 on.
	units  uint64
	offset int64
	// Packets that were lost: as many as packets say that they were lost before
	// them, and as the statistics say, which may count the same ones.
	missed, dropped int64
}

// lose calls count with d, and counts what it adds to the packets that were lost.
func (r *Reader) lose(d *device, count func()) {
	before := max(d.missed, d.dropped)
	count()
	r.Drops = sum(r.Drops, max(d.missed, d.dropped)-before)
}

// sum gives a + b, or the most that there is room for.
func sum(a, b int64) int64 {
	if a > math.MaxInt64-b {
		return math.MaxInt64
	}
	return a + b
}

// counted gives a count of packets; 0 for one that is none, such as all ones for
// what is not known.
func counted(n uint64) int64 {
	if n > math.MaxInt64 {
		return 0
	}
	return int64(n)
}

// section reads a section header block, with which the byte order may change.
func (r *Reader) section() error {
	b, err := r.record(blockFrame)
	if err != nil {
		return r.unopened(err)
	}
	switch little := binary.LittleEndian.Uint32(b[8:]); little {
	case byteOrderMagic:
		r.order, r.swapped = binary.LittleEndian, false
	default:
		if binary.BigEndian.Uint32(b[8:]) != byteOrderMagic {
			return r.wrong("a section has no byte order: % X", b[8:12])
		}
		r.order, r.swapped = binary.BigEndian, true
	}
	n := int64(r.order.Uint32(b[4:]))
	if n < 28 || n%4 != 0 || n > MaxRecord {
		return r.wrong("a section header claims %d bytes", n)
	}
	if _, err := r.record(int(n)); err != nil {
		return err
	}
	r.skip(int(n))
	r.interfaces = r.interfaces[:0]
	return nil
}

// nextBlock reads a block; it reports whether that holds a packet.
func (r *Reader) nextBlock(p *Packet) (bool, error) {
	b, err := r.record(blockFrame)
	if err != nil {
		return false, err
	}
	if binary.BigEndian.Uint32(b) == sectionHeader {
		return false, r.section()
	}
	kind, claimed := r.order.Uint32(b), r.order.Uint32(b[4:])
	if claimed < blockFrame || claimed > MaxRecord {
		return false, r.wrong("a block claims %d bytes", claimed)
	}
	n := int(claimed+3) &^ 3 // writers that forget to pad exist
	if b, err = r.record(n); err != nil {
		return false, err
	}
	body := b[8 : n-4 : n-4]
	found := false
	switch kind {
	case enhancedBlock:
		found, err = r.enhanced(body, p)
	case simpleBlock:
		found, err = r.simple(body, p)
	case packetBlock:
		found, err = r.obsolete(body, p)
	case interfaceBlock:
		err = r.device(body)
	case statistics:
		r.statistics(body)
	}
	if err == nil {
		r.skip(n)
	}
	if found {
		r.time = p.Time
	}
	return found, err
}

// enhanced reads an enhanced packet block: interface, time, both lengths, bytes.
func (r *Reader) enhanced(b []byte, p *Packet) (bool, error) {
	const fixed = 20
	if len(b) < fixed {
		return false, r.wrong("an enhanced packet block is %d bytes short", fixed-len(b))
	}
	var number, high, low, captured, length uint32
	if o := binary.BigEndian; r.swapped {
		number, high, low, captured, length = o.Uint32(b), o.Uint32(b[4:]), o.Uint32(b[8:]), o.Uint32(b[12:]), o.Uint32(b[16:])
	} else {
		o := binary.LittleEndian
		number, high, low, captured, length = o.Uint32(b), o.Uint32(b[4:]), o.Uint32(b[8:]), o.Uint32(b[12:]), o.Uint32(b[16:])
	}
	if err := r.packet(p, number, b[fixed:], captured, length); err != nil {
		return false, err
	}
	p.Time = r.interfaces[number].time(uint64(high)<<32 | uint64(low))
	if rest := b[fixed+(int(captured)+3)&^3:]; len(rest) > 4 {
		r.options(rest, func(code uint16, v []byte) {
			if code == 4 && len(v) == 8 { // epb_dropcount: lost since the packet before
				d := &r.interfaces[number]
				r.lose(d, func() { d.missed = sum(d.missed, counted(r.order.Uint64(v))) })
			}
		})
	}
	return true, nil
}

// obsolete reads a packet block, which enhanced ones replace.
func (r *Reader) obsolete(b []byte, p *Packet) (bool, error) {
	const fixed = 20
	if len(b) < fixed {
		return false, r.wrong("a packet block is %d bytes short", fixed-len(b))
	}
	number := uint32(r.order.Uint16(b))
	if err := r.packet(p, number, b[fixed:], r.order.Uint32(b[12:]), r.order.Uint32(b[16:])); err != nil {
		return false, err
	}
	if lost := r.order.Uint16(b[2:]); lost != 0xFFFF {
		d := &r.interfaces[number]
		r.lose(d, func() { d.missed = sum(d.missed, int64(lost)) })
	}
	p.Time = r.interfaces[number].time(uint64(r.order.Uint32(b[4:]))<<32 | uint64(r.order.Uint32(b[8:])))
	return true, nil
}

// simple reads a simple packet block, which has neither interface nor time: it is
// taken to be of the time of the packet before.
func (r *Reader) simple(b []byte, p *Packet) (bool, error) {
	if len(b) < 4 || len(r.interfaces) == 0 {
		return false, r.wrong("a simple packet block has no length, or no interface")
	}
	length := r.order.Uint32(b)
	captured := min(length, uint32(len(b)-4))
	if snaplen := r.interfaces[0].snaplen; snaplen > 0 {
		captured = min(captured, snaplen)
	}
	p.Time = r.time
	return true, r.packet(p, 0, b[4:], captured, length)
}

// packet fills in what all packets have.
func (r *Reader) packet(p *Packet, number uint32, b []byte, captured, length uint32) error {
	switch {
	case int64(number) >= int64(len(r.interfaces)):
		return r.wrong("a packet names interface %d of %d", number, len(r.interfaces))
	case int64(captured) > int64(len(b)):
		return r.wrong("a packet claims %d bytes in a block that has room for %d", captured, len(b))
	}
	p.Link = r.interfaces[number].link
	p.Data = b[:captured:captured]
	p.Length = max(int(length), int(captured))
	return nil
}

// device reads an interface description block.
func (r *Reader) device(b []byte) error {
	if len(b) < 8 || len(r.interfaces) == maxDevices {
		return r.wrong("an interface description block is short, or there are too many of them")
	}
	d := device{link: LinkType(r.order.Uint16(b)), snaplen: r.order.Uint32(b[4:]), units: 1e6}
	r.options(b[8:], func(code uint16, v []byte) {
		switch {
		case code == 9 && len(v) == 1: // if_tsresol
			d.units = resolution(v[0])
		case code == 14 && len(v) == 8: // if_tsoffset
			d.offset = int64(r.order.Uint64(v))
		}
	})
	r.interfaces = append(r.interfaces, d)
	return nil
}

// statistics reads an interface statistics block: how many packets were lost so
// far.
func (r *Reader) statistics(b []byte) {
	if len(b) < 12 || int64(r.order.Uint32(b)) >= int64(len(r.interfaces)) {
		return
	}
	d := &r.interfaces[r.order.Uint32(b)]
	r.options(b[12:], func(code uint16, v []byte) {
		if code == 5 && len(v) == 8 { // isb_ifdrop
			r.lose(d, func() { d.dropped = max(d.dropped, counted(r.order.Uint64(v))) })
		}
	})
}

// options calls yield with every option in b.
func (r *Reader) options(b []byte, yield func(code uint16, value []byte)) {
	for len(b) >= 4 {
		code, n := r.order.Uint16(b), int(r.order.Uint16(b[2:]))
		padded := 4 + (n+3)&^3
		if code == 0 || 4+n > len(b) {
			return
		}
		yield(code, b[4:4+n])
		b = b[min(padded, len(b)):]
	}
}

// resolution gives how many units a second has: if_tsresol is a negative power
// of 10 or, with the highest bit, of 2. What a uint64 has no room for counts as
// the finest that it has.
func resolution(v byte) uint64 {
	power, base := uint64(v&0x7F), uint64(10)
	if v&0x80 != 0 {
		base = 2
	}
	units := uint64(1)
	for range power {
		high, low := bits.Mul64(units, base)
		if high != 0 {
			break
		}
		units = low
	}
	return units
}

// time gives a timestamp in nanoseconds since 1970.
func (d *device) time(t uint64) int64 {
	var nanoseconds uint64
	switch d.units {
	case 1e6:
		nanoseconds = t * 1e3
	case 1e9:
		nanoseconds = t
	default:
		seconds, rest := t/d.units, t%d.units
		high, low := bits.Mul64(rest, 1e9)
		fraction, _ := bits.Div64(high, low, d.units) // rest < units, so that it fits
		nanoseconds = seconds*1e9 + fraction
	}
	return int64(nanoseconds) + d.offset*1e9
}
