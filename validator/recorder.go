package validator

import (
	"slices"
	"sync"
)

// A Recorder keeps the evidence of the last exchanges that failed, so that the ID
// on an error page leads to the bytes. The zero Recorder is ready; it may be
// used by many goroutines at once.
type Recorder struct {
	Most      int // pieces of evidence; 0: 256
	MostBytes int // of them, about; 0: 8 MiB

	mu    sync.Mutex
	kept  []*Evidence // oldest first
	bytes int
}

const (
	defaultMost      = 256
	defaultMostBytes = 8 << 20
)

// Record keeps e, which must not change any more, and forgets the oldest where
// it is one too many. Evidence that alone is too large is not kept.
func (r *Recorder) Record(e *Evidence) {
	most, room := either(r.Most, defaultMost), either(r.MostBytes, defaultMostBytes)
	size := weight(e)
	if size > room {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	gone := 0
	for len(r.kept)-gone >= most || r.bytes+size > room {
		r.bytes -= weight(r.kept[gone])
		gone++
	}
	r.kept = append(slices.Delete(r.kept, 0, gone), e)
	r.bytes += size
}

// Lookup gives the evidence of that ID, or nil.
func (r *Recorder) Lookup(id string) *Evidence {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, e := range slices.Backward(r.kept) {
		if e.ID == id {
			return e
		}
	}
	return nil
}

// All gives what is kept, the oldest first.
func (r *Recorder) All() []*Evidence {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.kept)
}

// weight is about how many bytes e takes.
func weight(e *Evidence) int {
	const fixed, finding = 2 << 10, 64
	n := fixed + len(e.Target) + len(e.Error) + finding*len(e.Seen)
	for _, f := range e.Request.Fields {
		n += len(f) + 16
	}
	if r := e.Response; r != nil {
		n += cap(r.Raw) + finding*len(r.Found)
		if r.Around != nil {
			n += cap(r.Around.Bytes)
		}
	}
	return n
}
