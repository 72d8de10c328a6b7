package origintest

import (
	"context"
	"net"
	"strings"
	"sync"
	"time"

	"golang.org/x/net/dns/dnsmessage"
)

// A NameServer is a small name server for tests, over UDP: names that begin with
// "missing." do not exist, those that begin with "silent." get no answer, those
// that begin with "both." are 127.0.0.1 and ::1, and all others 127.0.0.1.
type NameServer struct {
	address string
	c       net.PacketConn
	wait    sync.WaitGroup
}

// StartNameServer starts a name server on a free port of 127.0.0.1 for a test.
func StartNameServer(t TB) *NameServer {
	t.Helper()
	s, err := newNameServer("127.0.0.1:0")
	if err != nil {
		t.Fatalf("name server: %v", err)
	}
	t.Cleanup(s.Close)
	return s
}

func newNameServer(listen string) (*NameServer, error) {
	c, err := net.ListenPacket("udp", listen)
	if err != nil {
		return nil, err
	}
	s := &NameServer{address: c.LocalAddr().String(), c: c}
	s.wait.Go(s.serve)
	return s, nil
}

// Close ends the server, and waits for that.
func (s *NameServer) Close() {
	s.c.Close()
	s.wait.Wait()
}

// Addr gives its address.
func (s *NameServer) Addr() string { return s.address }

// Resolver asks s alone.
func (s *NameServer) Resolver() *net.Resolver {
	return &net.Resolver{PreferGo: true, Dial: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return (&net.Dialer{Timeout: 5 * time.Second}).DialContext(ctx, "udp", s.address)
	}}
}

func (s *NameServer) serve() {
	b := make([]byte, 1500)
	for {
		n, from, err := s.c.ReadFrom(b)
		if err != nil {
			return
		}
		if answer := answerTo(b[:n]); answer != nil {
			_, _ = s.c.WriteTo(answer, from)
		}
	}
}

// answerTo gives the answer to a query, or nil.
func answerTo(query []byte) []byte {
	var p dnsmessage.Parser
	head, err := p.Start(query)
	if err != nil {
		return nil
	}
	q, err := p.Question()
	if err != nil {
		return nil
	}
	name := strings.ToLower(q.Name.String())
	m := dnsmessage.Message{Header: dnsmessage.Header{ID: head.ID, Response: true, Authoritative: true, RecursionDesired: head.RecursionDesired}}
	m.Questions = []dnsmessage.Question{q}
	record := dnsmessage.ResourceHeader{Name: q.Name, Type: q.Type, Class: q.Class, TTL: 1}
	switch {
	case strings.HasPrefix(name, "silent."):
		return nil
	case strings.HasPrefix(name, "missing."):
		m.RCode = dnsmessage.RCodeNameError
	case q.Type == dnsmessage.TypeA:
		m.Answers = []dnsmessage.Resource{{Header: record, Body: &dnsmessage.AResource{A: [4]byte{127, 0, 0, 1}}}}
	case q.Type == dnsmessage.TypeAAAA && strings.HasPrefix(name, "both."):
		loopback := dnsmessage.AAAAResource{}
		loopback.AAAA[15] = 1
		m.Answers = []dnsmessage.Resource{{Header: record, Body: &loopback}}
	}
	answer, err := m.Pack()
	if err != nil {
		return nil
	}
	return answer
}
