package probe

import (
	"log/slog"
	"reflect"
	"strings"
	"testing"
	"testing/fstest"
	"unicode"
	"unicode/utf8"
)

// fakeKernel answers what a test says.
type fakeKernel struct {
	rel         string
	soft, hard  uint64
	noLimit     bool
	undumpable  bool
	noPidfd     bool
	supported   uint64
	noPagemap   bool
	noDumpCheck bool
}

func (k fakeKernel) release() string                   { return k.rel }
func (k fakeKernel) coreLimit() (uint64, uint64, bool) { return k.soft, k.hard, !k.noLimit }
func (k fakeKernel) dumpable() (bool, bool)            { return !k.undumpable, !k.noDumpCheck }
func (k fakeKernel) pidfdInfo() (bool, uint64)         { return !k.noPidfd, k.supported }
func (k fakeKernel) pagemapScan() bool                 { return !k.noPagemap }

const status = "Name:\tx\nTracerPid:\t0\nCapEff:\t0000000000000000\nNoNewPrivs:\t0\nSeccomp:\t0\nSeccomp_filters:\t0\n"

// machine is a host with an ordinary /proc; files replace or, when "-", remove
// what stands there.
func machine(k fakeKernel, files map[string]string) *host {
	root := fstest.MapFS{}
	all := map[string]string{
		"proc/sys/kernel/core_pattern":               "core\n",
		"proc/sys/kernel/core_uses_pid":              "0\n",
		"proc/sys/vm/overcommit_memory":              "0\n",
		"proc/self/status":                           status,
		"proc/self/cgroup":                           "0::/user.slice\n",
		"sys/kernel/mm/transparent_hugepage/enabled": "always [madvise] never\n",
	}
	for name, text := range files {
		all[name] = text
	}
	for name, text := range all {
		if text != "-" {
			root[name] = &fstest.MapFile{Data: []byte(text)}
		}
	}
	if k.rel == "" {
		k.rel = "6.18.44-cloud"
	}
	return &host{root: root, env: func(string) string { return "" }, pid: 77, os: "linux", arch: "amd64", kernel: k}
}

func TestCorePatternSaysWhereACoreGoes(t *testing.T) {
	const systemd = "|/usr/lib/systemd/systemd-coredump %P %u %g %s %t %c %h"
	cases := []struct {
		name, pattern, usesPID string
		soft                   uint64
		kind, handler          string
		kernelCore             bool
	}{
		{"relative, limit 0", "core\n", "0", 0, CoreFile, "", false},
		{"relative", "core\n", "0", NoCoreLimit, CoreFile, "", true},
		{"relative in a folder", "cores/%e.%p\n", "1", 4096, CoreFile, "", true},
		{"absolute", "/var/cores/core.%e.%p\n", "0", NoCoreLimit, CoreAbsolute, "", true},
		{"absolute, limit 0", "/var/cores/core.%e.%p\n", "0", 0, CoreAbsolute, "", false},
		{"pipe, whatever the limit", systemd + "\n", "1", 0, CorePipe, "/usr/lib/systemd/systemd-coredump", true},
		{"pipe with arguments behind", "|/usr/share/apport/apport -p%p -s%s", "0", 0, CorePipe, "/usr/share/apport/apport", true},
		{"pipe with a space before", "| /bin/h %p", "0", 0, CorePipe, "/bin/h", true},
		{"pipe, kept from its own crash", "|/bin/h", "0", 1, CorePipe, "/bin/h", false},
		{"pipe to nothing", "|", "0", 0, CorePipe, "", false},
		{"socket", "@/run/coredump.socket\n", "0", 0, CoreSocket, "/run/coredump.socket", true},
		{"socket that is asked first", "@@/run/coredump.socket\n", "0", 0, CoreSocket, "/run/coredump.socket", true},
		{"empty", "\n", "0", NoCoreLimit, CoreNone, "", false},
		{"empty with the pid", "", "1", NoCoreLimit, CoreFile, "", true},
		{"not to be read", "-", "0", NoCoreLimit, CoreUnknown, "", false},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			got := machine(fakeKernel{soft: c.soft, hard: NoCoreLimit}, map[string]string{
				"proc/sys/kernel/core_pattern": c.pattern, "proc/sys/kernel/core_uses_pid": c.usesPID + "\n",
			}).run()
			if got.CoreKind != c.kind || got.CoreHandler != c.handler || got.KernelCore() != c.kernelCore || got.CoreUsesPID != (c.usesPID == "1") {
				t.Errorf("kind %q, handler %q, a core %t, with pid %t; want %+v", got.CoreKind, got.CoreHandler, got.KernelCore(), got.CoreUsesPID, c)
			}
			if want := strings.TrimSpace(c.pattern); want != "-" && got.CorePattern != want {
				t.Errorf("pattern %q, want %q", got.CorePattern, want)
			}
		})
	}
}

func TestPtraceIsJudged(t *testing.T) {
	const yama = "proc/sys/kernel/yama/ptrace_scope"
	privileged := strings.Replace(status, "0000000000000000", "000001ffffffffff", 1)
	other := strings.Replace(status, "0000000000000000", "0000000000040000", 1) // CAP_SYS_PACCT, one below
	cases := []struct {
		name  string
		k     fakeKernel
		files map[string]string
		want  string
	}{
		{"nothing against it", fakeKernel{}, nil, Yes},
		{"yama 0", fakeKernel{}, map[string]string{yama: "0\n"}, Yes},
		{"yama 1, which the server answers", fakeKernel{}, map[string]string{yama: "1\n"}, Yes},
		{"yama 2", fakeKernel{}, map[string]string{yama: "2\n"}, "no: yama ptrace_scope is 2"},
		{"yama 2 with another capability", fakeKernel{}, map[string]string{yama: "2\n", "proc/self/status": other}, "no: yama ptrace_scope is 2"},
		{"yama 2 with the capability", fakeKernel{}, map[string]string{yama: "2\n", "proc/self/status": privileged}, Yes},
		{"yama 3 with the capability", fakeKernel{}, map[string]string{yama: "3\n", "proc/self/status": privileged}, "no: yama ptrace_scope is 3"},
		{"a debugger", fakeKernel{}, map[string]string{"proc/self/status": strings.Replace(status, "TracerPid:\t0", "TracerPid:\t412", 1)}, "no: process 412 traces"},
		{"not dumpable", fakeKernel{undumpable: true}, nil, "no: the process is not dumpable"},
		{"not dumpable with the capability", fakeKernel{undumpable: true}, map[string]string{"proc/self/status": privileged}, Yes},
		{"a filter", fakeKernel{}, map[string]string{"proc/self/status": strings.Replace(status, "Seccomp:\t0", "Seccomp:\t2", 1)}, "unknown: a seccomp filter"},
		{"no status", fakeKernel{}, map[string]string{"proc/self/status": "-"}, "unknown: /proc/self/status"},
		{"a status of garbage", fakeKernel{}, map[string]string{"proc/self/status": "TracerPid:\tx\nSeccomp:\t-1\n\x00CapEff"}, "unknown: /proc/self/status"},
		{"nobody tells whether it is dumpable", fakeKernel{noDumpCheck: true}, nil, "unknown:"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			got := machine(c.k, c.files).run()
			if got.Ptrace != c.want && (c.want == Yes || !strings.HasPrefix(got.Ptrace, c.want)) {
				t.Errorf("ptrace %q, want %q", got.Ptrace, c.want)
			}
			_, gauge := got.Values()["ptrace"]
			if gauge == strings.HasPrefix(got.Ptrace, "unknown") {
				t.Errorf("%q: a gauge: %t", got.Ptrace, gauge)
			}
		})
	}
	if got := machine(fakeKernel{}, nil).run(); got.Yama != NoYama {
		t.Errorf("yama %d without Yama", got.Yama)
	}
	if got := machine(fakeKernel{}, map[string]string{yama: "much\n"}).run(); got.Yama != Unknown {
		t.Errorf("yama %d of garbage", got.Yama)
	}
}

func TestKernelFeatures(t *testing.T) {
	cases := []struct {
		name  string
		k     fakeKernel
		exits bool
	}{
		{"a kernel that says so", fakeKernel{supported: 0x3f, rel: "5.0"}, true},
		{"a kernel that says no", fakeKernel{supported: 0x37, rel: "7.0"}, false},
		{"6.15", fakeKernel{rel: "6.15.0"}, true},
		{"6.14, which has the call", fakeKernel{rel: "6.14.99-generic"}, false},
		{"7.0", fakeKernel{rel: "7.0-rc1"}, true},
		{"10.2", fakeKernel{rel: "10.2"}, true},
		{"without the call", fakeKernel{rel: "6.18.1", noPidfd: true, supported: 0x3f}, false},
		{"a release of garbage", fakeKernel{rel: "six.eighteen"}, false},
		{"a release without a minor", fakeKernel{rel: "6."}, false},
		{"a release that overflows", fakeKernel{rel: "6.99999999999999999999"}, false},
	}
	for _, c := range cases {
		if got := machine(c.k, nil).run().PidfdInfo; got != c.exits {
			t.Errorf("%s: exit statuses %t, want %t", c.name, got, c.exits)
		}
	}
	if machine(fakeKernel{noPagemap: true}, nil).run().PagemapScan || !machine(fakeKernel{}, nil).run().PagemapScan {
		t.Error("the page scan is not told as it is")
	}
}

func TestForkNeedsThePlatformAndMemory(t *testing.T) {
	strict := machine(fakeKernel{}, map[string]string{"proc/sys/vm/overcommit_memory": "2\n"}).run()
	if strict.Fork || !strings.Contains(strict.ForkWhy, "overcommit_memory") {
		t.Errorf("overcommit 2: %t, %q", strict.Fork, strict.ForkWhy)
	}
	arm := machine(fakeKernel{}, nil)
	arm.arch = "arm64"
	if c := arm.run(); c.Fork || !strings.Contains(c.ForkWhy, "amd64") {
		t.Errorf("arm64: %t, %q", c.Fork, c.ForkWhy)
	}
	if c := machine(fakeKernel{}, map[string]string{"proc/sys/vm/overcommit_memory": "-"}).run(); !c.Fork || c.ForkWhy != "" {
		t.Errorf("ordinary: %t, %q", c.Fork, c.ForkWhy)
	}
}

func TestContainerIsNamed(t *testing.T) {
	cases := []struct {
		name  string
		env   map[string]string
		files map[string]string
		want  string
	}{
		{"none", nil, nil, "none"},
		{"docker by its file", nil, map[string]string{".dockerenv": ""}, "docker"},
		{"podman", nil, map[string]string{"run/.containerenv": "engine=\"podman\"\n"}, "podman"},
		{"kubernetes, though docker", map[string]string{"KUBERNETES_SERVICE_HOST": "10.0.0.1"}, map[string]string{".dockerenv": ""}, "kubernetes"},
		{"kubernetes by its cgroup", nil, map[string]string{"proc/self/cgroup": "12:memory:/kubepods/burstable/pod1/docker-2\n"}, "kubernetes"},
		{"docker by its cgroup", nil, map[string]string{"proc/self/cgroup": "0::/system.slice/docker-0123.scope\n"}, "docker"},
		{"by what init left", nil, map[string]string{"run/systemd/container": "systemd-nspawn\n"}, "systemd-nspawn"},
		{"by the environment", map[string]string{"container": "lxc"}, nil, "lxc"},
		{"nothing to be read", nil, map[string]string{"proc/self/cgroup": "-"}, "unknown"},
	}
	for _, c := range cases {
		h := machine(fakeKernel{}, c.files)
		h.env = func(key string) string { return c.env[key] }
		if got := h.run().Container; got != c.want {
			t.Errorf("%s: %q, want %q", c.name, got, c.want)
		}
	}
}

// A machine that shows nothing, as another system, is unknown throughout, and no
// gauge claims to know.
func TestAnEmptyMachineIsUnknown(t *testing.T) {
	h := &host{root: fstest.MapFS{}, env: func(string) string { return "" }, pid: 1, os: "plan9", arch: "arm64",
		kernel: fakeKernel{noLimit: true, noPidfd: true, noPagemap: true, noDumpCheck: true}}
	c := h.run()
	want := Capabilities{
		OS: "plan9", Arch: "arm64", Kernel: "unknown", CorePattern: "unknown", CoreKind: CoreUnknown,
		Ptrace: "no: needs linux", Yama: NoYama, Seccomp: Unknown, Tracer: Unknown,
		ForkWhy: "needs linux/amd64", Container: "unknown", PID1: true, THP: "unknown",
	}
	if c != want {
		t.Errorf("got %+v, want %+v", c, want)
	}
	if got, want := c.Values(), map[string]float64{"snapshot": 0, "exit_status": 0, "page_scan": 0, "first_process": 1, "ptrace": 0}; !reflect.DeepEqual(got, want) {
		t.Errorf("gauges %v, want %v", got, want)
	}
	for _, r := range c.Rows() {
		if r.Name != "container" && r.Name != "huge pages" && (r.OK || r.Help == "" || r.Value == "") {
			t.Errorf("row %+v", r)
		}
	}
}

// What stands in those files is cut, cleaned and checked, whatever it is.
func TestHostileContentsAreHarmless(t *testing.T) {
	endless := strings.Repeat("\x1b[2J\x00\xff", 100_000)
	files := map[string]string{}
	for _, name := range []string{
		"proc/sys/kernel/core_pattern", "proc/sys/kernel/core_uses_pid", "proc/sys/kernel/yama/ptrace_scope", "proc/self/status",
		"proc/sys/vm/overcommit_memory", "proc/self/cgroup", "run/systemd/container", "sys/kernel/mm/transparent_hugepage/enabled",
	} {
		files[name] = endless
	}
	for _, first := range []string{"", "|", "@", "/", "["} {
		files["proc/sys/kernel/core_pattern"] = first + endless
		files["sys/kernel/mm/transparent_hugepage/enabled"] = first + endless
		c := machine(fakeKernel{rel: endless}, files).run()
		for name, value := range c.Map() {
			if len(value) > 2*maxTextBytes || !utf8.ValidString(value) || strings.ContainsFunc(value, unicode.IsControl) {
				t.Errorf("%s: %q", name, value)
			}
		}
		if c.Yama != Unknown || c.Seccomp != Unknown || c.CoreUsesPID || c.Ptrace == Yes || c.THP != "unknown" {
			t.Errorf("%+v", c)
		}
	}
}

func TestRowsSayWhatToDo(t *testing.T) {
	cases := []struct {
		name  string
		k     fakeKernel
		files map[string]string
		row   string
		ok    bool
		value string
		help  string
	}{
		{"all well", fakeKernel{}, nil, "kernel core", true, "file core, limit 0", ""},
		{"unlimited", fakeKernel{soft: NoCoreLimit, hard: NoCoreLimit}, nil, "kernel core", true, "file core, limit unlimited", ""},
		{"a handler", fakeKernel{}, map[string]string{"proc/sys/kernel/core_pattern": "|/bin/apport %p"}, "kernel core", false, "pipe to /bin/apport", "handed to /bin/apport"},
		{"no core at all", fakeKernel{}, map[string]string{"proc/sys/kernel/yama/ptrace_scope": "3"}, "kernel core", false, "file core, limit 0", "hard limit"},
		{"no core but permitted", fakeKernel{hard: 1000}, map[string]string{"proc/sys/kernel/yama/ptrace_scope": "3"}, "kernel core", false, "file core, limit 0", "raise RLIMIT_CORE"},
		{"the kernel's core alone", fakeKernel{soft: 5, hard: 5}, map[string]string{"proc/sys/kernel/yama/ptrace_scope": "3"}, "kernel core", true, "file core, limit 5", ""},
		{"yama", fakeKernel{}, map[string]string{"proc/sys/kernel/yama/ptrace_scope": "3"}, "ptrace", false, "no: yama", "kernel.yama.ptrace_scope"},
		{"a filter", fakeKernel{}, map[string]string{"proc/self/status": strings.Replace(status, "Seccomp:\t0", "Seccomp:\t2", 1)}, "ptrace", false, "unknown: ", "seccomp profile"},
		{"a debugger", fakeKernel{}, map[string]string{"proc/self/status": strings.Replace(status, "TracerPid:\t0", "TracerPid:\t4", 1)}, "ptrace", false, "no: process 4", "detach"},
		{"the kernel's core, not asked for", fakeKernel{soft: 5, hard: 5}, nil, "kernel core", true, "file core, limit 5; not asked for", ""},
		{"the kernel's core in place of ours", fakeKernel{soft: 5, hard: 5}, map[string]string{"proc/sys/kernel/yama/ptrace_scope": "3"}, "kernel core", true, "file core, limit 5; a crash ends by SIGABRT for it, status 134", ""},
		{"not dumpable", fakeKernel{soft: 5, hard: 5, undumpable: true}, nil, "kernel core", false, "file core, limit 5", "not dumpable"},
		{"an old kernel", fakeKernel{rel: "5.15", noPidfd: true}, nil, "exit status", false, "not told", "6.15"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			for _, r := range machine(c.k, c.files).run().Rows() {
				if r.Name == c.row && (r.OK != c.ok || !strings.HasPrefix(r.Value, c.value) || !strings.Contains(r.Help, c.help) || r.OK != (r.Help == "")) {
					t.Errorf("%+v, want %+v", r, c)
				}
			}
		})
	}
}

func TestLineIsOneOfSlog(t *testing.T) {
	var b strings.Builder
	c := machine(fakeKernel{}, nil).run()
	slog.New(slog.NewTextHandler(&b, nil)).Info("crash capabilities", c.Line()...)
	for _, want := range []string{"ptrace=yes", "snapshot=yes", `kernel_core="file core, limit 0"`, "exit_status=yes", "first_process=false", "huge_pages=madvise"} {
		if !strings.Contains(b.String(), want) {
			t.Errorf("%q is not in %s", want, b.String())
		}
	}
	if strings.Contains(b.String(), "BADKEY") || strings.Count(b.String(), "\n") != 1 {
		t.Errorf("line %s", b.String())
	}
}

func TestRunFailsNowhere(t *testing.T) {
	c := Run()
	if c.OS == "" || c.Kernel == "" || c.Ptrace == "" || c.Container == "" || c.THP == "" || c.CoreKind == "" || c.Fork != (c.ForkWhy == "") {
		t.Errorf("%+v", c)
	}
	t.Logf("%q", c.Map())
}
