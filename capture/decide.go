package capture

import (
	"fmt"

	"why520/validator"
	"why520/wire"
)

// decide says how f ended, and by whom.
func (t *Tracker) decide(d *finding) {
	f, r := d.f, d.r
	c, o := &f.side[client], &f.side[origin]
	alerted := f.protocol == encrypted && t.aside(f).tls[client].flags&leaving != 0
	clientFirst := alerted || c.is(finished) && (!o.is(finished) || f.clientFirst())
	switch {
	case f.has(joined):
		d.note = append(d.note, validator.FlowJoinedInTheMiddle)
		if f.ended == 0 && t.aside(f).resets == 0 {
			d.note = append(d.note, validator.FlowStillOpen)
		}
	case r != nil && d.who.by == ByClient && !(o.is(closed) && r.peer):
		d.note = append(d.note, validator.ClientReset)
		d.end = t.patience(d, r.time)
	case clientFirst && d.pending && f.connected() && (alerted || !t.resetAllTheSame(d)):
		d.note = append(d.note, validator.ClientClosed)
		d.end = t.patience(d, d.at)
	case r != nil && d.who.by != ByClient && !(r.side == origin && o.is(closed) && int32(r.seq-o.fin) > 0 && d.pending):
		d.end = wire.RST
	case o.is(closed) && f.connected():
		d.end = wire.FIN
	case f.ended == 0 || d.pending:
		if d.end = t.patience(d, d.at); d.end == wire.Open {
			d.note = append(d.note, validator.FlowStillOpen)
		}
	}
	if f.protocol == encrypted {
		d.note = append(d.note, validator.FlowEncrypted)
	}
	if d.end == wire.Timeout {
		d.torn = f.torn(d.at)
	}
	d.idle = (d.end == wire.FIN || d.end == wire.RST && d.who.by == ByOrigin) && t.spare(d)
	if f.has(lossy) || d.torn > 0 || t.cut && f.ended == 0 && r == nil {
		d.note = append(d.note, validator.CaptureIncomplete)
	}
	if f.has(early) {
		d.note = append(d.note, validator.AnsweredBeforeUploadDone)
		if r != nil && d.who.by == ByOrigin {
			d.note = append(d.note, validator.RequestNotDrained)
		}
	}
	if f.has(surplus) {
		d.note = append(d.note, wire.BytesAfterResponse)
	}
}

// resetAllTheSame reports, of a flow that the client closed, whether the reset
// that counts is what ended it: it came before that, or the client had only said
// that it has no more to send, and waited for the response.
func (t *Tracker) resetAllTheSame(d *finding) bool {
	f, r, c := d.f, d.r, &d.f.side[client]
	switch {
	case r == nil || r.side == client || d.who.by == ByClient:
		return false
	case !r.peer:
		return true
	case f.protocol == encrypted && !t.aside(f).askedYet():
		return false
	case t.aside(f).talk != 0:
		if talk := t.talks.at(t.aside(f).talk); len(talk.asked) > 0 && !talk.asked[0].sent {
			return false // it was the client that broke off
		}
	}
	d.gone = int32(f.side[origin].acked-c.finAck) <= 0 // it acknowledged nothing since
	return !d.gone
}

// clientFirst reports, of a flow that both sides closed, whether the client did
// first: who acknowledges the other's FIN with its own was second; where neither
// does, the order of the packets decides.
func (f *record) clientFirst() bool {
	c, o := &f.side[client], &f.side[origin]
	knew, known := c.finAck == o.fin+1, o.finAck == c.fin+1
	if knew != known {
		return known
	}
	return !f.has(clientLast)
}

// patience gives Timeout where the origin was silent for longer than it may be
// when the flow ended at that time, and Open else.
func (t *Tracker) patience(d *finding, at int64) wire.End {
	f := d.f
	c, o := &f.side[client], &f.side[origin]
	deadlines := &t.o.Deadlines
	silent := at - f.spoke[client]
	limit := deadlines.FirstByte
	switch {
	case !d.pending:
		return wire.Open
	case !f.connected():
		if o.is(synchronized) {
			return wire.Open // it is the client that says no more
		}
		silent, limit = at-f.first, deadlines.Connect
	case f.protocol == encrypted && !t.aside(f).encryptedYet():
		silent, limit = at-max(f.spoke[client], f.spoke[origin]), deadlines.TLS
		if o.proven() > 0 {
			return wire.Open // it is the client's turn, as far as one can see
		}
	case f.protocol == encrypted && !t.aside(f).askedYet(), c.proven() == int64(c.from.count()):
		return wire.Open // nothing was asked
	case t.aside(f).talk != 0:
		talk := t.talks.at(t.aside(f).talk)
		switch {
		case talk.expected && (talk.framed || len(talk.rest) > 0 || talk.measured):
			silent, limit = at-f.spoke[origin], deadlines.Idle
		case talk.expected:
			silent = at - max(f.spoke[client], f.spoke[origin])
		case talk.asking != between:
			limit = deadlines.Write
			if c.acknowledgedBytes() >= c.proven() {
				return wire.Open // the client says no more
			}
		}
	}
	if silent >= int64(limit) {
		return wire.Timeout
	}
	return wire.Open
}

// spare reports whether the client had asked nothing for long, on a connection
// that was ready: the origin may close it then (RFC 9112 section 9.5).
func (t *Tracker) spare(d *finding) bool {
	f, a := d.f, t.aside(d.f)
	const long = 1e9
	switch {
	case f.has(joined), !f.connected(), t.unasked(d) < long:
		return false
	case f.protocol == encrypted:
		return a.encryptedYet() && !a.askedYet()
	}
	return f.side[client].proven() == 0 && f.side[origin].proven() == 0
}

// unasked gives for how long the client had asked nothing, on a connection that
// was ready, when d ended; the origin's alert at the end is no answer.
func (t *Tracker) unasked(d *finding) int64 {
	f := d.f
	since := f.spoke[client]
	if f.protocol != encrypted || t.aside(f).tls[origin].flags&notified == 0 {
		since = max(since, f.spoke[origin])
	}
	return d.at - since
}

// rto is the time in which TCP sends again what was not acknowledged, the first
// time of all too (RFC 6298 section 2: it is one second, or three at most).
const rto = 3e9

// torn gives 1 + the side that sent what was not acknowledged at that time, and
// did not send it again, as TCP would have: the capture has not the rest. 0: none.
func (f *record) torn(at int64) int {
	for d := range f.side {
		if h := &f.side[d]; h.is(known|acknowledged) && !h.is(retried) && int32(h.max-h.acked) > 0 && f.connected() && at-f.spoke[d] > rto {
			return 1 + d
		}
	}
	return 0
}

// tornOff says what torn found.
func (d *finding) tornOff() string {
	side := d.torn - 1
	h := &d.f.side[side]
	return fmt.Sprintf("%d bytes of the %s were neither acknowledged nor sent again for %.1f s: the capture has not the rest of the flow",
		h.max-h.acked, [...]string{"client", "origin"}[side], float64(d.at-d.f.spoke[side])/1e9)
}

// unheard reports whether r is the origin's that had given up: what it had sent,
// again and again, was not acknowledged.
func (f *record) unheard(r *reset) bool {
	const many, long = 3, 1e9
	return r.side == origin && (r.resent >= many || !f.connected() && f.side[origin].syns() > 1 && r.time-f.first >= long)
}

// confidence gives that of a verdict without a reset.
func (t *Tracker) confidence(d *finding) string {
	switch f := d.f; {
	case f.has(joined | unfollowed | evicted), t.lost > 0 && f.has(lossy):
		return open
	case f.has(lossy), t.lost > 0, f.partial():
		return likely
	case d.end == wire.Timeout && !f.connected() && f.side[client].syns() < 2 && d.at-f.first > rto:
		return likely // that one was lost, perhaps, or the capture has not the others
	}
	return certain
}
