// Package bundle keeps what a crash left behind: one directory per crash, the limits on how many there may be, and the
// reading of them.
//
//	Admit --> Begin --> Write, Copy, Create, Rename --> Finish           List, Find, Diff
//	 |          |                  |                      |                 |
//	 |      NAME.partial       files with            meta.json last,    Entry --> Meta, Read
//	 |      and its lock     .part while they       fsync, rename
//	 |                       may lack their end       to NAME
//	.admissions: counts, times                          |
//	of each fingerprint                               Prune: oldest first, newest and first of each kind last
//
// A bundle with a final name is whole: it is renamed only when all it holds is on the disk. What a writer that died left
// is a NAME.partial whose lock nobody holds; Recover finishes it with what it has. A store is shared by any number of
// processes: counts change and bundles go under one flock(2), which nobody waits for longer than [LockWait]; beginning,
// writing and finishing a bundle needs no lock, so a process that is stopped with the lock in its hand delays no report.
//
// # Units and limits
//
// Sizes are bytes. Directories have mode 0700 and files 0600, whatever the umask. [Limits] bounds bundles, bytes and
// rates; a bundle has at most [MaxFiles] files, meta.json at most [MaxMetaBytes], a store at most [MaxNames] names that
// are looked at, and the counts of at most [MaxFingerprints] fingerprints. Nothing on the disk is trusted: names that are not
// ours are left alone, links are never followed, no name leads out of the directory, and what does not hold is
// [ErrCorrupt].
//
// FORMAT.md in the folder above draws the files. Sources: the crash report database of Crashpad (states by rename, a
// lock per report being written), maildir (unique names, rename to publish), the token bucket of RFC 2697.
package bundle
