// Package origintest has origins that fail on purpose: for every reason that an
// origin can show over loopback, one that shows it. It is to package validator
// what net/http/httptest is to net/http.
//
//	o := origintest.Start(t, "reset-after-request")
//	e, err := o.Prober().Probe(ctx, o.Target())
//
// An [Origin] knows how it must be asked (method, upload, deadlines, name
// server, roots) so that its fault shows: see [Origin.Target] and
// [Origin.Prober]. Nothing outlives [Origin.Close].
package origintest
