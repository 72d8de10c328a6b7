package validator

import (
	"bytes"
	"io"
	"net/http"
	"net/http/httptrace"
	"slices"
	"strconv"
	"sync"
	"time"

	"golang.org/x/net/http/httpguts"
)

// An upload sends the content of a request while the response is read. It may
// outlive its trip: where content does not come, nothing can end a Read of it.
type upload struct {
	c       *conn
	content io.ReadCloser
	length  int64 // -1: until it ends
	chunked bool
	trailer http.Header
	limit   time.Duration // of each write; 0: none
	trace   *httptrace.ClientTrace

	proceed chan bool     // nil: at once; true: 100 (Continue) came, false: the response did
	wait    time.Duration // for that

	mu         sync.Mutex
	sent       time.Time // when the request was; zero: not yet
	err        error     // why it never will be
	contentErr error     // that is the content's fault
	withheld   bool      // the response came before the content was asked for
	wakes      bool      // the reader, whose deadline is another once the request is sent

	once sync.Once
	done chan struct{} // it is over, and all fields stay
}

// upload begins to send the content.
func (x *trip) upload() *upload {
	s := x.t.settings()
	u := &upload{
		c: x.c, content: x.content, length: x.ask.length, chunked: x.ask.chunked, trailer: x.req.Trailer,
		limit: s.deadlines.Write, wakes: s.timed, trace: x.trace, done: make(chan struct{}),
	}
	if x.ask.awaits {
		u.proceed, u.wait = make(chan bool, 1), x.t.ExpectContinueTimeout
	}
	x.content = nil // it is u's to close
	go u.run()
	return u
}

func (u *upload) run() {
	defer close(u.done)
	var err error
	withheld := !u.mayProceed()
	if !withheld {
		err = u.send()
	}
	if closing := u.close(); err == nil && !withheld && closing != nil {
		err = u.fault(closing)
	}
	if err == nil && u.chunked && !withheld {
		err = u.write(u.end())
	}
	u.mu.Lock()
	if u.err, u.withheld = err, withheld; err == nil {
		u.sent = time.Now()
	}
	broken := u.contentErr != nil
	if u.wakes && !broken {
		u.c.tap.SetReadDeadline(time.Unix(1, 0))
	}
	if u.limit > 0 {
		u.c.SetWriteDeadline(noTime)
	}
	u.mu.Unlock()
	if u.trace != nil && u.trace.WroteRequest != nil {
		u.trace.WroteRequest(httptrace.WroteRequestInfo{Err: err})
	}
	if broken {
		u.c.kill() // the request cannot be completed
	}
}

// close closes the content, once; a Read of it may be under way.
func (u *upload) close() (err error) {
	u.once.Do(func() { err = u.content.Close() })
	return err
}

// mayProceed waits for leave to send the content.
func (u *upload) mayProceed() bool {
	if u.proceed == nil {
		return true
	}
	if u.trace != nil && u.trace.Wait100Continue != nil {
		u.trace.Wait100Continue()
	}
	timer := time.NewTimer(u.wait)
	defer timer.Stop()
	select {
	case ask := <-u.proceed:
		return ask
	case <-timer.C:
		return true
	}
}

// fault notes err as the content's.
func (u *upload) fault(err error) error {
	err = &ContentError{err}
	u.mu.Lock()
	u.contentErr = err
	u.mu.Unlock()
	return err
}

// uploadPiece is how much content is read and sent at a time.
const uploadPiece = 32 << 10

// frame is room for the size of a chunk and the line ends around it.
const frame = len("8000\r\n") + len("\r\n")

var pieces = sync.Pool{New: func() any { b := make([]byte, uploadPiece+frame); return &b }}

// send copies the content, which it neither ends nor closes.
func (u *upload) send() error {
	pooled := pieces.Get().(*[]byte)
	defer pieces.Put(pooled)
	const from = len("8000\r\n")
	buf, left := *pooled, u.length
	for left != 0 {
		room := buf[from : from+uploadPiece]
		if left > 0 && left < int64(len(room)) {
			room = room[:left]
		}
		n, err := u.content.Read(room)
		if n > 0 {
			if left > 0 {
				left -= int64(n)
			}
			if failed := u.write(u.framed(buf, from, n)); failed != nil {
				return failed
			}
		}
		switch {
		case err == io.EOF && left <= 0:
			return nil
		case err == io.EOF:
			return u.fault(errContentLength)
		case err != nil:
			return u.fault(err)
		}
	}
	if n, _ := u.content.Read(buf[:1]); n > 0 {
		return u.fault(errContentLength)
	}
	return nil
}

// framed gives the n bytes of content behind buf[:from] as they are sent.
func (u *upload) framed(buf []byte, from, n int) []byte {
	if !u.chunked {
		return buf[from : from+n]
	}
	var size [8]byte
	line := append(strconv.AppendInt(size[:0], int64(n), 16), "\r\n"...)
	begin := from - len(line)
	copy(buf[begin:], line)
	return append(buf[begin:from+n], "\r\n"...)
}

// end gives the last chunk and the trailer section.
func (u *upload) end() []byte {
	var b bytes.Buffer
	b.WriteString("0\r\n")
	var names []string
	for name := range u.trailer { // which may have been filled since it was looked at
		if httpguts.ValidHeaderFieldName(name) && !framing(name) {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	for _, name := range names {
		for _, v := range u.trailer[name] {
			if validValue(v) {
				b.Write(appendField(nil, name, v))
			}
		}
	}
	b.WriteString("\r\n")
	return b.Bytes()
}

func (u *upload) write(b []byte) error {
	if u.limit > 0 {
		u.c.SetWriteDeadline(time.Now().Add(u.limit))
	}
	_, err := u.c.Write(b)
	if err != nil { // at once: the reader may need it to tell a reset from an end in order
		u.mu.Lock()
		u.err = err
		u.mu.Unlock()
	}
	return err
}

// state gives when the request was sent and why it was not; neither while it is
// being sent.
func (u *upload) state() (sent time.Time, err error) {
	u.mu.Lock()
	defer u.mu.Unlock()
	return u.sent, u.err
}

// over reports whether u is over within d.
func (u *upload) over(d time.Duration) bool {
	select {
	case <-u.done:
		return true
	default:
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-u.done:
		return true
	case <-timer.C:
		return false
	}
}

// probeWait is how long content is waited for that may be none.
const probeWait = 200 * time.Millisecond

// A probed is content whose first byte is read already, or is being read.
type probed struct {
	io.ReadCloser
	first chan probe
	taken bool
}

type probe struct {
	b   [1]byte
	n   int
	err error
}

// probeContent reports whether there is content, as far as can be told within
// probeWait.
func (x *trip) probeContent() bool {
	p := &probed{ReadCloser: x.content, first: make(chan probe, 1)}
	go func() {
		var f probe
		f.n, f.err = p.ReadCloser.Read(f.b[:])
		p.first <- f
	}()
	timer := time.NewTimer(probeWait)
	defer timer.Stop()
	select {
	case f := <-p.first:
		if f.n == 0 && f.err == io.EOF {
			return false
		}
		p.first <- f
	case <-timer.C:
	}
	x.content = p
	return true
}

func (p *probed) Read(b []byte) (int, error) {
	if p.taken || len(b) == 0 {
		return p.ReadCloser.Read(b)
	}
	p.taken = true
	f := <-p.first
	return copy(b, f.b[:f.n]), f.err
}
