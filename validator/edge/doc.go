// Package edge is what a proxy answers where its origin failed: here, the last
// good copy.
package edge
