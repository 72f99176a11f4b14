// Package sentry turns a bundle into a Sentry event, keeps it in a spool on the disk and sends it once.
//
//	bundle --Event--> event --Put--> SPOOL/ID.envelope.gz --Send--> POST DSN/envelope/
//	crash.txt, goroutines.json          |  tmp, fsync, rename         200      sent list, then delete
//	flight.json, log.tail, meta.json    |  never twice: ID            429 5xx  keep; Retry-After, back-off
//	all through scrub                   |  limits: oldest go          400 413  without attachments, once; then drop
//
// A spool is shared by any number of processes: one of them sends at a time, under flock(SPOOL/.lock), and what they
// must agree on changes under flock(SPOOL/.state.lock), which nobody holds while it waits for the network. A sender that
// is killed between the answer and the deletion sends the event again with the id it had, by which Sentry drops the
// second. So each event arrives once, however often the network, the machine or a process fails.
//
// # The spool
//
//	SPOOL/                   0700
//	  ID.envelope.gz         0600  one envelope, ID = 32 hex digits, the event id
//	  sent                   0600  ids that are done, a line of 33 bytes each, the last [MaxSent] at least
//	  state.json             0600  back-off, when it was ended, uploads of this hour by fingerprint, counts
//	  aside/NAME             0600  files that were no envelopes, the last [MaxAside]
//	  .lock .state.lock      0600  empty; the kernel gives them back when their holder dies
//	  .tmp-*                 0600  being written; those of the dead are removed after [TempAge]
//
// An envelope is the text below, in one gzip member. It holds no DSN and no time of sending, so it can wait:
//
//	{"event_id":"ID"}\n                                                    header
//	{"type":"event","length":N,"content_type":"application/json"}\n        N bytes, \n
//	{"type":"attachment","length":N,"filename":"crash.txt",...}\n          N bytes, \n; and so on
//
// # Units and limits
//
// Sizes are bytes. [Config] bounds the spool and the attachments; [MaxEventBytes] is the event's JSON, [MaxTextBytes]
// the attached text of a crash, [MaxJSONBytes] an attached JSON file, [MaxThreads], [MaxFrames] and [MaxCrumbs] what an
// event shows. What is left out is counted, in the event where it is about the event, in [Stats] where it is about the
// spool. Nothing in the spool or in a bundle is trusted: what does not parse is set aside.
//
// No core, no configuration and no environment leaves the machine. All else passes the scrubber, but for ids in hex.
//
// Sources: develop.sentry.dev, "Envelopes", "Event Payloads", "Rate Limiting"; sentry-go for the types of an event.
package sentry
