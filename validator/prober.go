package validator

import (
	"context"
	"fmt"
	"iter"
	"net"
	"time"

	"why520/wire"
)

// Probe asks t once and gives the evidence of it: of the last request, where t
// asks several, and of the first address. The error is a fault of the asking
// side, a *TargetError or a *LocalError: whatever the origin did is evidence.
func (p *Prober) Probe(ctx context.Context, t Target) (*Evidence, error) {
	var last *Evidence
	for e, err := range p.ProbeAll(ctx, t) {
		if err != nil {
			return nil, err
		}
		last = e
	}
	return last, nil
}

// ProbeAll asks t and gives the evidence of each request to each address, in
// this order. An error, as of Probe, is the last that is given.
func (p *Prober) ProbeAll(ctx context.Context, t Target) iter.Seq2[*Evidence, error] {
	return func(yield func(*Evidence, error) bool) {
		a, err := p.newAsk(t)
		if err != nil {
			yield(nil, err)
			return
		}
		ctx, stop := context.WithCancel(ctx)
		defer stop()
		began := time.Now()
		names, addresses, err := p.resolve(ctx, a)
		looked := time.Since(began)
		if err != nil {
			yield(nil, err)
			return
		}
		if len(addresses) == 0 {
			e := a.evidence(p)
			e.Name, e.Phase, e.End = &names.NameFacts, PhaseDNS, names.end
			e.Timing.DNS, e.Timing.Total = looked, looked
			yield(e, nil)
			return
		}
		for _, address := range addresses {
			for e, err := range p.askAddress(ctx, a, address) {
				if e != nil && names != nil {
					e.Name = &names.NameFacts
					e.Timing.DNS = looked
				}
				if !yield(e, err) || err != nil {
					return
				}
			}
		}
	}
}

// askAddress makes the requests of a to one address, on one connection as long
// as the origin leaves it open.
func (p *Prober) askAddress(ctx context.Context, a *ask, address string) iter.Seq2[*Evidence, error] {
	return func(yield func(*Evidence, error) bool) {
		var l *link
		defer func() { l.close() }()
		for i := range max(a.target.Requests, 1) {
			x := p.newExchange(a, address)
			if i > 0 && !x.idle(ctx, l, a.target.Idle) {
				l.close()
				l = nil
			}
			x.started()
			if l == nil {
				l = x.connect(ctx, address)
			}
			if l != nil && !x.run(ctx, l) {
				l.close()
				l = nil
			}
			if !yield(x.result(ctx)) || x.local != nil {
				return
			}
		}
	}
}

// result gives what the exchange came to.
func (x *exchange) result(ctx context.Context) (*Evidence, error) {
	if x.local != nil {
		return nil, x.local
	}
	if err := cancelled(ctx, "asking "+x.e.Address); err != nil {
		x.local = err
		return nil, err
	}
	x.e.Timing.Total = time.Since(x.began)
	return x.e, nil
}

// trace tells of a step.
func (x *exchange) trace(kind StepKind, offset int64, b []byte, format string, args ...any) {
	if x.p.Trace == nil {
		return
	}
	x.p.Trace(Step{At: time.Since(x.began), Kind: kind, Offset: offset, Bytes: b, Text: fmt.Sprintf(format, args...)})
}

// idle waits for d before the next request, and watches l, the connection of
// the request before, if it is still open. It reports whether the next request
// belongs on it.
func (x *exchange) idle(ctx context.Context, l *link, d time.Duration) bool {
	if l == nil {
		select {
		case <-time.After(d):
		case <-ctx.Done():
		}
		return false
	}
	x.e.Reused = true
	x.watch(l, max(d, time.Millisecond))
	if len(l.early) == 0 {
		return true
	}
	x.e.Seen = append(x.e.Seen, Finding{Reason: wire.BytesOnIdleConnection, Offset: -1})
	x.e.Reused, x.e.Attempts = false, 2
	return false
}

// withDefaults gives d with every zero replaced.
func (d Deadlines) withDefaults() Deadlines {
	for _, f := range []struct {
		field     *time.Duration
		byDefault time.Duration
	}{
		{&d.Connect, 5 * time.Second}, {&d.TLS, 5 * time.Second}, {&d.Write, 10 * time.Second},
		{&d.FirstByte, 15 * time.Second}, {&d.Head, 20 * time.Second}, {&d.Idle, 10 * time.Second},
		{&d.Total, 60 * time.Second},
	} {
		if *f.field == 0 {
			*f.field = f.byDefault
		}
	}
	return d
}

// A link is a connection to an origin, TLS on it perhaps.
type link struct {
	net.Conn // what the exchange reads and writes
	tap      *tap
	tls      *TLSFacts // nil: plain
	early    []byte    // came before the request
	earlyEnd error     // so did the end
	release  func() bool
}

// ended says how l ended, by the error of a read on it. Within TLS an end in
// order comes without the origin's FIN, which close_notify stands before:
// crypto/tls takes a FIN alone for one.
func (l *link) ended(err error) wire.End {
	end := ended(err)
	if end == wire.FIN && l.tls != nil && l.tap.fin {
		return wire.Truncated
	}
	return end
}

// close ends the connection; a nil link is closed.
func (l *link) close() {
	if l != nil {
		l.release()
		l.tap.closing.Store(true)
		l.Conn.Close()
		l.tap.Close()
	}
}
