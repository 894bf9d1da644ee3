// Command infra is the Pulumi program: the environment of the selected stack.
package main

import (
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"tributary/infra/stack"
)

func main() { pulumi.Run(stack.Deploy) }
