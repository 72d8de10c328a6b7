package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"os"
	"slices"
	"time"

	"why520/capture"
	"why520/validator"
	"why520/wire"
)

// A recordedFlow is a flow of a capture file that may be served again.
type recordedFlow struct {
	client, origin     netip.AddrPort
	first, last        time.Time
	verdict            validator.Verdict
	handshake, resetBy string
	encrypted          bool
	early              bool // the origin answered while the request was being sent
	unread             bool // it ended or stalled within the request
}

// matches reports whether f is of the client that --flow names: an address, with
// its port or without.
func (f *recordedFlow) matches(client string) bool {
	return client == "" || client == f.client.String() || client == f.client.Addr().String()
}

func (f *recordedFlow) String() string {
	verdict := "ok"
	if !f.verdict.OK() {
		verdict = fmt.Sprintf("%d %s", f.verdict.EdgeStatus, f.verdict.Reason.String())
	}
	return fmt.Sprintf("%s %v -> %v, %s", f.first.Format("15:04:05.000000"), f.client, f.origin, verdict)
}

// eachPacket calls do with the packets of a file.
func eachPacket(name string, do func(*capture.Packet)) error {
	file, err := os.Open(name)
	if err != nil {
		return err
	}
	defer file.Close()
	r, err := capture.NewReader(file)
	if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	var p capture.Packet
	for {
		if err := r.Next(&p); err != nil {
			if errors.Is(err, io.EOF) {
				return nil
			}
			return fmt.Errorf("%s: %w", name, err)
		}
		do(&p)
	}
}

// recordedFlows gives the flows of a file that client names, in the order in
// which they began; without a name those that are refused or, where none is, all.
func recordedFlows(name, client string) ([]recordedFlow, error) {
	policy := validator.Strict()
	policy.Limits.Body = defaultMaxBody
	var refused, sound []recordedFlow
	t := capture.NewTracker(capture.Options{All: true, Policy: policy}, func(flow *capture.Flow) {
		f := recordedFlow{
			client: flow.Client, origin: flow.Origin, first: flow.First, last: flow.Last, verdict: flow.Verdict,
			handshake: flow.Handshake, resetBy: flow.ResetBy, encrypted: flow.Evidence.TLS != nil,
			unread: flow.Stage == capture.InRequest,
			early: slices.ContainsFunc(flow.Evidence.Seen, func(s validator.Finding) bool {
				return s.Reason == validator.AnsweredBeforeUploadDone
			}),
		}
		switch {
		case !f.matches(client):
		case f.verdict.OK():
			sound = append(sound, f)
		default:
			refused = append(refused, f)
		}
	})
	if err := eachPacket(name, t.Packet); err != nil {
		return nil, err
	}
	t.Close()
	all := refused
	if client != "" || len(refused) == 0 {
		all = append(all, sound...)
	}
	slices.SortStableFunc(all, func(a, b recordedFlow) int { return a.first.Compare(b.first) })
	return all, nil
}

// A recording is what an origin sent in a flow, and when.
type recording struct {
	steps  []recordedStep
	early  bool     // it did not wait for the end of the request
	unread bool     // nor read it
	end    wire.End // FIN, RST, or Open: it stayed silent
}

// A recordedStep is bytes of the origin, or its end.
type recordedStep struct {
	turn  int           // requests that came before; of another protocol, at most 1
	pause time.Duration // since the step before, or the request if that is later
	bytes []byte        // none: the end
}

const mostRecorded = 256 << 20 // bytes of a flow

// record reads the flow f of a file.
func record(name string, f *recordedFlow) (*recording, error) {
	switch {
	case f.encrypted:
		return nil, errors.New("the flow is TLS: what was encrypted for its client cannot be served to another")
	case f.handshake == capture.HandshakeNone:
		return nil, errors.New("the origin did not take the connection: there is no response to serve")
	}
	r := &recorder{recording: recording{early: f.early || f.unread, unread: f.unread}, flow: f, last: f.first.UnixNano()}
	if err := eachPacket(name, r.packet); err != nil {
		return nil, err
	}
	switch {
	case r.size > mostRecorded:
		return nil, fmt.Errorf("the response has more than %d bytes", mostRecorded)
	case r.missing || len(r.held) > 0:
		return nil, errors.New("bytes of the response are missing in the capture (a small snaplen?): it cannot be served byte for byte")
	}
	return &r.recording, nil
}

// A recorder puts the origin's bytes in order.
type recorder struct {
	recording
	flow    *recordedFlow
	segment capture.Segment
	last    int64 // time of the step before, or of the request
	turn    int
	asking  bool // the client spoke last
	asked   uint32
	known   [2]bool // whether asked and next are
	next    uint32  // sequence number that is due from the origin
	fin     uint32
	closing bool // fin is known
	ended   bool
	missing bool
	size    int
	held    []heldPiece // by sequence number
}

// A heldPiece is payload that came too early.
type heldPiece struct {
	seq   uint32
	bytes []byte
}

func (r *recorder) packet(p *capture.Packet) {
	s := &r.segment
	if r.ended || p.Time < r.flow.first.UnixNano() || p.Time > r.flow.last.UnixNano() || s.Decode(p) != capture.IsTCP {
		return
	}
	switch from, to := s.SourceAddress(), s.DestinationAddress(); {
	case from == r.flow.client && to == r.flow.origin:
		r.request(p.Time, s)
	case from == r.flow.origin && to == r.flow.client:
		r.response(p.Time, s)
	}
}

// request takes a segment of the client.
func (r *recorder) request(at int64, s *capture.Segment) {
	end := s.Seq + uint32(s.Length)
	if s.Length == 0 || r.known[0] && int32(end-r.asked) <= 0 {
		return
	}
	r.asked, r.known[0] = end, true
	if r.turn == 0 || !r.asking && beginsRequest(s.Payload) {
		r.turn++
		r.asking = true
	}
	r.last = max(r.last, at)
}

// beginsRequest reports whether b begins with a request line.
func beginsRequest(b []byte) bool {
	line, _, whole := bytes.Cut(b, []byte("\n"))
	method, rest, found := bytes.Cut(line, []byte(" "))
	return found && len(method) > 0 && !whole || bytes.Contains(rest, []byte(" HTTP/1."))
}

// response takes a segment of the origin.
func (r *recorder) response(at int64, s *capture.Segment) {
	seq := s.Seq
	if s.Flags&capture.SYN != 0 {
		seq++
	}
	if s.Flags&capture.RST != 0 {
		if r.flow.resetBy == capture.ByOrigin || r.flow.resetBy == capture.Injected {
			r.finish(at, wire.RST)
		}
		return
	}
	if !r.known[1] {
		r.next, r.known[1] = seq, true
	}
	if s.Flags&capture.FIN != 0 {
		r.fin, r.closing = seq+uint32(s.Length), true
	}
	if s.Length > 0 {
		r.missing = r.missing || len(s.Payload) < s.Length && int32(seq+uint32(s.Length)-r.next) > 0
		piece := heldPiece{seq, slices.Clone(s.Payload)}
		i, _ := slices.BinarySearchFunc(r.held, piece, func(a, b heldPiece) int { return int(int32(a.seq - b.seq)) })
		r.held = slices.Insert(r.held, i, piece)
	}
	for len(r.held) > 0 && int32(r.held[0].seq-r.next) <= 0 && r.size <= mostRecorded {
		old := int(r.next - r.held[0].seq)
		if fresh := r.held[0].bytes; old < len(fresh) {
			r.step(at, fresh[old:])
		}
		r.held = r.held[1:]
	}
	if r.closing && r.next == r.fin {
		r.finish(at, wire.FIN)
	}
}

// step adds bytes that are due.
func (r *recorder) step(at int64, b []byte) {
	r.steps = append(r.steps, recordedStep{r.turn, time.Duration(max(at-r.last, 0)), b})
	r.next += uint32(len(b))
	r.size += len(b)
	r.last, r.asking = max(r.last, at), false
}

func (r *recorder) finish(at int64, end wire.End) {
	r.step(at, nil)
	r.end, r.ended = end, true
}
