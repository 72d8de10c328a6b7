package capture

import "encoding/binary"

// A record is what is kept of every flow, in 192 bytes: three cache lines, all of
// which a packet needs. It holds no pointer, so that a great many of them cost the
// garbage collector nothing. What only some flows have is in an aside.
type record struct {
	key       key
	marks     marks
	vlan      uint16
	first     int64 // times of packets
	last      int64
	ended     int64    // when the first FIN came; 0: none did
	spoke     [2]int64 // when payload of each side last went on
	packets   uint32
	aside     uint32 // number of its aside, 0: none; of a record that is free, that of the next one
	whole     long   // payload of the origin up to the end of the last whole response
	protocol  protocol
	exchanges uint8 // whole ones, up to 255
	side      [2]half
}

// A long counts bytes of payload in six bytes: up to 256 TB, where it stays.
type long [6]byte

func longOf(n uint64) (l long) {
	n = min(n, 1<<48-1)
	binary.LittleEndian.PutUint32(l[:], uint32(n))
	binary.LittleEndian.PutUint16(l[4:], uint16(n>>32))
	return l
}

func (l *long) count() uint64 {
	return uint64(binary.LittleEndian.Uint32(l[:])) | uint64(binary.LittleEndian.Uint16(l[4:]))<<32
}

// The sides of a flow.
const (
	client = 0
	origin = 1
)

// marks are what is true of a flow.
type marks uint16

const (
	inUse       marks = 1 << iota
	originFirst       // the key's first end is the origin
	joined            // no SYN of it was seen
	queued            // it waits for its end to be certain
	evicted           // it goes before it is over
	unfollowed        // HTTP could not be followed: bytes are missing, or it is none
	faulted           // the response is refused for its bytes
	surplus           // the origin sent bytes that nobody had asked for
	early             // a response came before its request was whole
	lossy             // the capture lost or cut packets
	fragmented        // a packet came in fragments
	clientLast        // of both FINs, the client's was the second
	tunnelled         // another protocol was switched to
	parked            // its aside's talk is the number of a question that waits
	wide              // the key holds the number of its addresses
)

func (f *record) has(m marks) bool { return f.marks&m != 0 }

// sender gives the side that the key's first end is, or the other.
func (f *record) sender(first bool) int {
	return int(btoi(first)^btoi(f.has(originFirst))^1) & 1
}

// protocol is what a flow carries, by the first bytes of the client.
type protocol uint8

const (
	unknown protocol = iota
	http
	encrypted
	foreign
)

// A half is what one side sent.
type half struct {
	iss    uint32    // its initial sequence number; valid iff synchronized
	next   uint32    // sequence number that is due; valid iff known
	max    uint32    // end of what it sent, its FIN left out; valid iff known
	acked  uint32    // what the peer acknowledged; valid iff acknowledged
	edge   uint32    // end of the widest window that the peer gave; valid iff acknowledged
	ends   [2]uint32 // where segments before the last one ended; valid iff known
	fin    uint32    // sequence number of its FIN; valid iff finished
	finAck uint32    // what its FIN acknowledged; valid iff finished
	total  long      // payload bytes in order, each once
	from   long      // of the client, those before the request that is open, or was last; of the origin, those before its response
	window uint16    // as it stood in the last segment
	id     uint16    // IP identification of the last segment
	few    uint8     // two counts up to 15: see data and seen
	scale  uint8
	state  state
	low    uint8 // hop limits: lowest and highest; 0: none was seen
	high   uint8
	steps  uint8 // steps of the IP identification by 1 to 255, up to 255
	jumps  uint8 // other steps, up to 255
	tries  uint8 // two counts up to 15: see syns and resent
}

// data is how many segments had new payload, up to 15.
func (h *half) data() uint8 { return h.few & 15 }

// syns is how many SYNs it sent, up to 15.
func (h *half) syns() uint8 { return h.tries & 15 }

// resent is how often it sent something again since the peer's last packet, up to
// 15, and not at once.
func (h *half) resent() uint8 { return h.tries >> 4 }

// seen is how many segments' habits were learned, up to 15.
func (h *half) seen() uint8 { return h.few >> 4 }

// state is what is known of a half.
type state uint8

const (
	known        state = 1 << iota // next, max and ends are valid
	synchronized                   // its SYN was seen
	acknowledged                   // acked and edge are valid
	finished                       // its FIN was seen
	closed                         // its FIN is in order: all payload before it came
	stamped                        // its SYN had the timestamp option
	finAcked                       // the peer acknowledged its FIN
	retried                        // it sent again what the peer has not acknowledged
)

func (h *half) is(s state) bool { return h.state&s == s }

// proven gives the bytes of payload that the sequence numbers prove.
func (h *half) proven() int64 {
	if !h.is(known) {
		return 0
	}
	return int64(h.total.count()) + int64(max(int32(h.max-h.next), 0))
}

// acknowledgedBytes gives how many of the payload bytes the peer acknowledged.
func (h *half) acknowledgedBytes() int64 {
	if !h.is(acknowledged) || !h.is(known) {
		return 0
	}
	return max(min(int64(h.total.count())-int64(int32(h.next-h.acked)), h.proven()), 0)
}

// learn takes what shows the sender's habits, of a segment that is no reset.
func (h *half) learn(s *Segment) {
	if h.low == 0 || s.TTL < h.low {
		h.low = s.TTL
	}
	h.high = max(h.high, s.TTL)
	h.few += btoi(h.seen() < 15) << 4
	if s.Flags&SYN != 0 {
		return // its IP identification is another's: Linux has 0 there
	}
	h.window = s.Window
	if s.Version == 4 {
		switch step := s.ID - h.id; {
		case h.id == 0 && h.steps == 0 && h.jumps == 0:
		case 0 < step && step < 256:
			h.steps += btoi(h.steps < 255)
		case step != 0 || s.ID == 0:
			h.jumps += btoi(h.jumps < 255)
		}
		h.id = s.ID
	}
}

func btoi(b bool) uint8 {
	if b {
		return 1
	}
	return 0
}
