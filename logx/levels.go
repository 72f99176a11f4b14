package logx

import "vitrine/logx/record"

// Enabled reports whether records of that level and type are logged now. A few ns, no lock.
func (l *Log) Enabled(level record.Level, typ record.Type) bool {
	return typ < record.MaxTypes && uint32(level) >= l.threshold[typ].Load()
}

// EnabledAny reports whether records of that level are logged for any type.
func (l *Log) EnabledAny(level record.Level) bool { return uint32(level) >= l.least.Load() }

// SetLevel changes the least level that is logged, for all types that have none of their own.
func (l *Log) SetLevel(level record.Level) {
	l.levelsMu.Lock()
	defer l.levelsMu.Unlock()
	l.general = level
	l.applyLevels()
}

// SetTypeLevel gives a type a least level of its own; 0 takes it away.
func (l *Log) SetTypeLevel(typ record.Type, level record.Level) {
	if typ >= record.MaxTypes {
		return
	}
	l.levelsMu.Lock()
	defer l.levelsMu.Unlock()
	l.own[typ] = level
	l.applyLevels()
}

// applyLevels publishes the levels. levelsMu is held.
func (l *Log) applyLevels() {
	least := l.general
	for typ := range l.own {
		level := l.own[typ]
		if level == 0 {
			level = l.general
		}
		least = min(least, level)
		l.threshold[typ].Store(uint32(level))
	}
	l.least.Store(uint32(least))
}
