package scan_test

import (
	"math/rand/v2"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"
)

// Inputs that lie between two unreadable pages: at the end of one that can be
// read, at its beginning, and across the border of two, with garbage around.
func TestPages(t *testing.T) {
	page := syscall.Getpagesize()
	m, err := syscall.Mmap(-1, 0, 4*page, syscall.PROT_READ|syscall.PROT_WRITE, syscall.MAP_ANON|syscall.MAP_PRIVATE)
	require.NoError(t, err)
	defer func() { require.NoError(t, syscall.Munmap(m)) }()
	for _, p := range []int{0, 3} {
		require.NoError(t, syscall.Mprotect(m[p*page:(p+1)*page], syscall.PROT_NONE))
	}
	readable := m[page : 3*page]
	r := rand.New(rand.NewPCG(7, 8))
	each(t, func(t *testing.T) {
		for size := range 300 {
			for _, from := range []int{0, page - size/2, page - size, 2*page - size} {
				for i := range readable {
					readable[i] = "\x00\n:a"[r.IntN(4)]
				}
				b := readable[from : from+size]
				copy(b, heads(r, size))
				for _, atLine := range []bool{false, true} {
					require.NoError(t, same(b[:size:size], atLine))
				}
			}
		}
	})
}
