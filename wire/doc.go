// Package wire reads HTTP/1.x responses strictly: from bytes to a head, the
// framing of its content and the content itself, or to the reason and the
// offset of what is wrong.
//
// # Layers
//
// A [Parser] reads one head. A [Stream] reads the responses of one connection:
// interim heads, final head, content, trailers, what follows. Both do no I/O,
// know no clock and do not allocate once their storage has grown. A [Reader]
// is a Stream over an [io.Reader].
//
// # Memory
//
// Nothing is copied. A [Head] holds offsets into the bytes that were parsed,
// and content comes as segments of the bytes that were given; both are valid as
// long as the caller leaves these bytes alone.
//
// # Speed
//
// What is well formed is taken in blocks of 64 bytes by package scan, with the
// vector instructions that the machine has; it only accepts. Where it stops, a
// state machine, the reference, reads the line again and names the reason.
//
// # Specifications
//
// RFC 9110 and RFC 9112, for a recipient that is an intermediary, with every
// choice that these leave to a recipient made for refusal, save those that
// [Limits.Tolerate] names.
//
// # Security
//
// Whatever the bytes are, a call ends after time linear in what is new and, at
// most, a block; memory is bounded by [Limits], and the result depends on the
// bytes alone, never on how they were split into calls.
package wire
