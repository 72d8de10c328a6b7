// Command why520 asks an origin, judges its bytes, and says what it did.
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"
)

func main() {
	a := newApp(os.Stdin, os.Stdout, os.Stderr)
	a.drop = true
	os.Exit(a.run(untilSignal(), os.Args[1:]))
}

// untilSignal gives a context that ends with the first SIGINT or SIGTERM. The second
// one ends the process, whatever it is still waiting for.
func untilSignal() context.Context {
	ctx, end := context.WithCancel(context.Background())
	first := make(chan os.Signal, 1)
	signal.Notify(first, os.Interrupt, syscall.SIGTERM)
	go func() {
		<-first
		signal.Stop(first)
		end()
	}()
	return ctx
}
