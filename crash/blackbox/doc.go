// Package blackbox keeps, in a file of shared memory, what should be known of a
// process after it was killed without a word: which loops were in a turn, the
// last metrics, the last notes, and which memory a core must not hold.
//
// The process makes a [Box] and writes to it with plain stores into the mapping;
// the kernel keeps the pages when the process dies, by SIGKILL too. [Read] takes
// the file apart, of a dead process or of a living one. The processes beside the
// server attach with [Open]: they watch its loops and tell each other of their
// own progress.
//
//	server:   Create   Begin End   Begin End   Note   Metrics   Begin  SIGKILL
//	              \       |   |       |   |      |        |        |
//	file:         [ header | loops | notes | metrics A, B | excluded ]
//	              /            |                                \
//	monitors: Open  Step   Loops ...                             Read
//
// # The file
//
// Little-endian, mode 0600, always 1,224,704 bytes. Everything is zero until it
// is used. (A host of the other byte order writes that order, and the magic of
// its file fails here.)
//
//	      0 +------------------------------------------------------------------+
//	        | magic u64 "VITRBOX1"                                             |
//	      8 | version u32 = 1                 | bytes of the header u32 = 4096 |
//	     16 | bytes of the file u64                                            |
//	     24 | process id u32                  | 0 u32                          |
//	     32 | start i64, ns since 1970                                         |
//	     40 | boot id u64                                                      |
//	     48 | length of build u16 | of name u16 | CRC-32C of 0..51, 64..255 u32|
//	     56 | 0 u64                                                            |
//	     64 | build, 128 bytes, zero padded                                    |
//	    192 | name, 64 bytes, zero padded                                      |
//	    256 | steps of monitor 0 u64, 56 bytes zero                            |
//	    320 | steps of monitor 1 u64, 56 bytes zero                            |
//	    384 | closed u64: 1 = yes | end of the excluded slots in use u64       |
//	    400 | refused ranges u64  | notes cut u64                              |
//	    416 | metrics cut u64     | panics u64                                 |
//	    432 | deadman: its time i64, ns | due at i64, ns, 0 = not armed       |
//	    448 | zero to 4096                                                     |
//	   4096 +------------------------------------------------------------------+
//	        | 256 loops of 64 bytes: count u64, odd = in a turn                |
//	        |   in use u32 | length of name u32 | name, 48 bytes               |
//	  20480 +------------------------------------------------------------------+
//	        | 64 notes of 256 bytes: number u64, 0 = none                      |
//	        |   length u32 | CRC-32C of text u32 | text, 240 bytes             |
//	  36864 +------------------------------------------------------------------+
//	        | 2 halves of 69632 bytes: number u64, 0 = none | length u32       |
//	        |   | CRC-32C u32 | cut u64 | zero to 4096 | text, 65536 bytes     |
//	 176128 +------------------------------------------------------------------+
//	        | 65536 excluded ranges of 16 bytes: size u64, 0 = none | addr u64 |
//	1224704 +------------------------------------------------------------------+
//
// A note or a half of the metrics is taken out (number 0), written, and put back
// with its number last; its CRC begins with the number. So the text of a process
// that was killed in mid-write is whole or absent, and the half before it stands.
//
// # Limits
//
// Loops 256 ([MaxLoops]), their names 47 bytes; 64 notes of 240 bytes, the
// newest over the oldest; metrics 64 KiB; 65,536 excluded ranges of up to 1 GiB.
// What is too long is cut and what finds no room is refused, and both are
// counted in the file. Read allocates at most 8 MiB whatever the file holds.
//
// The box outlives the process, not the machine: nothing is synced to disk.
//
// Source: mmap(2), MAP_SHARED; the double buffer of seqlocks, numbered per half.
package blackbox
