package capture

import (
	"bufio"
	"compress/gzip"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
)

// A Reader reads the packets of a capture file: pcap or pcapng, of either byte
// order, compressed with gzip or not, from a file or a pipe. Its memory is
// bounded: a block of 512 KiB and, where it is larger, the largest record, of at
// most MaxRecord bytes.
type Reader struct {
	source io.Reader
	buf    []byte
	from   int // first byte of buf that is not done with
	to     int // end of what was read
	end    error

	order   binary.ByteOrder
	swapped bool  // the file's byte order is big-endian
	blocks  bool  // of pcapng, not records of pcap
	read    int64 // bytes that are done with

	link   LinkType // pcap
	scale  int64    // pcap: nanoseconds of a unit of the fraction
	header int      // pcap: bytes of a record's header

	interfaces []device // pcapng: of the current section
	time       int64    // pcapng: of the packet before

	// Truncated says, once Next gave io.EOF, that the file ends within a record:
	// the packets before it were given.
	Truncated bool

	// Drops counts packets that the capturing system says it lost (pcapng).
	Drops int64
}

const (
	blockSize = 512 << 10

	// MaxRecord is the size of the largest record that a Reader takes, 16 MiB.
	MaxRecord = 16 << 20

	maxDevices = 1 << 16 // interfaces of a section
)

// A FormatError is a file that is no capture, or stops being one.
type FormatError struct {
	Offset int64  // in the uncompressed file, of the record at fault
	What   string // "no capture begins with 50 4B 03 04"
}

func (e *FormatError) Error() string {
	return fmt.Sprintf("%s (at byte %d of the capture)", e.What, e.Offset)
}

// NewReader reads the beginning of a capture. The error is a *FormatError where
// source is no capture, and otherwise one of source.
func NewReader(source io.Reader) (*Reader, error) {
	r := &Reader{source: source, buf: make([]byte, blockSize)}
	magic, err := r.peek(4)
	if err != nil && len(magic) < 4 {
		return nil, r.unopened(err)
	}
	if magic[0] == 0x1F && magic[1] == 0x8B {
		if err := r.unzip(); err != nil {
			return nil, r.unopened(err)
		}
		if magic, err = r.peek(4); len(magic) < 4 {
			return nil, r.unopened(err)
		}
	}
	if binary.BigEndian.Uint32(magic) == sectionHeader {
		r.blocks = true
		err = r.section()
	} else {
		err = r.openPcap()
	}
	if err == io.EOF {
		err = r.unopened(err)
	}
	if err != nil {
		return nil, err
	}
	return r, nil
}

// unopened tells what could not be opened as a capture for want of bytes.
func (r *Reader) unopened(err error) error {
	if err == nil || errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return r.wrong("the file is too short to be a capture")
	}
	return err
}

// unzip puts a decompressor before what was read.
func (r *Reader) unzip() error {
	rest := io.MultiReader(newReplay(r.buf[r.from:r.to]), r.source)
	z, err := gzip.NewReader(bufio.NewReaderSize(rest, blockSize/4))
	if err != nil {
		return err
	}
	r.source, r.from, r.to, r.end = z, 0, 0, nil
	return nil
}

// replay gives bytes that were read ahead, once.
type replay struct{ b []byte }

func newReplay(b []byte) *replay { return &replay{append([]byte(nil), b...)} }

func (r *replay) Read(p []byte) (int, error) {
	if len(r.b) == 0 {
		return 0, io.EOF
	}
	n := copy(p, r.b)
	r.b = r.b[n:]
	return n, nil
}

// Next fills p with the next packet. Its Data is valid until the next call. The
// error is io.EOF behind the last packet, a *FormatError where the file cannot be
// read on, and otherwise one of the source.
func (r *Reader) Next(p *Packet) error {
	if !r.blocks {
		return r.nextRecord(p)
	}
	for {
		found, err := r.nextBlock(p)
		if found || err != nil {
			return err
		}
	}
}

// peek gives the next n bytes without being done with them; fewer, with the
// error of the source, where there are fewer.
func (r *Reader) peek(n int) ([]byte, error) {
	if r.to-r.from >= n {
		return r.buf[r.from : r.from+n], nil
	}
	return r.fill(n)
}

func (r *Reader) fill(n int) ([]byte, error) {
	r.to = copy(r.buf, r.buf[r.from:r.to])
	r.from = 0
	if n > len(r.buf) {
		r.buf = append(r.buf[:r.to:r.to], make([]byte, n-r.to)...)
	}
	for empty := 0; r.to < n && r.end == nil; {
		var got int
		got, r.end = r.source.Read(r.buf[r.to:])
		if r.to += got; got > 0 {
			empty = 0
		} else if empty++; empty == 100 && r.end == nil {
			r.end = io.ErrNoProgress
		}
	}
	if r.to < n {
		return r.buf[:r.to], r.end
	}
	return r.buf[:n], nil
}

// skip is done with n bytes that were peeked.
func (r *Reader) skip(n int) {
	r.from += n
	r.read += int64(n)
}

// record gives the next n bytes, of a record that began. Where the file ends
// before, that is noted, and the error is io.EOF.
func (r *Reader) record(n int) ([]byte, error) {
	b, err := r.peek(n)
	if err == nil {
		return b, nil
	}
	if err == io.EOF || err == io.ErrUnexpectedEOF {
		r.Truncated = r.Truncated || len(b) > 0 || err != io.EOF
		return nil, io.EOF
	}
	return nil, err
}

func (r *Reader) wrong(format string, a ...any) error {
	return &FormatError{r.read, fmt.Sprintf(format, a...)}
}
