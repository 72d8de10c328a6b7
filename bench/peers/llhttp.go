//go:build llhttp

package peers

// #cgo CFLAGS: -DLLHTTP_STRICT_MODE=1 -I/usr/share/include/llhttp -I/usr/share/llhttp
// #include "c.h"
import "C"

import "why520/bench"

func init() { inC = append(inC, LLHTTP()) }

// LLHTTP is llhttp, Node's parser, of Debian's package node-llhttp, in its
// strict mode. It notes where names and values are.
func LLHTTP() bench.Parser { return parserInC("llhttp", &C.llhttp) }
