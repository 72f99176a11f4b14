package lanserver

import (
	"unicode/utf8"

	"vitrine/core/packet"
)

// ErrorTextLimit is the most bytes of text that an answer with the error flag carries; longer text is cut.
const ErrorTextLimit = 1024

// noText stands for an empty text: a packet cannot be empty.
const noText = "unspecified error"

// Call names a request that waits for its answer. It is a plain value: keep it, hand it to another goroutine, answer it
// there. Only one answer counts; the caller drops further ones as late.
type Call struct {
	Session ID
	Request uint32
}

// IsCall reports whether the packet is a request, which wants an answer.
func IsCall(in *packet.Reader) bool { return isRequest(in.Ext()) }

// CallOf returns the request that the packet is, for an answer from elsewhere; false when it is none.
func CallOf(s *Session, in *packet.Reader) (Call, bool) {
	ext := in.Ext()
	return Call{Session: s.ID(), Request: ext.CallID}, isRequest(ext)
}

// Reply answers the request in with p, in OnRecv. It consumes one reference of p, even on error; p must not be shared and
// not be empty. Errors: ErrNotCall, or those of Session.Send.
func Reply(s *Session, in *packet.Reader, p *packet.Packet) error {
	return reply(s, in, p, flagResponse)
}

// ReplyError answers the request in, in OnRecv: the caller gets a *CallError with the text, cut to ErrorTextLimit. Errors:
// ErrNotCall, or those of Session.Send.
func ReplyError(s *Session, in *packet.Reader, text string) error {
	return reply(s, in, s.NewPacket().UTF8(errorText(text)), flagResponse|flagError)
}

func reply(s *Session, in *packet.Reader, p *packet.Packet, flags uint8) error {
	ext := in.Ext()
	if !isRequest(ext) {
		p.Release()
		return ErrNotCall
	}
	setCall(p, ext.CallID, flags)
	return s.Send(p)
}

// Reply answers with p, a packet of srv, which is the server of the session the request came from. Any goroutine; it never
// blocks and consumes one reference, even on error; p must not be shared and not be empty. Errors: those of
// Server.SendPacket.
func (c Call) Reply(srv *Server, p *packet.Packet) error {
	setCall(p, c.Request, flagResponse)
	return srv.SendPacket(c.Session, p)
}

// ReplyError answers with an error, as the function ReplyError does. Any goroutine; it never blocks.
func (c Call) ReplyError(srv *Server, text string) error {
	p := srv.NewPacket().UTF8(errorText(text))
	setCall(p, c.Request, flagResponse|flagError)
	return srv.SendPacket(c.Session, p)
}

func errorText(text string) string {
	if text == "" {
		return noText
	}
	end := min(len(text), ErrorTextLimit)
	for end > 0 && end < len(text) && !utf8.RuneStart(text[end]) {
		end-- // not within a character
	}
	return text[:end]
}

// setCall marks the packet and keeps its other extensions.
func setCall(p *packet.Packet, id uint32, flags uint8) {
	ext := p.Ext()
	ext.Kinds |= packet.ExtCall
	ext.CallID, ext.CallFlags = id, flags
	p.SetExt(ext)
}

func isRequest(ext packet.Ext) bool {
	return ext.Kinds&packet.ExtCall != 0 && ext.CallFlags&flagResponse == 0
}

func isAnswer(ext packet.Ext) bool {
	return ext.Kinds&packet.ExtCall != 0 && ext.CallFlags&flagResponse != 0
}
