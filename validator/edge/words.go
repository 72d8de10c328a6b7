package edge

import (
	"net/http"

	"why520/validator"
	"why520/wire"
)

// Words tell a failure to people. They hold nothing of the origin.
type Words struct {
	Title   string // what is the matter, in a line
	What    string // what happened
	Visitor string // what a visitor can do
	Owner   string // where the owner of the site can look
	Place   Place  // where the exchange failed
	Label   string // what is written there, in one to three words

	retry int // seconds after which asking again makes sense; 0: not said
}

// A Place is where an exchange between browser, edge and origin failed.
type Place string

const (
	AtBrowser Place = "browser"
	AtEdge    Place = "edge"
	OnTheWay  Place = "way" // between edge and origin
	AtOrigin  Place = "origin"
)

// What visitors can do.
const (
	waitAndTell = "Nothing is wrong on your side. Try again in a few minutes; if it stays like this, tell the owner of the website, with the ID below."
	justTell    = "Nothing is wrong on your side, and trying again will hardly help. Tell the owner of the website, with the ID below."
	checkFirst  = " What you sent may have arrived all the same: before you send an order or a form again, see whether it went through."
	notSent     = " What you sent did not reach the website."
)

// wordsFor gives the words for a failure in answer to a request of that method.
func wordsFor(f *Failure, method string) Words {
	w, known := words[f.Cause]
	if !known {
		w = words[Unknown]
	}
	if f.failed != nil {
		if owner := ownerOf[f.failed.Verdict.Reason]; owner != "" {
			w.Owner = owner
		}
	}
	switch method {
	case http.MethodGet, http.MethodHead, http.MethodOptions:
		return w
	}
	w.retry = 0 // nobody should repeat this unasked
	switch {
	case f.Reason == LocalFault, f.Reason == RequestFault: // who knows
	case f.failed != nil && f.failed.Verdict.Phase < validator.PhaseRequest:
		w.Visitor += notSent
	default:
		w.Visitor += checkFirst
	}
	return w
}

// words has the words for every cause, and for failures without a verdict.
var words = map[string]Words{
	"unreachable-name": {
		Title:   "The website’s server could not be found",
		What:    "We looked up the name of the server behind this website, and it does not lead to an address.",
		Visitor: waitAndTell,
		Owner:   "Compare the origin’s name in the settings of this proxy with its A and AAAA records, and see that the name server answers.",
		Place:   OnTheWay, Label: "no address", retry: 60,
	},
	"unreachable": {
		Title:   "The website’s server cannot be reached",
		What:    "There is no way through the network from here to the server behind this website.",
		Visitor: waitAndTell,
		Owner:   "Check the origin’s address in the settings of this proxy, and the routes to it.",
		Place:   OnTheWay, Label: "no route", retry: 60,
	},
	"refused": {
		Title:   "The website’s server is down",
		What:    "We asked the server behind this website for a connection, and it refused at once. Mostly this means that its web server is not running.",
		Visitor: waitAndTell,
		Owner:   "See that the web server runs and listens on the right port and address, and that no firewall rejects this proxy.",
		Place:   AtOrigin, Label: "refused", retry: 30,
	},
	"connect-timeout": {
		Title:   "The website’s server does not respond",
		What:    "We tried to connect to the server behind this website, and nothing came back in time.",
		Visitor: waitAndTell,
		Owner:   "See that the firewall lets the addresses of this proxy through, and that the server is not overloaded.",
		Place:   OnTheWay, Label: "no response", retry: 30,
	},
	"tls-handshake": {
		Title:   "No secure connection to the website’s server",
		What:    "We could not agree on an encrypted connection with the server behind this website.",
		Visitor: waitAndTell,
		Owner:   "Look at the origin’s TLS settings: versions and ciphers, a certificate for this name, and whether this port speaks TLS at all.",
		Place:   OnTheWay, Label: "not secure",
	},
	"tls-certificate": {
		Title:   "The website’s server could not prove its identity",
		What:    "The server behind this website showed a certificate that is not valid, so nothing was sent to it.",
		Visitor: justTell,
		Owner:   "Look at the origin’s certificate: its dates, its names and its chain.",
		Place:   OnTheWay, Label: "not trusted",
	},
	"reset-after-handshake": {
		Title:   "The website’s server broke off the connection",
		What:    "The server behind this website took our connection, and then cut it without an answer.",
		Visitor: waitAndTell,
		Owner:   "Look in the origin’s logs at the time below for a worker that crashed, and for a connection limit or a firewall that filters requests.",
		Place:   OnTheWay, Label: "cut off", retry: 10,
	},
	"empty-response": {
		Title:   "The website’s server hung up without an answer",
		What:    "The server behind this website took our connection, and closed it without sending a single byte.",
		Visitor: waitAndTell,
		Owner:   "Look in the application’s log at the time below for a crash or a killed process, and see that the port is the web server’s.",
		Place:   AtOrigin, Label: "no answer", retry: 10,
	},
	"stale-connection": {
		Title:   "The connection to the website’s server was lost",
		What:    "We used a connection that the server behind this website had closed a moment before.",
		Visitor: "Nothing is wrong on your side. Reload the page: that mostly helps at once.",
		Owner:   "Let the origin keep idle connections for longer than this proxy does.",
		Place:   OnTheWay, Label: "lost", retry: 1,
	},
	"response-timeout": {
		Title:   "The website’s server took too long",
		What:    "We reached the server behind this website, but its answer did not come in time.",
		Visitor: waitAndTell,
		Owner:   "Look for slow queries and busy workers at the time below, or raise the time limit of this proxy.",
		Place:   AtOrigin, Label: "too slow", retry: 30,
	},
	"head-incomplete": {
		Title:   "The website’s server stopped before its answer",
		What:    "The server behind this website began to answer, and broke off before the page itself.",
		Visitor: waitAndTell,
		Owner:   "Look in the application’s log at the time below for a crash or a killed process.",
		Place:   AtOrigin, Label: "answer broke off", retry: 10,
	},
	"head-too-large": {
		Title:   "The website sent too much ahead of the page",
		What:    "Cookies and other notes for your browser come ahead of every page. This time they were larger than this proxy accepts.",
		Visitor: "It may help to delete the cookies of this website. If it does not, tell the owner of the website, with the ID below.",
		Owner:   "Send fewer or smaller header fields: cookies first, then Content-Security-Policy, Link and fields for debugging.",
		Place:   AtOrigin, Label: "header too large",
	},
	"no-header-fields": {
		Title:   "The website’s server gave an incomplete answer",
		What:    "Every answer begins with a few lines about itself. This one had none, so we did not trust it.",
		Visitor: justTell,
		Owner:   "Let the server send at least Date and Content-Type. An answer without header fields is mostly written by hand.",
		Place:   AtOrigin, Label: "incomplete answer",
	},
	"invalid-response": {
		Title:   "The website’s server gave an answer we cannot use",
		What:    "The answer breaks the rules of HTTP, the language of browsers and websites, so it could not be passed on safely.",
		Visitor: justTell,
		Owner:   "Look at what writes the answer: a script, a plugin, a second proxy, or another service on this port.",
		Place:   AtOrigin, Label: "invalid answer",
	},
	"body-incomplete": {
		Title:   "The website’s answer broke off",
		What:    "The page began to arrive from the server behind this website, and ended before it was whole.",
		Visitor: waitAndTell,
		Owner:   "Look in the application’s log at the time below for a worker that died while it was sending, or for a wrong Content-Length.",
		Place:   AtOrigin, Label: "answer broke off", retry: 10,
	},
	"body-too-large": {
		Title:   "The website’s answer is too large",
		What:    "What the server behind this website sent is larger than this proxy passes on.",
		Visitor: justTell,
		Owner:   "Send less, or raise the limit that is set for content in this proxy.",
		Place:   AtOrigin, Label: "answer too large",
	},
	RequestFault: {
		Title:   "What you sent could not be passed on",
		What:    "What your browser or program sent did not arrive here whole, or not in a form that can be read.",
		Visitor: "Send it again. If that fails as well, try another browser or program, or another network; the website itself may be well.",
		Owner:   "Look in the log of this proxy for the ID below, and at what makes such requests: chunked content that is malformed, a limit on uploads, or a client that stops half-way.",
		Place:   AtBrowser, Label: "not readable",
	},
	ConnectionLimit: {
		Title:   "The website is busy",
		What:    "This proxy asks the server behind this website only so many things at a time, and it was not your request’s turn before its time was over.",
		Visitor: "Nothing is wrong on your side. Try again in a moment.",
		Owner:   "The origin answers too slowly for so many requests: look for slow ones, or raise the limit of connections in the settings of this proxy.",
		Place:   AtEdge, Label: "in line", retry: 10,
	},
	LocalFault: {
		Title:   "This proxy has a problem of its own",
		What:    "Your request got as far as this proxy, which could not ask the server behind the website. The website itself may be well.",
		Visitor: waitAndTell,
		Owner:   "Look in the log of this proxy for the ID below: it may be out of descriptors, ports or memory, or have no route.",
		Place:   AtEdge, Label: "problem",
	},
	Unknown: {
		Title:   "The website’s server gave no usable answer",
		What:    "We asked the server behind this website, and got nothing that could be passed on.",
		Visitor: waitAndTell,
		Owner:   "Look in the log of this proxy for the ID below: it has the error.",
		Place:   AtOrigin, Label: "failed",
	},
	UnknownTimeout: {
		Title:   "The website’s server took too long",
		What:    "We asked the server behind this website, and its answer did not come in time.",
		Visitor: waitAndTell,
		Owner:   "Look in the log of this proxy for the ID below: it has the error.",
		Place:   AtOrigin, Label: "too slow", retry: 30,
	},
}

// ownerOf has what is said to owners where the cause alone says too little.
var ownerOf = map[wire.Reason]string{
	validator.TLSPeerSpeaksPlaintext:       "The origin’s port speaks plain HTTP: turn TLS on there, or let this proxy ask over http.",
	validator.TLSClientCertificateRequired: "The origin asks for a client certificate: give this proxy one that the origin accepts.",
	validator.TLSHandshakeTimeout:          "The origin did not finish the TLS handshake: it may be overloaded, or wait for a PROXY protocol header.",
	validator.DNSTimeout:                   "The name server of the origin’s name does not answer: see that it runs and can be reached.",
	wire.HTTP2OnHTTP1Port:                  "The origin answers in HTTP/2: offer HTTP/1.1 on this port too.",
	wire.TLSRecordOnPlaintextPort:          "The origin’s port speaks TLS: let this proxy ask over https.",
	wire.OtherProtocolBanner:               "Another service answers on the origin’s port: correct the port in the settings of this proxy.",
	wire.Unasked101:                        "The origin switches protocols unasked: look for a WebSocket handler on this path.",
}
