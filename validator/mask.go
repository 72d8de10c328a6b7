package validator

import (
	"bytes"
	"strings"
)

// secret names the fields whose values are masked everywhere.
var secret = map[string]bool{
	"set-cookie": true, "cookie": true, "authorization": true, "proxy-authorization": true,
}

// mask gives a copy of raw, a head or the beginning of one, with each visible
// byte of every secret value replaced by an asterisk. Control bytes and white
// space stay, so that the copy is read as the original is.
func mask(raw []byte) []byte {
	out := bytes.Clone(raw)
	hide := false
	for from := 0; from < len(out); {
		line := out[from:]
		if end := bytes.IndexByte(line, '\n'); end >= 0 {
			line = line[:end+1]
		}
		from += len(line)
		value := line
		if line[0] != ' ' && line[0] != '\t' { // else a fold of the value before
			name, _, found := bytes.Cut(line, []byte(":"))
			hide = found && secret[strings.ToLower(string(bytes.TrimSpace(name)))]
			if hide {
				value = line[len(name)+1:]
			}
		}
		if hide {
			for i, c := range value {
				if c > ' ' && c != 0x7F {
					value[i] = '*'
				}
			}
		}
	}
	return out
}

// maskField masks the value of a field if its name is a secret's.
func maskField(name, value string) string {
	if secret[strings.ToLower(name)] {
		return strings.Repeat("*", len(value))
	}
	return value
}
