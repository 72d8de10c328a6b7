package capture

import (
	"context"
	"iter"
	"net/netip"
	"slices"
	"syscall"

	"why520/validator"
	"why520/wire"
)

// ProbeAll asks target as p.ProbeAll does, and adds to the evidence what the
// capture shows of each connection, of which it waits a moment for late packets.
// p.Control must be nil.
func (t *Tap) ProbeAll(ctx context.Context, p *validator.Prober, target validator.Target) iter.Seq2[*validator.Evidence, error] {
	return func(yield func(*validator.Evidence, error) bool) {
		watched := *p
		watched.Source = netip.Addr{} // the Watch binds to it
		var w *Watch
		leave := func() {
			if w == nil {
				return
			}
			if t.file != nil {
				w.await() // the file is to hold the last packets, too
			}
			w.Close()
		}
		defer func() { leave() }()
		watched.Control = func(ctx context.Context, network, address string, c syscall.RawConn) error {
			leave()
			w = t.Watch()
			w.source, w.asking = p.Source, true
			return w.Control(ctx, network, address, c)
		}
		for e, err := range watched.ProbeAll(ctx, target) {
			if e != nil && w != nil {
				w.join(e)
			}
			if !yield(e, err) {
				return
			}
		}
	}
}

// Probe asks target as p.Probe does; for the rest see ProbeAll.
func (t *Tap) Probe(ctx context.Context, p *validator.Prober, target validator.Target) (*validator.Evidence, error) {
	var last *validator.Evidence
	for e, err := range t.ProbeAll(ctx, p, target) {
		if err != nil {
			return nil, err
		}
		last = e
	}
	return last, nil
}

// join adds to e what w has seen.
func (w *Watch) join(e *validator.Evidence) {
	if e.End == wire.Open && e.Response != nil && e.Response.Body != nil && e.Response.Body.Complete {
		w.went(e) // the connection may go on
		return
	}
	f := w.Flow()
	if f == nil {
		e.TCP = &validator.TCPFacts{Confidence: open, Evidence: []string{w.unseen()}}
		return
	}
	Join(e, f)
}

// went says of an exchange that it went well, as far as TCP goes.
func (w *Watch) went(e *validator.Evidence) {
	e.TCP = &validator.TCPFacts{Stage: AfterResponse, Confidence: certain}
	if n := w.tap.live.Drops() - w.before; n > 0 {
		e.TCP.Confidence = likely
		e.TCP.Evidence = []string{lostOf(n)}
	}
}

// Join puts into e, the client's own evidence of an exchange, what f, the flow of
// its connection, shows beyond it: who reset, at which stage, and how much the
// origin's TCP had acknowledged. A reset of the client's own is no fact about the
// origin.
func Join(e *validator.Evidence, f *Flow) {
	facts := *f.Evidence.TCP
	e.TCP = &facts
	if facts.ResetBy == ByClient {
		facts.ResetBy, facts.Evidence = "", nil
	}
	if e.Response != nil && e.Response.Body != nil && e.Response.Body.Complete {
		facts.Unacknowledged = 0 // it was not destroyed: it came
	}
	if e.End == wire.RST && facts.ResetBy == ByOrigin {
		e.Acked = max(e.Acked, min(f.Evidence.Acked, e.Sent)) // the reset itself may acknowledge
	}
	for _, s := range f.Evidence.Seen {
		switch s.Reason {
		case validator.CaptureIncomplete, validator.RequestNotDrained:
			if !slices.ContainsFunc(e.Seen, func(have validator.Finding) bool { return have.Reason == s.Reason }) {
				e.Seen = append(e.Seen, s)
			}
		}
	}
	facts.Or = wire.OK
	if facts.Confidence == open {
		facts.Or = or(e)
	}
}
