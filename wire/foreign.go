package wire

// classify says what b is, which begins with no HTTP/1 status line: all that
// came, or as much as is looked at. The order is the policy's.
func classify(b []byte) Reason {
	switch r := classifyStart(b); {
	case r != OK:
		return r
	case behindByteOrderMark(b) || index(b, "\nHTTP/1.") >= 0:
		return OutputBeforeStatusLine
	case isFieldLine(b):
		return HeadersWithoutStatusLine
	case hasPrefix(b, "HTTP/"):
		return HTTPVersion
	case isOtherProtocol(b):
		return ProtocolName
	}
	for _, c := range b {
		if isControl(c) {
			return NotHTTPBinary
		}
	}
	return NotHTTPText
}

// classifyStart gives the reasons that the first bytes decide, whatever comes
// behind them, and OK where they do not.
func classifyStart(b []byte) Reason {
	switch {
	case isHTTP2(b):
		return HTTP2OnHTTP1Port
	case isTLSRecord(b):
		return TLSRecordOnPlaintextPort
	case Protocol(b) != "":
		return OtherProtocolBanner
	}
	return OK
}

// isHTTP2 knows the client's preface and the first frames that a server sends
// (RFC 9113 sections 3.4, 4.1, 6.5 and 6.8): SETTINGS or GOAWAY on stream 0.
func isHTTP2(b []byte) bool {
	if hasPrefix(b, "PRI * HTTP/2.0\r\n") {
		return true
	}
	if len(b) < 9 {
		return false
	}
	length := int(b[0])<<16 | int(b[1])<<8 | int(b[2])
	if length > 1<<14 || b[5]|b[6]|b[7]|b[8] != 0 {
		return false
	}
	const settings, goAway = 4, 7
	return b[3] == settings && b[4] <= 1 && length%6 == 0 || b[3] == goAway && b[4] == 0 && length >= 8
}

// isTLSRecord knows a record header (RFC 8446 section 5.1) of the types
// change_cipher_spec to application_data.
func isTLSRecord(b []byte) bool {
	if len(b) < 5 || b[0] < 20 || b[0] > 23 || b[1] != 3 || b[2] > 4 {
		return false
	}
	length := int(b[3])<<8 | int(b[4])
	return 0 < length && length <= 1<<14+2048
}

func behindByteOrderMark(b []byte) bool {
	for _, mark := range []string{"\xEF\xBB\xBF", "\xFE\xFF", "\xFF\xFE"} {
		if hasPrefix(b, mark) && hasPrefix(b[len(mark):], "HTTP/") {
			return true
		}
	}
	return false
}

// isFieldLine reports whether b begins with a field name and a colon.
func isFieldLine(b []byte) bool {
	i := 0
	for i < len(b) && isToken(b[i]) {
		i++
	}
	return 0 < i && i < len(b) && b[i] == ':'
}

// isOtherProtocol knows NAME "/" 1*DIGIT "." 1*DIGIT SP, and Shoutcast's "ICY ".
func isOtherProtocol(b []byte) bool {
	if hasPrefix(b, "ICY ") {
		return true
	}
	i := 0
	for i < len(b) && isToken(b[i]) {
		i++
	}
	for _, mark := range [...]byte{'/', '.'} {
		if i == 0 || i == len(b) || b[i] != mark {
			return false
		}
		i++
		from := i
		for i < len(b) && isDigit(b[i]) {
			i++
		}
		if i == from {
			return false
		}
	}
	return i < len(b) && b[i] == ' '
}

// A banner is how another protocol begins when it speaks first, or how it
// answers a GET.
type banner struct {
	protocol string
	prefix   string
	within   string // must follow within the bytes looked at; empty: nothing must
}

// banners, in the order in which they are tried.
var banners = []banner{
	{"SSH", "SSH-", ""},
	{"VNC", "RFB 0", ""},
	{"FTP", "220", "FTP"}, {"FTP", "220", "FileZilla"}, {"FTP", "530 ", "login"}, {"FTP", "500 ", "not understood"},
	{"SMTP", "220", "SMTP"}, {"SMTP", "220", "mail"}, {"SMTP", "554 ", "SMTP"}, {"SMTP", "421 ", "SMTP"},
	{"SMTP or FTP", "220 ", ""}, {"SMTP or FTP", "220-", ""},
	{"SMTP", "221 2.7.0", ""}, {"SMTP", "500 5.5.", ""}, {"SMTP", "502 5.5.", ""}, {"SMTP", "500 ", "ommand"}, {"SMTP", "502 ", "ommand"},
	{"NNTP", "200 ", "NNTP"}, {"NNTP", "201 ", "NNTP"}, {"NNTP", "200 ", "posting"}, {"NNTP", "201 ", "posting"},
	{"POP3", "+OK", ""},
	{"Redis", "-ERR unknown command", ""}, {"Redis", "-ERR wrong number", ""}, {"Redis", "-NOAUTH", ""},
	{"Redis", "-DENIED", ""}, {"Redis", "-ERR max number", ""}, {"Redis", "-MISCONF", ""}, {"Redis", "-LOADING", ""},
	{"POP3", "-ERR", ""},
	{"IMAP", "* OK", ""}, {"IMAP", "* BYE", ""}, {"IMAP", "* PREAUTH", ""}, {"IMAP", "* BAD", ""},
	{"AMQP", "AMQP", ""},
	{"memcached", "ERROR\r\n", ""},
	{"NATS", "INFO {", ""},
	{"rsync", "@RSYNCD:", ""},
	{"Subversion", "( success ( ", ""},
	{"IRC", ":", " NOTICE "}, {"IRC", "NOTICE AUTH", ""}, {"IRC", "ERROR :", ""},
	{"XMPP", "<?xml", "<stream:"}, {"XMPP", "<stream:", ""},
	{"ManageSieve", `"IMPLEMENTATION"`, ""},
	{"Asterisk manager", "Asterisk Call Manager/", ""},
	{"beanstalkd", "UNKNOWN_COMMAND\r\n", ""},
	{"Zabbix", "ZBXD", ""},
	{"PostgreSQL", "E\x00\x00", "FATAL"}, {"PostgreSQL", "EFATAL", ""},
	{"Telnet", "\xFF\xFB", ""}, {"Telnet", "\xFF\xFC", ""}, {"Telnet", "\xFF\xFD", ""}, {"Telnet", "\xFF\xFE", ""},
	{"RDP", "\x03\x00\x00\x0B", ""}, {"RDP", "\x03\x00\x00\x13", ""},
}

// Protocol names the protocol whose banner or error answer b begins with, as
// far as it is known here: "SSH", "SMTP or FTP", ... Empty: none.
func Protocol(b []byte) string {
	if isMySQL(b) {
		return "MySQL"
	}
	for i := range banners {
		if n := &banners[i]; hasPrefix(b, n.prefix) && (n.within == "" || index(b, n.within) >= 0) {
			return n.protocol
		}
	}
	return ""
}

// isMySQL knows the first packet of a MySQL or MariaDB server: three bytes of
// length, number 0, then protocol version 10 or an error.
func isMySQL(b []byte) bool {
	if len(b) < 7 || b[1] > 1 || b[2] != 0 || b[3] != 0 {
		return false
	}
	const handshakeV10, errorPacket = 0x0A, 0xFF
	return b[0] > 4 && (b[4] == handshakeV10 && isDigit(b[5]) || b[4] == errorPacket)
}

func hasPrefix(b []byte, prefix string) bool {
	return len(b) >= len(prefix) && string(b[:len(prefix)]) == prefix
}

// index gives the first place of s in b, or -1.
func index(b []byte, s string) int {
	for i := 0; i+len(s) <= len(b); i++ {
		if b[i] == s[0] && string(b[i:i+len(s)]) == s {
			return i
		}
	}
	return -1
}
