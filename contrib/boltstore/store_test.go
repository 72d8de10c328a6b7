package boltstore

import (
	"bytes"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.etcd.io/bbolt"

	"why520/validator/edge"
)

func logTo(w io.Writer) *slog.Logger { return slog.New(slog.NewTextHandler(w, nil)) }

// open opens a store that the test closes.
func open(t *testing.T, folder string, budget int64) *Store {
	t.Helper()
	s, err := Open(folder, budget, nil)
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, s.Close()) })
	return s
}

// inFile gives the keys of the file, and the bytes that the budget counts.
func inFile(t *testing.T, s *Store) (keys map[string]string, size int64) {
	t.Helper()
	keys = map[string]string{}
	require.NoError(t, s.db.View(func(tx *bbolt.Tx) error {
		return tx.Bucket(bucket).ForEach(func(k, v []byte) error {
			keys[string(k)] = string(v[numberSize:])
			size += int64(len(k) + len(v))
			return nil
		})
	}))
	return keys, size
}

func TestCopiesSurviveARestart(t *testing.T) {
	folder := t.TempDir()
	s := open(t, folder, 1<<20)
	online := &edge.AlwaysOnline{Store: s}
	keep(online, "http://example.test/", []byte("content"), "X", "1")
	keep(online, "http://example.test/varies", []byte("for all"), "Vary", "Accept")
	assert.Equal(t, "content", string(served(online, "http://example.test/")), "at once")
	require.NoError(t, s.Close())
	assert.Nil(t, served(online, "http://example.test/"), "closed")
	assert.Error(t, s.Save("k", nil))
	require.NoError(t, s.Close(), "once more")

	online = &edge.AlwaysOnline{Store: open(t, folder, 1<<20)}
	assert.Equal(t, "content", string(served(online, "http://example.test/")))
	assert.Equal(t, "for all", string(served(online, "http://example.test/varies")))
}

func TestWhatWasSavedIsThereAtOnce(t *testing.T) {
	s := open(t, t.TempDir(), 1<<20)
	for n := range 200 {
		value := fmt.Sprint(n)
		require.NoError(t, s.Save("key", []byte(value)))
		got, ok := s.Load("key")
		assert.True(t, ok)
		assert.Equal(t, value, string(got))
		if n%3 == 0 {
			s.Delete("key")
			_, ok := s.Load("key")
			assert.False(t, ok)
		}
	}
	require.NoError(t, s.Save("empty", nil))
	value, ok := s.Load("empty")
	assert.True(t, ok)
	assert.Empty(t, value)
}

func TestTheBudgetIsExact(t *testing.T) {
	const budget = 10_000
	folder := t.TempDir()
	s := open(t, folder, budget)
	require.NoError(t, s.Save("k", make([]byte, budget-1-numberSize)))
	assert.Error(t, s.Save("k", make([]byte, budget-numberSize)))
	_, ok := s.Load("k")
	assert.False(t, ok, "what is there is older than what was refused")
	for seed := range uint64(20) {
		random := rand.New(rand.NewPCG(seed, 7))
		last := map[string]string{}
		for range 100 {
			key := fmt.Sprint(random.IntN(30))
			switch random.IntN(4) {
			case 0:
				s.Delete(key)
				delete(last, key)
			case 1:
				s.Load(key)
			default:
				value := bytes.Repeat([]byte(key), random.IntN(1500))
				require.NoError(t, s.Save(key, value))
				last[key] = string(value)
			}
			assert.LessOrEqual(t, s.Size(), int64(budget))
		}
		for n := range 60 { // deletions may have left room: it is filled
			key, value := fmt.Sprintf("fresh%02d", n), make([]byte, 500)
			require.NoError(t, s.Save(key, value))
			last[key] = string(value)
		}
		require.NoError(t, s.Close())
		s = open(t, folder, budget)
		keys, size := inFile(t, s)
		assert.Greater(t, size, int64(budget-(500+7+numberSize)), "nothing is evicted while there is room")
		assert.Equal(t, size, s.Size())
		assert.LessOrEqual(t, size, int64(budget))
		for key, value := range keys {
			assert.Equal(t, last[key], value, "seed %d", seed)
		}
	}
}

func TestTheFileIsAsLargeAsTheDocumentationSays(t *testing.T) {
	const budget = 1 << 20
	s := open(t, t.TempDir(), budget)
	random := rand.New(rand.NewPCG(1, 2))
	for range 300 { // a write each, of pages of all sizes
		for range 5 {
			assert.NoError(t, s.Save(fmt.Sprint(random.IntN(1000)), make([]byte, 1+random.IntN(40<<10))))
		}
		require.Eventually(t, func() bool { s.mu.Lock(); defer s.mu.Unlock(); return len(s.waiting)+len(s.writing) == 0 }, time.Minute, 100*time.Microsecond)
	}
	info, err := os.Stat(s.file)
	require.NoError(t, err)
	t.Logf("%d bytes for a budget of %d", info.Size(), budget)
	assert.LessOrEqual(t, info.Size(), int64(budget*5/2))
}

func TestNothingIsEvictedWhileThereIsRoom(t *testing.T) {
	const budget = 30 * (2 + numberSize + 300)
	for seed := range uint64(20) {
		folder := t.TempDir()
		s := open(t, folder, budget)
		random := rand.New(rand.NewPCG(seed, 8))
		last := map[string]string{}
		for range 100 {
			key := fmt.Sprint(random.IntN(30))
			if random.IntN(4) == 0 {
				s.Delete(key)
				delete(last, key)
				continue
			}
			value := strings.Repeat("v", random.IntN(301))
			require.NoError(t, s.Save(key, []byte(value)))
			last[key] = value
		}
		require.NoError(t, s.Close())
		keys, _ := inFile(t, open(t, folder, budget))
		assert.Equal(t, last, keys, "seed %d", seed)
	}
}

func TestWhatWasUsedLeastRecentlyGoes(t *testing.T) {
	folder := t.TempDir()
	s := open(t, folder, 10*(2+numberSize+100))
	for n := 10; n < 20; n++ {
		require.NoError(t, s.Save(fmt.Sprint(n), make([]byte, 100)))
	}
	require.NoError(t, s.Close())
	s = open(t, folder, 10*(2+numberSize+100))
	s.Load("10")
	require.NoError(t, s.Save("20", make([]byte, 100)))
	require.NoError(t, s.Close())
	keys, _ := inFile(t, open(t, folder, 1<<20))
	assert.Len(t, keys, 10)
	assert.Contains(t, keys, "10")
	assert.NotContains(t, keys, "11")
}

func TestASmallerBudgetHolds(t *testing.T) {
	folder := t.TempDir()
	s := open(t, folder, 1<<20)
	for n := range 100 {
		require.NoError(t, s.Save(fmt.Sprint(n), make([]byte, 1000)))
	}
	require.NoError(t, s.Close())
	s = open(t, folder, 10_000)
	require.NoError(t, s.Close())
	_, size := inFile(t, open(t, folder, 1<<20))
	assert.LessOrEqual(t, size, int64(10_000))
	assert.Greater(t, size, int64(8_000))
}

func TestASecondProcessDoesNotWaitForLong(t *testing.T) {
	folder := t.TempDir()
	open(t, folder, 1000)
	_, err := Open(folder, 1000, nil)
	assert.ErrorContains(t, err, "another process has "+folder)
	_, err = Open(folder, 0, nil)
	assert.ErrorContains(t, err, "budget")
}

func TestADiskThatDoesNotKeepUpHoldsNobody(t *testing.T) {
	s, err := Open(t.TempDir(), 1<<30, nil)
	require.NoError(t, err)
	tx, err := s.db.Begin(true) // the writer waits
	require.NoError(t, err)
	for n := 0; err == nil; n++ {
		require.Less(t, n, 100)
		err = s.Save(fmt.Sprint(n), make([]byte, 1<<20))
	}
	assert.Equal(t, errBusy, err)
	s.Delete("0")
	_, ok := s.Load("0")
	assert.False(t, ok, "what is to be deleted is gone even so")
	require.NoError(t, tx.Rollback())
	require.NoError(t, s.Close())
}

func TestAFailedWriteLeavesWhatWasThere(t *testing.T) {
	folder := t.TempDir()
	s, err := Open(folder, 1<<20, nil)
	require.NoError(t, err)
	require.NoError(t, s.Save("a", []byte("1")))
	require.NoError(t, s.Save("b", []byte("1")))
	require.NoError(t, s.Close())
	var log bytes.Buffer
	s = &Store{file: s.file, budget: 1 << 20, log: logTo(&log), waiting: map[string]change{}, wake: make(chan struct{}, 1)}
	require.NoError(t, s.open())
	file := s.db
	s.db, err = bbolt.Open(t.TempDir()+"/other", 0o600, nil) // has no bucket: every commit fails
	require.NoError(t, err)
	require.NoError(t, s.db.Close())
	require.NoError(t, s.Save("a", []byte("2")))
	s.Delete("b")
	s.flush()
	assert.Contains(t, log.String(), "could not be written")
	s.db = file
	_, ok := s.Load("b")
	assert.False(t, ok, "it is still to be deleted")
	s.flush()
	keys, _ := inFile(t, s)
	assert.Equal(t, map[string]string{"a": "1"}, keys)
	require.NoError(t, s.db.Close())
}

func TestAStoreIsUsedByMany(t *testing.T) {
	s := open(t, t.TempDir(), 20_000)
	var all sync.WaitGroup
	for g := range 8 {
		all.Go(func() {
			random := rand.New(rand.NewPCG(uint64(g), 1))
			for range 300 {
				key := fmt.Sprint(random.IntN(30))
				switch random.IntN(3) {
				case 0:
					s.Delete(key)
				case 1:
					if value, ok := s.Load(key); ok {
						assert.Equal(t, key, string(value[:len(key)]))
					}
				default:
					assert.NoError(t, s.Save(key, append([]byte(key), make([]byte, random.IntN(3000))...)))
				}
			}
		})
	}
	all.Wait()
}
