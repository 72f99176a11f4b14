// Package chat is the family's chat server: a map of 50 x 50 sectors on which a message reaches the 3 x 3 around its sender.
//
//	client -> server                               server -> client
//	1 login   account i64, id wchar[20],           2 login result   status u8, account i64
//	          nickname wchar[20], key u8[64]
//	3 move    account i64, x u16, y u16            4 move result    account i64, x u16, y u16
//	5 message account i64, bytes u16, text         6 message result account i64, id, nickname, bytes u16, text
//	7 heartbeat
//
// Any account is accepted; the second login of an account ends the first session with duplicate_login. A player is on no
// sector, and hears nothing, until its first move. What is malformed, out of turn or in another's name ends the session
// with bad_packet. The engine's idle timeout stands for the 40 s without a heartbeat.
package chat
