// Package validator asks an HTTP/1.x origin over a connection of its own, keeps
// what was seen as facts, and judges them: what the origin did, at which byte,
// and which answer of an edge proxy (520 to 530) that makes.
//
// It has three parts, which serve alone too:
//
//   - A [Prober] asks: name, connect, TLS, request, response, what follows. An
//     error of its own means that nothing could be asked; whatever an origin or
//     the network does is no error but [Evidence].
//   - [Read] makes Evidence of bytes that were saved, without a network.
//   - [Judge] makes a [Verdict] of Evidence, by a [Policy]. It is a pure
//     function: Evidence that was stored as JSON is judged again to the same
//     Verdict, or by other rules to another.
//
// A Prober may be used by many goroutines at once. Evidence holds copies, never
// a buffer of the connection; secrets in fields that carry them are masked when
// it is made. The package opens no file and writes no log.
//
// The reasons of package wire are bytes' doing; this package declares those of
// the network, of TLS and of time ([wire.Declare]).
package validator
