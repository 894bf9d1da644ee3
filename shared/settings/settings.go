// Package settings names the environment variables through which infrastructure configures the functions, and loads
// them typed. Infrastructure sets the variables by these constants; a function's main calls LoadIngest or LoadProcess,
// which report every missing or malformed variable at once.
package settings

// Environment variables of the functions. AWS's own (AWS_REGION, AWS_ENDPOINT_URL_*, …) are the SDK's business.
const (
	Environment     = "TRIBUTARY_ENVIRONMENT"      // picks the contract's server, a dimension of metrics
	Stack           = "TRIBUTARY_STACK"            // process: what operators' commands are told in alerts
	RawBucket       = "TRIBUTARY_RAW_BUCKET"       // both functions
	LakeBucket      = "TRIBUTARY_LAKE_BUCKET"      // both: process writes, ingest looks for audit rows
	RejectsBucket   = "TRIBUTARY_REJECTS_BUCKET"   // process
	ProcessFunction = "TRIBUTARY_PROCESS_FUNCTION" // ingest: name of the dataset's other function, to start lost runs again
	ServingTable    = "TRIBUTARY_SERVING_TABLE"    // process; absent when the dataset is not served
	AlertTopic      = "TRIBUTARY_ALERT_TOPIC"      // process: ARN
	SourceURL       = "TRIBUTARY_SOURCE_URL"       // ingest, optional: asked instead of the contract's server
	SourceSecret    = "TRIBUTARY_SOURCE_SECRET"    //nolint:gosec // G101: a name, no secret. Ingest, optional: Secrets Manager name or ARN
	Contract        = "TRIBUTARY_CONTRACT"         // optional: path of the contract; ContractFile beside bootstrap
)

// ContractFile is the contract's name in the deployment package, beside bootstrap.
const ContractFile = "contract.odcs.yaml"
