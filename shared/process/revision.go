package process

import "runtime"

// revision is set when the functions are built: -ldflags "-X tributary/shared/process.revision=v1.2.3".
var revision = "dev"

// Revision names the engine of this build. Runs done by another revision are done again when they are delivered again.
// The architecture is part of it: the values in a Parquet file are the same on every processor, its bytes are not.
func Revision() string { return revision + "-" + runtime.GOARCH }
