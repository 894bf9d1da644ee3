package artifact

import (
	"os"
	"strings"
	"testing"
)

func TestRelease(t *testing.T) {
	one, two := project(t), project(t)
	build(t, one)
	build(t, two)
	digest, err := Release(one, Dir, AWS)
	if err != nil {
		t.Fatal(err)
	}
	if again, err := Release(two, Dir, AWS); err != nil || again != digest || len(digest) != len("sha256:")+64 {
		t.Errorf("the same source gives %s and %s, %v", digest, again, err)
	}
	write(t, two, "shared/datasets/coins.odcs.yaml", "name: coin\n")
	build(t, two)
	other, err := Release(two, Dir, AWS)
	if err != nil || other == digest {
		t.Errorf("another contract gives %s again, %v", other, err)
	}
	for _, test := range []struct{ name, root, digest, want string }{
		{"the same", one, digest, ""},
		{"another", one, other, "are " + digest + ", not " + other},
		{"none", one, "", "was this commit ever deployed?"},
	} {
		if err := CheckRelease(test.root, Dir, AWS, test.digest); (err == nil) != (test.want == "") || err != nil && !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: %v", test.name, err)
		}
	}
	// What was exchanged on its way is no release, whatever its stamp says.
	if err := os.WriteFile(Zip(one, Dir, "process", "coins"), []byte("PK"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := CheckRelease(one, Dir, AWS, digest); err == nil || !strings.Contains(err.Error(), "process-coins.zip is not what was built") {
		t.Errorf("an exchanged zip: %v", err)
	}
}
