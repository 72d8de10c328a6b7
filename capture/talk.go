package capture

import "why520/wire"

// A talk is the exchange of a flow that is open: the requests that wait for
// their response, and that response as far as it came.
type talk struct {
	request  *wire.Stream // frames the request that is being sent: see ask; nil between requests
	response wire.Stream
	asking   asking
	expected bool       // the response stream knows what it answers
	whole    bool       // the response is whole
	measured bool       // the head is over its budget, and only its size counts
	framed   bool       // the final head is whole
	skipped  bool       // bytes of the response are missing: raw is whole
	crowded  bool       // more requests wait than are followed: the responses to those that are still count
	asked    []question // up to pipeline of them, and most often one
	head     []byte     // of the newest request: what came of a head that is not whole
	raw      []byte     // of the response: its first bytes, as far as evidence keeps them
	rest     []byte     // of the response: bytes that the stream is not done with
	around   []byte     // of the response: bytes around a fault in its content
	from     uint64     // payload of the origin before around
	cost     int        // bytes that are counted for it
	owner    *record
}

// asking is how far the newest request was sent.
type asking uint8

const (
	between asking = iota
	askingHead
	askingBody
)

// pipeline is how many requests may wait for their response.
const pipeline = 8

// A question is a request that waits for its response.
type question struct {
	q     wire.Request
	begin uint64 // payload of the client before it
	end   uint64 // and behind it; valid iff sent
	lined bool   // the request line is whole
	sent  bool
	line  [96]byte // the first bytes of its request line
	n     int
}

const (
	talkSize = 5 << 10 // counted for a talk beside its buffers: what its streams hold is in it
	keepLine = 64 << 10
)

// converse takes payload of side d that is due: b, and behind it so many bytes
// that were not captured.
func (t *Tracker) converse(f *record, d int, b []byte, cut int) {
	if f.protocol == unknown && d == client {
		t.recognize(f, b)
	}
	switch {
	case f.protocol == encrypted:
		t.records(f, d, b, cut)
		return
	case f.protocol == foreign, f.has(unfollowed | tunnelled), f.has(faulted) && d == origin:
		return
	}
	if d == origin && f.has(joined) && f.protocol == unknown {
		return // within a response, perhaps: nobody saw what was asked
	}
	c := t.talk(f)
	if c == nil {
		return
	}
	if d == client {
		t.ask(f, c, b, cut)
		if c.asking == between {
			t.shelve(c)
		}
	} else {
		t.answer(f, c, b, cut)
	}
	t.charge(f, c)
}

// talk gives the conversation of f; nil: there is no room for one.
func (t *Tracker) talk(f *record) *talk {
	if a := t.aside(f); a.talk != 0 && !f.has(parked) {
		return t.talks.at(a.talk)
	}
	if !t.room(talkSize, f) {
		t.miss(f)
		return nil
	}
	if f.has(parked) {
		return t.unpark(f)
	}
	return t.meet(f)
}

// meet begins a conversation of f.
func (t *Tracker) meet(f *record) *talk {
	n := t.talks.take()
	t.makeAside(f).talk = n
	c := t.talks.at(n)
	if !c.response.Survey { // it is new
		c.response.Limits, c.response.Survey = t.o.Policy.Limits, true
	}
	c.owner = f
	c.cost = talkSize + c.buffers()
	t.bytes += c.cost
	return c
}

// miss says that there is no room to follow f.
func (t *Tracker) miss(f *record) {
	t.stats.Missed++
	t.unfollow(f)
}

// requestLimits are no policy on requests: they frame what comes.
var requestLimits = wire.Limits{Head: keepLine, Fields: 1000, Tolerate: wire.Tolerable}

func (c *talk) buffers() int { return cap(c.head) + cap(c.raw) + cap(c.rest) + cap(c.around) }

// charge counts what c grew by; where that is too much, f is followed no more.
func (t *Tracker) charge(f *record, c *talk) {
	if c.owner != f {
		return // it is over
	}
	cost := talkSize + c.buffers()
	t.bytes += cost - c.cost
	c.cost = cost
	if t.bytes > t.o.Buffer && !t.room(0, f) {
		t.miss(f)
	}
}

// unfollow says that HTTP cannot be followed in f from here on.
func (t *Tracker) unfollow(f *record) {
	f.marks |= unfollowed
	t.hangUp(f)
}

// hangUp frees the conversation of f.
func (t *Tracker) hangUp(f *record) {
	a := t.aside(f)
	switch {
	case a.talk == 0:
		return
	case f.has(parked):
		t.waits.put(a.talk)
		t.bytes -= waitSize
		f.marks &^= parked
	default:
		c := t.talks.at(a.talk)
		t.bytes -= c.cost
		t.shelve(c)
		c.clear(len(t.talks.free) < fewTalks)
		t.talks.put(a.talk)
	}
	a.talk = 0
}

// framer gives a stream for a request.
func (t *Tracker) framer() *wire.Stream {
	if last := len(t.framers) - 1; last >= 0 {
		s := t.framers[last]
		t.framers = t.framers[:last]
		return s
	}
	return &wire.Stream{Limits: requestLimits}
}

// shelve takes back the stream of c's request, if there is one: most flows have
// said all of theirs in one packet.
func (t *Tracker) shelve(c *talk) {
	if c.request != nil && len(t.framers) < fewTalks {
		t.framers = append(t.framers, c.request)
	}
	c.request = nil
}

// fewTalks is how many talks that are free keep their storage.
const fewTalks = 256

// clear makes c as good as new, but for storage that it keeps if that is wanted.
func (c *talk) clear(keep bool) {
	if !keep {
		*c = talk{}
		return
	}
	for _, b := range []*[]byte{&c.head, &c.raw, &c.rest, &c.around} {
		if *b = (*b)[:0]; cap(*b) > 2048 {
			*b = nil
		}
	}
	c.asking, c.asked, c.from, c.owner = between, c.asked[:0], 0, nil
	c.expected, c.whole, c.measured, c.framed, c.skipped, c.crowded = false, false, false, false, false, false
}
