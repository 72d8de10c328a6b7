package validator

import (
	"bytes"
	"time"

	"why520/wire"
)

// asking is the requests that were written to a Conn.
type asking struct {
	made     time.Time // the connection
	requests wire.Requests
	open     []question // from first on: those that wait for their response, the oldest first
	first    int
	done     int    // the number of the last that was answered
	declined int    // the number of the last whose answer is no switch of protocols
	heads    []byte // of open questions
	tunnel   bool   // the connection is another protocol's
	blind    bool   // bytes behind a request to switch protocols were sent before its answer
	refused  error  // what is no request was to be written
	over     error  // why no further one is sent: reading fails
	err      error  // why requests cannot be sent any more
	errAt    int    // of the first question that it befell, counted from the first on the connection
	count    int    // of questions so far
	was      asked  // before the last Write
}

// asked is what asking was before a Write.
type asked struct {
	requests wire.Requests
	newest   question
	count    int
	blind    bool
}

// A question is a request that began to be written and is not answered.
type question struct {
	wire.Request
	number int
	head   int       // where its head is in heads
	size   int64     // bytes so far
	kept   int       // bytes of the head in heads
	upload int64     // bytes of content so far, framing included
	known  bool      // the head is whole
	whole  bool      // all of it is
	before int64     // bytes given to the system before it
	asked  time.Time // it began
	sent   time.Time // it was sent; zero: not yet, or never
}

const (
	maxQuestions = 1024     // that wait at a time
	keepHead     = 8 << 10  // bytes of a request's head
	keepHeads    = 64 << 10 // of all of them
)

// front gives the question that is to be answered next, or nil.
func (a *asking) front() *question {
	if a.first == len(a.open) {
		return nil
	}
	return &a.open[a.first]
}

// forget makes room in heads, whose first n bytes are of requests that were
// answered.
func (a *asking) forget(n int) {
	a.heads = a.heads[:copy(a.heads, a.heads[n:])]
	for i := a.first; i < len(a.open); i++ {
		a.open[i].head -= n
	}
}

// newest gives the last question, if it is not answered yet.
func (a *asking) newest() *question {
	if a.first == len(a.open) {
		return nil
	}
	if q := &a.open[len(a.open)-1]; q.number == a.count {
		return q
	}
	return nil
}

// answered removes the front; the next, if there is one, is waited for from now
// on.
func (a *asking) answered() {
	q := a.front()
	if q == nil {
		return
	}
	a.done = max(a.done, q.number)
	if a.first++; a.first == len(a.open) {
		a.open, a.heads, a.first = a.open[:0], a.heads[:0], 0
	} else if q = a.front(); !q.sent.IsZero() {
		q.sent = time.Now()
	}
}

// begin adds a question.
func (a *asking) begin(before int64) error {
	switch {
	case a.over != nil:
		return a.over
	case len(a.open)-a.first == maxQuestions:
		return errPipeline
	case a.first > 0 && len(a.open) == cap(a.open):
		a.open = a.open[:copy(a.open, a.open[a.first:])]
		a.first = 0
	}
	if q := a.front(); q != nil && q.head >= keepHeads/2 {
		a.forget(q.head)
	}
	a.count++
	a.open = append(a.open, question{number: a.count, before: before, head: len(a.heads), asked: nowFrom(a.made)})
	return nil
}

// mayTunnel reports whether q, if its answer is so, makes the connection
// another protocol's.
func (q *question) mayTunnel() bool { return q.Upgrade || q.Method == "CONNECT" }

// take frames p, which is to be written behind before bytes; where it may not be,
// nothing of it was asked.
func (a *asking) take(p []byte, before int64) error {
	a.requests.CopyTo(&a.was.requests)
	a.was.count, a.was.blind = a.count, a.blind
	if q := a.newest(); q != nil {
		a.was.newest = *q
	}
	err := a.follow(p, before)
	if err != nil {
		a.back()
	}
	return err
}

// took is for a Write of p that was sent no further than its first n bytes,
// though all was framed: the rest is yet to be asked.
func (a *asking) took(p []byte, n int, before int64) error {
	a.back()
	err := a.follow(p[:n], before)
	for q := a.front(); q != nil && q.number <= a.done; q = a.front() {
		a.answered() // meanwhile
	}
	return err
}

// back goes back to what was before the last Write, save for what was answered
// since.
func (a *asking) back() {
	was := &a.was
	was.requests.CopyTo(&a.requests)
	a.count, a.blind = was.count, was.blind
	last := len(a.open)
	for last > a.first && a.open[last-1].number > a.count {
		last--
	}
	if a.open, a.heads = a.open[:last], a.heads[:0]; last == a.first {
		a.open, a.first = a.open[:0], 0
		return
	}
	q := &a.open[last-1]
	if q.number == a.count {
		was.newest.head = q.head
		*q = was.newest
	}
	a.heads = a.heads[:q.head+q.kept]
}

// follow frames p, which is written behind before bytes.
func (a *asking) follow(p []byte, before int64) error {
	for {
		q := a.newest()
		if a.requests.Between() { // RFC 9112 section 2.2
			rest := bytes.TrimLeft(p, "\r\n")
			if _, _, err := a.requests.Next(p[:len(p)-len(rest)]); err != nil {
				return &unfollowed{err}
			}
			p = rest
		}
		switch {
		case a.requests.Between() && q != nil && q.whole && q.mayTunnel() && q.number != a.declined:
			a.blind = a.blind || len(p) > 0
			return nil
		case a.requests.Between() && len(p) == 0:
			return nil
		case a.requests.Between() && (q == nil || q.whole):
			if err := a.begin(before); err != nil {
				return err
			}
			q = a.newest()
		}
		ev, n, err := a.requests.Next(p)
		if err != nil {
			return &unfollowed{err}
		}
		if q != nil {
			a.note(q, ev, p[:n])
		}
		if p = p[n:]; ev == wire.NoEvent && len(p) == 0 {
			return nil
		}
	}
}

// An unfollowed error says why what was to be written is no request that can be
// followed; err is a Reason, whose own words are of responses.
type unfollowed struct{ err error }

func (e *unfollowed) Error() string {
	text := e.err.Error()
	switch e.err {
	case wire.ProtocolName:
		text = "protocol-name: the request line is not a method, a target and HTTP/1.x"
	case wire.TransferCodingInHTTP10:
		text = "transfer-coding-in-http10: an HTTP/1.0 request uses Transfer-Encoding"
	case wire.HeadTooLarge:
		text = "head-too-large: the head, or a line of it, is larger than can be followed"
	}
	return "validator: what is written is no request that can be followed: " + text
}

func (e *unfollowed) Unwrap() error { return e.err }

// note notes of q what came of it.
func (a *asking) note(q *question, ev wire.Event, p []byte) {
	q.size += int64(len(p))
	if !q.known {
		q.Method = a.requests.Request.Method
		room := max(min(len(p), keepHead-q.kept, keepHeads-len(a.heads)), 0)
		if q.head+q.kept == len(a.heads) {
			a.heads = append(a.heads, p[:room]...)
			q.kept += room
		}
	}
	switch ev {
	case wire.FinalHead:
		q.Request, q.known = a.requests.Request, true
	case wire.Content:
		q.upload += int64(len(p))
	case wire.Done:
		q.whole = true
	}
}

// sentAll notes that all that was framed was given to the system.
func (a *asking) sentAll(now time.Time) {
	for i := len(a.open) - 1; i >= a.first && a.open[i].sent.IsZero(); i-- {
		if q := &a.open[i]; q.whole {
			q.sent = now
		}
	}
}
