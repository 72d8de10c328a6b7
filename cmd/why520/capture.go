package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"os"
	"runtime/debug"
	"strings"
	"sync/atomic"
	"time"

	"github.com/spf13/cobra"

	"why520/capture"
)

// captureFlags are the flags of capture.
type captureFlags struct {
	policyFlags
	device    string
	origins   []string
	all       bool
	html      string
	firstByte time.Duration
}

func (a *app) capture() *cobra.Command {
	f := &captureFlags{}
	c := &cobra.Command{
		Use:   "capture FILE... | capture -i INTERFACE",
		Short: "Find the flows that would be a 520 in captures, or live, and who did what",
		Long: `Reads pcap and pcapng files, also compressed with gzip; - is standard input.
With -i it captures live until it is interrupted: on Linux, with CAP_NET_RAW.
Prints the flows that would be a 520 or a neighbour of it, what to do the first
time that a reason comes, and counts.`,
		Example: `  why520 capture trace.pcapng
  why520 capture old.pcap.gz --origin 192.0.2.10:80 --json
  tcpdump -i any -w - port 80 | why520 capture -
  why520 capture -i eth0 --origin 192.0.2.10`,
	}
	f.policyFlags.add(c)
	s := c.Flags()
	s.StringVarP(&f.device, "interface", "i", "", "capture live on this interface; any: on all of them")
	s.StringArrayVar(&f.origins, "origin", nil, "ADDRESS[:PORT] of an origin asked about (default: who received the SYN); repeatable")
	s.BoolVar(&f.all, "all", false, "print flows in which nothing is refused, too")
	s.StringVar(&f.html, "html", "", "write a page with a sequence diagram of each flow to this file")
	s.DurationVar(&f.firstByte, "first-byte-timeout", 0, "silence of the origin that is its timeout (default 15s)")
	c.RunE = func(c *cobra.Command, files []string) error {
		if (len(files) > 0) == (f.device != "") {
			return usage("capture what? give files, or -i and an interface")
		}
		o, err := f.options()
		if err != nil {
			return err
		}
		if f.device != "" {
			return a.captureLive(c.Context(), f, o)
		}
		return a.captureFiles(c.Context(), f, o, files)
	}
	return c
}

// options gives how flows are followed, as the flags say.
func (f *captureFlags) options() (capture.Options, error) {
	o := capture.Options{All: f.all}
	policy, edge, err := f.read()
	if err != nil {
		return o, err
	}
	if policy.Limits.Body == 0 {
		policy.Limits.Body = defaultMaxBody
	}
	if f.firstByte < 0 {
		return o, usage("--first-byte-timeout %v: want a duration above 0, such as 5s", f.firstByte)
	}
	if f.html != "" {
		o.Trace = tracedPackets
	}
	o.Policy = policy
	o.Deadlines.FirstByte = f.firstByte
	if edge != nil {
		o.Deadlines = edge.Deadlined(o.Deadlines)
	}
	for _, text := range f.origins {
		origin, err := parseOrigin(text)
		if err != nil {
			return o, err
		}
		o.Origins = append(o.Origins, origin)
	}
	return o, nil
}

// parseOrigin reads ADDRESS[:PORT]; an address of IPv6 before a port stands in
// brackets.
func parseOrigin(text string) (capture.Origin, error) {
	if at, err := netip.ParseAddrPort(text); err == nil {
		return capture.Origin{Address: at.Addr(), Port: at.Port()}, nil
	}
	address, err := netip.ParseAddr(strings.TrimSuffix(strings.TrimPrefix(text, "["), "]"))
	if err != nil {
		return capture.Origin{}, usage("--origin %q: want ADDRESS[:PORT], such as 192.0.2.10:80", text)
	}
	return capture.Origin{Address: address}, nil
}

// capturePercent is by how much the heap may grow before it is collected again
// while captures are read: that costs little, for most of it is a table without
// pointers.
const capturePercent = 70

// closingPercent is the same while the flows that are left at the end are given,
// one after the other: most of what is made of each is garbage once it is printed.
const closingPercent = 20

// collectAt has the heap collected once it grew by that percentage, until restore
// is called. An environment with GOGC decides otherwise.
func collectAt(percent int) (restore func()) {
	if _, set := os.LookupEnv("GOGC"); set {
		return func() {}
	}
	before := debug.SetGCPercent(percent)
	return func() { debug.SetGCPercent(before) }
}

// captureFiles prints the flows of files, each on its own.
func (a *app) captureFiles(ctx context.Context, f *captureFlags, o capture.Options, files []string) error {
	defer collectAt(capturePercent)()
	list, err := newFlowList(a, f.html)
	if err != nil {
		return err
	}
	for _, name := range files {
		if !a.json && len(files) > 1 {
			fmt.Fprintf(a.out, "%s:\n", printable(name))
		}
		if err := a.captureFile(ctx, list, o, name); err != nil {
			return err
		}
		if ctx.Err() != nil {
			break
		}
	}
	return list.finish(printable(strings.Join(files, ", ")))
}

// captureFile prints the flows of a file. A file that cannot be read to its end
// is told of; what came before counts.
func (a *app) captureFile(ctx context.Context, list *flowList, o capture.Options, name string) error {
	source := &counted{Reader: a.in}
	if name != "-" {
		file, err := os.Open(name)
		if err != nil {
			a.complain("reading the capture", err)
			return nil
		}
		defer file.Close()
		source.Reader = file
		if info, err := file.Stat(); err == nil && info.Mode().IsRegular() {
			source.size = info.Size()
		}
	}
	r, err := capture.NewReader(source)
	if err != nil {
		a.complain(name, err)
		return nil
	}
	var status *statusLine
	if !a.json {
		status = a.status(source.progress)
	}
	defer status.end()
	var failed error // of writing the result
	t := capture.NewTracker(o, func(flow *capture.Flow) {
		if failed == nil {
			failed = status.apart(func() error { return list.add(flow) })
		}
	})
	var p capture.Packet
	for n := 0; failed == nil; n++ {
		if err = r.Next(&p); err != nil {
			break
		}
		if n&0xFFF == 0 && ctx.Err() != nil {
			err = context.Cause(ctx)
			break
		}
		t.Packet(&p)
		t.Lost(r.Drops)
	}
	if failed == nil {
		if r.Truncated || !errors.Is(err, io.EOF) {
			t.Cut()
		}
		restore := collectAt(closingPercent)
		t.Close()
		restore()
	}
	status.end()
	if failed != nil {
		return failed
	}
	list.count(t.Stats(), r.Drops)
	switch {
	case !errors.Is(err, io.EOF):
		a.complain(name, fmt.Errorf("%w; what came before counts", err))
	case r.Truncated:
		fmt.Fprintf(a.log, "why520: %s: note: the file ends within a packet; what came before counts\n", printable(name))
	}
	return nil
}

// counted counts what is read through it.
type counted struct {
	io.Reader
	size int64 // 0: not known
	done atomic.Int64
}

func (c *counted) Read(b []byte) (int, error) {
	n, err := c.Reader.Read(b)
	c.done.Add(int64(n))
	return n, err
}

// progress says how much was read.
func (c *counted) progress() string {
	const mega = 1e6
	done := c.done.Load()
	if c.size <= 0 {
		return fmt.Sprintf("%.1f MB read", float64(done)/mega)
	}
	const width = 30
	share := min(float64(done)/float64(c.size), 1)
	full := int(share * width)
	return fmt.Sprintf("[%s%s] %3.0f %% of %.1f MB", strings.Repeat("#", full), strings.Repeat(".", width-full), 100*share, float64(c.size)/mega)
}
