package boltstore

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"why520/validator"
	"why520/validator/edge"
	"why520/wire"
)

// writerFolder is the variable that makes this test's program a process that writes
// there until it is killed.
const writerFolder = "WHY520_TEST_WRITER"

const killBudget = 4 << 20

var failed = &validator.Verdict{Reason: wire.HeadCut, EdgeStatus: 520}

// uri is one of a hundred.
func uri(n int) string { return fmt.Sprintf("http://example.test/%d", n%100) }

// content is other bytes each time, of some length, and says whether it is whole.
func content(of string) []byte {
	b := make([]byte, rand.IntN(1<<rand.IntN(18)))
	for i := range b {
		b[i] = byte(rand.Uint32())
	}
	b = append(b, of...)
	sum := sha256.Sum256(b)
	return append(sum[:], b...)
}

func isWhole(b []byte, of string) bool {
	return len(b) > sha256.Size && [sha256.Size]byte(b) == sha256.Sum256(b[sha256.Size:]) && bytes.HasSuffix(b, []byte(of))
}

// keep shows a response to GET.
func keep(online *edge.AlwaysOnline, uri string, content []byte, fields ...string) {
	r := httptest.NewRequest("GET", uri, nil)
	resp := &http.Response{StatusCode: 200, Header: http.Header{}, Request: r, ContentLength: -1, Body: io.NopCloser(bytes.NewReader(content))}
	for i := 0; i < len(fields); i += 2 {
		resp.Header.Add(fields[i], fields[i+1])
	}
	online.Keep(resp)
	io.Copy(io.Discard, resp.Body)
	resp.Body.Close()
}

// served gives the stored content, or nil.
func served(online *edge.AlwaysOnline, uri string) []byte {
	w := httptest.NewRecorder()
	if !online.Serve(w, httptest.NewRequest("GET", uri, nil), failed) {
		return nil
	}
	return w.Body.Bytes()
}

func writeUntilKilled(folder string) {
	store, err := Open(folder, killBudget, nil)
	if err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	online := &edge.AlwaysOnline{Store: store}
	fmt.Println("open")
	for range 2 {
		go func() {
			for {
				u := uri(rand.IntN(100))
				switch rand.IntN(10) {
				case 0:
					online.Keep(&http.Response{StatusCode: 200, Request: httptest.NewRequest("POST", u, nil)})
				case 1:
					keep(online, u, content(u), "Vary", "Accept")
				default:
					keep(online, u, content(u))
				}
			}
		}()
	}
	select {}
}

func TestAKilledProcessLeavesOnlyWholeCopies(t *testing.T) {
	folder := t.TempDir()
	all := 0
	for round := range 12 {
		c := exec.Command(os.Args[0])
		c.Env = append(os.Environ(), writerFolder+"="+folder)
		out, err := c.StdoutPipe()
		require.NoError(t, err)
		require.NoError(t, c.Start())
		said := make([]byte, 5)
		_, err = io.ReadFull(out, said)
		require.NoError(t, err)
		require.Equal(t, "open\n", string(said))
		// The moment of the kill is what varies. Where no round left a copy yet, the disk
		// is slow, and the next round is longer.
		pause := time.Duration(20+rand.IntN(150)) * time.Millisecond
		if all == 0 {
			pause <<= round
		}
		time.Sleep(pause)
		require.NoError(t, c.Process.Kill())
		c.Wait()

		var damage bytes.Buffer
		store, err := Open(folder, killBudget, logTo(&damage))
		require.NoError(t, err, "round %d", round)
		assert.LessOrEqual(t, store.Size(), int64(killBudget))
		online := &edge.AlwaysOnline{Store: store, Logger: logTo(&damage)}
		for n := range 100 {
			if b := served(online, uri(n)); b != nil {
				all++
				assert.True(t, isWhole(b, uri(n)), "round %d: %s", round, uri(n))
			}
		}
		require.NoError(t, store.Close())
		assert.Empty(t, damage.String(), "bbolt leaves nothing torn behind in the first place")
	}
	assert.Positive(t, all, "no round left a copy: the test looks where nothing is")
}

// A process that is killed loses no page that it wrote. A machine that loses power
// may: here any page is overwritten, or the file is cut.
func TestADamagedFileServesOnlyWholeCopies(t *testing.T) {
	folder := t.TempDir()
	store, err := Open(folder, 1<<20, nil)
	require.NoError(t, err)
	online := &edge.AlwaysOnline{Store: store}
	for n := range 300 {
		keep(online, uri(n), content(uri(n)))
	}
	require.NoError(t, store.Close())
	good, err := os.ReadFile(folder + "/copies.bolt")
	require.NoError(t, err)
	whole := 0
	for seed := range uint64(60) {
		random := rand.New(rand.NewPCG(seed, 520))
		damaged := bytes.Clone(good)
		switch seed % 3 {
		case 0:
			damaged = damaged[:random.IntN(len(damaged))]
		case 1:
			damaged[random.IntN(len(damaged))] ^= 1 << random.IntN(8)
		default:
			at := random.IntN(len(damaged) / 4096)
			for i := range 4096 {
				damaged[at*4096+i] = byte(random.Uint32())
			}
		}
		folder := t.TempDir()
		require.NoError(t, os.WriteFile(folder+"/copies.bolt", damaged, 0o600))
		store, err := Open(folder, 1<<20, nil)
		require.NoError(t, err, "seed %d", seed)
		online := &edge.AlwaysOnline{Store: store}
		for n := range 100 {
			if b := served(online, uri(n)); b != nil {
				whole++
				assert.True(t, isWhole(b, uri(n)), "seed %d: %s", seed, uri(n))
			}
			keep(online, uri(n), content(uri(n)))
		}
		require.NoError(t, store.Close(), "seed %d", seed)
		store, err = Open(folder, 1<<20, nil)
		require.NoError(t, err, "seed %d", seed)
		require.NoError(t, store.Close(), "seed %d", seed)
	}
	assert.Positive(t, whole)
}
