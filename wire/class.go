package wire

import "why520/wire/internal/scan"

func isToken(c byte) bool   { return scan.Class[c]&scan.Token != 0 }
func isText(c byte) bool    { return scan.Class[c]&scan.Text != 0 }
func isControl(c byte) bool { return scan.Class[c]&scan.Control != 0 }
func isSpace(c byte) bool   { return c == ' ' || c == '\t' }
func isDigit(c byte) bool   { return '0' <= c && c <= '9' }

// isBlank knows white space and the line ends of folding that was tolerated.
func isBlank(c byte) bool { return isSpace(c) || c == '\r' || c == '\n' }
