package capture

// waitSize is what is counted for a question that waits alone.
const waitSize = 160

// room makes room for so many bytes more, if there is none: of some flows other
// than but, that which was silent longest gives up what is held of it. A request
// that waits for its answer loses nothing by that.
func (t *Tracker) room(n int, but *record) bool {
	const tries = 64
	for range tries {
		if t.bytes+n <= t.o.Buffer {
			return true
		}
		if t.held > t.o.Buffer/2 && t.dropPieces(but) {
			continue
		}
		c := t.stalest(but)
		switch {
		case c == nil:
			return false
		case c.waits() && t.waits.used()*waitSize < t.o.Buffer/2:
			t.park(c.owner)
		default:
			t.miss(c.owner)
		}
	}
	return t.bytes+n <= t.o.Buffer
}

// stalest gives, of some conversations, that whose flow was silent longest; nil:
// there is none but that of but.
func (t *Tracker) stalest(but *record) *talk {
	const some = 16
	var worst *talk
	for range min(some, t.talks.top) {
		t.asked = t.asked%t.talks.top + 1
		c := t.talks.at(t.asked)
		if c.owner != nil && c.owner != but && (worst == nil || c.owner.last < worst.owner.last) {
			worst = c
		}
	}
	return worst
}

// dropPieces gives up what is held of the payload of a flow other than but, if one
// is found.
func (t *Tracker) dropPieces(but *record) bool {
	for range min(1024, t.table.top) {
		f := t.table.at(t.turn())
		if !f.has(inUse) || f == but || !t.aside(f).early() {
			continue
		}
		t.discardAll(f)
		t.miss(f)
		return true
	}
	return false
}

// waits reports whether nothing but one whole request is known of c.
func (c *talk) waits() bool {
	return len(c.asked) == 1 && c.asked[0].sent && c.asking == between && !c.expected && !c.crowded
}

// park keeps of the conversation of f the request that waits, no more.
func (t *Tracker) park(f *record) {
	q := t.talks.at(t.aside(f).talk).asked[0]
	t.hangUp(f)
	n := t.waits.take()
	*t.waits.at(n) = q
	t.makeAside(f).talk = n
	f.marks |= parked
	t.bytes += waitSize
}

// unpark makes what was parked a conversation again.
func (t *Tracker) unpark(f *record) *talk {
	q := *t.waits.at(t.aside(f).talk)
	t.hangUp(f)
	c := t.meet(f)
	c.asked = append(c.asked, q)
	return c
}
