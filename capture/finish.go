package capture

import (
	"fmt"
	"net/netip"
	"time"

	"why520/validator"
	"why520/wire"
)

// Take gives the flow between two addresses as it stands, be it over or not, and
// forgets it; nil: there is none. It is for who made the connection, and knows
// that it ended. The flow is not given again.
func (t *Tracker) Take(a, b netip.AddrPort) *Flow {
	t.believeAll()
	s := Segment{Source: AddressOf(a.Addr()), Destination: AddressOf(b.Addr()), SourcePort: a.Port(), DestinationPort: b.Port()}
	n, f, _ := t.table.find(&s, t.table.hashOf(&s))
	if n == 0 {
		return nil
	}
	t.fill(f)
	flow := t.build(f)
	t.tally(flow)
	t.forget(n, f)
	return flow
}

// finish gives flow n and forgets it.
func (t *Tracker) finish(n uint32) {
	f := t.table.at(n)
	t.fill(f)
	if !t.o.All && t.sound(f) {
		t.stats.Sound++
	} else if flow := t.build(f); t.tally(flow) || t.o.All {
		t.give(flow)
	}
	t.forget(n, f)
}

// tally counts a flow; it reports whether something in it is refused.
func (t *Tracker) tally(f *Flow) bool {
	if f.Verdict.OK() {
		t.stats.Sound++
		if in := f.Evidence.TCP; in.Confidence == open && in.Or != wire.OK {
			t.stats.Unsure++
		}
		return false
	}
	t.stats.Faulty++
	return true
}

// fill passes over bytes that are still missing, where they were acknowledged:
// what the peer has, the capture must not count as never sent.
func (t *Tracker) fill(f *record) {
	for d := range f.side {
		if h := &f.side[d]; h.is(known|acknowledged) && int32(h.acked-h.next) > 0 {
			t.giveUp(f, d)
			n := int32(h.acked - h.next)
			if !h.is(finished) && t.aside(f).resets == 0 {
				n-- // its FIN, perhaps, was not captured either
			}
			if before := h.total; n > 0 {
				if t.lose(f, d, int(n)); h.total != before {
					f.spoke[d] = f.last // or earlier: nobody knows
				}
			}
		}
	}
}

// forget frees what n holds.
func (t *Tracker) forget(n uint32, f *record) {
	if f.aside != 0 {
		t.hangUp(f)
		t.unsee(f)
		t.dropRival(f)
		t.dropStrays(f)
		t.dropResets(f)
		t.discardAll(f)
		t.dropAside(f)
	}
	t.table.remove(n)
}

// sound reports whether it is plain that nothing is refused in f: it saves the
// work of making evidence of most flows.
func (t *Tracker) sound(f *record) bool {
	switch {
	case !f.side[origin].is(synchronized) && !f.has(joined) && t.aside(f).resets == 0:
		return max(t.now, f.last)-f.first < int64(t.o.Deadlines.Connect)
	case f.has(faulted) || f.protocol != http || t.aside(f).talk != 0 || f.exchanges == 0:
		return false
	}
	return t.aside(f).resets == 0 || f.side[origin].acknowledgedBytes() >= int64(f.whole.count())
}

// A finding is what is made of a record before it is judged.
type finding struct {
	f    *record
	e    *validator.Evidence
	r    *reset // that counts; nil: none does
	who  opinion
	at   int64 // when it ended, or until when it was seen
	end  wire.End
	note []wire.Reason
	gone bool // the client, perhaps, before the origin's reset: nobody can tell
	idle bool // the origin ended a connection on which nothing was asked for long
	torn int  // 1 + side that would have sent again what was not acknowledged, had the capture its end; 0: none
	// pending: a request, or a handshake, waits for the origin.
	pending bool
}

// build makes the Flow of f.
func (t *Tracker) build(f *record) *Flow {
	if f.has(parked) {
		t.unpark(f)
	}
	if f.protocol == unknown && t.aside(f).talk != 0 { // nobody asked
		f.marks &^= faulted
		t.hangUp(f)
	}
	if f.protocol == http && t.aside(f).talk != 0 && f.exchanges == 0 && t.talks.at(t.aside(f).talk).chat() {
		f.protocol = foreign
		f.marks &^= faulted
		t.hangUp(f)
	}
	if f.protocol == encrypted {
		t.aside(f).ask(f)
	}
	for i := range f.side {
		if h := &f.side[i]; h.is(known|acknowledged) && int32(h.acked-h.max) > int32(btoi(h.is(finished))) {
			f.marks |= lossy // what nobody saw was acknowledged
		}
	}
	d := finding{f: f, r: t.counted(f), at: max(t.now, f.last)}
	switch {
	case f.ended != 0:
		d.at = f.ended
	case t.aside(f).resets != 0: // it may have ended for all that one can see
		d.at = f.last
	}
	if d.r != nil && d.r.opened && int32(d.r.seq-f.side[d.r.side].max) > int32(btoi(f.side[d.r.side].is(finished))) {
		f.marks |= lossy
	}
	if d.r != nil && d.r.opened && d.r.flags&ACK != 0 {
		if peer := &f.side[1-d.r.side]; !peer.is(finished) && d.r.ack == peer.max+1 {
			f.marks |= lossy // a FIN
		}
	}
	if d.r != nil {
		d.who = t.who(f, d.r)
		if f.ended == 0 || d.r.time < f.ended {
			d.at = d.r.time
		}
	}
	d.pending = f.pending(t)
	t.decide(&d)
	t.evidence(&d)
	e := d.e
	e.TCP = &validator.TCPFacts{ResetBy: d.who.by, Confidence: d.who.confidence, Evidence: d.who.evidence}
	if f.protocol == http {
		e.TCP.Whole = int(f.exchanges)
	}
	e.TCP.Unread = f.connected() && f.side[origin].proven() > 0 && (f.protocol == foreign || f.has(unfollowed) || f.protocol == unknown)
	if d.r == nil {
		e.TCP.Confidence = t.confidence(&d)
		e.TCP.Evidence = t.silence(&d)
	} else if d.end == wire.RST && !d.pending && f.protocol == http {
		e.TCP.Unacknowledged = max(int64(f.whole.count())-f.side[origin].acknowledgedBytes(), 0)
	}
	if d.idle {
		e.TCP.Evidence = append(e.TCP.Evidence, fmt.Sprintf("the client had asked nothing for %.1f s: an origin may close such a connection (RFC 9112 section 9.5)", float64(t.unasked(&d))/1e9))
	}
	for _, r := range d.note {
		e.Seen = append(e.Seen, validator.Finding{Reason: r, Offset: -1})
	}
	switch {
	case d.torn > 0:
		e.TCP.Confidence = open
		e.TCP.Evidence = append(e.TCP.Evidence, d.tornOff())
	case f.protocol == encrypted && t.aside(f).unclear():
		e.TCP.Confidence = open
		e.TCP.Evidence = append(e.TCP.Evidence, "where its TLS records begin, or what they are, could not be told to the end")
	case d.end == wire.Timeout && f.protocol == encrypted && t.aside(f).encryptedYet() && t.aside(f).tls[client].flags&http2 != 0:
		e.TCP.Confidence = open
		e.TCP.Evidence = append(e.TCP.Evidence, "the client offers HTTP/2, in which it may send what wants no answer")
	case d.r != nil && d.who.by != Injected && f.unheard(d.r):
		e.TCP.Confidence = open
		e.TCP.Evidence = append(e.TCP.Evidence, "its sender had sent the same again and again, and heard nothing: the path may have gone silent, or its peer")
	case d.gone:
		e.TCP.Confidence, e.TCP.Or = open, t.otherwise(&d, e.Phase, wire.RST)
	case e.TCP.Confidence == open && d.r != nil:
		e.TCP.Or = or(e)
	}
	if f.protocol == encrypted && e.Phase == validator.PhaseIdle && t.aside(f).reply() == ticketPerhaps {
		other := d
		other.pending, other.note = true, nil
		t.decide(&other)
		e.TCP.Confidence, e.TCP.Or = open, t.otherwise(&d, validator.PhaseWait, other.end)
		e.TCP.Evidence = append(e.TCP.Evidence, "what the origin sent behind the request is short: its answer, or session tickets")
	}
	v := validator.Judge(e, nil)
	e.TCP.Stage = t.stage(&d, v.Phase)
	if f.protocol == foreign && f.connected() && !v.OK() {
		said := "what the client sent is no HTTP"
		if f.has(lossy) {
			said += ", or was not captured"
		}
		e.TCP.Evidence = append(e.TCP.Evidence, said)
	}
	first, second := t.table.addresses(f)
	from, to := address(first, f.key.firstPort), address(second, f.key.secondPort)
	if f.has(originFirst) {
		from, to = to, from
	}
	e.Address = to.String()
	return &Flow{
		Client: from, Origin: to, VLAN: f.vlan,
		First: time.Unix(0, f.first).UTC(), Last: time.Unix(0, f.last).UTC(), Packets: int(f.packets),
		Handshake: f.handshake(), ResetBy: e.TCP.ResetBy, Stage: e.TCP.Stage,
		Payload:   Payload{f.side[client].proven(), f.side[origin].proven()},
		Signature: t.signature(&d), Evicted: f.has(evicted), Trace: t.passed(f),
		Evidence: e, Verdict: v,
	}
}

// or gives the reason if the reset had the other sender.
func or(e *validator.Evidence) wire.Reason {
	other, facts := *e, *e.TCP
	switch facts.ResetBy {
	case ByOrigin:
		facts.ResetBy = Injected
	case Injected:
		facts.ResetBy = ByOrigin
	default:
		return wire.OK
	}
	other.TCP = &facts
	v := validator.Judge(&other, nil)
	if v.Reason == validator.Judge(e, nil).Reason {
		return wire.OK
	}
	return v.Reason
}

// otherwise gives the reason if no byte of a response came before that end.
func (t *Tracker) otherwise(d *finding, in validator.Phase, end wire.End) wire.Reason {
	e := *d.e
	if e.Response != nil {
		return wire.OK
	}
	e.Phase, e.End, e.TCP = in, end, &validator.TCPFacts{ResetBy: d.who.by}
	return validator.Judge(&e, nil).Reason
}

// handshake gives the word for how far the handshake came.
func (f *record) handshake() string {
	c, o := &f.side[client], &f.side[origin]
	switch {
	case !c.is(synchronized) && !o.is(synchronized):
		return HandshakeUnseen
	case c.is(synchronized) && o.is(synchronized) && f.connected():
		return HandshakeComplete
	case !o.is(synchronized) && !f.connected():
		return HandshakeNone
	}
	return HandshakePartial
}

// connected reports whether the client has acknowledged the origin's SYN: that
// shows, too, in what the origin sent and, where the capture has not what the
// client did, in what of it the origin acknowledged.
func (f *record) connected() bool {
	c, o := &f.side[client], &f.side[origin]
	switch {
	case f.has(joined):
		return true
	case o.is(synchronized) && (o.data() > 0 || !c.is(synchronized) && c.acknowledgedBytes() > 0):
		return true
	case o.is(synchronized):
		return o.is(acknowledged) && (int32(o.acked-o.iss) > 0 || o.total.count() > 1<<30) // numbers wrap
	}
	return o.is(acknowledged) || o.data() > 0 // its SYN was not captured
}

// partial reports whether f went on though not all of its handshake was seen.
func (f *record) partial() bool { return f.connected() && f.handshake() != HandshakeComplete }

// pending reports whether the origin owes an answer.
func (f *record) pending(t *Tracker) bool {
	o, a := &f.side[origin], t.aside(f)
	switch {
	case !f.connected():
		return true
	case f.protocol == encrypted:
		return !a.encryptedYet() || a.askedYet() && a.reply() == noReply || !a.askedYet()
	case f.has(unfollowed | tunnelled):
		return false
	case f.protocol == foreign, f.protocol == unknown && a.talk == 0:
		return o.proven() == 0
	case a.talk != 0:
		c := t.talks.at(a.talk)
		return !c.whole && (len(c.asked) > 0 || c.expected)
	}
	return f.exchanges == 0
}
