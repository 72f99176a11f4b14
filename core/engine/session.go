package engine

import (
	"net/netip"

	"vitrine/core/flight"
	"vitrine/core/frame"
	"vitrine/core/packet"
)

// phase is where a session is in its life. It only moves down the list.
type phase uint8

const (
	phaseFree       phase = iota // the slot is nobody's
	phaseConnecting              // outgoing: the connect has not finished
	phaseHandshake               // greetings and handshake frames only
	phaseOpen                    // joined: packets flow
	phaseDraining                // server stops: output flows, input is discarded
	phaseClosing                 // decided: no more OnRecv, released at the end of the turn
	phaseReleased                // the owner's count is dropped; holders elsewhere may remain
)

// Session is one connection. It is the worker's: its methods may be called only inside the callbacks of this session or,
// from a function that Post runs on the owner. Elsewhere keep ID and use the server's methods.
//
// Fields are owned by the worker unless they say otherwise.
type Session struct {
	// Data is the application's; the engine clears it when the session is released.
	Data any

	owned
	elsewhere sharedState // what others may touch while they hold a count
}

// owned is what only the session's worker touches, and whoever opens it before it is the worker's.
type owned struct {
	id     ID
	worker *worker      // fixed while the slot is in use
	state  *frame.State // nil for codecs that remember nothing
	in     *partial     // an unfinished frame, nil between frames
	out    output       // what waits to be written

	frameAt   int64  // when the last complete frame arrived; deadlines count from here
	allowedAt int64  // packet rate: when the next packet conforms without burst
	openedAt  int64  // when the slot was taken
	recv      uint64 // packets received
	sent      uint64 // packets accepted for sending

	timer  timer // place in the worker's wheel
	fd     int32
	place  int32    // index in worker.sessions; unadopted before it is there
	ip     [16]byte // remote address, IPv4 mapped
	port   uint16
	phase  phase
	flags  sessionFlags
	reason Reason
	unsent uint32 // packets that were queued from elsewhere and refused when their turn came
}

type sessionFlags uint8

const (
	flagJoined   sessionFlags = 1 << iota // OnClientJoin ran
	flagDirty                             // in worker.dirty
	flagReady                             // in worker.ready
	flagHangup                            // the peer closed: read to the end of the stream
	flagShutdown                          // our write side is shut down
	flagBlocked                           // the kernel's buffer is full: wait for Writable
	flagOutgoing                          // made by Connect: the initiator of the handshake
	flagFarewell                          // the last frame of the output is a close message
)

func (s *Session) has(f sessionFlags) bool { return s.flags&f != 0 }
func (s *Session) set(f sessionFlags)      { s.flags |= f }
func (s *Session) clear(f sessionFlags)    { s.flags &^= f }

// ID returns the name of the session for use outside callbacks.
func (s *Session) ID() ID { return s.id }

// Worker returns the index of the worker that owns the session.
func (s *Session) Worker() int { return s.worker.index }

// RemoteAddr returns the peer's address and port. An IPv6 zone is not kept.
func (s *Session) RemoteAddr() netip.AddrPort {
	return netip.AddrPortFrom(netip.AddrFrom16(s.ip).Unmap(), s.port)
}

func (s *Session) setAddr(addr netip.AddrPort) {
	s.ip, s.port = addr.Addr().As16(), addr.Port()
}

// Received and Sent return how many packets arrived and how many were accepted for sending.
func (s *Session) Received() uint64 { return s.recv }

// Sent returns how many packets were accepted for sending on the session.
func (s *Session) Sent() uint64 { return s.sent }

// Age returns how long ago the session was accepted, in nanoseconds of the worker's clock.
func (s *Session) Age() int64 { return s.worker.now - s.openedAt }

// Written returns how many packets the kernel took whole. Inside OnClientLeave it and Unsent are final, and together they are
// every packet that was accepted for the session.
func (s *Session) Written() uint64 { return s.sent - s.waitingPackets() }

// Unsent returns how many packets were accepted, by Send or from other goroutines, and not taken whole by the kernel; see
// Written.
func (s *Session) Unsent() uint64 {
	return s.waitingPackets() + uint64(s.unsent) + uint64(s.elsewhere.queued.Load())
}

// waitingPackets counts the packets in the output: its frames without those of the handshake in front and the farewell.
func (s *Session) waitingPackets() uint64 {
	frames := uint64(s.out.packets)
	if frames > 0 && s.has(flagFarewell) {
		frames--
	}
	return min(frames, s.sent)
}

// Trace returns the record of the packet whose handler runs now on the session's worker, be it this session's or that of
// one whose handler sends to it; its Seq is 0 outside of OnRecv.
func (s *Session) Trace() flight.Ref { return s.worker.record.Handling() }

// Waiting returns what waits to be sent: bytes of frames, and packets.
func (s *Session) Waiting() (bytes, packets int) { return int(s.out.bytes), int(s.out.packets) }

// OutputFull reports, inside the hook Observer.QueueFull alone, whether the session found no room because the output of all
// sessions is at Config.OutputLimitBytes; false: the session is at a send limit of its own.
func (s *Session) OutputFull() bool { return s.worker.outputFull }

// NewPacket returns an empty packet from the worker's pool. It is never nil: at the server's packet limit it carries
// packet.ErrExhausted, which Send reports. The caller owns it until Send or Release.
func (s *Session) NewPacket() *packet.Packet { return s.worker.packets.New() }

// Close ends the session with reason at the end of this turn, after one try to write what waits. No OnRecv follows.
func (s *Session) Close(reason Reason) { s.worker.close(s, reason) }

// Server returns the server of the session.
func (s *Session) Server() *Server { return s.worker.server }
