package cloudtest

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"testing" //nolint:depguard // the suite is for tests to call; nothing else imports this package
	"time"

	"github.com/google/go-cmp/cmp"

	"tributary/shared/zone"
)

// Keeper is what the suite asks of secrets.
type Keeper interface {
	Get(ctx context.Context, name string) (string, error)
	Put(ctx context.Context, name, value string) error
}

// Waiting is what the suite asks of a queue.
type Waiting interface {
	Receive(ctx context.Context, hidden time.Duration) (zone.QueueMessage, bool, error)
	Delete(ctx context.Context, message zone.QueueMessage) error
	Return(ctx context.Context, message zone.QueueMessage) error
	Length(ctx context.Context) (int, error)
}

// Publisher is what the suite asks of a topic.
type Publisher interface {
	Publish(ctx context.Context, message zone.Message) error
}

// Invoker is what the suite asks of a function.
type Invoker interface {
	Start(ctx context.Context, payload []byte) error
	Invoke(ctx context.Context, payload []byte) ([]byte, error)
}

var (
	_ Keeper    = Secrets(nil)
	_ Waiting   = (*Queue)(nil)
	_ Publisher = (*Topic)(nil)
	_ Invoker   = (*Function)(nil)
)

// TestSecrets holds secrets to what the use cases rely on. The named one exists and was never filled.
func TestSecrets(t *testing.T, secrets Keeper, name string) {
	ctx := t.Context()
	_, err := secrets.Get(ctx, name)
	wantError(t, err, zone.ErrNotFound)
	for _, value := range []string{"one", `{"client_id":"ü","client_secret":"a\nb"}`} {
		if err := secrets.Put(ctx, name, value); err != nil {
			t.Fatal(err)
		}
		if got := must(secrets.Get(ctx, name))(t); got != value {
			t.Errorf("got %q, want %q", got, value)
		}
	}
	missing := name + "/missing"
	_, err = secrets.Get(ctx, missing)
	wantError(t, err, zone.ErrNotFound)
	err = secrets.Put(ctx, missing, "s3cret")
	wantError(t, err, zone.ErrNotFound)
	if err != nil && strings.Contains(err.Error(), "s3cret") {
		t.Errorf("the error tells the secret: %v", err)
	}
}

// received bounds how often a queue is asked: SQS may show nothing though it holds something.
const received = 20

// TestQueue holds an empty queue to what the use cases rely on. Send puts a message into it.
func TestQueue(t *testing.T, queue Waiting, send func(body string)) {
	ctx := t.Context()
	receive := func() (zone.QueueMessage, bool) {
		t.Helper()
		for range received {
			if m, ok, err := queue.Receive(ctx, time.Hour); err != nil || ok {
				return m, must(ok, err)(t)
			}
		}
		return zone.QueueMessage{}, false
	}
	holds := func(want int) {
		t.Helper()
		got := -1
		for range received {
			if got = must(queue.Length(ctx))(t); got == want {
				return
			}
		}
		t.Errorf("the queue holds %d messages, want %d", got, want)
	}
	if m, ok, err := queue.Receive(ctx, time.Hour); ok || err != nil {
		t.Fatalf("an empty queue gives %+v, %v", m, err)
	}
	holds(0)
	bodies := []string{"one", "{\"two\": \"ü <&>\\n\"}\n"}
	for _, body := range bodies {
		send(body)
	}
	holds(2)
	first, ok := receive()
	second, also := receive()
	got := []string{first.Body, second.Body}
	slices.Sort(got)
	if diff := cmp.Diff(bodies, got); diff != "" || !ok || !also || first.ID == second.ID {
		t.Fatalf("received %+v and %+v (-want +got):\n%s", first, second, diff)
	}
	if m, ok, err := queue.Receive(ctx, time.Hour); ok || err != nil {
		t.Errorf("what is hidden is received: %+v, %v", m, err)
	}
	holds(2)
	if err := queue.Return(ctx, first); err != nil {
		t.Fatal(err)
	}
	again, ok := receive()
	if !ok || again.ID != first.ID || again.Body != first.Body || again.Receipt == first.Receipt || !again.Sent.Equal(first.Sent) {
		t.Errorf("returned %+v, received %+v", first, again)
	}
	for _, m := range []zone.QueueMessage{again, second} {
		if err := queue.Delete(ctx, m); err != nil {
			t.Fatal(err)
		}
	}
	holds(0)
	if m, ok, err := queue.Receive(ctx, time.Hour); ok || err != nil {
		t.Errorf("what was deleted is received: %+v, %v", m, err)
	}
}

// Lacking says why a service that imitates AWS cannot take a subtest, by its name. One that fails for it is skipped, aloud;
// one that passes is not.
type Lacking map[string]string

// TestTopic holds a topic to what the use cases rely on. Arrived lists what a subscriber has got so far, and may wait for
// as many messages as it is told to expect.
func TestTopic(t *testing.T, topic Publisher, arrived func(expect int) []zone.Message, lacking Lacking) {
	message := zone.Message{
		Subject:    strings.Repeat("~", 100),
		Body:       "critical: run is held.\n\nSchwelle ‹5 %› \"überschritten\" & <more>\n",
		Attributes: map[string]string{"severity": "critical", "dataset": "coin_markets"},
	}
	for range 2 { // SNS knows no idempotency
		if err := topic.Publish(t.Context(), message); err != nil {
			t.Fatal(err)
		}
	}
	for name, m := range map[string]zone.Message{
		"an empty message":             {Subject: "s"},
		"a subject too long":           {Subject: strings.Repeat("x", 101), Body: "b"},
		"a subject on two lines":       {Subject: "a\nb", Body: "b"},
		"a subject of foreign letters": {Subject: "ü", Body: "b"},
		"a message too long":           {Subject: "s", Body: strings.Repeat("x", 256<<10+1)},
	} {
		t.Run("refuses "+name, func(t *testing.T) {
			if err := topic.Publish(t.Context(), m); err != nil {
				return
			}
			if why, ok := lacking["refuses "+name]; ok {
				t.Skip("it is published: " + why)
			}
			t.Error("it is published")
		})
	}
	t.Run("delivers", func(t *testing.T) {
		if diff := cmp.Diff([]zone.Message{message, message}, arrived(2)); diff != "" {
			t.Errorf("arrived (-want +got):\n%s", diff)
		}
	})
}

// TestFunction holds a function to what the use cases rely on: it answers with its event, and fails with "it failed" when
// the event says {"do":"fail"}. Missing is a function that does not exist. Heard gives the event {"do":"hear", …} once the
// function has it.
func TestFunction(t *testing.T, function, missing Invoker, heard func() string) {
	ctx := t.Context()
	same := func(what, want, got string) {
		t.Helper()
		var x, y any
		if err := errors.Join(json.Unmarshal([]byte(want), &x), json.Unmarshal([]byte(got), &y)); err != nil {
			t.Errorf("%s: %v in %q", what, err, got)
		} else if diff := cmp.Diff(x, y); diff != "" {
			t.Errorf("%s (-want +got):\n%s", what, diff)
		}
	}
	const event = `{"do":"echo","path":"ü <&>"}`
	same("answer", event, string(must(function.Invoke(ctx, []byte(event)))(t)))

	var own *zone.FunctionError
	if answer, err := function.Invoke(ctx, []byte(`{"do":"fail"}`)); !errors.As(err, &own) || own.Message != "it failed" || answer != nil {
		t.Errorf("a function that fails answers %q, %v", answer, err)
	}
	const started = `{"do":"hear","path":"ü <&>"}`
	if err := function.Start(ctx, []byte(started)); err != nil {
		t.Fatal(err)
	}
	same("started", started, heard())

	_, err := missing.Invoke(ctx, []byte(event))
	for what, err := range map[string]error{"invoke": err, "start": missing.Start(ctx, []byte(event))} {
		if err == nil || errors.As(err, &own) {
			t.Errorf("%s of a function that does not exist: %v", what, err)
		}
	}
}
