package edge

import (
	"encoding/binary"
	"errors"
	"hash/crc32"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
)

// copied is what a value in a Store has: a response, or where responses to a URI
// vary, an index.
type copied struct {
	text   string        // what its key is made of
	vary   []string      // of an index: the names that Vary listed
	nonce  string        // of an index: what the texts of its copies have in common
	status int           // 0 of an index
	at     time.Time     // when the response came, or was confirmed last
	age    time.Duration // at that time: corrected_initial_age of RFC 9111 section 4.2.3
	header http.Header

	content []byte // set by decodeCopy alone
}

// newCopy gives the copy of a response, but for its content.
func newCopy(resp *http.Response, q *asked, now time.Time) *copied {
	c := &copied{text: q.uri, status: resp.StatusCode, header: storedFields(resp.Header)}
	c.arrive(resp.Header, q.at, now)
	return c
}

// arrive sets the age of a response that came now, to a request sent at asked.
// Where that is not known, the delay is not known either, and counted as none.
func (c *copied) arrive(h http.Header, asked, now time.Time) {
	c.at = now
	date, err := http.ParseTime(h.Get("Date"))
	if err != nil { // RFC 9110 section 6.6.1
		date = now
		c.header.Set("Date", now.UTC().Format(http.TimeFormat))
	}
	first, _, _ := strings.Cut(h.Get("Age"), ",") // RFC 9111 section 5.1: of several the first counts
	c.age = deltaSeconds(strings.Trim(first, " \t"))
	if !asked.IsZero() {
		c.age += max(0, now.Sub(asked))
	}
	c.age = min(max(c.age, now.Sub(date)), longest)
}

// confirmedBy reports whether a 304 with these fields is about the copy, RFC 9111
// section 4.3.4.
func (c *copied) confirmedBy(h http.Header) bool {
	for _, name := range []string{"Etag", "Last-Modified"} {
		if validator := h.Get(name); validator != "" {
			return weak(validator) == weak(c.header.Get(name))
		}
	}
	return c.header.Get("Etag") == "" && c.header.Get("Last-Modified") == ""
}

// differs reports whether an answer to HEAD with these fields is about other content.
func (c *copied) differs(h http.Header) bool {
	for _, name := range []string{"Etag", "Last-Modified"} {
		now, before := h.Get(name), c.header.Get(name)
		if now != "" && before != "" && weak(now) != weak(before) {
			return true
		}
	}
	length := h.Get("Content-Length")
	return length != "" && length != strconv.Itoa(len(c.content))
}

// weak gives the part of an entity tag that the weak comparison looks at, RFC 9110
// section 8.8.3.2.
func weak(tag string) string { return strings.TrimPrefix(tag, "W/") }

// update takes over the fields of a 304, RFC 9111 section 3.2.
func (c *copied) update(h http.Header, asked, now time.Time) {
	for name, values := range storedFields(h) {
		switch name {
		case "Content-Encoding", "Content-Type", "Content-Range", "Etag", "Vary":
		default:
			c.header[name] = values
		}
	}
	c.arrive(h, asked, now)
}

// A value is
//
//	"520" version  CRC-32C of all that follows  strings and numbers  content
//
// with numbers as varints, and strings and lists behind their length. A value of
// another version is none.
const (
	mark    = "520\x02"
	headEnd = len(mark) + crc32.Size
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

var errDamaged = errors.New("damaged, not whole, or of another version of why520")

// encode gives the value of a copy with this content, sealed, and with room for
// more.
func (c *copied) encode(content []byte, room int64) []byte {
	b := make([]byte, headEnd, headEnd+512+len(content)+int(room))
	copy(b, mark)
	b = appendStrings(b, c.text, c.nonce)
	b = binary.AppendUvarint(b, uint64(len(c.vary)))
	b = appendStrings(b, c.vary...)
	b = binary.AppendUvarint(b, uint64(c.status))
	b = binary.AppendVarint(b, c.at.UnixNano())
	b = binary.AppendVarint(b, int64(c.age))
	fields := 0
	for _, values := range c.header {
		fields += len(values)
	}
	b = binary.AppendUvarint(b, uint64(fields))
	for _, name := range slices.Sorted(maps.Keys(c.header)) {
		for _, value := range c.header[name] {
			b = appendStrings(b, name, value)
		}
	}
	return seal(append(b, content...))
}

func appendStrings(b []byte, list ...string) []byte {
	for _, s := range list {
		b = binary.AppendUvarint(b, uint64(len(s)))
		b = append(b, s...)
	}
	return b
}

// seal writes the checksum of a value into it.
func seal(value []byte) []byte {
	binary.LittleEndian.PutUint32(value[len(mark):], crc32.Checksum(value[headEnd:], castagnoli))
	return value
}

// decodeCopy reads a value. The content is part of its memory.
func decodeCopy(value []byte) (*copied, error) {
	if len(value) < headEnd || string(value[:len(mark)]) != mark ||
		binary.LittleEndian.Uint32(value[len(mark):]) != crc32.Checksum(value[headEnd:], castagnoli) {
		return nil, errDamaged
	}
	d := decoder{rest: value[headEnd:]}
	c := &copied{text: d.string(), nonce: d.string(), header: http.Header{}}
	for range d.count() {
		c.vary = append(c.vary, d.string())
	}
	c.status = int(d.uvarint())
	c.at = time.Unix(0, d.varint())
	c.age = time.Duration(d.varint())
	for range d.count() {
		name := d.string()
		c.header[name] = append(c.header[name], d.string())
	}
	c.content = d.rest
	if d.failed || c.age < 0 || c.age > longest || c.status != 0 && (c.status < 200 || c.status > 399) {
		return nil, errDamaged
	}
	return c, nil
}

// A decoder takes what encode wrote from the front of rest. Where that is not
// there, failed is set, and all that follows is empty.
type decoder struct {
	rest   []byte
	failed bool
}

func (d *decoder) uvarint() uint64 {
	u, n := binary.Uvarint(d.rest)
	return taken(d, u, n)
}

func (d *decoder) varint() int64 {
	i, n := binary.Varint(d.rest)
	return taken(d, i, n)
}

func taken[T int64 | uint64](d *decoder, value T, n int) T {
	if n <= 0 {
		d.rest, d.failed = nil, true
		return 0
	}
	d.rest = d.rest[n:]
	return value
}

// count is the length of a list, each item of which takes a byte at least.
func (d *decoder) count() uint64 {
	n := d.uvarint()
	if n > uint64(len(d.rest)) {
		d.rest, d.failed = nil, true
		return 0
	}
	return n
}

func (d *decoder) string() string {
	n := d.count()
	s := string(d.rest[:n])
	d.rest = d.rest[n:]
	return s
}
