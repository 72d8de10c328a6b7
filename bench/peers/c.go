//go:build llhttp

package peers

// #cgo CFLAGS: -O3
// #cgo amd64 CFLAGS: -msse4.2
// #include "c.h"
//
// static void heads(const functions *f, const char *at, const ptrdiff_t *sizes, ptrdiff_t count, result *results) {
// 	f->heads(at, sizes, count, results);
// }
// static void responses(const functions *f, const char *at, const ptrdiff_t *sizes, ptrdiff_t count, result *results) {
// 	f->responses(at, sizes, count, results);
// }
// static span value(const functions *f, const char *at, ptrdiff_t size, const char *name, ptrdiff_t name_size) {
// 	return f->value(at, at + size, (span){name, name_size});
// }
// static ptrdiff_t content(const functions *f, const char *at, ptrdiff_t size, char *to) {
// 	return f->content(at, at + size, to);
// }
import "C"

import (
	"unsafe"

	"why520/bench"
)

// parserInC gives a parser in C, which is called once for all inputs: their
// loop is in C as well.
func parserInC(name string, f *C.functions) bench.Parser {
	var sizes []C.ptrdiff_t
	measure := func(inputs [][]byte) (*C.char, *C.ptrdiff_t, C.ptrdiff_t) {
		sizes = sizes[:0]
		for _, b := range inputs {
			sizes = append(sizes, C.ptrdiff_t(len(b)))
		}
		return bytesOf(inputs[0]), &sizes[0], C.ptrdiff_t(len(sizes))
	}
	return bench.Parser{
		Name: name,
		Heads: func(inputs [][]byte, results []bench.Result) {
			at, sizes, count := measure(inputs)
			C.heads(f, at, sizes, count, (*C.result)(unsafe.Pointer(&results[0])))
		},
		Responses: func(inputs [][]byte, results []bench.Result) {
			at, sizes, count := measure(inputs)
			C.responses(f, at, sizes, count, (*C.result)(unsafe.Pointer(&results[0])))
		},
		Value: func(b []byte, name string) string {
			v := C.value(f, bytesOf(b), C.ptrdiff_t(len(b)), bytesOf([]byte(name)), C.ptrdiff_t(len(name)))
			return C.GoStringN(v.at, C.int(v.size))
		},
		Content: func(b []byte) []byte {
			to := make([]byte, len(b))
			return to[:C.content(f, bytesOf(b), C.ptrdiff_t(len(b)), bytesOf(to))]
		},
	}
}

func bytesOf(b []byte) *C.char { return (*C.char)(unsafe.Pointer(&b[0])) }
