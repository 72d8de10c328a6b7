package capture

import (
	"bytes"
	"fmt"

	"why520/validator"
	"why520/wire"
)

// evidence makes the Evidence of f.
func (t *Tracker) evidence(d *finding) {
	f := d.f
	o := &f.side[origin]
	switch {
	case f.protocol == encrypted && f.connected():
		t.evidenceOfTLS(d)
	case t.aside(f).talk != 0 && !f.has(unfollowed):
		t.evidenceOfTalk(d)
	default:
		d.e = t.blank(d.end)
		switch {
		case !f.connected():
		case !d.pending, f.has(unfollowed), f.has(joined):
			d.e.Phase = validator.PhaseIdle
			d.e.Received = int64(o.total.count() - min(o.from.count(), o.total.count()))
		case f.protocol == unknown || f.protocol == http: // nothing was asked, or it is not known what
			d.e.Phase = validator.PhaseRequest
		}
	}
	e := d.e
	if !f.connected() {
		e.Phase = validator.PhaseConnect
		if d.end == wire.RST && !o.is(synchronized) {
			e.End = validator.Refused
		}
		return
	}
	if d.idle {
		e.Phase = validator.PhaseIdle
	}
	// Where a request is open that is the client's first, nobody had asked for the response before it.
	e.Reused = f.exchanges > 0 && (e.Phase == validator.PhaseIdle || f.side[client].from.count() > 0)
	t.count(d)
}

func (t *Tracker) blank(end wire.End) *validator.Evidence {
	return validator.ReadFirst(nil, validator.Rest{}, validator.RequestFacts{}, validator.ReadOptions{Policy: t.o.Policy, End: end})
}

// evidenceOfTalk makes evidence of an exchange that is open.
func (t *Tracker) evidenceOfTalk(d *finding) {
	f := d.f
	c := t.talks.at(t.aside(f).talk)
	var q validator.RequestFacts
	if len(c.asked) > 0 {
		q = c.asked[0].facts()
	}
	rest := validator.Rest{Offset: -1}
	raw := c.raw
	if c.expected {
		rest.Received = int64(f.side[origin].total.count() - f.side[origin].from.count())
		if !c.framed && !f.has(faulted) && !c.measured {
			raw = append(raw, c.rest...)
		}
		err := c.response.Close(d.end)
		rest.Complete = c.whole || err == nil
		if r, ok := err.(wire.Reason); ok && r != wire.ErrIncomplete {
			rest.Reason, rest.Offset = c.response.Fault()
		}
		rest.Content = c.response.Bytes
		rest.Head, rest.Measured = c.response.Measured()
		if len(c.around) > 0 {
			rest.Around = &validator.Excerpt{Offset: int64(c.from), Bytes: c.around}
		}
	}
	d.e = validator.ReadFirst(raw, rest, q, validator.ReadOptions{Policy: t.o.Policy, End: d.end})
	if d.e.Response == nil && (len(c.asked) == 0 || !c.asked[0].sent) {
		d.e.Phase = validator.PhaseRequest
	}
}

// facts gives what is known of a request.
func (q *question) facts() validator.RequestFacts {
	line := q.line[:q.n]
	_, target, _ := bytes.Cut(line, []byte(" "))
	target, _, _ = bytes.Cut(target, []byte(" "))
	return validator.RequestFacts{
		Method: q.q.Method, Target: string(target), Upgrade: q.q.Upgrade, Expect: q.q.Expect,
		Size: int64(q.end - min(q.begin, q.end)),
	}
}

// evidenceOfTLS makes evidence of a flow that is encrypted.
func (t *Tracker) evidenceOfTLS(d *finding) {
	f := d.f
	a := t.aside(f)
	o := &a.tls[origin]
	e := t.blank(d.end)
	d.e = e
	e.TLS = &validator.TLSFacts{Alert: int(o.alert)}
	switch {
	case f.has(joined), a.tls[client].flags&(lost|notTLS) != 0, o.flags&lost != 0:
		e.Phase = validator.PhaseIdle
	case o.flags&notTLS != 0:
		e.Phase, e.End = validator.PhaseTLS, validator.NotTLS
		e.TLS.FirstBytes = bytes.Clone(o.head[:])
	case !a.encryptedYet():
		e.Phase = validator.PhaseTLS
		if o.alert != 0 && d.end != wire.Open && d.end != wire.Timeout {
			e.End = validator.Alert
		}
	case !a.askedYet():
		e.Phase = validator.PhaseRequest
	case a.reply() == noReply:
		e.Phase = validator.PhaseWait
	case o.got > 0 && (d.end == wire.RST || d.end == wire.FIN): // within a record
		r := wire.TLSTruncated
		if d.end == wire.RST {
			r = wire.CloseDelimitedReset
		}
		e.Phase = validator.PhaseBody
		e.Response = &validator.Response{Reason: r, Offset: -1}
	default:
		e.Phase = validator.PhaseIdle
	}
	e.Received = f.side[origin].proven()
}

// count fills in the bytes of the request that were sent and acknowledged.
func (t *Tracker) count(d *finding) {
	c := &d.f.side[client]
	e := d.e
	e.Sent = max(c.proven()-int64(c.from.count()), 0)
	if a := t.aside(d.f); d.f.protocol == encrypted {
		switch {
		case a.encryptedYet() && !a.askedYet():
			e.Sent = 0
		case a.tls[client].flags&farewell != 0:
			e.Sent = max(int64(d.f.beforeFarewell(a))-int64(c.from.count()), 0)
		}
	}
	acked := c.acknowledgedBytes()
	if r := d.r; r != nil && d.who.by == ByOrigin && r.side == origin && r.flags&ACK != 0 {
		if by := int64(c.total.count()) - int64(int32(c.next-r.ack)); by <= c.proven() {
			acked = max(acked, by)
		}
	}
	e.Acked = min(max(acked-int64(c.from.count()), 0), e.Sent)
}

// stage says where f ended, from the phase of its verdict.
func (t *Tracker) stage(d *finding, phase validator.Phase) string {
	switch f, e := d.f, d.e; {
	case !f.connected(), phase <= validator.PhaseTLS:
		return InHandshake
	case phase == validator.PhaseHead:
		return InHead
	case phase == validator.PhaseBody:
		return InContent
	case phase == validator.PhaseIdle:
		const soon = 1e9
		if d.idle || d.at-f.spoke[origin] >= soon {
			return Idle
		}
		return AfterResponse
	case e.Acked == 0:
		return BeforeRequest
	case phase == validator.PhaseRequest || e.Acked < e.Sent:
		return InRequest
	}
	return AfterRequest
}

// silence gives evidence of a flow without a reset that counts.
func (t *Tracker) silence(d *finding) []string {
	f, c, o := d.f, &d.f.side[client], &d.f.side[origin]
	var seen []string
	add := func(format string, a ...any) { seen = append(seen, fmt.Sprintf(format, a...)) }
	if !f.connected() && !o.is(synchronized) {
		more := ""
		if c.syns() == 15 {
			more = " or more"
		}
		add("SYNs sent: %d%s, none answered", c.syns(), more)
	}
	if d.e.End == wire.Timeout && f.connected() {
		add("%d of %d bytes of the request were acknowledged", d.e.Acked, d.e.Sent)
	}
	for n := t.aside(f).resets; n != 0; {
		r := t.resets.at(n)
		n = r.next
		by := [...]string{"the client", "the origin"}[r.side]
		switch {
		case r.after&movedOn != 0:
			add("a reset in the name of %s was not obeyed: what lies behind it was acknowledged", by)
		case r.after&answered != 0 && r.side == client:
			add("a reset in the name of the client came before its SYN came again")
		case r.after&answered != 0:
			add("a reset answered the SYN, and so did the origin's SYN-ACK")
		case r.closed:
			add("a reset in the name of %s came when both sides had closed", by)
		case f.has(joined):
			add("a reset in the name of %s came in a flow that was joined in the middle", by)
		case r.aim(f) == outside:
			add("a reset in the name of %s lay outside the window", by)
		case r.aim(f) == inWindow:
			add("a reset in the name of %s was not at the number that was due", by)
		}
	}
	if f.has(unfollowed) {
		add("HTTP could not be followed to the end")
	}
	if t.lost > 0 {
		seen = append(seen, lostOf(t.lost))
	}
	return seen
}
