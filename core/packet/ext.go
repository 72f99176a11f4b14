package packet

// The kinds of extension that a packet may carry between two of our servers.
const (
	ExtOrigin  uint8 = 1 << iota // OriginWorker, OriginSeq
	ExtContext                   // TraceID, SpanID, ContextFlags
	ExtCall                      // CallID, CallFlags
)

// Ext is what travels beside a payload. Only the fields of the kinds set mean
// anything; the zero Ext is none.
//
//	| Kinds 1 | CallFlags 1 | ContextFlags 1 | pad 1 | OriginWorker 2 | pad 2 | CallID 4 | pad 4 |
//	| OriginSeq 8 | TraceID 16 | SpanID 8 |                              48 bytes, in memory only
type Ext struct {
	Kinds        uint8  // ExtOrigin, ExtContext, ExtCall
	CallFlags    uint8  // 1 response, 2 error
	ContextFlags uint8  // W3C trace flags
	OriginWorker uint16 // of the sender's record
	CallID       uint32 // of the request
	OriginSeq    uint64 // of the sender's record; 48 bits
	TraceID      [16]byte
	SpanID       [8]byte
}

// SetExt stores e beside the payload, in memory that a chunk of packets
// allocates when the first of them needs it. An e without kinds removes what
// was stored. Only before the packet is shared.
func (p *Packet) SetExt(e Ext) {
	if !p.writable("SetExt") {
		return
	}
	p.hasExt = e.Kinds != 0
	if !p.hasExt {
		return
	}
	c := p.chunk()
	exts := c.exts.Load()
	if exts == nil {
		c.exts.CompareAndSwap(nil, new([chunkSize]Ext))
		exts = c.exts.Load()
	}
	exts[p.slot&chunkMask] = e
}

// HasExt reports whether Ext would return anything.
func (p *Packet) HasExt() bool { return p.hasExt }

// Ext returns what SetExt stored, the zero Ext when there is none.
func (p *Packet) Ext() Ext {
	if !p.hasExt {
		return Ext{}
	}
	return p.chunk().exts.Load()[p.slot&chunkMask]
}
