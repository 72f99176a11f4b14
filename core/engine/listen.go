package engine

import "vitrine/core/poller"

// listen opens the server's listener on this worker.
func (w *worker) listen() error {
	cfg := &w.server.cfg
	fd, addr, err := cfg.Network.Listen(poller.ListenConfig{Addr: cfg.Addr, Device: cfg.Device, Nagle: cfg.Nagle})
	if err != nil {
		return err
	}
	if err := w.poll.AddListener(fd, listenerEvent); err != nil {
		cfg.Network.CloseListener(fd)
		return err
	}
	w.accept.fd = fd
	w.server.feeding.Add(1)
	w.server.addr = addr.String()
	return nil
}
