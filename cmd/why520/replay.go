package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/spf13/cobra"

	"why520/capture"
	"why520/wire"
)

func (a *app) replay() *cobra.Command {
	var listen, flow string
	c := &cobra.Command{
		Use:   "replay FILE",
		Short: "Serve a recorded response again, byte for byte, with its pauses and its end",
		Long: `Serves what an origin sent in one flow of a capture file to everybody who
connects: the same bytes, after the same pauses, and the same end: closed, reset,
or silent. Without --flow it is the only flow that is refused or, where none is,
the only one. The flow must not be TLS.`,
		Example: `  why520 replay trace.pcapng --flow 192.0.2.7:51514
  why520 check http://127.0.0.1:5520/`,
		Args: cobra.ExactArgs(1),
	}
	c.Flags().StringVar(&listen, "listen", "127.0.0.1:5520", "address to serve at")
	c.Flags().StringVar(&flow, "flow", "", "ADDRESS[:PORT] of the client; #N behind it takes one of several, from 0")
	c.RunE = func(c *cobra.Command, files []string) error { return a.runReplay(c.Context(), files[0], flow, listen) }
	return c
}

func (a *app) runReplay(ctx context.Context, name, client, listen string) error {
	f, err := chooseFlow(name, client)
	if err != nil {
		return err
	}
	r, err := record(name, f)
	if err != nil {
		return cannot(fmt.Errorf("%s: %v: %w", name, f, err))
	}
	l, err := net.Listen("tcp", listen)
	if err != nil {
		return cannot(err)
	}
	if err := a.replayLine(f, l.Addr().String()); err != nil {
		l.Close()
		return err
	}
	fmt.Fprintln(a.log, "why520: ready; interrupt to end")
	stop := context.AfterFunc(ctx, func() { l.Close() })
	defer stop()
	var serving sync.WaitGroup
	defer serving.Wait()
	for {
		c, err := l.Accept()
		switch {
		case ctx.Err() != nil:
			return nil
		case err != nil:
			l.Close()
			return cannot(err)
		}
		serving.Go(func() { r.serve(ctx, c.(*net.TCPConn)) })
	}
}

// chooseFlow gives the flow of a file that is meant.
func chooseFlow(name, which string) (*recordedFlow, error) {
	if name == "-" {
		return nil, usage("replay reads its file twice: give a file, not standard input")
	}
	client, number, numbered := strings.Cut(which, "#")
	flows, err := recordedFlows(name, client)
	if _, foreign := errors.AsType[*capture.FormatError](err); foreign {
		return nil, cannot(fmt.Errorf("%w; replay serves flows of captures (pcap, pcapng); files of check --record cannot be served yet", err))
	}
	if err != nil {
		return nil, cannot(err)
	}
	if numbered {
		n, err := strconv.Atoi(number)
		if err != nil || n < 0 || n >= len(flows) {
			return nil, usage("--flow %q: want CLIENT#N, N below %d", which, len(flows))
		}
		return &flows[n], nil
	}
	switch {
	case len(flows) == 1:
		return &flows[0], nil
	case len(flows) == 0 && client != "":
		return nil, usage("--flow %q: %s has no flow of this client", which, name)
	case len(flows) == 0:
		return nil, cannot(fmt.Errorf("%s has no flow", name))
	}
	const most = 20
	var list strings.Builder
	for i := range flows {
		if i == most {
			fmt.Fprintf(&list, "\n  ... and %d more", len(flows)-most)
			break
		}
		fmt.Fprintf(&list, "\n  %v", &flows[i])
		if client != "" {
			fmt.Fprintf(&list, " (#%d)", i)
		}
	}
	return nil, usage("which of %d flows? choose with --flow CLIENT, or CLIENT#N:%s", len(flows), ownLines(list.String()))
}

// replayLine says what is served, and where.
func (a *app) replayLine(f *recordedFlow, at string) error {
	if a.json {
		return a.print(struct {
			URL    string `json:"url"`
			Client string `json:"client"`
			Origin string `json:"origin"`
			Reason string `json:"reason"`
		}{"http://" + at + "/", f.client.String(), f.origin.String(), f.verdict.Reason.String()})
	}
	_, err := fmt.Fprintf(a.out, "http://%s/  %v\n", at, f)
	return a.wrote(err)
}

// A replayed is a connection to which a recording is served.
type replayed struct {
	ctx   context.Context
	conn  *net.TCPConn
	asked chan struct{} // a request came
	gone  chan struct{} // closed when the client sends no more
}

// serve serves r on c.
func (r *recording) serve(ctx context.Context, c *net.TCPConn) {
	defer c.Close()
	cut := context.AfterFunc(ctx, func() { c.Close() })
	defer cut()
	p := &replayed{ctx, c, make(chan struct{}), make(chan struct{})}
	ended := make(chan struct{}) // the requests need no receiver any more
	var reading sync.WaitGroup
	defer reading.Wait()
	defer c.Close()
	defer close(ended)
	reading.Go(func() { p.requests(r, ended) })
	if r.unread {
		_ = c.SetReadBuffer(4 << 10) // what the system takes is acknowledged
	}
	turn := 0
	for _, s := range r.steps {
		for ; turn < s.turn; turn++ {
			select {
			case <-p.asked:
			case <-p.gone:
				return
			case <-ctx.Done():
				return
			}
		}
		if !p.pause(s.pause) {
			return
		}
		if len(s.bytes) > 0 {
			if _, err := c.Write(s.bytes); err != nil {
				return
			}
		}
	}
	p.finish(r)
}

// finish ends the connection as r ended.
func (p *replayed) finish(r *recording) {
	switch r.end {
	case wire.RST:
		if len(r.steps) > 1 {
			p.pause(20 * time.Millisecond) // a reset destroys what is not sent yet
		}
		_ = p.conn.SetLinger(0)
		return
	case wire.FIN:
		_ = p.conn.CloseWrite()
	}
	for {
		select {
		case <-p.asked: // and is not answered
		case <-p.gone:
			return
		case <-p.ctx.Done():
			return
		}
	}
}

// pause waits; it reports whether to go on.
func (p *replayed) pause(d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-p.ctx.Done():
		return false
	}
}

// requests reads what the client sends to its end, and tells of each request:
// once its head came, where the origin of r waited for no more, else once its
// content did, too.
func (p *replayed) requests(r *recording, ended chan struct{}) {
	defer close(p.gone)
	came := func() {
		select {
		case p.asked <- struct{}{}:
		case <-ended:
		}
	}
	b := bufio.NewReader(p.conn)
	for {
		if _, err := b.Peek(1); err != nil {
			return
		}
		q, err := http.ReadRequest(b)
		if err != nil {
			came() // it is another protocol, or a request that we cannot frame
			_, _ = io.Copy(io.Discard, b)
			return
		}
		early := r.early || q.Header.Get("Expect") != ""
		if early {
			came()
		}
		if r.unread {
			<-ended
			return
		}
		_, _ = io.Copy(io.Discard, q.Body)
		if !early {
			came()
		}
	}
}
