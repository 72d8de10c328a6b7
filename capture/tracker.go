package capture

import "why520/wire"

// A Tracker takes packets and gives flows. It may be used by one goroutine at a
// time; the flows that it gives are the receiver's.
type Tracker struct {
	o     Options
	give  func(*Flow)
	stats Stats
	lost  int64 // packets that whoever captured them says were lost
	cut   bool  // the capture ends within a record

	now     int64 // time of the latest packet of this capture; 0: none came yet
	doubt   doubt
	due     int64 // when the first flow that ended is to be given
	segment Segment
	ack     uint32 // what the payload acknowledges that is delivered now; valid iff that is the origin's
	table   *table
	queue   queue
	hand    uint32 // record that is looked at next for silence
	linger  int64
	silent  int64

	talks   pool[talk]
	asked   uint32         // talk that was last asked for room
	framers []*wire.Stream // of requests, that nobody uses
	waits   pool[question]
	resets  pool[reset]
	pieces  pool[piece]
	rivals  pool[rival]
	strays  pool[stray]
	asides  pool[aside]
	bytes   int // held by these
	held    int // of them, by pieces
	traces  pool[trace]
	traced  int // bytes held by traces
}

// NewTracker makes a Tracker that calls give with each flow once it is over. In
// give, the Tracker must not be called.
func NewTracker(o Options, give func(*Flow)) *Tracker {
	o.setDefaults()
	return &Tracker{
		o: o, give: give, table: newTable(),
		linger: int64(o.Linger), silent: int64(o.Silent), due: 1<<63 - 1,
	}
}

// Packet takes the next packet; it keeps none of p. Where the time of several
// packets goes back by more than a minute, another capture begins, and all flows
// are given first.
func (t *Tracker) Packet(p *Packet) {
	t.stats.Packets++
	if (t.far(p.Time) || t.doubt.count > 0) && !t.believed(p) {
		return
	}
	t.packet(p)
}

// packet takes a packet whose time is believed.
func (t *Tracker) packet(p *Packet) {
	if p.Time > t.now {
		if t.now = p.Time; t.now >= t.due {
			t.settle()
		}
	}
	s := &t.segment
	switch s.Decode(p) {
	case IsTCP:
		t.stats.Segments++
	case NotDecoded:
		t.stats.Broken++
		return
	case LaterFragment:
		t.stats.Parts++
		return
	default:
		t.stats.Others++
		return
	}
	t.take(s)
}

// Lost says how many packets were lost so far by whoever captured them: a
// verdict that may hang on one of them is less certain.
func (t *Tracker) Lost(packets int64) { t.lost = packets }

// Cut says that the capture ends before it should, as Reader.Truncated tells:
// flows that are open then are noted as incomplete.
func (t *Tracker) Cut() { t.cut = true }

// Close gives all flows that are left, as far as they came. What comes behind it
// is another capture.
func (t *Tracker) Close() {
	t.believeAll()
	t.giveAll()
	t.now = 0
}

// giveAll gives all flows. As they go, so does the memory that they had: what is
// made of them needs some.
func (t *Tracker) giveAll() {
	t.queue = queue{}
	t.table.close()
	for n := uint32(1); n <= t.table.top; n++ {
		if t.table.at(n).has(inUse) {
			t.finish(n)
		}
		if n%chunkSize == 0 {
			t.table.drop(n)
		}
	}
	t.table = newTable()
}

// Stats gives the counts so far.
func (t *Tracker) Stats() Stats { return t.stats }

// settle gives the flows that ended long enough ago.
func (t *Tracker) settle() {
	for {
		e, ok := t.queue.first()
		if !ok {
			t.due = 1<<63 - 1
			return
		}
		if t.due = e.time + t.linger; t.now < t.due {
			return
		}
		t.queue.pop()
		t.leave(e)
	}
}

// leave gives the flow that e tells of, unless it turned out not to be over.
func (t *Tracker) leave(e ending) {
	f := t.table.at(e.number)
	if !f.has(inUse) || uint32(f.first) != e.first {
		return
	}
	f.marks &^= queued
	if t.over(f) {
		t.finish(e.number)
	}
}

// end says that the flow is over, unless what follows shows otherwise.
func (t *Tracker) end(n uint32, f *record) {
	if f.has(queued) {
		return
	}
	f.marks |= queued
	if t.queue.size >= t.o.Flows {
		e, _ := t.queue.first()
		t.queue.pop()
		t.leave(e)
	}
	t.queue.push(ending{t.now, n, uint32(f.first)})
	t.due = min(t.due, t.now+t.linger)
}

// take takes the next segment.
func (t *Tracker) take(s *Segment) {
	hash := t.table.hashOf(s)
	n, f, first := t.table.find(s, hash)
	if n != 0 && t.now-f.last > t.silent {
		t.finish(n)
		n = 0
	}
	if n == 0 {
		if n = t.begin(s, hash); n == 0 {
			return
		}
		f, first = t.table.at(n), true
	}
	d := f.sender(first)
	h, peer := &f.side[d], &f.side[1-d]
	switch {
	case s.Flags&(SYN|RST) != 0:
		if !t.control(n, f, d, s) {
			return
		}
	case (s.Seq != h.next || !h.is(known)) && !f.near(d, s) && !t.astray(f, d, s):
		t.pass(f, d, s)
		return
	}
	t.pass(f, d, s)
	a := t.aside(f)
	if a.resets|a.rival != 0 {
		t.behindReset(f, d, s)
		t.outlives(f, d, s)
	}
	h.learn(s)
	peer.tries &= 15
	if s.Fragment {
		f.marks |= fragmented | lossy
	}
	if s.Flags&ACK != 0 {
		window := uint32(s.Window)
		if s.Flags&SYN == 0 { // the window of a SYN is not scaled
			if window <<= h.scale & 15; !peer.is(known) { // its SYN was not captured
				peer.begin(s.Ack)
			}
		}
		if peer.acknowledge(s.Ack, window) {
			t.beyond(f, d, s)
		}
	}
	if s.Length > 0 || s.Flags&FIN != 0 {
		t.payload(f, d, s)
		a = t.aside(f)
	}
	if peer.is(acknowledged) && int32(peer.acked-peer.next) > 1 || a.gap[1-d]|a.piece[1-d] != 0 {
		t.missing(f, 1-d)
	}
	if h.is(closed) && peer.is(closed) {
		if !t.o.All && t.aside(f).resets == 0 && t.sound(f) { // nothing that follows can change that
			t.stats.Sound++
			t.forget(n, f)
			return
		}
		t.end(n, f)
	}
	if f.aside != 0 {
		t.tidy(f)
	}
}

// control takes a SYN or a reset; it reports whether s is a SYN of the flow, of
// which there is more to take.
func (t *Tracker) control(n uint32, f *record, d int, s *Segment) bool {
	reset, renewed := s.Flags&RST != 0, false
	if reset {
		renewed = s.Flags&ACK != 0 && t.answersRival(f, d, s) // it is refused
	} else {
		switch t.synchronize(f, d, s) {
		case taken:
			return true
		case another:
			renewed = true
		}
	}
	if renewed {
		t.renew(n, f, s)
		t.take(s)
		return false
	}
	t.pass(f, d, s)
	if reset {
		t.reset(n, f, d, s)
	}
	return false
}

// pass counts s, which side d sent.
func (t *Tracker) pass(f *record, d int, s *Segment) {
	if t.o.Trace > 0 {
		t.sight(f, d, s)
	}
	f.packets++
	f.last = t.now
}

// begin makes a flow that begins with s; 0: it does not.
func (t *Tracker) begin(s *Segment, hash uint32) uint32 {
	from, wanted := t.sender(s)
	if !wanted {
		return 0
	}
	if s.Flags&SYN == 0 && (s.Length == 0 || s.Flags&FIN != 0) || s.Flags&RST != 0 {
		t.stats.Strays++
		return 0
	}
	if t.table.used >= t.o.Flows {
		t.evict()
	}
	t.sweep()
	n := t.table.add(s, hash)
	f := t.table.at(n)
	if from == origin {
		f.marks |= originFirst
	}
	if s.Flags&SYN == 0 {
		f.marks |= joined
	}
	f.side[client].scale, f.side[origin].scale = widest, widest
	f.first, f.spoke[origin], f.spoke[client], f.vlan = t.now, t.now, t.now, s.VLAN
	t.stats.Flows++
	return n
}
