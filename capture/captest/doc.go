// Package captest makes captures of which the truth is known: packets of flows
// to HTTP/1.x origins, each of a named [Class] that says who did what. Programs
// that read captures are held against it, as package capture is.
//
//	for f := range captest.Flows(captest.Options{Seed: 1, Flows: 1000}) {
//		f.Class.Truth // what a reader should say of f.Client and f.Origin
//		f.Frames      // in order of time
//	}
//
// [Merge] puts the frames of many flows in the order of time, [WritePcap] and
// [WritePcapng] write them to a file. The same Options give the same bytes.
//
// To add a class: a row in one of the tables, classes_*.go, with its truth and a
// script of what both sides send. All tests use it at once.
package captest
