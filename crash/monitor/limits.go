package monitor

import "time"

// Limits of a monitor.
const (
	// StandbyAfter is how long the first monitor may stand still, stopped, before the reserve takes over.
	StandbyAfter = 2 * time.Second
	// StandbySlow is how long it may run without progress.
	StandbySlow = 10 * time.Second
	// WorkLimit bounds the work on one death or one live report.
	WorkLimit = 2 * time.Minute
	// MaxText is the most of a crash text that is kept; the rest is read and counted.
	MaxText = 32 << 20
	// MaxFrame is the longest frame of the control socket.
	MaxFrame = 32 << 20
	// MaxCaptures is how many live reports are worked on at once; more are refused.
	MaxCaptures = 2
	// DeathLimit is how long a server may take to die once its text has ended.
	DeathLimit = 5 * time.Second
	// ExplainLimit is how long a server may take to describe itself for a report of a hang.
	ExplainLimit = 3 * time.Second
	// UploadLimit bounds the sending of reports, after a death and whenever some wait.
	UploadLimit = 15 * time.Second
	// RetryEvery is how often the first monitor looks whether reports wait whose time has come; their back-off is the spool's.
	RetryEvery = 5 * time.Second
	// FarewellLimit bounds the sending of what waits when a server ends in good order, which waits for it; in its second half no
	// further report is begun.
	FarewellLimit = 2 * time.Second
	// StormPanics is how many panics, caught while one is being reported, make a storm: that report has no core.
	StormPanics = 1000
	// MaxSource is the most of a file that is copied into a bundle where the source names no limit.
	MaxSource = 1 << 20
)
