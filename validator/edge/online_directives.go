package edge

import (
	"net/http"
	"strings"
	"time"
)

// cacheControl has the arguments of each directive, by its name in lower case; a
// directive without an argument has an empty one.
type cacheControl map[string][]string

// directivesOf reads Cache-Control of a request or a response, RFC 9111 section 5.2:
//
//	Cache-Control   = #cache-directive
//	cache-directive = token [ "=" ( token / quoted-string ) ]
//
// What does not follow the grammar is read for the worst: a name counts whatever
// stands behind it, white space may surround "=", a quoted-string may lack its end.
func directivesOf(h http.Header) cacheControl {
	d := cacheControl{}
	for _, s := range h.Values("Cache-Control") {
		for s != "" {
			var name, argument string
			name, s = takeUntil(s, ",= \t")
			s = strings.TrimLeft(s, " \t")
			if strings.HasPrefix(s, "=") {
				argument, s = takeArgument(strings.TrimLeft(s[1:], " \t"))
			}
			if name != "" {
				name = strings.ToLower(name)
				d[name] = append(d[name], argument)
			}
			s = strings.TrimLeft(s, ", \t")
		}
	}
	return d
}

func takeUntil(s, stops string) (taken, rest string) {
	if i := strings.IndexAny(s, stops); i >= 0 {
		return s[:i], s[i:]
	}
	return s, ""
}

func takeArgument(s string) (argument, rest string) {
	if !strings.HasPrefix(s, `"`) {
		return takeUntil(s, ", \t")
	}
	var b strings.Builder
	for i := 1; i < len(s); i++ {
		switch {
		case s[i] == '"':
			return b.String(), s[i+1:]
		case s[i] == '\\' && i+1 < len(s):
			i++
		}
		b.WriteByte(s[i])
	}
	return b.String(), ""
}

// has reports whether a directive is there, with or without an argument.
func (d cacheControl) has(name string) bool { return len(d[name]) > 0 }

// unqualified reports whether a directive is there without the names of fields.
func (d cacheControl) unqualified(name string) bool {
	for _, argument := range d[name] {
		if strings.Trim(argument, " \t,") == "" {
			return true
		}
	}
	return false
}

// fields gives the names of fields that no-cache and private are limited to.
func (d cacheControl) fields() []string {
	var names []string
	for _, directive := range []string{"no-cache", "private"} {
		for _, argument := range d[directive] {
			for name := range strings.SplitSeq(argument, ",") {
				if name = strings.Trim(name, " \t"); name != "" {
					names = append(names, name)
				}
			}
		}
	}
	return names
}

// seconds gives the argument of a directive, RFC 9111 section 1.2.2: the smallest
// if it is there more than once, none if it is no number.
func (d cacheControl) seconds(name string) (t time.Duration, there bool) {
	t = longest
	for _, argument := range d[name] {
		t = min(t, deltaSeconds(argument))
	}
	return t, d.has(name)
}

// longest is the longest time that is told apart, RFC 9111 section 1.2.2.
const longest = 1 << 31 * time.Second

// deltaSeconds reads 1*DIGIT; what is above longest is longest, and what is no
// number 0.
func deltaSeconds(s string) time.Duration {
	n := int64(0)
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return 0
		}
		n = min(n*10+int64(s[i]-'0'), int64(longest/time.Second))
	}
	return time.Duration(n) * time.Second
}
