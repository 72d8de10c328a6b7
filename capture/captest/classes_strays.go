package captest

import (
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
		t.origin.seq = 900000
		t.handshake()
		t.get()
		s := t.segment(t.origin, capture.RST|capture.ACK, "")
		s.seq = 0
		t.put(s)
	}},
}

// strayed is the truth of a flow that a stray segment does not end.
func strayed(stage string) Truth {
	return Truth{Stage: stage, Handshake: capture.HandshakeComplete, Notes: []wire.Reason{validator.FlowStillOpen}}
}
