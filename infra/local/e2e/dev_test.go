package e2e_test

import (
	"bufio"
	"context"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"tributary/infra/local/cli"
	"tributary/infra/local/files"
)

// devVariable has this test binary be the command dev, with the folder that it names.
const devVariable = "TRIBUTARY_TEST_DEV"

func dev(dir string) int {
	ctx, stop := cli.UntilTold(context.Background())
	defer stop()
	return cli.Main(ctx, []string{"dev", "-dir=" + dir, "-color=never"}, os.Stdout, os.Stderr, os.Getenv)
}

// kept is a running dev, as somebody at a terminal has it.
type kept struct {
	t     *testing.T
	cmd   *exec.Cmd
	stdin io.WriteCloser
	out   io.Closer // our end of its screen
	lines chan string
	seen  []string
}

func startDev(t *testing.T, dir string) *kept {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), self)
	temporary := filepath.Join(filepath.Dir(dir), "tmp")
	if err := os.Mkdir(temporary, 0o700); err != nil {
		t.Fatal(err)
	}
	cmd.Dir, cmd.Env = root, append(os.Environ(), devVariable+"="+dir, "TMPDIR="+temporary)
	stdin, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	cmd.Stderr = os.Stderr
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	k := &kept{t: t, cmd: cmd, stdin: stdin, out: stdout, lines: make(chan string, 1000)}
	go func() {
		defer close(k.lines)
		for scanner := bufio.NewScanner(stdout); scanner.Scan(); {
			k.lines <- scanner.Text()
		}
	}()
	return k
}

// until reads the screen to a line that holds the text.
func (k *kept) until(text string) string {
	k.t.Helper()
	ctx, cancel := context.WithTimeout(k.t.Context(), 5*time.Minute)
	defer cancel()
	for {
		select {
		case line, more := <-k.lines:
			k.seen = append(k.seen, line)
			if strings.Contains(line, text) {
				return line
			}
			if more {
				continue
			}
		case <-ctx.Done():
		}
		k.t.Fatalf("the screen ends without %q:\n%s", text, strings.Join(k.seen, "\n"))
	}
}

func (k *kept) say(line string) {
	k.t.Helper()
	if _, err := io.WriteString(k.stdin, line+"\n"); err != nil {
		k.t.Fatal(err)
	}
}

// exported is a variable of the screen.
func (k *kept) exported(name string) string {
	k.t.Helper()
	return strings.TrimPrefix(k.until("export "+name+"="), "export "+name+"=")
}

// children are the processes that a process started and that run.
func children(t *testing.T, pid int) []int {
	t.Helper()
	found, err := filepath.Glob("/proc/" + strconv.Itoa(pid) + "/task/*/children")
	if err != nil {
		t.Fatal(err)
	}
	var all []int
	for _, name := range found {
		text, err := os.ReadFile(name)
		if err != nil {
			continue // the thread has ended
		}
		for _, word := range strings.Fields(string(text)) {
			child, err := strconv.Atoi(word)
			if err != nil {
				t.Fatal(err)
			}
			all = append(all, child)
		}
	}
	return all
}

// appears waits for a file.
func appears(t *testing.T, name string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	for {
		if _, err := os.Stat(name); err == nil {
			return
		}
		select {
		case <-ctx.Done():
			t.Fatalf("%s does not appear", name)
		case <-time.After(20 * time.Millisecond):
		}
	}
}

// The environment that dev keeps up is reached with what it prints, does what it is told, saves what others change, and ends
// with all its processes.
func TestDevCommand(t *testing.T) {
	embedded(t)
	dir := filepath.Join(t.TempDir(), ".local")
	k := startDev(t, dir)
	config := aws.Config{BaseEndpoint: aws.String(k.exported("AWS_ENDPOINT_URL"))}
	config.Credentials = credentials.NewStaticCredentialsProvider(k.exported("AWS_ACCESS_KEY_ID"), k.exported("AWS_SECRET_ACCESS_KEY"), k.exported("AWS_SESSION_TOKEN"))
	config.Region = k.exported("AWS_REGION")
	_, bucket, _ := strings.Cut(k.until("aws s3 ls --recursive s3://"), "s3://")
	bucket = strings.TrimSuffix(strings.Fields(bucket)[0], "/")
	_, table, _ := strings.Cut(k.until("aws dynamodb scan"), "--table-name ")
	table = strings.Fields(table)[0]
	k.until("quit")

	k.say("fire 2025-03-04T14:45:00Z")
	k.until("coin_markets  ✓ loaded, 20 records set aside")
	k.until("560 in = 540 clean + 20 rejected")

	store, items := s3.NewFromConfig(config), dynamodb.NewFromConfig(config)
	listed, err := store.ListObjectsV2(t.Context(), &s3.ListObjectsV2Input{Bucket: &bucket, Prefix: aws.String("coin_markets/")})
	if err != nil || len(listed.Contents) != 1 || aws.ToString(listed.Contents[0].Key) != "coin_markets/dt=2025-03-04/20250304T144500Z-00001.parquet" {
		t.Errorf("the lake holds %v, %v", listed, err)
	}
	if described, err := items.DescribeTable(t.Context(), &dynamodb.DescribeTableInput{TableName: &table}); err != nil || aws.ToString(described.Table.TableName) != table {
		t.Errorf("the table is %v, %v", described, err)
	}

	put := func(key string) {
		if _, err := store.PutObject(t.Context(), &s3.PutObjectInput{Bucket: &bucket, Key: &key, Body: strings.NewReader("by hand")}); err != nil {
			t.Fatal(err)
		}
	}
	put("notes/first.txt")
	appears(t, filepath.Join(dir, "lake", "notes", "first.txt"))
	k.say("deploy")
	k.until("nothing has changed since it was deployed")
	k.say("status")
	k.until("lake 3 objects")
	k.until("ops:status, the local environment")
	k.say("nonsense")
	k.until("✗ there is no command nonsense; help lists them")
	k.say("logs process")
	k.until(`"message":"run processed"`)
	put("notes/last.txt")

	processes := []int{}
	if runtime.GOOS == "linux" {
		if processes = children(t, k.cmd.Process.Pid); len(processes) < 2 {
			t.Errorf("processes of functions: %v", processes)
		}
	}
	if err := k.stdin.Close(); err != nil { // with nobody to tell it anything it goes on
		t.Fatal(err)
	}
	put("notes/later.txt")
	if err := k.cmd.Process.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	k.until("what the stores hold is in ")
	if err := k.cmd.Wait(); err != nil {
		t.Errorf("dev ends with %v", err)
	}
	for _, pid := range processes {
		if err := syscall.Kill(pid, 0); err != syscall.ESRCH {
			t.Errorf("process %d of a function is left: %v", pid, err)
		}
	}
	folder, err := files.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer folder.Close()
	state, err := folder.Load()
	if err != nil {
		t.Fatal(err)
	}
	found := map[string]bool{}
	for _, o := range state.Objects {
		found[o.Key] = true
	}
	for _, key := range []string{"notes/first.txt", "notes/last.txt", "notes/later.txt", "coin_markets/dt=2025-03-04/20250304T144500Z-00001.parquet"} {
		if !found[key] {
			t.Errorf("%s is not saved", key)
		}
	}
	if len(state.Catalog.Tables) != 4 || len(state.Alerts) != 1 {
		t.Errorf("%d tables and %d alerts are saved", len(state.Catalog.Tables), len(state.Alerts))
	}
}

// A terminal that is closed, and a screen that nobody reads: what there is, is saved, and nothing is left.
func TestDevWhoseTerminalIsClosed(t *testing.T) {
	embedded(t)
	dir := filepath.Join(t.TempDir(), ".local")
	k := startDev(t, dir)
	temporary := filepath.Join(filepath.Dir(dir), "tmp")
	k.until("quit")
	k.say("fire 2025-03-04T14:45:00Z")
	k.until("540 clean")
	processes := []int{}
	if runtime.GOOS == "linux" {
		processes = children(t, k.cmd.Process.Pid)
	}
	if err := k.out.Close(); err != nil {
		t.Fatal(err)
	}
	if err := k.cmd.Process.Signal(syscall.SIGHUP); err != nil {
		t.Fatal(err)
	}
	if err := k.cmd.Wait(); err != nil {
		t.Errorf("dev ends with %v", err)
	}
	for _, pid := range processes {
		if err := syscall.Kill(pid, 0); err != syscall.ESRCH {
			t.Errorf("process %d of a function is left: %v", pid, err)
		}
	}
	if left, err := os.ReadDir(temporary); err != nil || len(left) > 0 {
		t.Errorf("%d entries are left in the folder for temporary files, %v", len(left), err)
	}
	if _, err := os.Stat(filepath.Join(dir, "lake", "coin_markets", "dt=2025-03-04", "20250304T144500Z-00001.parquet")); err != nil {
		t.Error(err)
	}
}
