package captest

import (
	"slices"
	"strings"
	"time"

	"why520/validator"
	"why520/wire"

	"why520/capture"
)

// strays are flows in whose midst comes what no TCP would take.
var strays = []Class{
	{"reset-below-what-was-acknowledged", whole, func(t *talk) {
		t.handshake()
		t.get()
		text := page(9000)
		t.send(t.origin, text[:1000])
		s := t.segment(t.origin, capture.RST|capture.ACK, "")
		t.send(t.origin, text[1000:2000])
		t.ack(t.client)
		t.put(s)
		t.stream(t.origin, text[2000:], mss)
		t.close(t.client)
	}},
	{"reset-below-what-was-acknowledged-and-no-more", strayed(capture.InContent), func(t *talk) {
		t.handshake()
		early := t.segment(t.origin, capture.RST|capture.ACK, "")
		t.get()
		t.stream(t.origin, page(9000)[:1000], mss)
		t.put(early)
	}},
	{"reset-at-zero", strayed(capture.AfterRequest), func(t *talk) {
		t.origin.seq = 0xF0000000
		t.handshake()
		t.get()
		s := t.segment(t.origin, capture.RST|capture.ACK, "")
		s.seq = 0
		t.put(s)
	}},
	{"forged-in-the-client's-name-as-the-origin-closes", by(capture.Injected, capture.AfterRequest, validator.InjectedReset), func(t *talk) {
		t.client.seq, t.origin.seq = 2_000_000_000, 1_500_000_000
		t.handshake()
		t.get()
		t.fin(t.origin)
		t.put(t.forged(t.client))
	}},
	{"reset-without-timestamp-and-all-else-right", by(capture.ByOrigin, capture.AfterRequest, wire.ResetAfterRequest), func(t *talk) {
		t.handshake()
		t.get()
		for range 8 {
			t.ack(t.client)
			t.ack(t.origin)
		}
		t.ack(t.client)
		if t.origin.address.Addr().Is4() { // IPv6 has no identification to speak for it
			t.stamped = false
		}
		t.abort(t.origin)
	}},
	{"reset-challenged-where-a-segment-ended", strayed(capture.InContent), func(t *talk) {
		t.handshake()
		t.get()
		text := page(9000)
		t.send(t.origin, text[:1000])
		s := t.segment(t.client, capture.ACK, "")
		t.send(t.origin, text[1000:2000])
		reset := t.forged(t.origin)
		reset.ttl = t.origin.ttl
		t.send(t.origin, text[2000:3000])
		t.put(s)
		t.put(reset)
		t.put(s) // a challenge ACK: it repeats what was acknowledged
	}},
}

// unseen are flows of which the capture does not hold what proves them sound.
var unseen = []Class{
	{"response-acknowledged-but-not-captured", unheard(capture.ByOrigin), func(t *talk) {
		t.handshake()
		t.get()
		t.origin.seq += 800
		t.ack(t.client)
		t.wait(20 * time.Second)
		t.abort(t.origin)
	}},
	{"response-acknowledged-but-not-captured-then-closed", unheard(""), func(t *talk) {
		t.handshake()
		t.get()
		t.origin.seq += 800
		t.ack(t.client)
		t.wait(20 * time.Second)
		t.fin(t.client)
		t.ack(t.origin)
	}},
	{"many-pipelined-and-none-answered", by(capture.ByOrigin, capture.AfterRequest, wire.ResetAfterRequest), func(t *talk) {
		t.handshake()
		t.stream(t.client, strings.Repeat(request("GET"), 12), mss)
		t.abort(t.origin)
	}},
	{"many-pipelined", whole, func(t *talk) {
		t.handshake()
		t.stream(t.client, strings.Repeat(request("GET"), 12), mss)
		t.stream(t.origin, strings.Repeat(page(30), 12), mss)
		t.close(t.client)
	}},
	{"joined-in-content", Truth{Stage: capture.AfterResponse, Handshake: capture.HandshakeUnseen, Notes: []wire.Reason{validator.FlowJoinedInTheMiddle}}, func(t *talk) {
		t.stream(t.origin, strings.Repeat("lorem ipsum dolor ", 50), mss)
		t.get()
		t.stream(t.origin, page(300), mss)
		t.close(t.client)
	}},
	{"joined-behind-the-head-of-an-answer", Truth{Stage: capture.AfterResponse, Handshake: capture.HandshakeUnseen, Notes: []wire.Reason{validator.FlowJoinedInTheMiddle, validator.CaptureIncomplete}}, func(t *talk) {
		t.get()
		t.origin.seq += 30000
		t.stream(t.origin, strings.Repeat("\xFE", 5000), mss)
		t.close(t.client)
	}},
	{"origin's-side-alone", sideAlone(wire.OK, "", capture.AfterResponse), func(t *talk) {
		t.handshake()
		t.get()
		t.stream(t.origin, page(6000), mss)
		t.close(t.origin)
		t.keep(t.origin)
	}},
	{"origin's-side-alone-and-no-answer", sideAlone(wire.ClosedWithoutAByte, "", capture.AfterRequest), func(t *talk) {
		t.handshake()
		t.get()
		t.close(t.origin)
		t.keep(t.origin)
	}},
	{"origin's-side-alone-and-a-reset", sideAlone(wire.ResetAfterRequest, capture.ByOrigin, capture.AfterRequest), func(t *talk) {
		t.handshake()
		t.get()
		t.abort(t.origin)
		t.keep(t.origin)
	}},
	{"client's-side-alone", sideAlone(wire.OK, "", capture.AfterResponse), func(t *talk) {
		t.handshake()
		t.get()
		t.stream(t.origin, page(6000), mss)
		t.close(t.origin)
		t.keep(t.client)
	}},
	{"closed-in-the-handshake", Truth{Stage: capture.InHandshake, Handshake: capture.HandshakePartial}, func(t *talk) {
		t.syn(t.client, 0)
		t.syn(t.origin, capture.ACK)
		t.fin(t.origin)
	}},
}

// sideAlone is the truth of a flow of which one side was captured.
func sideAlone(reason wire.Reason, by, stage string) Truth {
	return Truth{reason, by, stage, capture.HandshakePartial, []wire.Reason{validator.CaptureIncomplete}}
}

// keep leaves the frames alone that e sent: of the other side, none was captured.
func (t *talk) keep(e *endpoint) {
	t.frames = slices.DeleteFunc(t.frames, func(f Frame) bool {
		var s capture.Segment
		p := f.Packet(capture.Ethernet)
		return s.Decode(&p) != capture.IsTCP || s.SourceAddress() != e.address
	})
}

// unheard is the truth of a flow whose response the client acknowledged.
func unheard(by string) Truth {
	return Truth{ResetBy: by, Stage: capture.AfterResponse, Handshake: capture.HandshakeComplete, Notes: []wire.Reason{validator.CaptureIncomplete}}
}

// strayed is the truth of a flow that a stray segment does not end.
func strayed(stage string) Truth {
	return Truth{Stage: stage, Handshake: capture.HandshakeComplete, Notes: []wire.Reason{validator.FlowStillOpen}}
}
