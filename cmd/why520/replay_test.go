package main

import (
	"bytes"
	"context"
	"io"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"why520/capture"
	"why520/capture/captest"
	"why520/wire"
)

// startReplay runs replay until the test ends, and gives where it serves.
func startReplay(t *testing.T, args ...string) string {
	t.Helper()
	ctx, interrupt := context.WithCancel(t.Context())
	r, w := io.Pipe()
	ended := make(chan int, 1)
	var log lockedBuffer
	go func() {
		code := run(ctx, append([]string{"replay", "--json", "--listen", "127.0.0.1:0"}, args...), strings.NewReader(""), w, &log)
		w.Close()
		ended <- code
	}()
	line := make([]byte, 4096)
	n, err := r.Read(line)
	if err != nil {
		require.Fail(t, "it serves nothing", "%d: %s", <-ended, log.String())
	}
	go func() { _, _ = io.Copy(io.Discard, r) }()
	t.Cleanup(func() {
		interrupt()
		assert.Equal(t, exitOK, <-ended, log.String())
	})
	return verdicts(t, string(line[:n]))[0]["url"].(string)
}

// What is served again gets the verdict that the flow had.
func TestReplayGetsTheVerdictOfTheFlow(t *testing.T) {
	for _, c := range []struct {
		class string
		args  []string
	}{
		{"closed-by-origin", nil},
		{"chunked", nil},
		{"delimited-by-close", nil},
		{"early-hints", nil},
		{"kept-alive", []string{"--requests", "2"}},
		{"reordered", nil},
		{"pure-retransmission-of-all", nil},
		{"reset-after-request", nil},
		{"reset-in-head", nil},
		{"reset-in-content", nil},
		{"closed-without-a-byte", nil},
		{"closed-in-head", nil},
		{"closed-in-chunks", nil},
		{"no-header-fields", nil},
		{"head-too-large", nil},
		{"chunk-size-invalid", nil},
		{"banner", nil},
		{"first-byte-timeout", []string{"--first-byte-timeout", "300ms"}},
		{"head-stalled", []string{"--idle-timeout", "300ms"}},
		{"interim-then-stall", []string{"--first-byte-timeout", "3s"}}, // the 100 comes before
		{"request-write-timeout", []string{"--upload", "64MiB", "--write-timeout", "1s"}},
		{"reset-during-upload", []string{"--upload", "16MiB"}},
	} {
		t.Run(c.class, func(t *testing.T) {
			t.Parallel()
			flow := verdicts(t, why520(t, "capture", "--all", "--json", file(t, "a", string(captured(t, c.class)))).out)[0]
			url := startReplay(t, file(t, "a", string(captured(t, c.class))))
			r := why520(t, append([]string{"check", "--json", url}, c.args...)...)
			all := verdicts(t, r.out)
			require.NotEmpty(t, all, r.log)
			assert.Equal(t, flow["reason"], all[len(all)-1]["reason"], "%s", r.out)
		})
	}
}

// sent gives what the origin of a flow of this class sent, in order.
func sent(t *testing.T, class string) (all []byte) {
	t.Helper()
	next := uint32(0)
	for f := range captest.Flows(captest.Options{Flows: 1, Only: class}) {
		for _, frame := range f.Frames {
			p := frame.Packet(capture.Ethernet)
			var s capture.Segment
			if s.Decode(&p); s.SourceAddress() == f.Origin && s.Length > 0 && (next == 0 || s.Seq == next) {
				all, next = append(all, s.Payload...), s.Seq+uint32(s.Length)
			}
		}
	}
	require.NotEmpty(t, all)
	return all
}

// ask sends a request to what replay serves, and gives all that comes.
func ask(t *testing.T, url string) (got []byte, took time.Duration, end error) {
	t.Helper()
	c, err := net.Dial("tcp", strings.Trim(strings.TrimPrefix(url, "http:"), "/"))
	require.NoError(t, err)
	defer c.Close()
	began := time.Now()
	_, err = io.WriteString(c, "GET /another HTTP/1.1\r\nHost: another.example\r\n\r\n")
	require.NoError(t, err)
	got, end = io.ReadAll(c)
	return got, time.Since(began), end
}

// Every byte and the end are those of the flow.
func TestReplayIsByteForByte(t *testing.T) {
	for class, reset := range map[string]bool{"delimited-by-close": false, "closed-in-content": false, "reset-in-content": true} {
		url := startReplay(t, file(t, "a", string(captured(t, class))))
		for range 3 { // everybody is served
			got, _, err := ask(t, url)
			assert.True(t, bytes.Equal(sent(t, class), got), class)
			if reset {
				assert.ErrorContains(t, err, "reset", class)
			} else {
				assert.NoError(t, err, class)
			}
		}
	}
}

// An origin that ended before it was asked does not wait for a request.
func TestReplayEndsBeforeTheRequest(t *testing.T) {
	for class, reset := range map[string]bool{"closed-before-request": false, "reset-before-request": true} {
		url := startReplay(t, file(t, "a", string(captured(t, class))))
		c, err := net.Dial("tcp", strings.Trim(strings.TrimPrefix(url, "http:"), "/"))
		if err == nil {
			_, err = io.ReadAll(c)
			c.Close()
		}
		if reset {
			assert.ErrorContains(t, err, "reset", class)
		} else {
			assert.NoError(t, err, class)
		}
	}
}

// The pauses of the flow are recorded, and served.
func TestReplayPauses(t *testing.T) {
	slow := file(t, "a", string(captured(t, "slow-but-answered")))
	flows, err := recordedFlows(slow, "")
	require.NoError(t, err)
	require.Len(t, flows, 1)
	r, err := record(slow, &flows[0])
	require.NoError(t, err)
	assert.InDelta(t, 20*time.Second, r.steps[0].pause, float64(time.Second))
	assert.Less(t, r.steps[1].pause, time.Second)

	r = &recording{end: wire.FIN, steps: []recordedStep{{1, 300 * time.Millisecond, []byte("HTTP/1.1 ")}, {1, 200 * time.Millisecond, []byte("200 OK")}, {1, 100 * time.Millisecond, nil}}}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer l.Close()
	var serving sync.WaitGroup
	defer serving.Wait()
	serving.Go(func() {
		if c, err := l.Accept(); err == nil {
			r.serve(t.Context(), c.(*net.TCPConn))
		}
	})
	got, took, err := ask(t, "http://"+l.Addr().String()+"/")
	require.NoError(t, err)
	assert.Equal(t, "HTTP/1.1 200 OK", string(got))
	assert.GreaterOrEqual(t, took, 600*time.Millisecond)
}

func TestReplayAsksWhichFlow(t *testing.T) {
	two := file(t, "two", string(captured(t, "reset-in-head", "closed-by-origin", "closed-in-head")))
	r := why520(t, "replay", two)
	assert.Equal(t, exitUsage, r.code)
	assert.Contains(t, r.log, "which of 2 flows?")
	assert.Equal(t, 2, strings.Count(r.log, " -> "), r.log)
	for line := range strings.Lines(r.log) {
		assert.LessOrEqual(t, len(line), 81, line)
	}
	clients := verdicts(t, why520(t, "capture", "--json", "--all", two).out)
	for _, c := range clients {
		url := startReplay(t, two, "--flow", c["client"].(string))
		assert.Equal(t, c["reason"], verdicts(t, why520(t, "check", "--json", url).out)[0]["reason"])
	}
	again := file(t, "again", string(captured(t, "ports-reused")))
	client := verdicts(t, why520(t, "capture", "--json", "--all", again).out)[0]["client"].(string)
	r = why520(t, "replay", again, "--flow", client)
	assert.Equal(t, exitUsage, r.code)
	assert.Contains(t, r.log, "(#1)")
	startReplay(t, again, "--flow", client+"#1")
	for _, wrong := range []string{"#2", "#-1", "#x"} {
		assert.Equal(t, exitUsage, why520(t, "replay", again, "--flow", client+wrong).code)
	}
	assert.Equal(t, exitUsage, why520(t, "replay", two, "--flow", "203.0.113.9").code)
}

func TestFlowsThatCannotBeReplayed(t *testing.T) {
	for class, why := range map[string]string{
		"tls13-reset-after-request": "is TLS",
		"refused":                   "did not take the connection",
		"unanswered":                "did not take the connection",
		"packets-lost":              "missing in the capture",
	} {
		r := why520(t, "replay", "--flow", "192.0.2.0#0", file(t, "a", string(captured(t, class))))
		assert.Equal(t, exitUsage, r.code, class)
		r = why520(t, "replay", "--listen", "127.0.0.1:0", file(t, "a", string(captured(t, class))))
		assert.Equal(t, exitNotAsk, r.code, class)
		assert.Contains(t, r.log, why, class)
	}
	assert.Equal(t, exitUsage, why520(t, "replay", "-").code)
	r := why520(t, "replay", file(t, "a", `{"record": 1}`))
	assert.Equal(t, exitNotAsk, r.code)
	assert.Contains(t, r.log, "replay serves flows of captures")
	assert.Equal(t, exitNotAsk, why520(t, "replay", "none").code)
}
