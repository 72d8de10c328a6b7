// Package boltstore keeps the copies of an edge.AlwaysOnline on disk, in a file of
// bbolt (go.etcd.io/bbolt). It is a module of its own, so that who imports why520
// does not carry a database.
//
// # What survives
//
// A restart, a process that is killed and a machine that loses power: bbolt writes
// pages beside those in use, syncs them, and then changes one page that says which
// are valid. What was saved within the moment before is missing then, or still
// what it was before. Damage done to the file by others is found by the checksum
// that AlwaysOnline has in every value, and by reading the file's structure when it
// is opened: a file that is damaged there is renamed, and a new one begun.
//
// # What Save costs
//
// Save and Delete only note what is to be written. One goroutine writes all that
// was noted meanwhile in one transaction, with one sync: a page that is fetched a
// hundred times in that moment is written once. What waits is limited to 32 MiB;
// Save refuses more.
package boltstore
