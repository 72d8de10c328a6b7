package bench_test

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"why520/validator"
)

// originProcess names the variable that makes this test binary an origin.
const originProcess = "WHY520_BENCH_ORIGIN"

// answer is a head of 283 bytes, and 128 of content.
var answer = func() []byte {
	head := "HTTP/1.1 200 OK\r\nDate: Wed, 25 Nov 2026 12:00:00 GMT\r\nServer: bench\r\nContent-Type: text/plain; charset=utf-8\r\n" +
		"Content-Length: 128\r\nConnection: keep-alive\r\nCache-Control: max-age=600\r\nVary: Accept-Encoding\r\nX-Fill: "
	const end = "\r\n\r\n"
	head += strings.Repeat("f", 283-len(head)-len(end)) + end
	return []byte(head + strings.Repeat("c", 128))
}()

// It is no test, but the origin that BenchmarkConn asks, in a process of its own.
func TestOriginProcess(t *testing.T) {
	if os.Getenv(originProcess) == "" {
		return
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	fmt.Println(l.Addr())
	go func() { // it ends with its parent
		_, _ = io.Copy(io.Discard, os.Stdin)
		os.Exit(0)
	}()
	for {
		c, err := l.Accept()
		if err != nil {
			return
		}
		go func() {
			defer c.Close()
			p := make([]byte, 4096)
			for {
				n, err := c.Read(p)
				if err != nil {
					return
				}
				for range bytes.Count(p[:n], []byte("\r\n\r\n")) {
					if _, err := c.Write(answer); err != nil {
						return
					}
				}
			}
		}()
	}
}

// startOrigin starts the origin, and gives its address.
func startOrigin(b *testing.B) string {
	b.Helper()
	c := exec.Command(os.Args[0], "-test.run=^TestOriginProcess$")
	c.Env = append(os.Environ(), originProcess+"=1")
	in, err := c.StdinPipe()
	require.NoError(b, err)
	out, err := c.StdoutPipe()
	require.NoError(b, err)
	require.NoError(b, c.Start())
	b.Cleanup(func() {
		in.Close()
		_ = c.Wait()
	})
	line, err := bufio.NewReader(out).ReadString('\n')
	require.NoError(b, err)
	return strings.TrimSpace(line)
}

// spent gives the CPU time of this process, in steps of 10 ms.
func spent(b *testing.B) time.Duration {
	b.Helper()
	text, err := os.ReadFile("/proc/self/stat")
	if err != nil {
		b.Skip("no /proc/self/stat here: skipped")
	}
	fields := strings.Fields(string(text[bytes.LastIndexByte(text, ')')+1:]))
	const user, system = 11, 12
	total := 0
	for _, i := range []int{user, system} {
		n, err := strconv.Atoi(fields[i])
		require.NoError(b, err)
		total += n
	}
	return time.Duration(total) * 10 * time.Millisecond
}

// turn asks for requests at a time over so many connections, and gives the
// requests per second of CPU.
func turn(b *testing.B, rt http.RoundTripper, url string, connections, requests int) float64 {
	b.Helper()
	before := spent(b)
	var wait sync.WaitGroup
	for range connections {
		wait.Go(func() {
			for range requests / connections {
				req, err := http.NewRequest(http.MethodGet, url, nil)
				if err != nil {
					b.Error(err)
					return
				}
				resp, err := rt.RoundTrip(req)
				if err != nil {
					b.Error(err)
					return
				}
				if _, err := io.Copy(io.Discard, resp.Body); err != nil {
					b.Error(err)
				}
				resp.Body.Close()
			}
		})
	}
	wait.Wait()
	return float64(requests) / max(spent(b)-before, 10*time.Millisecond).Seconds()
}

// What a Conn costs under net/http's Transport: requests per CPU second with it
// and without, in turns, and the median of the rounds' ratios. An iteration is a
// round of two turns; -benchtime 20x makes it steady.
func BenchmarkConnUnderHTTP(b *testing.B) {
	address := startOrigin(b)
	url := "http://" + address + "/"
	const requests = 16384
	for _, connections := range []int{1, 32} {
		for _, told := range []bool{false, true} {
			b.Run(fmt.Sprintf("connections=%d/OnVerdict=%v", connections, told), func(b *testing.B) {
				g := &validator.Guard{}
				if told {
					g.OnVerdict = func(*validator.Conn, *validator.Evidence, *validator.Verdict) {}
				}
				plain := &http.Transport{MaxIdleConnsPerHost: connections, DisableCompression: true}
				below := &http.Transport{MaxIdleConnsPerHost: connections, DisableCompression: true}
				guarded := g.Around(below)
				defer plain.CloseIdleConnections()
				defer below.CloseIdleConnections()
				turn(b, plain, url, connections, requests/16)
				turn(b, guarded, url, connections, requests/8)
				var without, with, ratios []float64
				for b.Loop() {
					p, c := turn(b, plain, url, connections, requests), turn(b, guarded, url, connections, requests)
					without, with, ratios = append(without, p), append(with, c), append(ratios, c/p)
				}
				b.ReportMetric(middle(without), "plain-req/cpu-s")
				b.ReportMetric(middle(with), "conn-req/cpu-s")
				b.ReportMetric(100*(1-middle(ratios)), "cost-%")
				b.ReportMetric(0, "ns/op")
			})
		}
	}
}

func middle(all []float64) float64 {
	slices.Sort(all)
	return all[len(all)/2]
}
