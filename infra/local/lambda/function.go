package lambda

import (
	"archive/zip"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// Function is a deployed function.
type Function struct {
	Name        string
	ARN         string
	Role        string // ARN
	Zip         string // path of the deployment package
	Handler     string
	Memory      int
	Timeout     time.Duration
	Reserved    *int // reserved concurrency; nil for none
	Environment map[string]string
	LogGroup    string
	JSONLogs    bool
	LogLevel    string // of the application, with JSON logs; "" keeps every line
	Tracing     bool   // active
	Async       Async
}

// Async says what happens to asynchronous invocations that fail.
type Async struct {
	Retries   int    // after the first attempt
	OnFailure string // ARN of the destination, or ""
}

// reserved variables cannot be set on a function.
var reserved = []string{
	"_HANDLER", "_X_AMZN_TRACE_ID", "AWS_DEFAULT_REGION", "AWS_REGION", "AWS_EXECUTION_ENV", "AWS_LAMBDA_FUNCTION_NAME",
	"AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "AWS_LAMBDA_FUNCTION_VERSION", "AWS_LAMBDA_INITIALIZATION_TYPE", "AWS_LAMBDA_LOG_GROUP_NAME",
	"AWS_LAMBDA_LOG_STREAM_NAME", "AWS_ACCESS_KEY", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN",
	"AWS_LAMBDA_RUNTIME_API", "LAMBDA_TASK_ROOT", "LAMBDA_RUNTIME_DIR",
}

const maxEnvironment = 4096

// check refuses what AWS refuses when a function is created.
func (f Function) check() error {
	var faults []error
	size := 0
	for name, value := range f.Environment {
		size += len(name) + len(value)
		if slices.Contains(reserved, name) {
			faults = append(faults, fmt.Errorf("environment variable %s is reserved", name))
		}
	}
	if size > maxEnvironment {
		faults = append(faults, fmt.Errorf("environment has %d bytes: more than %d", size, maxEnvironment))
	}
	if f.Timeout <= 0 || f.Timeout > 15*time.Minute {
		faults = append(faults, fmt.Errorf("timeout %s is not between 1 second and 15 minutes", f.Timeout))
	}
	if f.Memory < 128 || f.Memory > 10240 {
		faults = append(faults, fmt.Errorf("memory %d MB is not between 128 and 10240", f.Memory))
	}
	if err := checkZip(f.Zip); err != nil {
		faults = append(faults, err)
	}
	return errors.Join(faults...)
}

const entrypoint = "bootstrap"

func checkZip(path string) error {
	z, err := zip.OpenReader(path)
	if err != nil {
		return fmt.Errorf("open deployment package %s: %w", path, err)
	}
	defer func() { _ = z.Close() }() // it was only read
	for _, file := range z.File {
		if file.Name != entrypoint {
			continue
		}
		if file.Mode()&0o111 == 0 {
			return fmt.Errorf("deployment package %s: %s is not executable", path, entrypoint)
		}
		return nil
	}
	return fmt.Errorf("deployment package %s: no %s at its root", path, entrypoint)
}

// unzip unpacks a deployment package below dir.
func unzip(path, dir string) error {
	z, err := zip.OpenReader(path)
	if err != nil {
		return fmt.Errorf("open deployment package: %w", err)
	}
	defer func() { _ = z.Close() }() // it was only read
	for _, file := range z.File {
		if !filepath.IsLocal(file.Name) {
			return fmt.Errorf("unpack %s: %q leads out of the package", path, file.Name)
		}
		if err := unzipFile(file, filepath.Join(dir, file.Name)); err != nil { //nolint:gosec // checked to be local
			return fmt.Errorf("unpack %s: %w", path, err)
		}
	}
	return nil
}

func unzipFile(file *zip.File, path string) error {
	if strings.HasSuffix(file.Name, "/") {
		return os.MkdirAll(path, 0o755)
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	in, err := file.Open()
	if err != nil {
		return err
	}
	defer func() { _ = in.Close() }() // it was only read
	out, err := os.OpenFile(path, os.O_CREATE|os.O_WRONLY|os.O_TRUNC, file.Mode().Perm()|0o600)
	if err != nil {
		return err
	}
	_, err = io.Copy(out, in) //nolint:gosec // our own package
	return errors.Join(err, out.Close())
}
