package main

import (
	"bufio"
	"bytes"
	"crypto/x509"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// A soakSort is what an origin does with a request for /name/NUMBER, and what has
// to come of it.
type soakSort struct {
	name    string
	share   int // of all, in parts of the sum
	status  int // that a client sees; 0: the response is cut, or it left
	reasons []string
}

var soakKinds = []soakSort{
	{"good", 40, 200, []string{"ok"}},
	{"chunked", 15, 200, []string{"ok"}},
	{"fold", 5, 200, []string{"ok"}}, // tolerated, repaired
	{"slow", 3, 200, []string{"ok"}},
	{"large", 4, 200, []string{"ok"}}, // beyond HoldContent
	{"upload", 8, 200, []string{"ok"}},
	{"upgrade", 2, 101, []string{"ok"}},
	{"invalid", 6, 520, []string{"field-no-colon"}},
	{"empty", 4, 520, []string{"closed-without-a-byte", "reset-after-request"}},
	{"reset", 4, 520, []string{"reset-after-request", "reset-before-request"}},
	{"short", 4, 520, []string{"body-short"}},
	{"cut", 3, 0, []string{"body-short"}}, // beyond HoldContent
	{"abort", 2, 0, []string{"client-closed", "ok"}},
}

const (
	soakContent = 2000
	soakLarge   = 100 << 10
)

// soakOrigin answers on connections that stay, without much ado.
func soakOrigin(t *testing.T) string {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go soakServe(c.(*net.TCPConn))
		}
	}()
	return l.Addr().String()
}

var largeContent = bytes.Repeat([]byte("l"), soakLarge)

func soakServe(c *net.TCPConn) {
	defer c.Close()
	r := bufio.NewReader(c)
	for {
		q, err := http.ReadRequest(r)
		if err != nil {
			return
		}
		n, _ := io.Copy(io.Discard, q.Body)
		kind, _, _ := strings.Cut(q.URL.Path[1:], "/")
		answer := ""
		switch kind {
		case "good":
			answer = "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 5\r\n\r\nhello"
		case "chunked":
			answer = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n"
		case "fold":
			answer = "HTTP/1.1 200 OK\r\nX: a\r\n b\r\nContent-Length: 5\r\n\r\nhello"
		case "slow":
			io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Le")
			time.Sleep(time.Millisecond)
			answer = "ngth: 5\r\n\r\nhello"
		case "upload":
			answer = fmt.Sprintf("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n%05d", n)
		case "invalid":
			answer = "HTTP/1.1 200 OK\r\nno colon here\r\n\r\n"
		case "short":
			answer = "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhello"
		case "large", "cut":
			fmt.Fprintf(c, "HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n", soakLarge)
			if kind == "cut" {
				c.Write(largeContent[:soakLarge*9/10])
				return
			}
			if _, err := c.Write(largeContent); err != nil {
				return
			}
		case "upgrade":
			io.WriteString(c, "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n")
			io.Copy(c, r)
			return
		case "abort":
			io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n")
			for { // until the client is gone, and the proxy with it
				if _, err := io.WriteString(c, "data: x\n\n"); err != nil {
					return
				}
				time.Sleep(time.Millisecond)
			}
		case "reset":
			c.SetLinger(0)
			return
		}
		io.WriteString(c, answer)
		if answer == "" && kind != "large" || kind == "short" || kind == "invalid" {
			return
		}
	}
}

// A soakLog counts the lines of the log by kind and reason, and sees that no
// number comes twice.
type soakLog struct {
	mu     sync.Mutex
	seen   []uint64 // a bit a number
	twice  int
	counts map[string]int
	strays []string // lines that are none of ours
}

func (l *soakLog) Write(line []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	kind, number, _ := strings.Cut(quoted(line, `"path":"/`), "/")
	n, err := strconv.Atoi(number)
	if err != nil || n >= len(l.seen)*64 {
		l.strays = append(l.strays, string(line))
		return len(line), nil
	}
	if l.seen[n/64]&(1<<(n%64)) != 0 {
		l.twice++
	}
	l.seen[n/64] |= 1 << (n % 64)
	l.counts[kind+" "+quoted(line, `"reason":"`)]++
	return len(line), nil
}

// quoted gives what stands behind key, up to the quote.
func quoted(line []byte, key string) string {
	_, rest, _ := bytes.Cut(line, []byte(key))
	value, _, _ := bytes.Cut(rest, []byte(`"`))
	return string(value)
}

func (l *soakLog) total() (n int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, k := range l.counts {
		n += k
	}
	return n + len(l.strays)
}

// soakSize gives how many requests are made: WHY520_SOAK, or 20,000 in CI, or a
// few; and for how long at most: WHY520_SOAK_TIME.
func soakSize(t *testing.T) (count int, limit time.Duration) {
	count, limit = 2_000, time.Hour
	if os.Getenv("WHY520_CI") != "" {
		count = 20_000
	}
	var err error
	if s := os.Getenv("WHY520_SOAK"); s != "" {
		count, err = strconv.Atoi(s)
		require.NoError(t, err)
	}
	if s := os.Getenv("WHY520_SOAK_TIME"); s != "" {
		limit, err = time.ParseDuration(s)
		require.NoError(t, err)
	}
	return count, limit
}

// soakLeft is what is there when nothing is under way.
type soakLeft struct {
	goroutines, descriptors int
	heap                    uint64
}

func (s soakLeft) String() string {
	return fmt.Sprintf("%d goroutines, %d descriptors, %d KiB", s.goroutines, s.descriptors, s.heap>>10)
}

// isMoreThan reports whether there is more left than chance explains.
func (s soakLeft) isMoreThan(before soakLeft) bool {
	return s.goroutines > before.goroutines+16 || s.descriptors > before.descriptors+32 || s.heap > before.heap+16<<20
}

func left() soakLeft {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	descriptors, _ := os.ReadDir("/proc/self/fd")
	return soakLeft{runtime.NumGoroutine(), len(descriptors), m.HeapAlloc}
}

// A day's exchanges in fast motion, good, bad, slow, aborted and switched to other
// protocols: each has its line and its verdict once, and nothing is left behind.
//
//	WHY520_SOAK=10000000 nice -n 19 go test ./cmd/why520 -run Soak -v -timeout 24h
func TestSoak(t *testing.T) {
	count, limit := soakSize(t)
	const workers = 16
	round := max(1, min(count/10, 50_000))
	address := soakOrigin(t)
	cert, key, roots := certificate(t)
	args := []string{"--origin", "http://" + address, "--store-size", "1MiB"}
	proxies := []*running{startProxy(t, nil, args...), startProxy(t, nil, append(args, "--tls-cert", cert, "--tls-key", key)...)}
	log := &soakLog{seen: make([]uint64, count/64+1), counts: map[string]int{}}
	for _, p := range proxies {
		p.access = jsonLog(log)
	}
	var next atomic.Int64
	var made [2]atomic.Int64
	began := time.Now()
	var after []soakLeft
	for done := 0; done < count && time.Since(began) < limit && !t.Failed(); done += round {
		upTo := int64(min(count, done+round))
		var wait sync.WaitGroup
		for w := range workers {
			wait.Go(func() {
				u := newSoakUser(proxies, roots, w%8 == 7)
				defer u.close()
				for n := next.Add(1) - 1; n < upTo && time.Since(began) < limit; n = next.Add(1) - 1 {
					if wrong := u.ask(soakKinds[soakKind(n)].name, soakKinds[soakKind(n)].status, n); wrong != "" {
						assert.Fail(t, "not as expected", "request %d: %s", n, wrong)
					}
					made[u.proxy].Add(1)
				}
			})
		}
		wait.Wait()
		next.Store(upTo)
		total := int(made[0].Load() + made[1].Load())
		require.Eventually(t, func() bool { return log.total() >= total }, time.Minute, time.Millisecond, "a line for each")
		l := left()
		for end := time.Now().Add(time.Minute); len(after) > 1 && l.isMoreThan(after[1]) && time.Now().Before(end); l = left() {
			time.Sleep(10 * time.Millisecond) // connections that clients closed are being noticed
		}
		after = append(after, l)
		t.Logf("%d requests, %v: %v", total, time.Since(began).Round(time.Second), l)
	}
	total := int(made[0].Load() + made[1].Load())
	assert.Equal(t, total, log.total(), "a line for each")
	assert.Zero(t, log.twice)
	assert.Empty(t, log.strays)
	for of, n := range log.counts {
		kind, reason, _ := strings.Cut(of, " ")
		at := slices.IndexFunc(soakKinds, func(k soakSort) bool { return k.name == kind })
		assert.Contains(t, soakKinds[at].reasons, reason, "%d of %s", n, kind)
	}
	t.Log(log.counts)
	for i, p := range proxies {
		requests, verdicts := p.totals(t)
		assert.EqualValues(t, made[i].Load(), requests)
		assert.EqualValues(t, made[i].Load(), verdicts, "each verdict once")
	}
	if n := len(after); n > 2 {
		assert.False(t, after[n-1].isMoreThan(after[1]), "%v, and before %v", after[n-1], after[1])
	}
}

// soakKind gives the kind of the nth request.
func soakKind(n int64) int {
	sum := 0
	for _, k := range soakKinds {
		sum += k.share
	}
	r := rand.New(rand.NewPCG(uint64(n), 520)).IntN(sum)
	for i, k := range soakKinds {
		if r -= k.share; r < 0 {
			return i
		}
	}
	return 0
}

// A soakUser asks one of the proxies, on a connection that stays while it can.
type soakUser struct {
	proxy   int // of the proxies: 1 is over HTTP/2
	address string
	second  *http.Client
	c       net.Conn
	r       *bufio.Reader
}

func newSoakUser(proxies []*running, roots *x509.CertPool, second bool) *soakUser {
	if !second {
		return &soakUser{address: proxies[0].clients.Addr().String()}
	}
	return &soakUser{proxy: 1, address: proxies[1].clients.Addr().String(), second: secondClient(roots)}
}

func (u *soakUser) close() {
	if u.c != nil {
		u.c.Close()
		u.c = nil
	}
	if u.second != nil {
		u.second.CloseIdleConnections()
	}
}

// ask makes a request, and says what is wrong with what came.
func (u *soakUser) ask(kind string, status int, n int64) (wrong string) {
	method, content := http.MethodGet, ""
	if kind == "upload" {
		method, content = http.MethodPost, strings.Repeat("u", soakContent)
	}
	path := fmt.Sprintf("/%s/%d", kind, n)
	var response *http.Response
	var err error
	if u.second != nil && kind != "upgrade" {
		q, _ := http.NewRequest(method, "https://"+u.address+path, strings.NewReader(content))
		response, err = u.second.Do(q)
	} else if u.second != nil {
		q, _ := http.NewRequest(method, "https://"+u.address+strings.Replace(path, "upgrade", "good", 1), nil)
		kind, status = "good", 200
		response, err = u.second.Do(q)
	} else {
		response, err = u.raw(method, path, content, kind == "upgrade")
	}
	if err != nil {
		u.close()
		if status == 0 {
			return ""
		}
		return fmt.Sprintf("%s: %v", path, err)
	}
	defer response.Body.Close()
	if kind == "abort" {
		io.ReadFull(response.Body, make([]byte, 9))
		u.close()
		return ""
	}
	if kind == "upgrade" {
		defer u.close()
		b := []byte("ping")
		u.c.Write(b)
		if _, err := io.ReadFull(u.r, b); err != nil || string(b) != "ping" || response.StatusCode != status {
			return fmt.Sprintf("%s: %d, %v", path, response.StatusCode, err)
		}
		return ""
	}
	got, err := io.ReadAll(response.Body)
	switch {
	case err != nil:
		u.close()
		if status != 0 {
			return fmt.Sprintf("%s: %v", path, err)
		}
	case status == 0:
		return fmt.Sprintf("%s: %d bytes pass for whole", path, len(got))
	case response.StatusCode != status:
		return fmt.Sprintf("%s: %d", path, response.StatusCode)
	case status == 200 && kind == "large" && !bytes.Equal(got, largeContent),
		kind == "upload" && string(got) != fmt.Sprintf("%05d", soakContent),
		status == 200 && kind != "large" && kind != "upload" && string(got) != "hello":
		return fmt.Sprintf("%s: %.40q", path, got)
	}
	if response.Close && u.second == nil {
		u.close()
	}
	return ""
}

func (u *soakUser) raw(method, path, content string, upgrade bool) (*http.Response, error) {
	if u.c == nil {
		c, err := net.Dial("tcp", u.address)
		if err != nil {
			return nil, err
		}
		u.c, u.r = c, bufio.NewReader(c)
	}
	fields := ""
	if content != "" {
		fields = fmt.Sprintf("Content-Length: %d\r\n", len(content))
	}
	if upgrade {
		fields += "Connection: Upgrade\r\nUpgrade: websocket\r\n"
	}
	u.c.SetDeadline(time.Now().Add(time.Minute))
	if _, err := fmt.Fprintf(u.c, "%s %s HTTP/1.1\r\nHost: origin.test\r\n%s\r\n%s", method, path, fields, content); err != nil {
		return nil, err
	}
	return http.ReadResponse(u.r, nil)
}
