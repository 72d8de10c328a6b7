package capture

import "fmt"

// The words of confidence.
const (
	certain = "certain"
	likely  = "likely"
	open    = "open"
)

// An opinion is who sent a reset, and why that is believed.
type opinion struct {
	by         string
	confidence string
	evidence   []string
}

// A sign speaks for one who sends a reset or against that. Signs of weight 2
// decide alone.
type sign struct {
	weight int // above zero: for the side that the reset claims; below: for an injection; 0: for neither
	text   string
}

// who weighs who sent r.
func (t *Tracker) who(f *record, r *reset) opinion {
	h := &f.side[r.side]
	var signs []sign
	add := func(weight int, format string, a ...any) {
		signs = append(signs, sign{weight, fmt.Sprintf(format, a...)})
	}
	bare := r.flags&ACK == 0
	t.hops(f, r, add)
	switch step := r.id - r.lastID; {
	case r.version != 4:
	case h.steps == 0 && h.jumps == 0:
		if h.habitual(r) {
			add(1, "its IP identification goes on from the only one of its sender's: %d after %d", r.id, r.lastID)
		}
	case h.steps > 0 && h.jumps <= h.steps/4:
		switch {
		case 0 < step && step < 256:
			add(2, "its IP identification goes on from its sender's: %d after %d", r.id, r.lastID)
		case r.id == 0 && bare:
			add(1, "its IP identification is 0, as of a reset that no connection sent")
		case r.id == 0:
			add(-1, "its IP identification is 0, its sender's were going on")
		default:
			add(-1, "its IP identification does not go on from its sender's: %d after %d", r.id, r.lastID)
		}
	}
	if f.side[client].is(stamped) && f.side[origin].is(stamped) {
		switch {
		case r.stamped:
			add(2, "it has the timestamp option, as the connection has")
		case !bare && r.opened && h.fits(r): // RFC 7323 section 3.2: a reset only should have it
			add(-1, "it lacks the timestamp option that the connection negotiated, as the resets of some systems do")
		case !bare && r.opened:
			add(-3, "it lacks the timestamp option that the connection negotiated")
		}
	}
	switch {
	case bare || !r.opened:
	case r.window == r.usual:
		add(1, "its window is that of the segment before it")
	case r.window == 0 && h.habitual(r):
		add(0, "its window is 0, as in the resets of some systems; its sender's was %d", r.usual)
	case r.window == 0:
		add(-1, "its window is 0, its sender's was %d", r.usual)
	}
	switch r.aim(f) {
	case exact:
		if r.opened {
			add(1, "its sequence number is the one that was due, or where a segment ended")
		} else {
			add(2, "it acknowledges the SYN that it answers")
		}
	case inWindow:
		add(-1, "its sequence number is within the window, but not due")
	}
	if r.after&sentOn != 0 {
		add(-3, "its sender sent on behind it")
	}
	if n := t.ahead(f, r); n > 0 {
		add(-2, "others of its kind, %d, run ahead of the sequence numbers", n)
	}
	if r.flags&ACK != 0 && r.opened && int32(r.ack-f.side[1-r.side].max) > 1 {
		add(-1, "it acknowledges bytes that were never sent")
	}
	return t.weigh(f, r, signs)
}

// hops compares hop limits.
func (t *Tracker) hops(f *record, r *reset, add func(int, string, ...any)) {
	h := &f.side[r.side]
	if h.low == 0 {
		return
	}
	off := 0
	switch {
	case r.ttl < h.low:
		off = int(r.ttl) - int(h.low)
	case r.ttl > h.high:
		off = int(r.ttl) - int(h.high)
	}
	switch {
	case off == 0:
		add(1, "its hop limit is its sender's, %d", r.ttl)
	case -1 <= off && off <= 1 && h.high > h.low:
		add(-1, "its hop limit is %d, its sender's vary from %d to %d", r.ttl, h.low, h.high)
	case -1 <= off && off <= 1 && h.seen() < 2:
		add(-1, "its hop limit is %d, its sender's was %d", r.ttl, h.low)
	case -1 <= off && off <= 1:
		add(-3, "its hop limit is %d, its sender's always %d: another machine on the way", r.ttl, h.low)
	default:
		add(-4, "its hop limit is %d, its sender's %d to %d", r.ttl, h.low, h.high)
	}
}

// ahead counts resets of the same side that guess at later sequence numbers.
func (t *Tracker) ahead(f *record, first *reset) int {
	n := 0
	for i := t.aside(f).resets; i != 0; {
		r := t.resets.at(i)
		i = r.next
		if off := int32(r.seq - first.seq); r.side == first.side && off > 1 && off < farthest && r.aim(f) != exact {
			n++
		}
	}
	return n
}

// weigh adds the signs up.
func (t *Tracker) weigh(f *record, r *reset, signs []sign) opinion {
	o := opinion{by: ByOrigin}
	if r.side == client {
		o.by = ByClient
	}
	pro, contra := 0, 0
	for _, s := range signs {
		if s.weight > 0 {
			pro += s.weight
		} else {
			contra -= s.weight
		}
		o.evidence = append(o.evidence, s.text)
	}
	switch {
	case contra == 3 && pro >= contra && r.after&sentOn == 0 && f.side[r.side].habitual(r):
		o.confidence = open // a single sign speaks against it
	case contra >= 2 && contra > pro || contra >= 3:
		o.by, o.confidence = Injected, likely
		if contra >= 4 || contra >= 3 && pro <= 1 {
			o.confidence = certain
		}
	case contra > 1:
		o.confidence = open
	case contra == 0 && pro >= 3:
		o.confidence = certain
	case pro > contra:
		o.confidence = likely
	default:
		o.confidence = open
	}
	if t.lost > 0 || f.has(lossy) || f.partial() {
		switch o.confidence {
		case certain:
			o.confidence = likely
		case likely:
			o.confidence = open
		}
		if t.lost > 0 {
			o.evidence = append(o.evidence, lostOf(t.lost))
		}
	}
	return o
}

// habitual reports whether hop limit and IP identification of r are as its sender
// would have them.
func (h *half) habitual(r *reset) bool {
	step := r.id - r.lastID
	return r.version == 4 && h.jumps <= h.steps/4 && r.lastID != 0 && 0 < step && step < 256 && h.reaches(r)
}

// fits reports whether hop limit and IP identification of r do not tell it from
// what its sender sends: that may be 0 in what belongs to no connection.
func (h *half) fits(r *reset) bool {
	counts := r.version == 4 && h.steps > 0 && h.jumps <= h.steps/4
	return h.reaches(r) && (!counts || r.id == 0 || h.habitual(r))
}

// reaches reports whether the hop limit of r is its sender's.
func (h *half) reaches(r *reset) bool { return h.low <= r.ttl && r.ttl <= h.high }

func lostOf(packets int64) string {
	return fmt.Sprintf("%d packets of the capture were lost, of this flow perhaps", packets)
}
