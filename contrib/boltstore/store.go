package boltstore

import (
	"cmp"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"sync"

	"go.etcd.io/bbolt"

	"why520/validator/edge"
)

// A Store is an edge.Store in a folder. It forgets what was used least recently;
// after a restart, what was written least recently.
type Store struct {
	file   string
	budget int64
	log    *slog.Logger
	db     *bbolt.DB
	wake   chan struct{} // has room for one; closed by Close
	done   chan struct{} // closed when the writer is

	mu      sync.Mutex        // not held while the file is read or written
	state   error             // why nothing is kept any more
	waiting map[string]change // what the file does not have yet
	size    int64             // bytes of waiting
	changes uint64            // counts what was ever noted
	writing map[string]change // what is being written
	items   *index
}

// A change is what is to be written under a key; no value: it is to be deleted.
type change struct {
	value []byte
	n     uint64
}

// maxWaiting is how many bytes wait to be written, unless a single value has more.
const maxWaiting = 32 << 20

var (
	errBusy   = errors.New("the disk does not keep up")
	errClosed = errors.New("the store is closed")
)

var _ edge.Store = (*Store)(nil)

// Open opens the store in a folder, which it makes if it is not there. The bytes
// of all keys and values, 8 of its own for each, are never more than budget. The
// file has more, as pages are not full, and those of old values are used again only
// after the next write: 2.2 times a budget of 1 MiB, by measurement. One process can
// have a store open; others fail after a second. A nil logger is silence.
func Open(folder string, budget int64, log *slog.Logger) (*Store, error) {
	if budget <= 0 {
		return nil, fmt.Errorf("a budget of %d bytes keeps nothing", budget)
	}
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return nil, err
	}
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	s := &Store{
		file: filepath.Join(folder, "copies.bolt"), budget: budget, log: log,
		wake: make(chan struct{}, 1), done: make(chan struct{}),
		waiting: map[string]change{},
	}
	if err := s.open(); err != nil {
		return nil, err
	}
	go s.write()
	return s, nil
}

// Load implements edge.Store.
func (s *Store) Load(key string) (value []byte, ok bool) {
	s.mu.Lock()
	c, noted := s.waiting[key]
	if !noted {
		c, noted = s.writing[key]
	}
	there := s.state == nil && s.items.touch(key)
	s.mu.Unlock()
	if noted {
		return c.value, c.value != nil
	}
	if !there {
		return nil, false
	}
	err := guarded(func() error {
		return s.db.View(func(tx *bbolt.Tx) error {
			value, ok = copyOf(tx.Bucket(bucket).Get([]byte(key)))
			return nil
		})
	})
	s.endIfDamaged(err)
	return value, ok && err == nil
}

// Save implements edge.Store. It refuses a value that the budget does not hold,
// and all while more is waiting to be written than 32 MiB.
func (s *Store) Save(key string, value []byte) error {
	if n := sizeOf(key, value); n > s.budget {
		s.Delete(key)
		return fmt.Errorf("%d bytes are above the store's budget of %d", n, s.budget)
	}
	if value == nil {
		value = []byte{}
	}
	return s.note(key, value)
}

// Delete implements edge.Store. After a crash right after it, the value may be
// there again.
func (s *Store) Delete(key string) {
	if err := s.note(key, nil); err != nil {
		s.log.Warn("a stored copy could not be deleted", slog.Any("error", err))
	}
}

// note has a change written soon. Deletions are noted however much waits.
func (s *Store) note(key string, value []byte) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.state != nil:
		return s.state
	case value == nil && !s.has(key):
		return nil
	}
	size := s.size - int64(len(s.waiting[key].value)) + int64(len(value))
	if value != nil && size > maxWaiting && size > int64(len(value)) {
		return errBusy
	}
	s.changes++
	s.waiting[key] = change{value, s.changes}
	s.size = size
	select {
	case s.wake <- struct{}{}:
	default: // the writer will see it
	}
	return nil
}

// has reports whether there is anything of key to be deleted.
func (s *Store) has(key string) bool {
	_, waiting := s.waiting[key]
	_, writing := s.writing[key]
	return waiting || writing || s.items.items[key] != nil
}

// Size gives the bytes of all keys and values in the file, 8 of its own for each:
// never more than the budget.
func (s *Store) Size() int64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.items.size
}

// Close writes what waits, and closes the file.
func (s *Store) Close() error {
	s.mu.Lock()
	state := s.state
	s.state = errClosed
	if state == nil {
		close(s.wake)
	}
	s.mu.Unlock()
	<-s.done
	if state == errClosed {
		return nil
	}
	return guarded(s.db.Close)
}

// write writes what is noted until the store is closed.
func (s *Store) write() {
	defer close(s.done)
	for range s.wake {
		s.flush()
	}
	s.flush()
}

// flush writes what waits in one transaction. Where that fails, as on a full disk,
// the file is what it was before; what was to be deleted still is.
func (s *Store) flush() {
	s.mu.Lock()
	s.writing, s.waiting, s.size = s.waiting, map[string]change{}, 0
	keys := slices.SortedFunc(maps.Keys(s.writing), func(a, b string) int { return cmp.Compare(s.writing[a].n, s.writing[b].n) })
	evicted := s.items.apply(keys, s.writing, s.budget)
	s.mu.Unlock()
	if len(keys) == 0 {
		return
	}
	err := guarded(func() error { return s.commit(keys, evicted) })
	if err == nil {
		s.mu.Lock()
		s.writing = nil
		s.mu.Unlock()
		return
	}
	s.log.Error("copies could not be written", slog.Any("error", err))
	items, again := s.readIndex()
	s.mu.Lock()
	s.items = items
	for key, c := range s.writing {
		if _, newer := s.waiting[key]; c.value == nil && !newer {
			s.waiting[key] = c
		}
	}
	s.writing = nil
	s.mu.Unlock()
	s.endIfDamaged(err)
	s.endIfDamaged(again)
}

// commit changes the file. What was noted and evicted at once is not written.
func (s *Store) commit(keys []string, evicted map[string]bool) error {
	return s.db.Update(func(tx *bbolt.Tx) error {
		b := tx.Bucket(bucket)
		for key := range evicted {
			if err := b.Delete([]byte(key)); err != nil {
				return err
			}
		}
		for _, key := range keys {
			var err error
			switch value := s.writing[key].value; {
			case evicted[key]:
			case value == nil:
				err = b.Delete([]byte(key))
			default:
				var n uint64
				if n, err = b.NextSequence(); err == nil {
					err = b.Put([]byte(key), numbered(n, value))
				}
			}
			if err != nil {
				return err
			}
		}
		return nil
	})
}
