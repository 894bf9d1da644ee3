package process

import "runtime"

// revision is set when the functions are built: -ldflags "-X tributary/shared/process.revision=…-arm64".
var revision = "dev-" + runtime.GOARCH

// Revision names the engine of this build: what a run depends on besides its bytes and its contract. A run that another
// revision has done is done again when it is delivered again. The architecture is part of it: the values in a Parquet
// file are the same on every processor, its bytes are not.
func Revision() string { return revision }
