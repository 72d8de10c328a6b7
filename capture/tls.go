package capture

import (
	"bytes"
	"encoding/binary"
)

// Content types of TLS records (RFC 8446 section 5.1).
const (
	changeCipherSpec = 20
	alertRecord      = 21
	handshakeRecord  = 22
	applicationData  = 23
	heartbeat        = 24
)

// records is where one side stands in its TLS records.
type records struct {
	left    uint16    // bytes of the record that are to come
	head    [5]byte   // of the next record, as far as it came
	got     uint8     // bytes of head
	apps    uint8     // records of application data, up to 255
	after   uint8     // of these, since the request that is open as far as they may answer it; or, before one, since the client's first
	lengths [2]uint16 // of the first two of them
	ticket  uint16    // of the origin: length of the last one before, a session ticket as it seems; 0: none
	alert   uint8     // that was sent in the clear; 0: none
	flags   uint8
}

const (
	notTLS   = 1 << iota // its first bytes are no record
	notified             // its last record is an alert, as far as its length tells
	lost                 // records cannot be told apart any more
	ciphered             // it changed its cipher
	done                 // and said Finished behind that: of TLS 1.2 and before
)

// Flags of the origin's records.
const (
	version13 = 32 << iota // the handshake is TLS 1.3's
	settled                // tickets are no longer to be expected
	toAll                  // it had all that the client had sent as its last record began
)

// Flags of the client's records.
const (
	http2    = 32 << iota // it offers HTTP/2
	farewell              // it sent records that nobody would answer: see aside.farewell
	leaving               // its last record before these is an alert
)

// Of TLS 1.3: an alert within application data, and the most that a session
// ticket is taken to be.
const (
	alertLength  = 19
	ticketLength = 320
)

// records takes payload of side d of a TLS flow.
func (t *Tracker) records(f *record, d int, b []byte, cut int) {
	r := &t.makeAside(f).tls[d]
	at := f.side[d].total.count() // before b
	for len(b) > 0 && r.flags&(notTLS|lost) == 0 {
		if r.got < 5 {
			n := copy(r.head[r.got:], b)
			r.got += uint8(n)
			b, at = b[n:], at+uint64(n)
			if r.got < 5 {
				break
			}
			kind := r.head[0]
			if kind < changeCipherSpec || kind > heartbeat || r.head[1] != 3 {
				if at == 5 {
					r.flags |= notTLS
				} else {
					r.flags |= lost
				}
				return
			}
			r.left = binary.BigEndian.Uint16(r.head[3:])
			t.begun(f, d, kind, r.left, at-5)
		}
		n := min(int(r.left), len(b))
		r.left -= uint16(n)
		content := b[:n]
		if r.head[0] == handshakeRecord {
			t.hello(f, d, content, at == 5)
		}
		b, at = b[n:], at+uint64(n)
		if r.left == 0 {
			r.got = 0
			if r.head[0] == alertRecord && r.head[3] == 0 && r.head[4] == 2 && n > 0 && r.apps == 0 {
				r.alert = content[n-1] // level, description
			}
		}
	}
	switch {
	case cut == 0:
	case r.got == 5 && cut <= int(r.left):
		if r.left -= uint16(cut); r.left == 0 {
			r.got = 0
		}
	default:
		r.flags |= lost
	}
}

// begun takes the beginning of a record of side d: its type, its length, and the
// payload before it.
func (t *Tracker) begun(f *record, d int, kind byte, length uint16, at uint64) {
	a := t.aside(f)
	c, o := &a.tls[client], &a.tls[origin]
	r := &a.tls[d]
	r.flags &^= notified
	if kind == alertRecord || kind == applicationData && length == alertLength && o.flags&version13 != 0 {
		r.flags |= notified
	}
	if h := &f.side[origin]; d == client && h.is(closed) && (h.is(finAcked) || !a.encryptedYet()) {
		if r.flags&farewell == 0 {
			r.flags |= farewell
			a.farewell = uint32(at)
		}
		return
	}
	if d == client {
		if r.flags &^= leaving; r.flags&notified != 0 {
			r.flags |= leaving
		}
	}
	switch {
	case kind == changeCipherSpec:
		r.flags |= ciphered
	case kind == handshakeRecord && r.flags&ciphered != 0:
		r.flags |= done
	}
	if kind != applicationData {
		return
	}
	r.apps += btoi(r.apps < 255)
	if d == origin {
		switch {
		case c.apps == 0:
			o.flags |= version13 // what follows ServerHello is encrypted
		case r.flags&notified != 0:
		default:
			some, all := t.heard(f)
			if o.flags&version13 != 0 && !some {
				o.ticket = length
				break
			}
			if o.flags &^= toAll; all {
				o.flags |= toAll
			}
			if o.after < 2 {
				o.lengths[o.after] = length
			}
			o.after += btoi(o.after < 255)
		}
		return
	}
	first := uint8(1) // record that begins a request; with TLS 1.3, Finished comes before
	if o.flags&version13 != 0 {
		first = 2
	}
	switch {
	case c.flags&notified != 0:
	case c.apps == first:
		f.side[client].from = longOf(at)
	case c.apps > first && (a.reply() == replied || o.after > 0 && o.flags&toAll != 0):
		f.exchanges += btoi(f.exchanges < 255)
		f.side[client].from, o.after = longOf(at), 0
		o.flags |= settled
	}
}

// hello takes a part of a handshake record of side d in the clear; first says that
// it is the beginning of the first.
func (t *Tracker) hello(f *record, d int, b []byte, first bool) {
	a := t.aside(f)
	c, o := &a.tls[client], &a.tls[origin]
	switch {
	case d == client:
		if o.head[0] == 0 && offersHTTP2(b) {
			c.flags |= http2
		}
	case first && choosesVersion13(b):
		o.flags |= version13
		if c.apps > 0 { // early data: where that ends, and the request, is encrypted
			c.flags |= lost
		}
	}
}

// offersHTTP2 reports whether a ClientHello offers HTTP/2 (RFC 7301 section 3.1),
// as the first protocol or behind HTTP/1.1.
func offersHTTP2(b []byte) bool {
	const name, before = "\x02h2", "\x08http/1.1"
	at := bytes.Index(b, []byte(name))
	if at < 0 {
		return false
	}
	// The extension's number, its length, and that of the list stand before the first.
	return at >= 6 && b[at-6] == 0 && b[at-5] == 16 || bytes.HasSuffix(b[:at], []byte(before))
}

// choosesVersion13 reports whether b begins a ServerHello of TLS 1.3 (RFC 8446
// sections 4.1.3 and 4.2.1).
func choosesVersion13(b []byte) bool {
	const serverHello, supportedVersions = 2, 43
	const fixed = 1 + 3 + 2 + 32 // type, length, version, random
	if len(b) <= fixed || b[0] != serverHello {
		return false
	}
	b = b[fixed:]
	before := 1 + int(b[0]) + 2 + 1 + 2 // session, cipher, compression, length of the extensions
	if len(b) < before {
		return false
	}
	length := int(binary.BigEndian.Uint16(b[before-2:]))
	b = b[before:]
	for b = b[:min(length, len(b))]; len(b) >= 4; {
		n := 4 + int(binary.BigEndian.Uint16(b[2:]))
		if len(b) < n {
			return false
		}
		if binary.BigEndian.Uint16(b) == supportedVersions {
			return n == 6 && b[4] == 3 && b[5] == 4
		}
		b = b[n:]
	}
	return false
}

// parted reports whether the records that the client sent behind the origin's FIN
// only said that it leaves: its own alert or FIN came with them.
func (f *record) parted(a *aside) bool {
	return a.tls[client].flags&notified != 0 || f.side[client].is(finished)
}

// beforeFarewell gives the payload of the client before the records that it sent
// behind the origin's FIN.
func (f *record) beforeFarewell(a *aside) uint64 {
	total := f.side[client].total.count()
	return total - uint64(uint32(total)-a.farewell)
}

// ask takes what the client sent behind the origin's FIN for a request, if it
// was no farewell.
func (a *aside) ask(f *record) {
	c, o := &a.tls[client], &a.tls[origin]
	if c.flags&farewell == 0 || f.parted(a) || !a.encryptedYet() {
		return
	}
	if a.askedYet() && a.reply() == replied {
		f.exchanges += btoi(f.exchanges < 255)
		o.after = 0
		o.flags |= settled
	}
	if c.flags &^= farewell; !a.askedYet() || o.after == 0 {
		f.side[client].from = longOf(f.beforeFarewell(a))
	}
	c.apps += btoi(c.apps < 255)
}

// unclear reports whether records cannot be told apart any more.
func (a *aside) unclear() bool { return (a.tls[client].flags|a.tls[origin].flags)&lost != 0 }

// encryptedYet reports whether the TLS handshake is done.
func (a *aside) encryptedYet() bool {
	c, o := &a.tls[client], &a.tls[origin]
	return c.apps > 0 || o.flags&version13 == 0 && c.flags&o.flags&done != 0
}

// askedYet reports whether a request was sent within TLS.
func (a *aside) askedYet() bool {
	if a.tls[origin].flags&version13 != 0 {
		return a.tls[client].apps > 1
	}
	return a.tls[client].apps > 0
}

// heard reports whether the origin's TCP had the beginning of the request as it
// sent what is delivered now, and whether it had all that the client sent. Before
// that, it answers nothing.
func (t *Tracker) heard(f *record) (some, all bool) {
	c := &f.side[client]
	return t.aside(f).askedYet() && int32(t.ack-c.next)+int32(c.total.count()-c.from.count()) > 0, t.ack == c.next
}

// reply says whether the origin answered.
type reply uint8

const (
	noReply reply = iota
	ticketPerhaps
	replied
)

// reply says whether the origin answered within TLS. With TLS 1.3, what follows
// the request may be session tickets, which are short: one, or two of the same
// length. None are to be expected where one of another length came before, and
// where the client took what came for an answer, and asked again.
func (a *aside) reply() reply {
	o := &a.tls[origin]
	switch {
	case o.after == 0:
		return noReply
	case o.flags&version13 == 0, o.flags&settled != 0, o.after > 2, o.lengths[0] > ticketLength,
		o.after == 2 && o.lengths[1] != o.lengths[0], o.ticket != 0 && o.ticket != o.lengths[0]:
		return replied
	}
	return ticketPerhaps
}
