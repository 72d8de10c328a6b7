package validator

import (
	"time"

	"why520/wire"
)

// A waiting is how an exchange stands that a proxy waits for.
type waiting struct {
	began    time.Time // the request
	sent     time.Time // it was sent whole; zero: not yet
	sendErr  error     // why it never will be
	last     time.Time // the last byte of the response came
	received bool      // one did
	headed   bool      // the final head is complete
	between  bool      // nothing came behind an interim response yet
}

// nowFrom reads the clock: it gives what time.Now does, as from has it, for less,
// as the time of day is not asked for again.
func nowFrom(from time.Time) time.Time { return from.Add(time.Since(from)) }

// due says when the origin will have been waited for long enough, zero if never,
// and whether that is for a phase as a whole, be it silent or not.
func (w *waiting) due(d *Deadlines) (at time.Time, overall bool) {
	earlier := func(from time.Time, limit time.Duration, whole bool) {
		if limit <= 0 || from.IsZero() {
			return
		}
		if t := from.Add(limit); at.IsZero() || t.Before(at) {
			at, overall = t, whole
		}
	}
	earlier(w.began, d.Total, true)
	switch {
	case !w.headed && w.sendErr != nil && ended(w.sendErr) == wire.Timeout:
		return time.Unix(1, 0), false
	case !w.received:
		earlier(w.sent, d.FirstByte, false)
		earlier(w.sent, d.Head, true)
	case !w.headed:
		if w.between {
			earlier(w.last, d.FirstByte, false)
		} else {
			earlier(w.last, d.Idle, false)
		}
		earlier(w.sent, d.Head, true)
	default:
		earlier(w.last, d.Idle, false)
	}
	return at, overall
}

// lateBy reports whether the deadline at is over, and which end that is where
// last was the last byte, if any was received.
func lateBy(at time.Time, overall, received bool, last time.Time, idle time.Duration) (end wire.End, over bool) {
	now := time.Now()
	switch {
	case at.IsZero() || now.Before(at):
		return wire.Open, false
	case overall && received && (idle <= 0 || now.Sub(last) < idle):
		return wire.Deadline, true
	}
	return wire.Timeout, true
}
