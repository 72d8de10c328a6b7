package boltstore

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"runtime/debug"
	"slices"
	"time"

	"go.etcd.io/bbolt"
	bolterrors "go.etcd.io/bbolt/errors"
)

// bucket has all values, each behind a number that grows with every write.
var bucket = []byte("copies")

const numberSize = 8

func numbered(n uint64, value []byte) []byte {
	return append(binary.BigEndian.AppendUint64(make([]byte, 0, numberSize+len(value)), n), value...)
}

// copyOf gives what stands behind the number. What bbolt gives is its memory.
func copyOf(stored []byte) (value []byte, ok bool) {
	if len(stored) < numberSize {
		return nil, false
	}
	return bytes.Clone(stored[numberSize:]), true
}

var errDamaged = errors.New("the file is damaged")

// open opens the file, and begins a new one where it is damaged.
func (s *Store) open() error {
	err := s.openFile()
	if err == nil || !isDamage(err) {
		return err
	}
	s.log.Warn("stored copies are damaged: a new file is begun", slog.Any("error", err), slog.String("renamed", s.file+".damaged"))
	if err := os.Rename(s.file, s.file+".damaged"); err != nil {
		return err
	}
	return s.openFile()
}

// isDamage tells damage of a file from one that cannot be opened now.
func isDamage(err error) bool {
	for _, damage := range []error{errDamaged, bolterrors.ErrInvalid, bolterrors.ErrVersionMismatch, bolterrors.ErrChecksum} {
		if errors.Is(err, damage) {
			return true
		}
	}
	return false
}

// smallest is how many bytes a file has at least: two pages.
const smallest = 2 * 4096

// growth gives how many bytes the file grows by at a time.
func growth(budget int64) int { return int(min(max(budget/16, 64<<10), 16<<20)) }

// openFile opens the file and reads all of its keys.
func (s *Store) openFile() error {
	if info, err := os.Stat(s.file); err == nil && info.Size() > 0 && info.Size() < smallest {
		return fmt.Errorf("%w: it has %d bytes", errDamaged, info.Size())
	}
	err := guarded(func() (err error) {
		s.db, err = bbolt.Open(s.file, 0o600, &bbolt.Options{Timeout: time.Second, FreelistType: bbolt.FreelistMapType})
		if errors.Is(err, bolterrors.ErrTimeout) {
			return fmt.Errorf("another process has %s open: %w", s.file, err)
		}
		if err != nil {
			return err
		}
		s.db.AllocSize = growth(s.budget) // else the file doubles up to 16 MiB
		if err = s.prepare(); err != nil {
			return errors.Join(err, s.db.Close())
		}
		return nil
	})
	if err != nil {
		return err
	}
	if s.items, err = s.readIndex(); err != nil {
		return errors.Join(err, guarded(s.db.Close))
	}
	for _, key := range s.items.shrink(s.budget) { // it was larger before
		s.waiting[key] = change{}
	}
	if len(s.waiting) > 0 {
		s.wake <- struct{}{}
	}
	return nil
}

// prepare sees to it that the file is whole, and has the bucket.
func (s *Store) prepare() error {
	fresh := false
	err := s.db.View(func(tx *bbolt.Tx) error {
		fresh = tx.Bucket(bucket) == nil
		info, err := os.Stat(s.file)
		if err != nil {
			return err
		}
		if tx.Size() > info.Size() {
			return fmt.Errorf("%w: it has %d bytes where %d belong", errDamaged, info.Size(), tx.Size())
		}
		return check(tx)
	})
	if err != nil || !fresh {
		return err
	}
	return s.db.Update(func(tx *bbolt.Tx) error {
		_, err := tx.CreateBucket(bucket)
		return err
	})
}

// check finds pages that cannot be read or do not belong together: they would be
// written over. bbolt's own check reads them in another goroutine, in which
// nothing is guarded, so all are read here first.
func check(tx *bbolt.Tx) error {
	nothing := func(_, _ []byte) error { return nil }
	err := tx.ForEach(func(_ []byte, b *bbolt.Bucket) error { return b.ForEach(nothing) })
	if err != nil {
		return fmt.Errorf("%w: %w", errDamaged, err)
	}
	for found := range tx.Check() {
		if err == nil {
			err = fmt.Errorf("%w: %w", errDamaged, found)
		}
	}
	return err
}

// readIndex goes through the pages of the file that have keys.
func (s *Store) readIndex() (*index, error) {
	type numberedItem struct {
		item
		n uint64
	}
	var read []numberedItem
	err := guarded(func() error {
		return s.db.View(func(tx *bbolt.Tx) error {
			return tx.Bucket(bucket).ForEach(func(key, stored []byte) error {
				if len(stored) < numberSize {
					return fmt.Errorf("%w: a value has %d bytes", errDamaged, len(stored))
				}
				size := int64(len(key) + len(stored))
				read = append(read, numberedItem{item{string(key), size}, binary.BigEndian.Uint64(stored)})
				return nil
			})
		})
	})
	slices.SortFunc(read, func(a, b numberedItem) int { return cmp.Compare(a.n, b.n) })
	x := new(index)
	for _, i := range read {
		x.add(i.key, i.size)
	}
	return x, err
}

// guarded calls f, and makes errors of panics and of memory that cannot be read:
// bbolt trusts its file, which is mapped into memory.
func guarded(f func() error) (err error) {
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("%w: %v", errDamaged, r)
		}
	}()
	return f()
}

// endIfDamaged ends the use of a damaged file, and renames it, so that a new one
// is begun at the next start.
func (s *Store) endIfDamaged(err error) {
	if !isDamage(err) {
		return
	}
	s.log.Error("stored copies are damaged: no more are kept until the next start", slog.Any("error", err))
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.state == nil {
		s.state = err
		close(s.wake)
		os.Rename(s.file, s.file+".damaged")
	}
	s.items, s.waiting = new(index), map[string]change{}
}
