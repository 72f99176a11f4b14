package cli

import (
	"errors"
	"fmt"
	"os"
	"strings"

	"vitrine/core/config"
	"vitrine/core/frame"
	"vitrine/servers/netserver"
)

type checkCommand struct {
	Wire   checkWireCommand   `cmd:"" help:"Check every test vector of the wire formats."`
	Config checkConfigCommand `cmd:"" help:"Check the configuration and print it with the source of each value."`
}

type checkWireCommand struct{}

// Run prints each vector with ok or what is wrong with it.
func (c *checkWireCommand) Run(io *streams) error {
	bad := 0
	for _, v := range frame.Vectors() {
		verdict := "ok"
		if err := v.Check(); err != nil {
			verdict, bad = "WRONG: "+err.Error(), bad+1
		}
		fmt.Fprintf(io.out, "%-28s %s  %s\n", v.Name, verdict, strings.Join(strings.Fields(v.Description), " "))
	}
	if bad > 0 {
		return fmt.Errorf("check wire: %d vectors are wrong: %w", bad, errFault)
	}
	return nil
}

type checkConfigCommand struct {
	Example bool `help:"Print a file with every key, its default and what it means."`
	configFlags
}

// Run prints the effective configuration, or every problem of it.
func (c *checkConfigCommand) Run(io *streams) error {
	if c.Example {
		return config.WriteExample(io.out, defaults(portBase{c.PortBase}, ""), "")
	}
	s, effective, err := c.load("", nil)
	if err != nil {
		return err
	}
	var problems []error
	for _, p := range s.plans() {
		problems = append(problems, checkPlan(p))
	}
	if err := errors.Join(problems...); err != nil {
		return usagef("check config: %w", err)
	}
	return effective.Print(io.out)
}

// checkPlan reads the key file of a sealed server, where there is one yet; the loader has asked the engine about the rest.
func checkPlan(p plan) error {
	if _, err := os.Stat(p.settings.KeyFile); p.settings.Codec != "sealed" || errors.Is(err, os.ErrNotExist) {
		return nil
	}
	_, _, err := p.settings.engineConfig(p.name)
	return err
}

// publicKeyOf returns the public half of a key file that exists.
func publicKeyOf(path string) (string, error) {
	if _, err := os.Stat(path); err != nil {
		return "", err
	}
	_, public, err := netserver.SealedFromFile(path, 0)
	return public, err
}
