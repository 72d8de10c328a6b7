package bench

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
)

// head makes a head of these lines, in any order. As servers do, some write all
// names in lower case.
func head(r *rand.Rand, lines ...[]line) draft {
	d := draft{lines: slices.Concat(lines...)}
	d.status = "HTTP/1.1 " + pick(r, []string{
		"200 OK", "200 OK", "200 OK", "200 OK", "206 Partial Content", "301 Moved Permanently",
		"302 Found", "404 Not Found", "403 Forbidden", "429 Too Many Requests",
		"500 Internal Server Error", "503 Service Unavailable",
	})
	r.Shuffle(len(d.lines), func(i, j int) { d.lines[i], d.lines[j] = d.lines[j], d.lines[i] })
	if r.IntN(5) == 0 {
		for i := range d.lines {
			d.lines[i].name = strings.ToLower(d.lines[i].name)
		}
	}
	return d
}

func tiny(r *rand.Rand) draft {
	return head(r, these(r, contentLength), some(r, 1, []maker{etag, requestID}), some(r, 1, []maker{server, contentType, connection, common[0], common[1]}))
}

func nginx(r *rand.Rand) draft { return nginxOf(r, contentLength) }

func nginxOf(r *rand.Rand, framing maker) draft {
	return head(r, these(r, server, date("Date"), contentType, framing, date("Last-Modified"), connection, etag), some(r, 2, common))
}

func cdn(r *rand.Rand) draft { return edge(r, 15) }

// edge makes a head as a CDN sends it, with n lines of its own and 10 of an origin.
func edge(r *rand.Rand, n int) draft {
	return head(r, these(r, server, date("Date"), contentType, contentLength, etag, requestID, cookie), some(r, 3, common), some(r, n, added))
}

func cookies(r *rand.Rand) draft {
	large := func(name string) maker {
		return elastic("Set-Cookie", name+"=", 1000, 4000, "; Path=/; Domain=example.com; Max-Age=31536000; Secure; HttpOnly")
	}
	return head(r, these(r, server, date("Date"), contentType, contentLength, large("session"), large("cart"), large("prefs")))
}

func manyFields(r *rand.Rand) draft { return many(r, "X-Amz-Meta-", 24, 15, 188) }

func manyTinyFields(r *rand.Rand) draft { return many(r, "", 4, 1, 8) }

// many makes a head of 500 lines, with names of up to so many letters behind
// prefix, and values of least to most bytes.
func many(r *rand.Rand, prefix string, longest, least, most int) draft {
	lines := these(r, contentLength)
	for i := len(lines); i < 500; i++ {
		name := fmt.Sprint(prefix, strings.ToUpper(word(r, 1)), word(r, r.IntN(longest)), i%100)
		lines = append(lines, elastic(name, "", least, most, "")(r))
	}
	return head(r, lines)
}

func mixed(r *rand.Rand) draft {
	switch n := r.IntN(100); {
	case n < 22:
		return tiny(r)
	case n < 64:
		return nginx(r)
	}
	return edge(r, r.IntN(16))
}

// The faults are such that most parsers refuse them: strictness is package
// fuzz's business, and what is measured here is how long it takes to refuse.
var (
	statusFaults = []string{"HTTP/1.1 2OO OK", "HTTP/1.1 2000 OK", "HTTP/1.1 abc", "HTTP/1.1200 OK", "HTTP/1.1", "HTTQ/1.1 200 OK"}
	lineFaults   = []func(l *line){
		func(l *line) { l.name += "\t" },
		func(l *line) { l.name = "(" + l.name },
		func(l *line) { l.name = l.name[:1] + "\x00" + l.name[1:] },
		func(l *line) { l.before = "\x00" + l.before },
		func(l *line) { l.before = "\x01" + l.before },
		func(l *line) { l.before = "\r" + l.before },
	}
)

func malformedEarly(r *rand.Rand) draft {
	d := nginx(r)
	d.refused = true
	if r.IntN(3) == 0 {
		d.status = pick(r, statusFaults)
	} else {
		pick(r, lineFaults)(&d.lines[0])
	}
	return d
}

func malformedLate(r *rand.Rand) draft {
	d := nginx(r)
	d.refused = true
	pick(r, lineFaults)(&d.lines[len(d.lines)-1])
	return d
}
