// Package call divides a command line of mage into mage's part and that of an operators' command.
//
// Mage takes -name=value for what may be left out, and every further word for the next target. A date behind ops:replay
// would be one: the replay of everything would run, and only then would mage say that there is no target of that name.
// So all that stands behind an ops: target belongs to it, and package console alone reads it.
package call

import "strings"

// Prefix begins the targets that take all that stands behind them.
const Prefix = "ops:"

// Divide returns what mage reads of a command line, and the words behind its ops: target, if it has one.
func Divide(args []string) (mage, words []string) {
	for i, arg := range args {
		if len(arg) > len(Prefix) && strings.EqualFold(arg[:len(Prefix)], Prefix) {
			return args[: i+1 : i+1], args[i+1:]
		}
	}
	return args, nil
}

// Deployed reports whether the words of a command name a deployed stack. Without one it works on the local environment.
func Deployed(words []string) bool {
	for _, word := range words {
		name, isFlag := strings.CutPrefix(word, "-")
		name, _, _ = strings.Cut(strings.TrimPrefix(name, "-"), "=")
		if isFlag && (name == "stack" || name == "outputs") {
			return true
		}
	}
	return false
}
