package validator

import (
	"crypto/rand"
	"encoding/hex"
	"fmt"

	"why520/wire"
)

// ReadOptions say how Read reads.
type ReadOptions struct {
	Policy Policy
	End    wire.End // how the bytes ended; Open counts as FIN
	Split  int      // feed so many bytes at a time; 0: all at once
	Digest bool     // compute the content's SHA-256
	Decode bool     // check that gzip and deflate content decodes
}

// Read gives the evidence of a response whose bytes were saved: raw is all that
// the origin sent in answer to q. Nothing is known of its TCP.
func Read(raw []byte, q RequestFacts, o ReadOptions) *Evidence {
	e := newEvidence(o.Policy)
	e.Request, e.Phase = q, PhaseWait
	seen := newObserver(e, o.Digest, o.Decode)
	step := o.Split
	if step <= 0 {
		step = max(len(raw), 1)
	}
	for from := 0; from < len(raw); from += step {
		seen.feed(raw[from:min(from+step, len(raw))])
	}
	if o.End == wire.Open {
		o.End = wire.FIN
	}
	seen.end(o.End)
	return e
}

// newEvidence gives evidence with an ID and nothing seen.
func newEvidence(p Policy) *Evidence {
	var id [8]byte
	_, _ = rand.Read(id[:]) // never fails: crypto/rand
	return &Evidence{Version: EvidenceVersion, ID: hex.EncodeToString(id[:]), Attempts: 1, Acked: -1, Policy: p}
}

// ReplayError is evidence that does not hold what another policy would need.
type ReplayError struct {
	ID   string
	Kept int // bytes of the response that the evidence holds
}

func (e *ReplayError) Error() string {
	return fmt.Sprintf("evidence %s holds the first %d bytes of the response, too few to judge it under these budgets: ask the origin again with them", e.ID, e.Kept)
}

// Replay reads the stored bytes again under the budgets of p, as if the origin
// had been asked under p. The error, a *ReplayError, says that the evidence does
// not hold enough of the response for that.
func (e *Evidence) Replay(p Policy) (*Evidence, error) {
	again := *e
	again.Policy = p
	if e.Response == nil || budgets(p) == budgets(e.Policy) {
		return &again, nil
	}
	old := *e.Response
	again.Response = nil
	seen := newObserver(&again, false, false)
	seen.feed(old.Raw)
	fresh := again.Response
	if fresh == nil {
		return nil, &ReplayError{e.ID, len(old.Raw)}
	}
	inHead := old.Body == nil
	complete := int64(len(old.Raw)) >= e.Received // nothing is missing
	over, at := seen.stream.Fault()
	switch {
	case seen.refused && !seen.head:
		seen.finish()
	case complete:
		seen.end(e.End)
	case seen.head && !inHead && fresh.Body.Framing == old.Body.Framing && !rechunked(e.Policy, p, &old):
		// The head passes; what was seen of the content stands.
		found := seen.stream.Found
		seen.finish()
		fresh.Body, fresh.Reason, fresh.Offset, fresh.Around = old.Body, old.Reason, old.Offset, old.Around
		fresh.Part = old.Part
		if tooMuch(fresh.Body, p.Limits.WithDefaults().Body) {
			fresh.Reason, fresh.Offset = wire.BodyTooLarge, -1
		}
		fresh.Found = append(fresh.Found[:len(found)], notesOf(old.Found)...)
	case !seen.refused && over != wire.OK && old.Head != nil:
		// A budget is passed in what was kept; the head was measured then.
		seen.finish()
		fresh.Reason, fresh.Offset, fresh.Head = over, at, old.Head
		if old.Head.Size >= p.Limits.WithDefaults().Measure {
			fresh.Reason = wire.HeadEndless
		}
	default:
		return nil, &ReplayError{e.ID, len(old.Raw)}
	}
	again.Received, again.Phase, again.End = e.Received, e.Phase, e.End
	return &again, nil
}

// budgets gives the limits of p without what they tolerate, which a survey does
// not ask for.
func budgets(p Policy) wire.Limits {
	l := p.Limits.WithDefaults()
	l.Tolerate = wire.Set{}
	return l
}

// tooMuch reports whether b is content beyond budget.
func tooMuch(b *BodyFacts, budget int64) bool {
	return b.Bytes > budget || b.Framing == wire.ByLength.String() && b.Length > budget
}

// rechunked reports whether content, which is not kept, may be chunked otherwise
// under p than it was under old.
func rechunked(old, p Policy, r *Response) bool {
	was, is := old.Limits.WithDefaults(), p.Limits.WithDefaults()
	switch {
	case r.Body.Framing != wire.ByChunks.String():
		return false
	case is.ChunkLine < was.ChunkLine || is.ChunkLine > was.ChunkLine && r.Reason == wire.ChunkLineTooLong:
		return true
	case is.Trailer < was.Trailer:
		return r.Body.Trailers > 0 || !r.Body.Complete
	}
	return is.Trailer > was.Trailer && r.Reason == wire.TrailerTooLarge
}

func notesOf(found []Finding) []Finding {
	var notes []Finding
	for _, f := range found {
		if f.Reason.Info().Note {
			notes = append(notes, f)
		}
	}
	return notes
}
