package cli

import (
	"errors"
	"fmt"
	"io"
	"os"
	"reflect"
	"slices"
	"strings"
	"syscall"

	"github.com/alecthomas/kong"
	"vitrine/core/config"
	"vitrine/crash"
)

// Exit statuses.
const (
	statusOK     = 0
	statusFailed = 1
	statusUsage  = 2
)

// grammar is the command line; each command's Run gets the streams.
type grammar struct {
	Up     upCommand     `cmd:"" help:"Start the whole stack on embedded defaults in one process."`
	Serve  serveCommand  `cmd:"" help:"Start one server."`
	Bots   botsCommand   `cmd:"" help:"Play bots against a server and check every reply."`
	Logs   logsCommand   `cmd:"" help:"Search, follow or verify the system log."`
	Check  checkCommand  `cmd:"" help:"Check the wire formats or the configuration."`
	Chaos  chaosCommand  `cmd:"" help:"Break a running stack on purpose."`
	Crash  crashCommand  `cmd:"" help:"Read what crashes left behind."`
	Doctor doctorCommand `cmd:"" help:"Tell what this machine lets a crash report hold, and what to do about the rest."`
}

// streams are where a command writes: results to out, what people watch to err.
type streams struct{ out, err io.Writer }

// errFault is a run that worked and found fault, bare when the report has been printed.
var errFault = errors.New("fault found")

// Main runs the program with its arguments and returns its exit status.
func Main(args []string, stdout, stderr io.Writer) int {
	crash.ServeMonitor() // a crash monitor is this program, run again
	exit := -1
	parser, err := kong.New(&grammar{},
		kong.Name("vitrine"),
		kong.Description("Game servers that can be seen through."),
		kong.Writers(stdout, stderr),
		kong.Exit(func(status int) { exit = status }),
		kong.Vars{"runtime": runtimeDir},
	)
	if err != nil {
		fmt.Fprintln(stderr, "vitrine:", err)
		return statusFailed
	}
	command, err := parser.Parse(args)
	if exit >= 0 { // --help
		return exit
	}
	if err != nil {
		return misused(parser, err, stderr)
	}
	if err := emptyFlags(command); err != nil {
		return status(err, stderr)
	}
	return status(command.Run(&streams{out: stdout, err: stderr}), stderr)
}

// misused says how the command is used, in full where a command or an argument is missing, and what was wrong.
func misused(parser *kong.Kong, err error, stderr io.Writer) int {
	var parse *kong.ParseError
	if errors.As(err, &parse) && parse.Context != nil {
		parser.Stdout = stderr
		parse.Context.PrintUsage(!strings.HasPrefix(err.Error(), "expected "))
		fmt.Fprintln(stderr)
	}
	complain(stderr, err)
	return statusUsage
}

// emptyFlags refuses flags that were given nothing: an unset variable of a script means something else than no flag. Flags that
// take nothing for an answer are pointers.
func emptyFlags(command *kong.Context) error {
	var problems []error
	for _, given := range command.Path {
		if given.Flag != nil && isEmpty(given.Flag.Target) {
			problems = append(problems, fmt.Errorf("--%s: its value is empty", given.Flag.Name))
		}
	}
	if len(problems) == 0 {
		return nil
	}
	return &usageError{errors.Join(problems...)}
}

func isEmpty(value reflect.Value) bool {
	switch words, isList := value.Interface().([]string); {
	case isList:
		return len(words) == 0 || slices.Contains(words, "")
	case value.Kind() == reflect.String:
		return value.String() == ""
	}
	return false
}

// status prints an error and turns it into an exit status.
func status(err error, stderr io.Writer) int {
	var bad *config.Error
	var usage *usageError
	switch {
	case err == nil:
		return statusOK
	case errors.Is(err, errFault) && err.Error() == errFault.Error(): // its report has been printed; the parser wraps errors
		return statusFailed
	}
	complain(stderr, err)
	if errors.As(err, &bad) || errors.As(err, &usage) {
		return statusUsage
	}
	return statusFailed
}

// complain prints an error, one problem a line, and what helps against the commonest.
func complain(stderr io.Writer, err error) {
	for line := range strings.Lines(err.Error()) {
		fmt.Fprintf(stderr, "vitrine: %s\n", strings.TrimSuffix(line, "\n"))
	}
	if errors.Is(err, syscall.EADDRINUSE) {
		fmt.Fprintln(stderr, "vitrine: another program listens there; --port-base N moves every default port, --ops-addr the operations pages alone")
	}
}

// usageError is a command line that makes no sense in a way that the parser cannot see.
type usageError struct{ error }

func usagef(format string, args ...any) error {
	return &usageError{fmt.Errorf(format, args...)}
}

// runtimeDir holds what the program writes while it runs, relative to the working directory.
const runtimeDir = "var"

// environment is what the configuration reads of the process.
func environment() []string { return os.Environ() }
