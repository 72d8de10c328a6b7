// Caddy is Caddy with its standard modules and those of why520.
package main

import (
	caddycmd "github.com/caddyserver/caddy/v2/cmd"
	_ "github.com/caddyserver/caddy/v2/modules/standard"

	_ "why520/contrib/caddy"
)

func main() { caddycmd.Main() }
