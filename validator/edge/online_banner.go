package edge

import (
	"bytes"
	"fmt"
	"mime"
	"net/http"
	"slices"
	"strings"

	"golang.org/x/net/html"
)

// banner is the line on top of stored pages. It is ASCII, which means the same in
// every encoding that asciiCompatible lists.
const banner = `<div role="status" style="all:initial;display:block;box-sizing:border-box;width:100%%;padding:12px 16px;` +
	`background:#fff4ce;color:#1f1f1f;border-bottom:1px solid #8a6d00;font:16px/1.5 sans-serif;text-align:center">` +
	`This is a stored copy of <time datetime="%s">%s</time>: the site does not answer properly just now.</div>`

// asciiCompatible are the encodings of pages in which ASCII is ASCII. Where a page
// names none, browsers take one of them.
var asciiCompatible = []string{"", "utf-8", "utf8", "us-ascii", "ascii", "iso-8859-1", "latin1", "iso-8859-15", "windows-1252"}

// withBanner gives the content with the banner right after its body tag; or as it
// is, and false.
func withBanner(c *copied) (content []byte, marked bool) {
	if !markable(c) {
		return c.content, false
	}
	at := bodyAt(c.content)
	if at < 0 {
		return c.content, false
	}
	stored := c.at.UTC()
	line := fmt.Sprintf(banner, stored.Format("2006-01-02T15:04:05Z"), stored.Format("2 January 2006, 15:04 UTC"))
	return slices.Concat(c.content[:at], []byte(line), c.content[at:]), true
}

// markable reports whether the content is a page that may be changed: HTML without
// a content coding, in an encoding that the banner is written in, and without
// no-transform (RFC 9111 section 5.2.2.6).
func markable(c *copied) bool {
	if coding := c.header.Get("Content-Encoding"); coding != "" && !strings.EqualFold(coding, "identity") {
		return false
	}
	if c.status != http.StatusOK || directivesOf(c.header).has("no-transform") {
		return false
	}
	kind, parameters, err := mime.ParseMediaType(c.header.Get("Content-Type"))
	if err != nil || kind != "text/html" || !slices.Contains(asciiCompatible, strings.ToLower(parameters["charset"])) {
		return false
	}
	return !bytes.HasPrefix(c.content, []byte("\xfe\xff")) && !bytes.HasPrefix(c.content, []byte("\xff\xfe")) // UTF-16
}

// bodyAt gives the offset right after the body tag; -1: there is none. What looks
// like one in a comment, a script or a title is none.
func bodyAt(content []byte) int {
	z := html.NewTokenizer(bytes.NewReader(content))
	for at := 0; ; {
		kind := z.Next()
		at += len(z.Raw())
		switch kind {
		case html.ErrorToken:
			return -1
		case html.StartTagToken:
			if name, _ := z.TagName(); string(name) == "body" {
				return at
			}
		}
	}
}
