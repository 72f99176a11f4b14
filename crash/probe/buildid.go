package probe

import (
	"debug/elf"
	"encoding/binary"
	"encoding/hex"
	"os"
)

// BuildID returns the id that the linker gave a program: the GNU build id in hex digits where it has one, else Go's. "" when it
// cannot be read. Any goroutine; it reads the file, which is trusted no further than its size.
func BuildID(path string) string {
	if info, err := os.Stat(path); err != nil || !info.Mode().IsRegular() {
		return "" // what is not a file could keep its reader waiting
	}
	f, err := elf.Open(path)
	if err != nil {
		return "" // not an ELF file: another system's
	}
	defer f.Close()
	if id := note(f, ".note.gnu.build-id"); id != nil {
		return hex.EncodeToString(id)
	}
	return string(note(f, ".note.go.buildid"))
}

// note returns the content of a section's first note: name size u32, content size u32, type u32, name, content, each padded to 4.
func note(f *elf.File, section string) []byte {
	s := f.Section(section)
	if s == nil || s.Size > maxNote {
		return nil
	}
	data, err := s.Data()
	if err != nil || len(data) < noteHeader {
		return nil
	}
	name, size := binary.LittleEndian.Uint32(data), binary.LittleEndian.Uint32(data[4:])
	if name > maxNote || size > maxNote {
		return nil
	}
	begin := noteHeader + int(name+3)&^3
	if begin+int(size) > len(data) {
		return nil
	}
	return data[begin:][:size]
}

const (
	maxNote    = 4096
	noteHeader = 12
)
