package capture

import (
	"bufio"
	"encoding/binary"
	"fmt"
	"io"
	"time"
)

// A Writer writes packets of one link type as a pcapng file, in nanoseconds
// (draft-ietf-opsawg-pcapng).
type Writer struct {
	link  LinkType
	out   *bufio.Writer
	block []byte
}

// NewWriter makes a Writer to w of packets of an interface, and writes what comes
// before them.
func NewWriter(w io.Writer, name string, link LinkType) (*Writer, error) {
	o := binary.LittleEndian
	f := &Writer{link: link, out: bufio.NewWriterSize(w, 64<<10)}
	f.begin(sectionHeader)
	f.block = o.AppendUint32(f.block, byteOrderMagic)
	f.block = o.AppendUint16(f.block, 1) // version 1.0
	f.block = o.AppendUint16(f.block, 0)
	f.block = o.AppendUint64(f.block, 1<<64-1) // the section's length is not known
	f.option(4, []byte("why520"))              // shb_userappl
	f.option(0, nil)
	if err := f.end(); err != nil {
		return nil, err
	}
	f.begin(interfaceBlock)
	f.block = o.AppendUint16(f.block, uint16(link))
	f.block = o.AppendUint16(f.block, 0)
	f.block = o.AppendUint32(f.block, 0)              // no snapshot length
	f.option(2, []byte(name[:min(len(name), 1<<15)])) // if_name
	f.option(9, []byte{9})                            // if_tsresol: 10^-9 s
	f.option(0, nil)
	if err := f.end(); err != nil {
		return nil, err
	}
	return f, f.Flush()
}

// Write writes p, buffered.
func (w *Writer) Write(p *Packet) error {
	if p.Link != w.link {
		return fmt.Errorf("a packet of link type %d in a file of type %d", p.Link, w.link)
	}
	o := binary.LittleEndian
	w.begin(enhancedBlock)
	w.stamp(p.Time)
	w.block = o.AppendUint32(w.block, uint32(len(p.Data)))
	w.block = o.AppendUint32(w.block, uint32(max(p.Length, len(p.Data))))
	w.block = append(w.block, p.Data...)
	w.pad()
	return w.end()
}

// Drops writes how many packets whoever captured them says were lost.
func (w *Writer) Drops(packets int64) error {
	w.begin(statistics)
	w.stamp(time.Now().UnixNano())
	w.option(5, binary.LittleEndian.AppendUint64(nil, uint64(packets))) // isb_ifdrop
	w.option(0, nil)
	return w.end()
}

// Flush writes what is buffered.
func (w *Writer) Flush() error { return w.out.Flush() }

// begin begins a block; its length is filled in by end.
func (w *Writer) begin(kind uint32) {
	w.block = binary.LittleEndian.AppendUint32(w.block[:0], kind)
	w.block = append(w.block, 0, 0, 0, 0)
}

// stamp appends the number of the interface and a time.
func (w *Writer) stamp(time int64) {
	o := binary.LittleEndian
	w.block = o.AppendUint32(w.block, 0)
	w.block = o.AppendUint32(w.block, uint32(uint64(time)>>32))
	w.block = o.AppendUint32(w.block, uint32(time))
}

func (w *Writer) option(code uint16, value []byte) {
	o := binary.LittleEndian
	w.block = o.AppendUint16(w.block, code)
	w.block = o.AppendUint16(w.block, uint16(len(value)))
	w.block = append(w.block, value...)
	w.pad()
}

// pad fills up to a multiple of four bytes.
func (w *Writer) pad() {
	for len(w.block)%4 != 0 {
		w.block = append(w.block, 0)
	}
}

func (w *Writer) end() error {
	n := uint32(len(w.block) + 4)
	w.block = binary.LittleEndian.AppendUint32(w.block, n)
	binary.LittleEndian.PutUint32(w.block[4:], n)
	_, err := w.out.Write(w.block)
	return err
}
