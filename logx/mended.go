package logx

import (
	"cmp"
	"fmt"
	"strings"

	"vitrine/logx/record"
	"vitrine/logx/segment"
)

// What the records about a recovery say.
const (
	damagedMessage = "log file damaged"             // ERROR, or WARN when the ring had all that the files lack
	lostMessage    = "log goes on behind a gap"     // ERROR: what is missing left no damage, or an owner that found it died before it told
	mendedMessage  = "log mended after a crash"     // WARN
	tidiedMessage  = "log directory tidied up"      // INFO
	uncounted      = "and other damage, not listed" // in the line for people
)

// leap goes on behind the indexes that were given out and are lost, unless a ring had the records. It returns the index that
// follows.
func (l *Log) leap(files output, next uint64) (uint64, error) {
	if l.refilled || l.found.Behind <= next {
		return next, nil
	}
	l.lose(next, l.found.Behind-1)
	return l.found.Behind, files.Skip(l.found.Behind)
}

// lose notes that indexes are in no file and no ring. They are behind those that were noted before.
func (l *Log) lose(first, last uint64) { l.gap = [2]uint64{cmp.Or(l.gap[0], first), last} }

// costly tells whether Open found a loss, or damage that the ring does not make good.
func (l *Log) costly() bool { return l.gap[1] > 0 || len(l.found.Damaged) > 0 && !l.refilled }

// tellRecovery writes what Open had to mend as the first records of the log, at most segment.MaxDamages + 2; none when all was
// in order. Losses are said to people as well, in one line.
func (l *Log) tellRecovery() {
	for i := range l.found.Damaged {
		l.tellDamage(&l.found.Damaged[i])
	}
	if l.gap[1] > 0 && len(l.found.Damaged) == 0 {
		l.Write(&Entry{Level: record.Error, Message: lostMessage}, l.missing()...)
	}
	if l.costly() {
		l.complain.must("%s", l.lossLine())
	}
	l.tellMended()
}

// tellDamage writes one record: what was damaged, where its bytes are now, and which indexes are missing.
func (l *Log) tellDamage(d *segment.Damage) {
	level := record.Error
	if !l.costly() {
		level = record.Warn
	}
	fields := []record.Field{record.String("file", d.File), record.Err(d.Err), record.Int("bytes", d.Bytes)}
	if d.Kept != "" {
		fields = append(fields, record.String("kept_in", d.Kept), record.Int("whole_records", d.Records))
	}
	if d.To > 0 {
		fields = append(fields, record.Uint("first_index", d.From), record.Uint("last_index", d.To))
	}
	if l.found.More > 0 {
		fields = append(fields, record.Int("more_files", l.found.More))
	}
	l.Write(&Entry{Level: level, Message: damagedMessage}, append(fields, l.missing()...)...)
}

// missing names the indexes that are in no file and no ring, if there are any.
func (l *Log) missing() []record.Field {
	if l.gap[1] == 0 {
		return nil
	}
	return []record.Field{record.Uint("first_missing", l.gap[0]), record.Uint("last_missing", l.gap[1])}
}

// lossLine is what people are told.
func (l *Log) lossLine() string {
	var b strings.Builder
	b.WriteString("damage found in " + l.cfg.Dir)
	if l.gap[1] > 0 {
		fmt.Fprintf(&b, ": records %d to %d are missing", l.gap[0], l.gap[1])
	}
	for i := range l.found.Damaged {
		if d := &l.found.Damaged[i]; d.Kept != "" {
			fmt.Fprintf(&b, "; %d bytes of %s lie aside in %s", d.Bytes, d.File, d.Kept)
		} else {
			fmt.Fprintf(&b, "; %s: %v", d.File, d.Err)
		}
	}
	if l.found.More > 0 {
		b.WriteString("; " + uncounted)
	}
	return b.String()
}

// tellMended writes what a death explains: a torn end, index files that were short, files left over.
func (l *Log) tellMended() {
	f := &l.found
	var fields []record.Field
	level, message := record.Info, tidiedMessage
	if f.CutBytes > 0 && len(f.Damaged) == 0 {
		level, fields = record.Warn, append(fields, record.Int("cut_bytes", f.CutBytes))
	}
	if len(f.Rebuilt) > 0 {
		level, fields = record.Warn, append(fields, record.String("rebuilt", someNames(f.Rebuilt)))
	}
	if level == record.Warn {
		message = mendedMessage
	}
	if len(f.Removed) > 0 {
		fields = append(fields, record.String("removed", someNames(f.Removed)))
	}
	if len(fields) > 0 && l.Enabled(level, record.TypeSystem) {
		l.Write(&Entry{Level: level, Message: message}, fields...)
	}
}

// someNames lists names, the first of very many.
func someNames(names []string) string {
	const most = 16
	if len(names) <= most {
		return strings.Join(names, " ")
	}
	return fmt.Sprintf("%s and %d more", strings.Join(names[:most], " "), len(names)-most)
}
