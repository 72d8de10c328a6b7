package edge

import (
	"bytes"
	"crypto/sha256"
	_ "embed"
	"encoding/base64"
	"html/template"
	"strings"
)

//go:embed page.css
var styleText string

//go:embed page.html
var pageText string

var builtIn = template.Must(template.New("page").Funcs(template.FuncMap{
	"style": func() template.CSS { return template.CSS(styleText) },
	"prose": func(s string) []string { return strings.Split(s, "`") }, // what is odd stood between backticks
	"odd":   func(i int) bool { return i%2 == 1 },
}).Parse(pageText))

// styleSource allows the style of the built-in page, and no other.
var styleSource = func() string {
	sum := sha256.Sum256([]byte(styleText))
	return "; style-src 'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'"
}()

// page gives the page for people, and the policy to send with it. Where a
// template of the user's fails, the built-in one stands in.
func (a *Answers) page(f *Failure, policy string) (content []byte, with string) {
	var b bytes.Buffer
	if a.Page != nil {
		err := a.Page.Execute(&b, f)
		if err == nil {
			return b.Bytes(), policy + "; style-src 'unsafe-inline'; img-src data:"
		}
		if a.Logger != nil {
			a.Logger.Error("the page's template failed", "id", f.ID, "error", err)
		}
		b.Reset()
	}
	if err := builtIn.Execute(&b, f); err != nil { // it is tested with every reason
		panic(err)
	}
	return b.Bytes(), policy + styleSource
}

// A Picture shows where a failure lies between browser, edge and origin.
type Picture struct {
	Browser, ToEdge, Edge, ToOrigin, Origin Part
	Alternative                             string // the same in words
}

// A Part of a Picture.
type Part struct {
	State string // good, bad or idle
	Label string // the state, in one to three words
}

// Picture gives the picture of f.
func (f *Failure) Picture() Picture {
	good, bad, idle := Part{"good", "works"}, Part{"bad", f.Label}, Part{"idle", "unknown"}
	switch f.Place {
	case AtBrowser:
		return Picture{bad, good, good, idle, idle, "What your browser sent failed: " + f.Label + ". This proxy works. Nothing is known of the website’s server."}
	case AtEdge:
		return Picture{good, good, bad, idle, Part{"idle", "not asked"}, "Your browser works. This proxy failed: " + f.Label + ". The website’s server was not asked."}
	case OnTheWay:
		return Picture{good, good, good, bad, idle, "Your browser and this proxy work. The connection from this proxy to the website’s server failed: " + f.Label + "."}
	}
	return Picture{good, good, good, good, bad, "Your browser and this proxy work. The website’s server failed: " + f.Label + "."}
}
