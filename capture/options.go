package capture

import (
	"net/netip"
	"time"

	"why520/validator"
)

// Options say how a Tracker works. The zero Options are useful.
type Options struct {
	// Origins are the origins asked about; flows without one of them are
	// passed over, and the other side of a flow is the client. Where there are
	// none, the side that received the SYN is the origin.
	Origins []Origin

	Policy    validator.Policy    // that responses are read under
	Deadlines validator.Deadlines // silence of the origin that counts as its timeout: Connect, TLS, Write, FirstByte, Idle; zero: the defaults of a Prober

	All    bool          // give flows in which nothing is refused too
	Linger time.Duration // how long a flow that ended is kept for what follows; 0: 3 s
	Silent time.Duration // flows without a packet for so long are given up; 0: 10 minutes

	Flows  int // held at once, of 230 to 340 bytes; 0: 262,144
	Buffer int // bytes of payload and of conversations held at once; 0: 16 MiB
	Trace  int // packets of each flow that are kept for Flow.Trace, the first and the last ones, as long as half of Buffer holds them; 0: none
}

// An Origin is the address of an origin.
type Origin struct {
	Address netip.Addr
	Port    uint16 // 0: any
}

func (o *Options) setDefaults() {
	if o.Linger == 0 {
		o.Linger = 3 * time.Second
	}
	if o.Silent == 0 {
		o.Silent = 10 * time.Minute
	}
	if o.Flows <= 0 {
		o.Flows = 1 << 18
	}
	if o.Buffer <= 0 {
		o.Buffer = 16 << 20
	}
	d := &o.Deadlines
	for _, t := range []struct {
		value     *time.Duration
		byDefault time.Duration
	}{{&d.Connect, 5 * time.Second}, {&d.TLS, 5 * time.Second}, {&d.Write, 10 * time.Second}, {&d.FirstByte, 15 * time.Second}, {&d.Idle, 10 * time.Second}} {
		if *t.value == 0 {
			*t.value = t.byDefault
		}
	}
}

// Stats count what a Tracker met.
type Stats struct {
	Packets  int64 // all
	Segments int64 // of TCP
	Others   int64 // no IP or no TCP
	Broken   int64 // cut before their headers end, or malformed
	Parts    int64 // fragments behind the first, without a TCP header
	Strays   int64 // segments of no flow: what follows one that is gone
	Flows    int64 // that began
	Sound    int64 // that ended with nothing refused, given or not
	Unsure   int64 // of these, whose verdict is open: something in them may have to be refused
	Faulty   int64 // that ended with something refused
	Evicted  int64 // given before they were over: there were more than Options.Flows
	Missed   int64 // flows not followed into HTTP: there was more than Options.Buffer to hold
}
