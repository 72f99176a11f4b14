package observe

import "runtime/debug"

// Build says what the process was built from, as far as the binary knows.
type Build struct {
	Version  string `json:"version"`  // of the main module, "(devel)" outside a release
	Revision string `json:"revision"` // of the working copy, "" when unknown
	Modified bool   `json:"modified"` // the working copy had changes
	Go       string `json:"go"`
}

func readBuild() Build {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return Build{Version: "unknown"}
	}
	b := Build{Version: info.Main.Version, Go: info.GoVersion}
	for _, s := range info.Settings {
		switch s.Key {
		case "vcs.revision":
			b.Revision = s.Value
		case "vcs.modified":
			b.Modified = s.Value == "true"
		}
	}
	return b
}
