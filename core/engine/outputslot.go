package engine

import "encoding/binary"

// The header of an output slot; see outputSlotBytes for the picture.

func startSlot(b []byte) {
	_ = b[outputHeader-1]
	binary.LittleEndian.PutUint64(b, uint64(outputHeader)<<32)
	setSlotFirst(b, outputHeader)
}

func slotNext(b []byte) uint32          { return binary.LittleEndian.Uint32(b) }
func setSlotNext(b []byte, next uint32) { binary.LittleEndian.PutUint32(b, next) }
func slotEnd(b []byte) uint16           { return binary.LittleEndian.Uint16(b[4:]) }
func setSlotEnd(b []byte, end uint16)   { binary.LittleEndian.PutUint16(b[4:], end) }
func slotFrames(b []byte) uint16        { return binary.LittleEndian.Uint16(b[6:]) }
func slotFirst(b []byte) uint16         { return binary.LittleEndian.Uint16(b[8:]) }
func setSlotFirst(b []byte, at uint16)  { binary.LittleEndian.PutUint16(b[8:], at) }
func addSlotFrame(b []byte)             { binary.LittleEndian.PutUint16(b[6:], slotFrames(b)+1) }
