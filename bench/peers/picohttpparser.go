//go:build picohttpparser

package peers

// #include "c.h"
import "C"

import "why520/bench"

func init() { inC = append(inC, PicoHTTPParser()) }

// PicoHTTPParser is H2O's picohttpparser with SSE4.2. No package of Debian has
// its source, but the source of one has: CGO_CFLAGS=-I says where it lies.
func PicoHTTPParser() bench.Parser { return parserInC("picohttpparser", &C.picohttpparser) }
