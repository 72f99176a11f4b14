// Package logs measures the system log beside its peers, as ratios inside one
// run where time is measured, and as counts where loss is.
//
//	             one record: message, level, time, five fields
//	                               |
//	+--------+--------+-----+------+------+--------------+-------+-------+
//	| binary |  slog  | text| zerolog .. | zap buffered | async | diode |
//	+--------+--------+-----+------------+--------------+-------+-------+
//	|        ours           |  at once   |  in memory of the process    |
//	+--------+--------+-----+------------+--------------+-------+-------+
//	     |                     a real file, or one that stalls
//
//	log       nanoseconds, allocations and bytes a record, to a file, final flush included
//	logkill   what is missing of the calls that had returned when SIGKILL came
//	logstall  calls that block while the disk stalls
//	logdata   a directory of a game server's log, and the same records as text
//	logfind   questions to that directory, beside grep -F over the text
//
// The work is not equal, and is not meant to be: ours stores binary fields and
// leaves the rendering to the reader; the text mode is compared like for like.
// Each peer is set up as its documentation shows, without fsync; buffers in
// memory hold as many records as our ring, or 256 KiB.
//
// Rounds visit everything in random order, from a seed that is printed. What
// was measured twice is the control: a time is judged only when the control
// agrees with itself. A run with Quick is a smoke test and judges nothing.
//
// Units: nanoseconds and bytes a record, milliseconds of answers. Limits: Linux,
// since processes share counters and are killed; 64 callers.
package logs
