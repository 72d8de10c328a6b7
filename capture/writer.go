package capture

import (
	"fmt"
	"io"
	"time"

	"github.com/google/gopacket"
	"github.com/google/gopacket/layers"
	"github.com/google/gopacket/pcapgo"
)

// A Writer writes packets of one link type as a pcapng file.
type Writer struct {
	link LinkType
	file *pcapgo.NgWriter
}

// NewWriter makes a Writer to w of packets of an interface; its link type must be
// below 256.
func NewWriter(w io.Writer, name string, link LinkType) (*Writer, error) {
	if link > 255 {
		return nil, fmt.Errorf("packets of link type %d cannot be written", link)
	}
	device := pcapgo.NgInterface{Name: name, LinkType: layers.LinkType(link)}
	options := pcapgo.NgWriterOptions{SectionInfo: pcapgo.NgSectionInfo{Application: "why520"}}
	file, err := pcapgo.NewNgWriterInterface(w, device, options)
	if err != nil {
		return nil, err
	}
	return &Writer{link, file}, nil
}

// Write writes p, buffered.
func (w *Writer) Write(p *Packet) error {
	if p.Link != w.link {
		return fmt.Errorf("a packet of link type %d in a file of type %d", p.Link, w.link)
	}
	info := gopacket.CaptureInfo{Timestamp: time.Unix(0, p.Time), CaptureLength: len(p.Data), Length: max(p.Length, len(p.Data))}
	return w.file.WritePacket(info, p.Data)
}

// Drops writes how many packets whoever captured them says were lost.
func (w *Writer) Drops(packets int64) error {
	return w.file.WriteInterfaceStats(0, pcapgo.NgInterfaceStatistics{
		LastUpdate: time.Now(), PacketsReceived: pcapgo.NgNoValue64, PacketsDropped: uint64(packets),
	})
}

// Flush writes what is buffered.
func (w *Writer) Flush() error { return w.file.Flush() }
