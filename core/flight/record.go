package flight

import "unsafe"

// Record is what one packet, or one life-cycle event, leaves behind. It is a
// value: readers get copies, which never change.
type Record struct {
	Session uint64 // the session's id, 0 = none
	Seq     uint64 // number of the record in its worker's ring: from 1, without gaps
	Recv    int64  // ns since the clock's zero: the stamp that started its group
	Cause   Ref    // what it follows from, or a Ref with Seq 0
	Wait    uint32 // ns from Recv to the start of its group, saturates; 0 until the group is closed
	Handle  uint32 // ns its whole group took, saturates; 0 until the group is closed
	Out     uint32 // bytes its handler sent
	Err     uint16 // 0 = no error; the code is its writer's
	Flags   Flags
	Size    uint32 // bytes of payload
	Type    uint16 // packet type; for the other kinds what their writer says
	Worker  uint16
	_       uint32 // the mark, for the ring only
	Kind    Kind
	Group   uint8 // packets in its group; 0 until the group is closed
	Pos     uint8 // its place in the group, from 0; known when the group is closed
	_       uint8
}

// recordSize is the size of a record in memory and in a file.
const recordSize = 64

// The sizes must agree, or this does not compile.
var (
	_ [recordSize]byte = [unsafe.Sizeof(Record{})]byte{}
	_ [recordSize]byte = [unsafe.Sizeof(slot{})]byte{}
)

// Ref returns the reference that names r in logs, spans and crash bundles.
func (r *Record) Ref() Ref { return makeRef(r.Worker, r.Seq) }

// Ref names one record of one process: its worker and its number there. With
// the process's boot id it names it everywhere.
//
//	63       48 47 46                                 0
//	| worker 16 | L | number                         47 |   L: life-cycle ring
//
// A Ref whose Seq is 0 names no record.
type Ref uint64

const (
	seqBits = 48
	seqMask = 1<<seqBits - 1
	lifeBit = 1 << (seqBits - 1) // set in every Seq of the life-cycle ring
)

func makeRef(worker uint16, seq uint64) Ref {
	return Ref(uint64(worker)<<seqBits | seq&seqMask)
}

// Worker returns the worker whose ring holds the record.
func (r Ref) Worker() uint16 { return uint16(r >> seqBits) }

// Seq returns the record's number in that ring, 0 when r names no record.
func (r Ref) Seq() uint64 { return uint64(r) & seqMask }

// Lifecycle reports whether the record is in the life-cycle ring.
func (r Ref) Lifecycle() bool { return r&lifeBit != 0 }

// Kind says what a record is about.
type Kind uint8

// The kinds. Packets are in the packet ring, the others in the life-cycle ring.
const (
	KindNone    Kind = iota
	KindPacket       // a packet was handled
	KindPush         // a broadcast: cause, bytes, sessions reached
	KindSession      // a session opened or closed
	KindMode         // a session changed mode or zone
	KindFrame        // a content loop's frame skipped or overran
	KindLANCall      // a call to another server
	KindDBJob        // a database job
	kinds
)

var kindNames = [kinds]string{"none", "packet", "push", "session", "mode", "frame", "lan_call", "db_job"}

// String returns the kind's word, as in logs and labels.
func (k Kind) String() string {
	if k < kinds {
		return kindNames[k]
	}
	return "unknown"
}

// Flags tell how a record came out.
type Flags uint16

// The flags.
const (
	FlagOpen    Flags = 1 << iota // the handler has not returned
	FlagError                     // Err is not 0
	FlagPanic                     // the handler panicked
	FlagSlow                      // its group took longer than Config.Slow
	FlagDropped                   // it was not handled, or not to its end
	FlagBlocked                   // its handler blocked: it is alone in its group
	flagsEnd
)

var flagNames = [...]string{"open", "error", "panic", "slow", "dropped", "blocked"}

// String returns the set flags joined by "|", or "" when none is set.
func (f Flags) String() string {
	s := ""
	for i, name := range flagNames {
		if f&(1<<i) == 0 {
			continue
		}
		if s != "" {
			s += "|"
		}
		s += name
	}
	return s
}
