//go:build picohttpparser

package peers

// #include "c.h"
import "C"

import "why520/bench"

func init() { inC = append(inC, PicoHTTPParser()) }

// PicoHTTPParser is H2O's picohttpparser, with SSE4.2 on amd64. Chunks it decodes
// in place, so that responses are copied first. It looks for framing fields in
// responses, and not in heads.
func PicoHTTPParser() bench.Parser { return parserInC("picohttpparser", &C.picohttpparser) }
