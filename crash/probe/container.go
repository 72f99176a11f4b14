package probe

import "strings"

// containerMarks tell a container by the path of its cgroup.
var containerMarks = []struct{ mark, name string }{
	{"kubepods", "kubernetes"}, {"docker", "docker"}, {"libpod", "podman"},
	{"crio-", "cri-o"}, {"containerd", "containerd"}, {"/lxc", "lxc"},
	{"machine.slice/systemd-nspawn", "systemd-nspawn"},
}

// container names the kind of container that this is, "none" when nothing says
// that it is one, "unknown" when nothing could be read.
func (h *host) container() string {
	if h.env("KUBERNETES_SERVICE_HOST") != "" {
		return "kubernetes"
	}
	if h.exists("run/.containerenv") {
		return "podman"
	}
	if h.exists(".dockerenv") {
		return "docker"
	}
	if name, _ := h.text("run/systemd/container"); name != "" {
		return name
	}
	if name := clean(h.env("container")); name != "" {
		return name
	}
	return h.containerByCgroup()
}

func (h *host) containerByCgroup() string {
	text, ok := h.read("proc/self/cgroup", maxFileBytes)
	if !ok {
		return "unknown"
	}
	for _, m := range containerMarks {
		if strings.Contains(text, m.mark) {
			return m.name
		}
	}
	return "none"
}
