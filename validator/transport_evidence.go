package validator

import (
	"bytes"
	"slices"
	"strings"
	"time"

	"why520/wire"
)

// facts fills in what is known without the bytes of the response.
func (x *trip) facts(e *Evidence) {
	e.Address, e.Attempts, e.Phase, e.End = x.address, max(x.attempts, 1), x.phase, x.end
	e.Name, e.TLS, e.Received = x.name, x.tls, x.received
	e.Request = RequestFacts{Method: x.ask.wire.Method, Host: x.req.Host, Size: int64(x.ask.size) + max(x.ask.length, 0),
		Upload: max(x.ask.length, 0), Upgrade: x.ask.wire.Upgrade, Expect: x.ask.wire.Expect}
	if x.surprised {
		e.Seen = append(e.Seen, Finding{Reason: wire.BytesOnIdleConnection, Offset: -1})
	}
	now, t := time.Now(), &e.Timing
	t.Connect, t.TLS, t.Total = x.dialled, x.encrypted, now.Sub(x.began)
	if x.c == nil {
		return
	}
	e.Reused = x.c.uses > 1
	e.Sent = x.c.tap.sent.Load() - x.before
	sent, _ := x.state()
	if sent.IsZero() || x.received > 0 && x.firstByte.Before(sent) {
		sent = either(x.firstByte, now)
	}
	t.Request = sent.Sub(x.asked)
	switch {
	case x.received == 0:
		t.Wait = now.Sub(sent)
	case x.head == 0:
		t.Wait, t.Head = max(x.firstByte.Sub(sent), 1), now.Sub(x.firstByte)
	default:
		t.Wait, t.Head, t.Body = max(x.firstByte.Sub(sent), 1), max(x.headAt.Sub(x.firstByte), 1), now.Sub(x.headAt)
	}
}

// evidence gives what a Prober would have of the exchange.
func (x *trip) evidence() *Evidence {
	e := newEvidence(x.t.set.policy)
	x.facts(e)
	e.Target = x.req.URL.Redacted()
	x.requestFacts(&e.Request)
	if x.cause != nil {
		e.Error = x.cause.Error()
	}
	if x.end == Alert && e.TLS != nil {
		tls := *e.TLS // it is the connection's
		tls.Alert = alert(x.cause)
		e.TLS = &tls
	}
	if x.c == nil || x.phase < PhaseRequest {
		return e
	}
	e.Acked = x.c.tap.ackedSince(x.before)
	sent, sendErr := x.state()
	if x.whole && (sendErr != nil || sent.IsZero()) {
		e.Seen = append(e.Seen, Finding{Reason: AnsweredBeforeUploadDone, Offset: -1})
	}
	if x.received == 0 {
		if !sent.IsZero() {
			e.Phase = PhaseWait
		}
		return e
	}
	x.observe(e, len(x.trailer))
	return e
}

// requestFacts takes what was asked from the head that was written.
func (x *trip) requestFacts(q *RequestFacts) {
	first := true
	for line := range bytes.SplitSeq(x.ask.head[:x.ask.size], []byte("\r\n")) {
		name, value, _ := strings.Cut(string(line), ": ")
		switch {
		case first:
			words := strings.Fields(name)
			q.Target = words[len(words)-2]
			first = false
		case name == "Host":
			q.Host = value
		case name != "":
			q.Fields = append(q.Fields, name+": "+maskField(name, value))
		}
	}
	q.Fields = slices.Clip(q.Fields)
}
