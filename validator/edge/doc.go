// Package edge is what a proxy answers where its origin failed: a status of the
// 520 family, Proxy-Status (RFC 9209), and a page for people, a problem document
// (RFC 9457) for programs or a few lines of text.
//
// A proxy that has a httputil.ReverseProxy sets two of its fields:
//
//	var answers edge.Answers
//	proxy.ErrorHandler = answers.ErrorHandler
//	proxy.ModifyResponse = answers.ModifyResponse
//
// One that has none takes a Handler. Both know what happened if the transport
// fails with *validator.Error; other errors are answered too, with less to say.
//
// # What a visitor sees
//
// The status, the reason's token, an ID to quote, and plain words for that kind
// of failure. Addresses, names and bytes of the origin are shown only to those
// requests that Answers.Details says yes to.
//
// # Content that fails once its head is passed on
//
// The status cannot be taken back then. A client must not take the part for the
// whole, so the response is cut: over HTTP/1.1 within its chunks or below its
// Content-Length, over HTTP/2 by a reset of the stream. Neither leaves room for a
// trailer section, which would end the content in good order: the one case in
// which it is safe, HTTP/2 with a Content-Length that the content falls short of
// (malformed by RFC 9113 section 8.1.1, and told as such), has a Proxy-Status
// trailer where the client takes trailers. Over HTTP/1.0 without a Content-Length
// the end of the connection ends the content; Handler resets it there.
package edge
