package main

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"why520/capture"
	"why520/capture/captest"
	"why520/validator/origintest"
)

// captured gives a capture file of one flow of each of these classes, in turn;
// without classes, of all.
func captured(t *testing.T, classes ...string) []byte {
	t.Helper()
	if len(classes) == 0 {
		for _, c := range captest.Classes() {
			classes = append(classes, c.Name)
		}
	}
	var frames []captest.Frame
	for i, name := range classes {
		n := 0
		for f := range captest.Flows(captest.Options{Seed: uint64(i), Flows: i + 1, Only: name}) {
			if n++; n > i { // the last, so that each has a port of its own
				frames = append(frames, f.Frames...)
			}
		}
		require.Positive(t, n, "no class is called %s", name)
	}
	slices.SortStableFunc(frames, func(a, b captest.Frame) int { return int(a.Time - b.Time) })
	var file bytes.Buffer
	all := func(yield func(*captest.Frame) bool) {
		for i := range frames {
			if !yield(&frames[i]) {
				return
			}
		}
	}
	require.NoError(t, captest.WritePcapng(&file, all, captest.Format{Nano: true}))
	return file.Bytes()
}

// The text of every class fits a terminal of 80 columns, with nothing in it that
// a terminal would obey.
func TestFlowsFitATerminal(t *testing.T) {
	trace := file(t, "all.pcapng", string(captured(t)))
	r := why520(t, "capture", "--all", trace)
	require.Equal(t, exitNotOK, r.code, r.log)
	require.NotEmpty(t, r.out)
	for line := range strings.Lines(r.out) {
		line = strings.TrimSuffix(line, "\n")
		assert.LessOrEqual(t, utf8.RuneCountInString(line), 80, line)
		assert.NotRegexp(t, "[^ -~]", line)
	}
}

// A flow is what its label says, in JSON as CLI.md has it.
func TestFlowsAsJSON(t *testing.T) {
	type flow struct {
		Client, Origin string
		VLAN           *uint16
		First, Last    json.Number
		Packets        int
		Handshake      string
		ResetBy        *string `json:"reset_by"`
		Stage          string
		Payload        *struct{ Client, Origin int64 }
		TCP            *struct {
			Confidence string
			Evidence   []string
			Signature  string
		} `json:"tcp"`
		Reason, Cause, Message string
		OK                     *bool
		Status                 int `json:"edge_status"`
		Offset                 *int64
		Notes                  []struct {
			Reason, Message string
			Offset          *int64
		}
	}
	for _, class := range captest.Classes() {
		t.Run(class.Name, func(t *testing.T) {
			r := why520(t, "capture", "--all", "--json", file(t, "a.pcapng", string(captured(t, class.Name))))
			require.NotEmpty(t, r.out, r.log)
			lines := strings.Split(strings.TrimSuffix(r.out, "\n"), "\n")
			decoder := json.NewDecoder(strings.NewReader(lines[len(lines)-1]))
			decoder.DisallowUnknownFields()
			var f flow
			require.NoError(t, decoder.Decode(&f))
			require.NotNil(t, f.ResetBy)
			require.NotNil(t, f.TCP)
			require.NotNil(t, f.Payload)
			require.NotNil(t, f.OK)
			require.NotNil(t, f.VLAN)
			assert.NotNil(t, f.Notes)
			truth := class.Truth
			assert.Equal(t, []string{truth.Reason.String(), truth.ResetBy, truth.Stage, truth.Handshake},
				[]string{f.Reason, *f.ResetBy, f.Stage, f.Handshake})
			assert.Equal(t, f.Reason == "ok", *f.OK)
			assert.Regexp(t, `^\d+\.\d{9}$`, f.First.String())
			assert.Contains(t, []string{"certain", "likely", "open"}, f.TCP.Confidence)
			assert.Positive(t, f.Packets)
		})
	}
}

// What is not refused is not printed, and decides the exit status.
func TestExitStatusOfCaptures(t *testing.T) {
	sound, reset, both := captured(t, "closed-by-origin"), captured(t, "reset-in-head"), captured(t, "reset-in-head", "closed-by-origin")
	zip := func(b []byte) []byte {
		var z bytes.Buffer
		w := gzip.NewWriter(&z)
		_, err := w.Write(b)
		require.NoError(t, err)
		require.NoError(t, w.Close())
		return z.Bytes()
	}
	damaged := append(slices.Clone(reset), 6, 0, 0, 0, 3, 0, 0, 0, 0, 0, 0, 0) // a block shorter than its header
	for _, c := range []struct {
		name  string
		bytes []byte
		code  int
		flows int
		log   string
	}{
		{"sound", sound, exitOK, 0, ""},
		{"reset", reset, exitNotOK, 1, ""},
		{"gzip", zip(reset), exitNotOK, 1, ""},
		{"gzip that is cut", zip(reset)[:len(zip(reset))-9], exitNotOK, 1, "the file ends within a packet"},
		{"cut", both[:len(both)-5], exitNotOK, 1, "the file ends within a packet"},
		{"damaged", damaged, exitNotAsk, 1, "what came before counts"},
		{"no capture", []byte("GET / HTTP/1.1\r\n\r\n"), exitNotAsk, 0, "no capture begins"},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := why520(t, "capture", "--json", file(t, "a", string(c.bytes)))
			assert.Equal(t, c.code, r.code, r.log)
			assert.Equal(t, c.flows, strings.Count(r.out, "\n"), r.out)
			assert.Contains(t, r.log, c.log)
			if c.log == "" {
				assert.Empty(t, r.log)
			}
			var out, log bytes.Buffer
			assert.Equal(t, r.code, run(t.Context(), []string{"capture", "--json", "-"}, bytes.NewReader(c.bytes), &out, &log))
			assert.Equal(t, r.out, out.String(), "from standard input")
		})
	}
}

// A flow that was open where the file was cut is noted as incomplete.
func TestFlowsThatWereCut(t *testing.T) {
	whole := captured(t, "closed-in-content")
	for _, size := range []int{len(whole) / 2, len(whole) * 3 / 4} {
		r := why520(t, "capture", "--all", "--json", file(t, "a", string(whole[:size])))
		assert.Contains(t, r.out, `"capture-incomplete"`)
		assert.Contains(t, r.log, "what came before counts")
	}
}

func TestACaptureThatIsCancelled(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	var out, log bytes.Buffer
	code := run(ctx, []string{"capture", file(t, "a", string(captured(t)))}, strings.NewReader(""), &out, &log)
	assert.Equal(t, exitNotAsk, code)
}

func TestPolicyOfCaptures(t *testing.T) {
	bare := file(t, "bare", string(captured(t, "no-header-fields")))
	assert.Equal(t, exitNotOK, why520(t, "capture", bare).code)
	assert.Equal(t, exitOK, why520(t, "capture", "--tolerate", "no-header-fields", bare).code)
	assert.Equal(t, exitOK, why520(t, "capture", "--policy", "report", bare).code)
	sound := file(t, "sound", string(captured(t, "closed-by-origin")))
	r := why520(t, "capture", "--json", "--budget", "20", sound)
	assert.Contains(t, r.out, `"reason":"head-too-large"`)
	silent := file(t, "silent", string(captured(t, "first-byte-timeout")))
	assert.Equal(t, exitNotOK, why520(t, "capture", silent).code)
	assert.Equal(t, exitOK, why520(t, "capture", "--first-byte-timeout", "10h", silent).code)
	assert.Equal(t, exitUsage, why520(t, "capture", "--first-byte-timeout", "-1s", silent).code)
}

// The status line is taken away before anything else is written.
func TestStatusLine(t *testing.T) {
	var out lockedBuffer
	shown := make(chan struct{}, 100)
	s := startStatus(&out, 20, time.Millisecond, func() string {
		select {
		case shown <- struct{}{}:
		default:
		}
		return "12 packets, and more than fits"
	})
	<-shown
	<-shown // the first is written
	require.NoError(t, s.apart(func() error { _, err := io.WriteString(&out, "a flow\n"); return err }))
	s.end()
	s.end()
	assert.Regexp(t, `^(\r12 packets, and mor\x1b\[K)+\r\x1b\[Ka flow\n((\r12 packets, and mor\x1b\[K)+\r\x1b\[K)?$`, out.String())
	var none *statusLine
	none.end()
	assert.Equal(t, io.EOF, none.apart(func() error { return io.EOF }))
	assert.Equal(t, "[###############...............]  50 % of 2.0 MB", func() string {
		c := &counted{size: 2e6}
		c.done.Store(1e6)
		return c.progress()
	}())
}

type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lockedBuffer) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(b)
}

func (l *lockedBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

// loopback skips a test that cannot capture here.
func loopback(t *testing.T) {
	t.Helper()
	l, err := capture.OpenLive(capture.LiveOptions{Interface: "lo"})
	if err != nil {
		missing(t, err)
	}
	require.NoError(t, l.Close())
}

// missing skips a test for what cannot be done here, save where all must run.
func missing(t *testing.T, why error) {
	t.Helper()
	if os.Getenv("WHY520_CI") != "" {
		t.Fatalf("%v, and WHY520_CI is set", why)
	}
	t.Skipf("%v: skipped", why)
}

// check --capture says who reset, and writes the packets, of which capture says
// the same.
func TestCheckWithCapture(t *testing.T) {
	loopback(t)
	pcap := t.TempDir() + "/c.pcapng"
	o := origintest.Start(t, "head-reset")
	r := why520(t, "check", "--json", "--capture", "lo", "--pcap", pcap, o.URL())
	require.Equal(t, exitNotOK, r.code, r.log)
	v := verdicts(t, r.out)[0]
	assert.Equal(t, "head-reset", v["reason"])
	tcp, ok := v["tcp"].(map[string]any)
	require.True(t, ok, r.out)
	assert.Equal(t, "origin", tcp["reset_by"])
	assert.Equal(t, "in-head", tcp["stage"])
	assert.Equal(t, "certain", tcp["confidence"])
	assert.NotEmpty(t, tcp["evidence"])

	r = why520(t, "capture", "--json", pcap)
	require.Equal(t, exitNotOK, r.code, r.log)
	flows := verdicts(t, r.out)
	require.Len(t, flows, 1)
	assert.Equal(t, []any{"head-reset", "origin", "in-head"}, []any{flows[0]["reason"], flows[0]["reset_by"], flows[0]["stage"]})

	r = why520(t, "check", "--capture", "lo", o.URL())
	assert.Contains(t, r.out, "  who   the origin reset, stage in-head: certain\n")
}

func TestInterfaceThatIsNone(t *testing.T) {
	for _, args := range [][]string{{"capture", "-i", "none0"}, {"check", "--capture", "none0", "http://127.0.0.1:9/"}} {
		r := why520(t, args...)
		assert.Equal(t, exitNotAsk, r.code)
		assert.Contains(t, r.log, "no capture on none0: ")
	}
}

// An interface that goes away ends a live capture, which says so.
func TestInterfaceThatGoesAway(t *testing.T) {
	loopback(t)
	name := fmt.Sprintf("w520d%d", os.Getpid())
	ip := func(args ...string) error {
		out, err := exec.Command("ip", args...).CombinedOutput()
		if err != nil {
			err = fmt.Errorf("%w: %s", err, out)
		}
		return err
	}
	if err := ip("link", "add", name, "type", "veth"); err != nil {
		missing(t, fmt.Errorf("no interface can be made here: %w", err))
	}
	t.Cleanup(func() { _ = ip("link", "delete", name) })
	require.NoError(t, ip("link", "set", name, "up"))
	var out, log lockedBuffer
	ended := make(chan int)
	go func() { ended <- run(t.Context(), []string{"capture", "-i", name}, strings.NewReader(""), &out, &log) }()
	until(t, ended, "it begins", func() bool { return strings.Contains(log.String(), "capturing on "+name) })
	require.NoError(t, ip("link", "delete", name))
	assert.Equal(t, exitNotAsk, <-ended)
	assert.Contains(t, log.String(), "no capture on "+name+": reading packets: network is down; the interface is down, or gone")
	assert.Contains(t, out.String(), "0 flows would be a 520", "the counts")
}

// until waits for what a command that runs does.
func until(t *testing.T, ended <-chan int, what string, seen func() bool) {
	t.Helper()
	deadline := time.NewTimer(time.Minute)
	defer deadline.Stop()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for !seen() {
		select {
		case <-tick.C:
		case code := <-ended:
			require.Fail(t, what, "ended with %d", code)
		case <-deadline.C:
			require.Fail(t, what)
		}
	}
}

// A live capture prints a flow when it is over, and the counts once it is
// interrupted.
func TestCaptureLive(t *testing.T) {
	loopback(t)
	o := origintest.Start(t, "head-reset")
	ctx, interrupt := context.WithCancel(t.Context())
	var out, log lockedBuffer
	ended := make(chan int)
	go func() {
		ended <- run(ctx, []string{"capture", "-i", "lo", "--origin", o.Addr()}, strings.NewReader(""), &out, &log)
	}()
	until(t, ended, "it begins", func() bool { return strings.Contains(log.String(), "capturing on lo") })
	c, err := net.Dial("tcp", o.Addr())
	require.NoError(t, err)
	_, err = fmt.Fprintf(c, "GET / HTTP/1.1\r\nHost: %s\r\n\r\n", o.Addr())
	require.NoError(t, err)
	_, _ = io.Copy(io.Discard, c)
	c.Close()
	until(t, ended, "the flow is printed", func() bool { return strings.Contains(out.String(), "who   the origin reset, stage in-head") })
	interrupt()
	assert.Equal(t, exitNotOK, <-ended, log.String())
	assert.Regexp(t, regexp.MustCompile(`1 flow would be a 520, 0 a neighbour of it, of 1 in \d+ packets\n  reason  520 head-reset`), out.String())
}
