package snapshot

import (
	"bytes"
	"debug/elf"
	"encoding/binary"

	"golang.org/x/sys/unix"
)

// The core, an ELF file (elf.h, core(5)), little-endian:
//
//	0        64        ELF header: ET_CORE, EM_X86_64
//	64       56        PT_NOTE
//	120      56 * n    PT_LOAD, in the order of addresses
//	         ...       notes, the subject's thread first
//	4096 * k ...       memory, small mappings first
//
// A note is name size 4 | data size 4 | type 4 | name, padded to 4 | data, padded to 4.
const (
	elfHeaderBytes  = 64
	elfProgramBytes = 56
	noteFileMax     = 4 << 20 // of NT_FILE, as in the kernel; names beyond are left out
)

// processStatus is elf_prstatus of linux/elfcore.h, 336 bytes: a thread.
type processStatus struct {
	Signo, Code, Errno   int32
	Cursig               int16
	_                    int16
	Pending, Held        uint64
	PID, PPID, PGRP, SID int32
	Times                [8]int64 // user, system, children's user and system: seconds and microseconds
	Regs                 unix.PtraceRegs
	FloatValid           int32
	_                    int32
}

// processInfo is elf_prpsinfo of linux/elfcore.h, 136 bytes: the process.
type processInfo struct {
	State, Letter, Zombie, Nice int8
	_                           int32
	Flags                       uint64
	UID, GID                    uint32
	PID, PPID, PGRP, SID        int32
	Command                     [16]byte
	Args                        [80]byte
}

// headers renders all that stands before the memory. Offsets must have been placed for the same number of bytes.
func (s *Snapshot) headers(l *layout, notes []byte) []byte {
	programs := uint16(1 + len(l.segments))
	b, _ := binary.Append(nil, binary.LittleEndian, elf.Header64{ // a fixed-size struct: no error
		Ident: [16]byte{0x7f, 'E', 'L', 'F', byte(elf.ELFCLASS64), byte(elf.ELFDATA2LSB), byte(elf.EV_CURRENT)},
		Type:  uint16(elf.ET_CORE), Machine: uint16(elf.EM_X86_64), Version: uint32(elf.EV_CURRENT),
		Phoff: elfHeaderBytes, Ehsize: elfHeaderBytes, Phentsize: elfProgramBytes, Phnum: programs,
	})
	b = appendProgram(b, elf.Prog64{
		Type: uint32(elf.PT_NOTE), Off: elfHeaderBytes + elfProgramBytes*uint64(programs), Filesz: uint64(len(notes)), Align: 4,
	})
	for _, seg := range l.segments {
		b = appendProgram(b, elf.Prog64{
			Type: uint32(elf.PT_LOAD), Flags: segmentFlags(seg.mapping), Off: seg.offset, Vaddr: seg.start,
			Filesz: seg.size, Memsz: seg.memory, Align: pageBytes,
		})
	}
	return append(b, notes...)
}

func appendProgram(b []byte, p elf.Prog64) []byte {
	b, _ = binary.Append(b, binary.LittleEndian, p) // a fixed-size struct: no error
	return b
}

func segmentFlags(m *mapping) uint32 {
	var flags elf.ProgFlag
	if m.readable() {
		flags |= elf.PF_R
	}
	if m.writable() {
		flags |= elf.PF_W
	}
	if m.executable() {
		flags |= elf.PF_X
	}
	return uint32(flags)
}

// notes renders the notes: for each thread its registers, behind the first thread what is known of the process.
func (s *Snapshot) notes(mappings []mapping) []byte {
	var b []byte
	for i, th := range s.threads {
		b = appendNote(b, "CORE", uint32(elf.NT_PRSTATUS), s.threadStatus(th))
		if i == 0 {
			b = appendNote(b, "CORE", uint32(elf.NT_PRPSINFO), s.processInfo())
			b = appendNote(b, "CORE", unix.NT_AUXV, s.target.info.auxv)
			b = appendNote(b, "CORE", unix.NT_FILE, fileNote(mappings))
		}
		if len(th.float) > 0 {
			b = appendNote(b, "CORE", uint32(elf.NT_FPREGSET), th.float)
		}
		if len(th.xstate) > 0 {
			b = appendNote(b, "LINUX", unix.NT_X86_XSTATE, th.xstate)
		}
	}
	return b
}

func appendNote(b []byte, name string, kind uint32, data []byte) []byte {
	b = binary.LittleEndian.AppendUint32(b, uint32(len(name)+1))
	b = binary.LittleEndian.AppendUint32(b, uint32(len(data)))
	b = binary.LittleEndian.AppendUint32(b, kind)
	b = append(append(b, name...), 0)
	b = append(b, make([]byte, -len(b)&3)...)
	b = append(b, data...)
	return append(b, make([]byte, -len(b)&3)...)
}

func (s *Snapshot) threadStatus(th *thread) []byte {
	in := s.target.info.stat
	status := processStatus{
		PID: int32(th.tid), PPID: int32(in.ppid), PGRP: int32(in.pgrp), SID: int32(in.sid), Regs: th.regs,
	}
	if len(th.signals) > 0 {
		status.Cursig = int16(th.signals[0])
		status.Signo = int32(th.signals[0])
	}
	if len(th.float) > 0 {
		status.FloatValid = 1
	}
	b, _ := binary.Append(nil, binary.LittleEndian, status) // a fixed-size struct: no error
	return b
}

func (s *Snapshot) processInfo() []byte {
	in := s.target.info
	p := processInfo{
		Letter: 'R', Nice: int8(in.stat.nice), Flags: in.stat.flags, UID: in.uid, GID: in.gid,
		PID: int32(s.PID), PPID: int32(in.stat.ppid), PGRP: int32(in.stat.pgrp), SID: int32(in.stat.sid),
	}
	copy(p.Command[:len(p.Command)-1], in.command)
	copy(p.Args[:len(p.Args)-1], in.args)
	b, _ := binary.Append(nil, binary.LittleEndian, p) // a fixed-size struct: no error
	return b
}

// fileNote tells which files are mapped where: count 8 | page size 8 | (start 8 | end 8 | page offset 8) * count | names,
// each with a zero behind it.
func fileNote(mappings []mapping) []byte {
	var places, names []byte
	count := uint64(0)
	for i := range mappings {
		m := &mappings[i]
		if !m.fromFile() || len(places)+len(names)+len(m.name) > noteFileMax {
			continue
		}
		count++
		for _, word := range []uint64{m.start, m.end, m.offset / pageBytes} {
			places = binary.LittleEndian.AppendUint64(places, word)
		}
		names = append(append(names, m.name...), 0)
	}
	head := binary.LittleEndian.AppendUint64(nil, count)
	head = binary.LittleEndian.AppendUint64(head, pageBytes)
	return bytes.Join([][]byte{head, places, names}, nil)
}
