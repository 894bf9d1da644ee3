// Package call divides a command line of mage into mage's part and that of a command which reads its own words.
//
// Mage takes -name=value for what may be left out, and every further word for the next target. A date behind ops:replay
// would be one: the replay of everything would run, and only then would mage say that there is no target of that name.
// So all that stands behind an ops: target belongs to it, and package console alone reads it; so does the SQL behind query.
package call

import "strings"

// Prefix begins the operators' targets.
const Prefix = "ops:"

// TakesAll reports whether a target takes all that stands behind it.
func TakesAll(target string) bool {
	return strings.EqualFold(target, "query") || len(target) > len(Prefix) && strings.EqualFold(target[:len(Prefix)], Prefix)
}

// Divide returns what mage reads of a command line, and the words behind its target that takes all, if it has one.
func Divide(args []string) (mage, words []string) {
	for i, arg := range args {
		if TakesAll(arg) {
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
