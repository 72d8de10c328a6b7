package captest

import (
	"bufio"
	"encoding/binary"
	"io"
	"iter"

	"why520/capture"
)

// Format says how a file is written. The zero Format is little-endian, of
// microseconds, Ethernet, whole frames.
type Format struct {
	Order   binary.AppendByteOrder // nil: little-endian
	Nano    bool
	Link    capture.LinkType // as the frames are; 0: Ethernet
	Snaplen int              // bytes that are kept of a frame; 0: all
}

func (f *Format) setDefaults() {
	if f.Order == nil {
		f.Order = binary.LittleEndian
	}
	if f.Link == 0 {
		f.Link = capture.Ethernet
	}
	if f.Snaplen == 0 {
		f.Snaplen = 1 << 18
	}
}

// WritePcap writes a pcap file.
func WritePcap(w io.Writer, frames iter.Seq[*Frame], f Format) error {
	f.setDefaults()
	o := f.Order
	magic, unit := uint32(0xA1B2C3D4), int64(1000)
	if f.Nano {
		magic, unit = 0xA1B23C4D, 1
	}
	out := bufio.NewWriterSize(w, 1<<16)
	b := o.AppendUint32(nil, magic)
	b = o.AppendUint16(o.AppendUint16(b, 2), 4)
	b = o.AppendUint32(o.AppendUint32(b, 0), 0)
	b = o.AppendUint32(o.AppendUint32(b, uint32(f.Snaplen)), uint32(f.Link))
	out.Write(b)
	for p := range frames {
		data := p.Data[:min(len(p.Data), f.Snaplen)]
		b = o.AppendUint32(b[:0], uint32(p.Time/1e9))
		b = o.AppendUint32(b, uint32(p.Time%1e9/unit))
		b = o.AppendUint32(o.AppendUint32(b, uint32(len(data))), uint32(p.Length))
		out.Write(b)
		out.Write(data)
	}
	return out.Flush() // which gives the first error of all
}

// WritePcapng writes a pcapng file of one section and one interface.
func WritePcapng(w io.Writer, frames iter.Seq[*Frame], f Format) error {
	f.setDefaults()
	o := f.Order
	out := bufio.NewWriterSize(w, 1<<16)
	b := o.AppendUint32(nil, 0x0A0D0D0A)
	b = o.AppendUint32(o.AppendUint32(b, 28), 0x1A2B3C4D)
	b = o.AppendUint16(o.AppendUint16(b, 1), 0)
	b = o.AppendUint32(o.AppendUint64(b, 1<<64-1), 28)
	unit, options := int64(1000), []byte(nil)
	if f.Nano {
		unit = 1
		options = append(o.AppendUint16(o.AppendUint16(nil, 9), 1), 9, 0, 0, 0, 0, 0, 0, 0)
	}
	size := uint32(20 + len(options))
	b = o.AppendUint32(o.AppendUint32(b, 1), size)
	b = o.AppendUint16(o.AppendUint16(b, uint16(f.Link)), 0)
	b = append(o.AppendUint32(b, uint32(f.Snaplen)), options...)
	out.Write(o.AppendUint32(b, size))
	for p := range frames {
		data := p.Data[:min(len(p.Data), f.Snaplen)]
		padded := (len(data) + 3) &^ 3
		stamp := uint64(p.Time / unit)
		b = o.AppendUint32(o.AppendUint32(b[:0], 6), uint32(32+padded))
		b = o.AppendUint32(o.AppendUint32(o.AppendUint32(b, 0), uint32(stamp>>32)), uint32(stamp))
		b = o.AppendUint32(o.AppendUint32(b, uint32(len(data))), uint32(p.Length))
		b = append(append(b, data...), 0, 0, 0)[:28+padded]
		out.Write(o.AppendUint32(b, uint32(32+padded)))
	}
	return out.Flush()
}
