package bench

import (
	"fmt"
	"math/rand/v2"
	"time"
)

// A maker makes a field line.
type maker func(r *rand.Rand) line

func fixed(name string, values ...string) maker {
	return func(r *rand.Rand) line { return line{name: name, before: pick(r, values)} }
}

// elastic makes lines with a core of least to most bytes between before and
// after.
func elastic(name, before string, least, most int, after string) maker {
	return func(r *rand.Rand) line {
		return line{name, before, token(r, least+r.IntN(most-least+1)), after}
	}
}

// opaque makes lines as elastic does, of n bytes that stay as they are.
func opaque(name, before string, n int, after string) maker {
	return func(r *rand.Rand) line { return line{name: name, before: before + token(r, n) + after} }
}

func number(name string, most int) maker {
	return func(r *rand.Rand) line {
		return line{name: name, before: fmt.Sprint(r.IntN(1 + r.IntN(1+r.IntN(most))))}
	}
}

func date(name string) maker {
	return func(r *rand.Rand) line {
		at := time.Unix(1_700_000_000+r.Int64N(1<<27), 0).UTC()
		return line{name: name, before: at.Format("Mon, 02 Jan 2006 15:04:05 GMT")}
	}
}

var (
	server        = fixed("Server", "nginx", "nginx/1.26.2", "Apache/2.4.62 (Debian)", "cloudflare", "openresty/1.25.3.1", "AmazonS3", "envoy", "LiteSpeed", "gws")
	contentType   = fixed("Content-Type", "text/html; charset=utf-8", "application/json", "text/css", "image/webp", "application/javascript; charset=utf-8", "image/png", "text/plain", "font/woff2", "application/octet-stream")
	contentLength = number("Content-Length", 1<<22)
	connection    = fixed("Connection", "keep-alive", "keep-alive", "close")
	etag          = elastic("ETag", `"`, 8, 20, `"`)
	requestID     = elastic("X-Request-Id", "", 12, 36, "")
	cookie        = elastic("Set-Cookie", "session=", 24, 200, "; Path=/; Secure; HttpOnly; SameSite=Lax")
	chunkedCoding = fixed("Transfer-Encoding", "chunked")
)

// common are the fields that an origin server sends.
var common = []maker{
	fixed("Accept-Ranges", "bytes", "none"),
	fixed("Vary", "Accept-Encoding", "Accept-Encoding, Origin", "Cookie", "Origin"),
	fixed("Cache-Control", "no-cache", "private, max-age=0", "public, max-age=31536000, immutable", "max-age=600", "no-store"),
	date("Expires"),
	fixed("Content-Language", "en", "de-DE", "fr", "en-GB, en"),
	fixed("Content-Disposition", "inline", `attachment; filename="report.pdf"`),
	fixed("X-Powered-By", "PHP/8.2.24", "Express", "ASP.NET", "Next.js"),
	elastic("Location", "https://www.example.com/", 4, 40, ""),
	fixed("Pragma", "no-cache"),
}

// added are those that what stands before it adds.
var added = []maker{
	number("Age", 1<<20),
	fixed("Via", "1.1 varnish", "1.1 google", "1.1 varnish, 1.1 varnish", "1.1 vegur"),
	fixed("X-Cache", "HIT", "MISS", "HIT, HIT", "Hit from cloudfront", "MISS, HIT"),
	fixed("X-Cache-Hits", "0", "1", "2, 17", "0, 4711"),
	opaque("X-Served-By", "cache-fra-", 12, "-FRA"),
	opaque("X-Timer", "S1720000000.", 6, ",VS0,VE1"),
	fixed("Strict-Transport-Security", "max-age=31536000", "max-age=63072000; includeSubDomains; preload", "max-age=15552000; includeSubDomains"),
	fixed("X-Content-Type-Options", "nosniff"),
	fixed("X-Frame-Options", "DENY", "SAMEORIGIN"),
	fixed("X-XSS-Protection", "0", "1; mode=block"),
	fixed("Referrer-Policy", "no-referrer", "strict-origin-when-cross-origin", "same-origin"),
	fixed("Alt-Svc", `h3=":443"; ma=86400`, `h3=":443"; ma=2592000,h3-29=":443"; ma=2592000`, "clear"),
	opaque("CF-Ray", "", 16, "-AMS"),
	fixed("CF-Cache-Status", "HIT", "MISS", "DYNAMIC", "EXPIRED", "REVALIDATED"),
	elastic("Content-Security-Policy", "default-src 'self'; img-src 'self' data: https:; style-src 'self' 'unsafe-inline'; script-src 'self' 'nonce-", 16, 100, "'; connect-src 'self' https://api.example.com; frame-ancestors 'none'"),
	fixed("Permissions-Policy", "camera=(), microphone=(), geolocation=()", "interest-cohort=()"),
	fixed("Access-Control-Allow-Origin", "*", "https://www.example.com"),
	fixed("Access-Control-Expose-Headers", "ETag, Link, Location", "X-Request-Id"),
	fixed("Timing-Allow-Origin", "*"),
	fixed("Server-Timing", "cdn-cache; desc=HIT", "edge; dur=1", "origin; dur=118, edge; dur=3"),
	fixed("Cross-Origin-Opener-Policy", "same-origin", "unsafe-none"),
	fixed("Cross-Origin-Resource-Policy", "cross-origin", "same-site"),
	elastic("Link", "</static/", 8, 40, ".css>; rel=preload; as=style"),
	opaque("X-Amz-Cf-Id", "", 54, "=="),
	fixed("X-Amz-Cf-Pop", "FRA56-P4", "AMS1-C1", "LHR62-C2"),
	fixed("NEL", `{"report_to":"default","max_age":2592000}`, `{"success_fraction":0,"report_to":"cf-nel","max_age":604800}`),
	elastic("Report-To", `{"group":"cf-nel","max_age":604800,"endpoints":[{"url":"https://a.example.com/report?s=`, 12, 48, `"}]}`),
}

// some gives n lines of these makers, no maker twice.
func some(r *rand.Rand, n int, of []maker) (lines []line) {
	for _, i := range r.Perm(len(of))[:n] {
		lines = append(lines, of[i](r))
	}
	return lines
}

// these gives a line of each maker.
func these(r *rand.Rand, of ...maker) []line { return some(r, len(of), of) }

func pick[T any](r *rand.Rand, of []T) T { return of[r.IntN(len(of))] }

const letters = "abcdefghijklmnopqrstuvwxyz"

func word(r *rand.Rand, n int) string { return characters(r, letters, n) }

// token gives n characters that may stand in any value.
func token(r *rand.Rand, n int) string {
	return characters(r, letters+"ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_", n)
}

func characters(r *rand.Rand, of string, n int) string {
	b := make([]byte, n)
	for i := range b {
		b[i] = of[r.IntN(len(of))]
	}
	return string(b)
}
