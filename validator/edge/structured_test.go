package edge_test

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
)

// A parsed Proxy-Status member: name, and parameters in order of writing.
type member struct {
	name   string
	params map[string]any // string: a String; token; int64
}

type token string

// The grammar of RFC 9651, as far as Proxy-Status goes: strict, as a recipient
// that fails on a fault.
var (
	sfToken   = regexp.MustCompile(`^[A-Za-z*][A-Za-z0-9!#$%&'*+.^_|~:/` + "`" + `-]*`)
	sfKey     = regexp.MustCompile(`^[a-z*][a-z0-9_.*-]*`)
	sfInteger = regexp.MustCompile(`^-?[0-9]{1,15}`)
	sfString  = regexp.MustCompile(`^"(?:[ !#-\[\]-~]|\\["\\])*"`)
)

// parseProxyStatus parses a List of Items with parameters.
func parseProxyStatus(s string) ([]member, error) {
	var all []member
	for rest := s; ; {
		m := member{params: map[string]any{}}
		item, after, err := bareItem(rest)
		if err != nil {
			return nil, err
		}
		switch item := item.(type) {
		case token:
			m.name = string(item)
		case string:
			m.name = item
		default:
			return nil, fmt.Errorf("the name is a number: %q", rest)
		}
		for rest = after; strings.HasPrefix(rest, ";"); {
			rest = strings.TrimLeft(rest[1:], " ")
			key := sfKey.FindString(rest)
			if key == "" {
				return nil, fmt.Errorf("no key at %q", rest)
			}
			if _, twice := m.params[key]; twice {
				return nil, fmt.Errorf("%s stands twice", key)
			}
			rest = rest[len(key):]
			if !strings.HasPrefix(rest, "=") {
				return nil, fmt.Errorf("%s has no value", key)
			}
			if m.params[key], rest, err = bareItem(rest[1:]); err != nil {
				return nil, err
			}
		}
		all = append(all, m)
		if rest == "" {
			return all, nil
		}
		separated := strings.TrimLeft(rest, " \t")
		if !strings.HasPrefix(separated, ",") {
			return nil, fmt.Errorf("no comma at %q", rest)
		}
		rest = strings.TrimLeft(separated[1:], " \t")
	}
}

func bareItem(s string) (item any, rest string, err error) {
	if m := sfString.FindString(s); m != "" {
		return strings.NewReplacer(`\"`, `"`, `\\`, `\`).Replace(m[1 : len(m)-1]), s[len(m):], nil
	}
	if m := sfToken.FindString(s); m != "" {
		return token(m), s[len(m):], nil
	}
	if m := sfInteger.FindString(s); m != "" {
		n, err := strconv.ParseInt(m, 10, 64)
		return n, s[len(m):], err
	}
	return nil, s, fmt.Errorf("no item at %q", s)
}
