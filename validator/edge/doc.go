// Package edge is what a proxy answers where its origin failed: a status of the
// 520 family, Proxy-Status (RFC 9209), and a page for people, a problem document
// (RFC 9457) for programs or a few lines of text; or, with AlwaysOnline, the last
// good copy.
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
// Content-Length, over HTTP/2 by a reset of the stream, over HTTP/1.0, where the
// end of the connection may be all that ends the content, by a reset of the
// connection (Handler does that; httputil.ReverseProxy alone closes it). A cut
// leaves no room for a trailer section, which would end the content in good
// order; see Answers.Trailers for the one exception. Logger is told in any case.
package edge
