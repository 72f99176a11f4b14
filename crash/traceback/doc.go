// Package traceback reads what the Go runtime prints of goroutines: it parses a dump, finds the goroutine that died,
// groups equal stacks and gives a crash its fingerprint.
//
//	text of a crash, debug.Stack, runtime.Stack
//	      |
//	    Parse --> Dump --+--> Crashed --> App --> Fingerprint
//	                     +--> Throw           (where the reason of a fatal error lies in memory)
//	                     +--> Group --> AppendJSON
//
// A dump is a reason, perhaps a signal, then one paragraph per goroutine:
//
//	panic: boom                                                                 reason
//	[signal SIGSEGV: segmentation violation code=0x1 addr=0x0 pc=0x47b2a1]      signal
//
//	goroutine 7 gp=0xc000102 m=3 mp=0xc00008 [running, locked to thread labels:{"session": "7"}]:
//	main.(*player).hit(0xc000012, 0x7)                                          function and arguments
//		/srv/game/player.go:42 +0x1b fp=0xc0001 sp=0xc0000 pc=0x47b2a1           place, offset in the function, registers
//	created by main.main in goroutine 1
//		/srv/game/main.go:12 +0x3c
//
// gp, m, mp, fp, sp and pc are printed at the levels system and crash, and for the goroutine of a fatal error of the
// runtime; labels with GODEBUG=tracebacklabels=1.
//
// # Limits
//
// Text is hostile: nothing in it makes Parse fail or take more memory than a small multiple of its size. A line counts
// up to 64 KiB, a reason up to 16 KiB, a goroutine up to 256 frames and 64 labels of 1 KiB, a dump up to 262,144
// goroutines and 1,048,576 frames; Dump.Cut tells that one of them was met. Frames of the first 1,024 goroutines are
// kept as printed. Beyond them arguments and registers are dropped, and goroutines with one stack share its frames:
// treat Frames as read-only.
//
// Source: src/runtime/traceback.go, panic.go and signal_unix.go of Go 1.26.
package traceback
