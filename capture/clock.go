package capture

import "time"

// Time is that of the packets, which is right but for a few: where a packet is
// far from those before it, its time is bad, or nothing passed for a while, or
// another capture begins. What follows it tells, so it is kept until then.
const (
	leap    = 1e9  // nanoseconds that time goes on by without being doubted
	anew    = 60e9 // nanoseconds that time may go back: several processors capture a little out of order
	several = 3    // packets that agree are believed
)

// A doubt holds copies of packets, the first of which has a time that is far off.
type doubt struct {
	packets [several]Packet
	count   int
}

// far reports whether a packet of that time is one to be doubted.
func (t *Tracker) far(time int64) bool { return uint64(time-t.now+anew) > anew+leap }

// believed reports whether p, which is far off or comes behind one, is to be taken
// now; else it waits, or was taken with others.
func (t *Tracker) believed(p *Packet) bool {
	if t.now == 0 { // the first of a capture
		t.now = p.Time
		return true
	}
	d := &t.doubt
	q := &d.packets[d.count]
	d.count++
	q.Time, q.Link, q.Length, q.Data = p.Time, p.Link, p.Length, append(q.Data[:0], p.Data...)
	for d.count > 0 && t.resolve() {
	}
	return false
}

// resolve takes the first packet in doubt, if it can be told what its time is:
// where it is ahead, it is the least of its and of what several packets say;
// where it is behind, another capture begins if all of them are.
func (t *Tracker) resolve() bool {
	d := &t.doubt
	first := d.packets[0].Time
	least, most := t.span()
	switch {
	case !t.far(first):
	case first > t.now:
		if least > t.now+leap && d.count < several {
			return false
		}
		first = max(least, t.now)
	case most >= t.now-anew:
		first = t.now
	case d.count < several:
		return false
	default:
		t.giveAll()
		t.now = first
	}
	t.believe(first)
	return true
}

// span gives the least and the latest time of the packets in doubt; the least is
// none of those that are far behind, if there are others.
func (t *Tracker) span() (least, most int64) {
	d := &t.doubt
	least, most = d.packets[0].Time, d.packets[0].Time
	for i := range d.packets[:d.count] {
		at := d.packets[i].Time
		if at >= t.now-anew {
			least = min(least, at)
		}
		most = max(most, at)
	}
	return least, most
}

// believe takes the first packet in doubt as of that time.
func (t *Tracker) believe(time int64) {
	d := &t.doubt
	p := d.packets[0]
	p.Time = time
	d.count--
	copy(d.packets[:], d.packets[1:])
	d.packets[several-1] = Packet{Data: p.Data} // its storage
	t.packet(&p)
}

// believeAll takes the packets in doubt, for nothing follows that could tell. The
// time of a single one is believed of its own flow alone.
func (t *Tracker) believeAll() {
	d, was := &t.doubt, t.now
	alone := d.count == 1
	for d.count > 0 {
		least, _ := t.span()
		t.believe(max(least, t.now))
	}
	if alone {
		t.now = was
	}
}

// Advance says that it is now, though no packet came: flows that ended
// Options.Linger ago are given.
func (t *Tracker) Advance(now time.Time) {
	n := now.UnixNano()
	for d := &t.doubt; d.count > 0 && t.now < d.packets[0].Time && d.packets[0].Time < n+leap; {
		t.believe(d.packets[0].Time)
	}
	if n > t.now {
		t.now = n
		t.settle()
	}
}
