// Command vitrine runs game servers that can be seen through, and the tools around them. See README.md.
package main

import (
	"os"

	"vitrine/servers/cli"
)

func main() {
	os.Exit(cli.Main(os.Args[1:], os.Stdout, os.Stderr))
}
