// Command why520 asks an origin, judges its bytes, and says what it did.
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	a := newApp(os.Stdin, os.Stdout, os.Stderr)
	a.drop = true
	code := a.run(ctx, os.Args[1:])
	stop()
	os.Exit(code)
}
