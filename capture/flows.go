package capture

import (
	"io"
	"iter"
)

// Flows gives the flows of a capture file, in the order in which they end. The
// error, which comes last and alone, is one of NewReader or of Reader.Next. A
// file that ends within a record gives no error: the flows that are open there have
// the note capture-incomplete.
func Flows(source io.Reader, o Options) iter.Seq2[*Flow, error] {
	return func(yield func(*Flow, error) bool) {
		r, err := NewReader(source)
		if err != nil {
			yield(nil, err)
			return
		}
		stopped := false
		t := NewTracker(o, func(f *Flow) { stopped = stopped || !yield(f, nil) })
		var p Packet
		for !stopped {
			if err = r.Next(&p); err != nil {
				break
			}
			t.Packet(&p)
			t.Lost(r.Drops)
		}
		if !stopped {
			if r.Truncated {
				t.Cut()
			}
			t.Close()
		}
		if !stopped && err != nil && err != io.EOF {
			yield(nil, err)
		}
	}
}
