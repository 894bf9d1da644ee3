package bench

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os/exec"
	"time"

	"tributary/shared/settings"
)

// coldStart starts a function as Lambda does and answers how long it takes until it asks the Runtime API for work.
func coldStart(ctx context.Context, function, contract string) (time.Duration, error) {
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return 0, fmt.Errorf("listen as Runtime API: %w", err)
	}
	asked := make(chan time.Time, 1)
	server := &http.Server{ReadHeaderTimeout: time.Second, Handler: http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		select {
		case asked <- time.Now():
		default:
		}
		<-r.Context().Done() // there is no work
	})}
	go server.Serve(listener) //nolint:errcheck // it ends with Close
	defer server.Close()      //nolint:errcheck // nothing is left to answer

	cmd := exec.CommandContext(ctx, function)
	cmd.Env = []string{
		"AWS_LAMBDA_RUNTIME_API=" + listener.Addr().String(), "AWS_REGION=eu-central-1",
		"AWS_ACCESS_KEY_ID=none", "AWS_SECRET_ACCESS_KEY=none",
		settings.Environment + "=bench", settings.Contract + "=" + contract, settings.RawBucket + "=raw", settings.LakeBucket + "=lake",
		settings.RejectsBucket + "=rejects", settings.ServingTable + "=table", settings.AlertTopic + "=arn:aws:sns:eu-central-1:123456789012:alerts",
	}
	start := time.Now()
	if err := cmd.Start(); err != nil {
		return 0, fmt.Errorf("start function: %w", err)
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	select {
	case at := <-asked:
		cancel()
		if err := <-ended; err == nil { // killed, it ends with an error
			return 0, errors.New("start function: it ended of its own accord")
		}
		return at.Sub(start), nil
	case err := <-ended:
		return 0, fmt.Errorf("start function: it ended before it asked for work: %w", err)
	}
}
