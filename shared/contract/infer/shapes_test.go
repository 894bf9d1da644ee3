package infer

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"tributary/shared/contract"
)

// repeated is a JSON array, or with other brackets an object, of n values; %[1]d in the form is the number of each.
func repeated(open string, n int, form, end string) string {
	parts := make([]string, n)
	for i := range parts {
		parts[i] = fmt.Sprintf(form, i)
		if !strings.Contains(form, "%") {
			parts[i] = form
		}
	}
	return open + strings.Join(parts, ",") + end
}

// guesses are what a proposal says of some things, by what they are.
func guesses(p *Proposal, what map[string]string) map[string]string {
	got := map[string]string{}
	for _, n := range p.Notes {
		if _, asked := what[n.What]; asked {
			got[n.What] = n.Guess
		}
	}
	return got
}

// Every shape is found, and every sample is clean under its contract.
func TestShapes(t *testing.T) {
	for _, tc := range []struct {
		name, sample, url string
		want              map[string]string // of the notes
	}{
		{"an envelope in an array", `[{"page":1,"pages":6,"per_page":"50","total":296},` + repeated("[", 3, `{"id":"A%d","value":1.5}`, "]") + `]`, "", map[string]string{
			"records": "an array in an array at /1", "pagination": "page_number", "key": "id",
		}},
		{"a record with a short list in it", `{"id":7,"name":"x","visibility":10000,"weather":[{"id":500,"main":"Rain"}],"main":{"temp":281.5},"sys":{"country":"NO"},"cod":200}`, "", map[string]string{
			"records": "one object at the whole document",
		}},
		{"a record with a long list in it", `{"sha":"a1","message":"m","author":"me","url":"https://x","parents":1,"files":` + repeated("[", 9, `{"sha":"f%d","lines":3}`, "]") + `}`, "", map[string]string{
			"records": "one object at the whole document",
		}},
		{"a short list in what does not say which it is", `{"base":"stations","main":{"temp":281.5,"humidity":81,"pressure":1013},"wind":{"speed":4.1,"deg":80,"gust":6.2},"weather":[{"id":500,"main":"Rain"}]}`, "", map[string]string{
			"records": "one object at the whole document",
		}},
		{"a list in a record, called as records are", `{"id":7,"title":"x","about":"` + strings.Repeat("long ", 20) + `","author":"me","list":[{"id":500}]}`, "", map[string]string{"records": "one object at the whole document"}},
		{"an empty list in a record", `{"id":7,"title":"x","about":"y","author":"me","values":[]}`, "", map[string]string{"records": "one object at the whole document"}},
		{"two lists of one length in a record", `{"id":7,"title":"x","about":"` + strings.Repeat("long ", 2) + `","a":[1,2,3],"b":[4,5,6]}`, "", map[string]string{"records": "one object at the whole document"}},
		{"pairs of equal length in a record", `{"id":1,"name":"a","banner":[1280,384],"icon":[256,256],"title":"long enough to be more than the pairs are","about":"and some more of it"}`, "", map[string]string{
			"records": "one object at the whole document", "column banner": "array, array<bigint>",
		}},
		{"one feature", `{"type":"Feature","properties":{"name":"a"},"geometry":{"type":"LineString","coordinates":` + repeated("[", 20, `[1,%d]`, "]") + `}}`, "", map[string]string{
			"records": "one object at the whole document", "column name": "string",
		}},
		{"points and polygons", `{"type":"FeatureCollection","features":[{"id":1,"geometry":{"type":"Point","coordinates":[1,2]}},{"id":2,"geometry":{"type":"Polygon","coordinates":[[[1,2]]]}}]}`, "", map[string]string{
			"records": "an array in an envelope at /features", "column geometry": "object, struct<type:string,coordinates:string>",
		}},
		{"records under numbered ids", `{"batchcomplete":"","query":{"pages":{"736":{"pageid":736,"ns":0,"title":"Albert"}}}}`, "", map[string]string{
			"records": "an object keyed by id at /query/pages/*", "column key": "", "column id": "string",
		}},
		{"many records under names beside something else", `{"about":{"text":"` + strings.Repeat("long ", 60) + `"},"by_name":` + repeated("{", 12, `"n%[1]d":{"a":%[1]d,"b":"x","c":true}`, "}") + `}`, "", map[string]string{
			"records": "an object keyed by id at /by_name/*",
		}},
		{"records under names that speak of paging", `{"data":{"page":{"id":1,"pages":3},"meta":{"id":2,"pages":4},"next":{"id":3,"pages":5}}}`, "", map[string]string{
			"records": "an object keyed by id at /data/*", "pagination": "single_page",
		}},
		{"records under versions, among others of the package", `{"_id":"x","name":"x","tags":{"latest":"1.0.1"},"maintainers":[{"name":"a","email":"a@example.org"}],"versions":` +
			repeated("{", 8, `"1.0.%[1]d":{"version":"1.0.%[1]d","main":"index.js","license":"MIT"}`, "}") + `}`, "", map[string]string{"records": "an object keyed by id at /versions/*"}},
		{"records under names, some with little to say", `{"a/b":{"source":"x"},` + repeated("", 24, `"t/%d":{"source":"x","compressible":true}`, "") + `}`, "", map[string]string{
			"records": "an object keyed by id at /*",
		}},
		{"records under names, each with some of few", `{"a/b":{"c":true},` + repeated("", 12, `"s/%d":{"s":"x"}`, ",") + repeated("", 12, `"t/%d":{"c":true,"e":["a"],"h":"u"}`, "") + `}`, "", map[string]string{
			"records": "an object keyed by id at /*",
		}},
		{"a package with lists under versions", `{"info":` + repeated("{", 30, `"i%d":"text"`, "}") + `,"releases":` +
			repeated("{", 160, `"1.%[1]d":[{"filename":"x-1.%[1]d.tar.gz","size":%[1]d}]`, "}") + `,"urls":[]}`, "", map[string]string{
			"records": "one object at the whole document", "column releases": "object, string",
		}},
		{"the kind and the data of each", `{"kind":"Listing","data":{"after":"t3_x","children":` + repeated("[", 3, `{"kind":"t3","data":{"id":"x%d","created_utc":1578500000.0,"secure_media":null}}`, "]") + `}}`, "https://api.example.com/top?limit=3", map[string]string{
			"records": "an array in an envelope at /data/children", "pagination": "cursor", "key": "id", "column created_utc": "timestamp", "column secure_media": "object, string",
		}},
		{"a list of search results that is the only one", `{"accounts":` + repeated("[", 9, `{"id":"%d","name":"n"}`, "]") + `,"statuses":[],"tags":[],"groups":[]}`, "", map[string]string{
			"records": "an array in an envelope at /accounts",
		}},
		{"the smaller of two by number is the larger by size", `{"minutely":` + repeated("[", 6, `{"dt":%d}`, "]") + `,"hourly":` + repeated("[", 4, `{"dt":%d,"temp":281.5,"wind":{"speed":1.5,"deg":180}}`, "]") + `}`, "", map[string]string{
			"records": "an array in an envelope at /hourly",
		}},
		{"a time deep in types", `[` + strings.Repeat(`{"a":`, 12) + `1` + strings.Repeat(`}`, 12) + `]`, "", map[string]string{"records": "an array at the whole document"}},
		{"many columns of one object in each record", repeated("[", 4, `{"id":%d,"wide":`+repeated("{", 100, `"m%[1]d":1`, "}")+`}`, "]"), "", map[string]string{"key": "id"}},
		{"more members than a contract declares", `[{"id":1` + repeated(`,"wide":{"z":1,`, 50, `"w%d":`+repeated(`{"t":"x",`, 50, `"m%d":1`, "}"), "}") + `}]`, "", map[string]string{"key": "none", "column wide": "object, string"}},
		{"names that are data in one record", `{"base":"EUR","date":"2025-03-04","rates":` + repeated("{", 30, `"c%02dx":1.5`, "}") + `}`, "", map[string]string{"column rates": "object, string"}},
		{"a few values that count", `{"base":"EUR","rates":{"USD":1.05,"GBP":0.83}}`, "", map[string]string{"column rates": "object, struct<usd:double,gbp:double>"}},
		{"names that are versions", repeated("[", 3, `{"id":%d,"stats":{"5.5":"n","6":"n","7":"y","8":"y","TP":"u","9":"y"}}`, "]"), "", map[string]string{"column stats": "object, string"}},
		{"texts of digits", repeated("[", 30, `{"member":"%[1]d","prefix":"10.1371","volume":"%[1]d","isbn":"019852663X","count":"%[1]d","lat":"59.91","added_in":"13.1"}`, "]"), "", map[string]string{
			"column member": "string", "column prefix": "string", "column volume": "string", "column isbn": "string", "column count": "integer, bigint", "column lat": "number, decimal(18,2)", "column added_in": "string",
		}},
		{"prices that happen to be whole", `[{"id":"a","price":2,"open_issues":3}]`, "", map[string]string{"column price": "number, double", "column open_issues": "integer, bigint"}},
		{"times that are not RFC 3339", `[{"id":1,"a":"2016-09-21T15:45:00.000","b":"Wed Aug 29 17:12:58 +0000 2012","c":"Tue, 15 Nov 1994 08:12:31 GMT","d":"2021-01-01T00:00:00.000+0100","e":"Jun 12 1998","f":"12/31/1999","g":"31/12/1999","h":"01/02/1999","i":"2021-01-01 10:00:00 UTC"}]`, "", map[string]string{
			"column a": "timestamp", "column b": "timestamp", "column c": "timestamp", "column d": "timestamp", "column e": "date", "column f": "date", "column g": "date", "column h": "string", "column i": "timestamp",
		}},
		{"times that are empty texts at times", `[{"id":1,"at":"2025-03-04"},{"id":2,"at":""}]`, "", map[string]string{"column at": "string"}},
		{"measures that differ by chance", repeated("[", 30, `{"size":%[1]d,"title":"A title %[1]d","created_at":"2025-03-04T00:00:%02[1]dZ","pushed_at":"2025-03-04T00:00:%02[1]dZ"}`, "]"), "", map[string]string{"key": "pushed_at"}},
		{"counts that differ by chance", repeated("[", 30, `{"reference-count":%[1]d,"total_id":%[1]d}`, "]"), "", map[string]string{"key": "none"}},
		{"times of one thing", repeated("[", 30, `{"id":"100009424","date":"2025-03-04T00:00:%02dZ"}`, "]"), "", map[string]string{"key": "id and date", "version": "run_at"}},
		{"an id one level down", repeated("[", 30, `{"starred_at":"2025-03-04T00:00:%02[1]dZ","user":{"id":%[1]d,"login":"a"}}`, "]"), "", map[string]string{"key": "user_id"}},
		{"a value for all that have no name", `[{"name":"a"},{"name":"b"}]`, "", map[string]string{"key": "name"}},
		{"a page further on", `[{"id":1},{"id":2}]`, "https://api.example.com/x?page=3&per_page=2", map[string]string{"pagination": "page_number"}},
		{"rows behind a start", `[{"id":1},{"id":2}]`, "https://api.example.com/x?rows=2&start=4", map[string]string{"pagination": "offset"}},
		{"data and what is included", `{"data":` + repeated("[", 3, `{"type":"a","id":"%[1]d","attributes":{"title":"t%[1]d"},"relationships":{}}`, "]") + `,"included":` + repeated("[", 9, `{"type":"b","id":"%d","attributes":{"name":"n"}}`, "]") + `,"links":{"next":"https://api.example.com/x?page=2"}}`, "", map[string]string{
			"records": "an array in an envelope at /data", "pagination": "json_link", "key": "id", "column title": "string",
		}},
		{"edges and nodes", `{"data":{"users":{"edges":` + repeated("[", 3, `{"cursor":"c%[1]d","node":{"id":"u%[1]d"}}`, "]") + `,"pageInfo":{"endCursor":"c2","hasNextPage":true}}}}`, "", map[string]string{
			"records": "an array in an envelope at /data/users/edges", "pagination": "cursor", "key": "id",
		}},
		{"hits and sources", `{"took":1,"hits":{"total":{"value":3},"hits":` + repeated("[", 3, `{"_index":"i","_id":"d%[1]d","_score":1.5,"_source":{"title":"t%[1]d"}}`, "]") + `}}`, "", map[string]string{
			"records": "an array in an envelope at /hits/hits", "column title": "string", "key": "id",
		}},
		{"a link within next", `{"results":` + repeated("[", 3, `{"id":"%[1]d","properties":{"email":"a%[1]d@example.org"},"archived":false}`, "]") + `,"paging":{"next":{"after":"3","link":"https://api.example.com/x?after=3"}}}`, "", map[string]string{
			"records": "an array in an envelope at /results", "pagination": "json_link", "column email": "string",
		}},
		{"a start and a size beside the records", `{"startAt":0,"maxResults":2,"total":9,"issues":` + repeated("[", 2, `{"id":"1%[1]d","key":"K-%[1]d"}`, "]") + `}`, "", map[string]string{"pagination": "offset"}},
		{"pages counted from 0", `{"hits":` + repeated("[", 2, `{"objectID":"1%d","points":3}`, "]") + `,"nbHits":40,"page":0,"nbPages":20}`, "", map[string]string{"pagination": "page_number"}},
		{"days with numbered names", `{"Meta Data":{"1. Symbol":"IBM"},"Time Series (Daily)":{"2025-03-04":{"1. open":"251.2200","5. volume":"3456789"},"2025-03-03":{"1. open":"250.1000","5. volume":"3456780"},"2025-02-28":{"1. open":"249.0000","5. volume":"3456781"}}}`, "", map[string]string{
			"records": "an object keyed by id at /Time Series (Daily)/*", "key": "id", "column n1_open": "number, decimal(18,4)",
		}},
		{"HAL", `{"_links":{"next":{"href":"/x?page=2"}},"items":[{"id":1},{"id":2}]}`, "", map[string]string{"pagination": "json_link"}},
		{"a cursor that is a record's own", `{"check":[{"id":1,"after":"x"},{"id":2,"after":"y"}],"stats":{"pages":3}}`, "", map[string]string{"pagination": "single_page"}},
		{"members that differ in case", `[{"id":1,"Name":"a","name":"b","NAME":"c"}]`, "", map[string]string{"column name": "string", "column name_2": "string", "column name_3": "string"}},
		{"epoch times in texts and under a letter", `[{"id":1,"ts":"1597026383085","t":1577941200000,"count_at":"12"}]`, "", map[string]string{"column ts": "timestamp", "column t": "timestamp", "column count_at": "integer, bigint"}},
		{"control characters", repeated("[", 30, `{"id":%d,"\u0080a":"\u0085\u009f\uffff","s":"\ufeff\u0081"}`, ",") + repeated("", 30, `{"id":9%d,"\u0080a":"b","s":"\u0007"}`, "]"), "", map[string]string{"column a": "string"}},
		{"files of a tree", repeated("[", 30, `{"path":"a/%[1]d","sha":"f%[1]d"}`, "]"), "", map[string]string{"key": "path"}},
		{"names that YAML takes for something else", `[{"no ":0,"On":{"Off ":1},"id":"y"},{"no ":1,"On":{"Off ":1},"id":"n"}]`, "", map[string]string{"column no": "integer, bigint", "column on": "object, struct<off:bigint>"}},
		{"numbers beyond a double", `[{"id":1,"n":1e999,"small":1e-999999999}]`, "", map[string]string{"column n": "object, string", "column small": "object, string"}},
		{"lines with a mark before and a break behind", "\xef\xbb\xbf{\"id\":1}\r\n{\"id\":2}\n\n", "", map[string]string{"records": "lines of JSON at the whole document"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			p, err := Contract("trial", []byte(tc.sample), Options{URL: tc.url})
			if err != nil {
				t.Fatal(err)
			}
			want := map[string]string{}
			for what, guess := range tc.want {
				if guess != "" { // "" is a thing that must not be there
					want[what] = guess
				}
			}
			if diff := cmp.Diff(want, guesses(p, tc.want)); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
			c, err := contract.Parse("trial.odcs.yaml", p.YAML)
			if err != nil {
				t.Fatal(err)
			}
			if s, rejects := process(t, c, []byte(tc.sample)); len(rejects) > 0 || s.Clean != int64(p.Records) || len(s.Unknown) > 0 {
				t.Errorf("%d of %d records are clean, unknown %v: %q", s.Clean, p.Records, s.Unknown, rejects)
			}
		})
	}
}

// What a contract cannot say is refused, and the sentence names the place.
func TestRefusedShapes(t *testing.T) {
	for _, tc := range []struct{ name, sample, url, want string }{
		{"lists under days", `{"links":{},"element_count":2,"near":{"2015-09-08":[{"id":"1","name":"a"}],"2015-09-07":[{"id":"2","name":"b"}]}}`, "", "/near holds lists of records below names that are data (2015-09-08 and 1 more)"},
		{"a list under a day", `{"element_count":1,"near":{"2015-09-08":[{"id":"1","name":"a"}]}}`, "", "/near holds lists of records below names that are data (2015-09-08)"},
		{"lists under names", `{"a:x":[{"label":"1","value":1}],"a:y":[{"label":"1","value":1}],"b:x":[{"label":"1","value":1}],"b:y":[{"label":"1","value":1}]}`, "", "the document holds lists of records below names that are data (a:x and 3 more)"},
		{"names and values", repeated("{", 200, `"n%d":"https://x"`, "}"), "", "the document is an object of 200 members (n0, …) that are no records of one shape"},
		{"names and values below", `{"version":1,"map":` + repeated("{", 200, `"n%d":1`, "}") + `}`, "", "/map is an object of 200 members"},
		{"a table in each answer", `{"resource":"x","resultSets":[{"name":"a","headers":["ID","PTS"],"rowSet":[[1,2],[3,4]]}]}`, "", "/resultSets/0/rowSet holds rows without the names of their members"},
		{"columns in the only record", `{"chart":{"result":[{"meta":{"currency":"USD"},"timestamp":[1,2,3,4,5],"close":[1.5,2.5,3.5,4.5,5.5]}]}}`, "", "is columnar: its members close, timestamp are arrays of 5 values each"},
		{"more columns than a contract has", repeated("[{", 600, `"n%d":"x"`, "}]"), "", "the records have 600 members in all, and a contract has at most 500 columns"},
		{"a parameter twice", `[{"id":1}]`, "https://api.example.com/x?id%5B%5D=1&id%5B%5D=2", "the address sends the parameter id[] twice"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			_, err := Contract("trial", []byte(tc.sample), Options{URL: tc.url})
			if err == nil || !strings.Contains(err.Error(), tc.want) {
				t.Errorf("got %v, want %q", err, tc.want)
			}
		})
	}
}

// What the sample says of paging and of sizes stands in the source, and what led to the page that was sampled does not.
func TestSource(t *testing.T) {
	next := `<https://api.example.com/x?page=4>; rel="next"`
	for _, tc := range []struct {
		name, sample, link, url string
		want                    []string
		not                     []string
	}{
		{"links, from a page further on", `[{"id":1}]`, next, "https://api.example.com/x?page=3&per_page=1", []string{"kind: header_link", "query: {per_page: \"1\"}"}, []string{"page: \"3\""}},
		{"never null in many records", repeated("[", 1000, `{"id":%d,"a":true}`, "]"), "", "", []string{"{name: a, logicalType: boolean, physicalType: boolean, required: true}"}, nil},
		{"never null in fewer", repeated("[", 999, `{"id":%d,"a":true}`, "]"), "", "", []string{"{name: a, logicalType: boolean, physicalType: boolean}\n        # required: true (never null in 999 records)"}, nil},
		{"times that are empty texts at times", `[{"id":1,"at":"2025-03-04"},{"id":2,"at":""}]`, "", "", []string{"# logicalType: date, if the source can be had to write null for what is empty (1 of 2 are)"}, nil},
		{"known values of a column and of a member", repeated("[", 20, `{"id":%d,"s":"a","o":{"s":"b."}}`, ",") + repeated("", 20, `{"id":4%d,"s":"b","o":{"s":"c"}}`, "]"), "", "", []string{`# quality: [{id: s-values, metric: invalidValues, mustBe: 0, arguments: {validValues: [a, b]}}] (2 values in 40 records)`, `# pattern: "^(b\\.|c)$" (2 values in 40 records)`}, nil},
		{"a large page", `[{"id":1,"text":"` + strings.Repeat("x", 9<<20) + `"}]`, "", "", []string{"limits: {body: 37MiB, record: 37MiB}"}, nil},
		{"a page further on", `[{"id":1}]`, "", "https://api.example.com/x?page=3", []string{"base_page: 1, page_param: page,"}, []string{`page: "3"`}},
		{"more that nothing says how to ask for", `{"items":[{"id":1},{"id":2}],"has_more":true}`, "", "https://api.example.com/x", []string{"kind: single_page"}, nil},
		{"names of a start and a size", `{"startAt":0,"maxResults":2,"total":9,"issues":[{"id":1},{"id":2}]}`, "", "", []string{"{kind: offset, limit: 2, limit_param: maxResults, offset_param: startAt, total_path: /total, stop_after_empty_page: true}"}, nil},
		{"links, on the last page", `[{"id":1}]`, strings.Replace(next, "next", "prev", 1), "https://api.example.com/x", []string{"kind: single_page"}, nil},
		{"total of an envelope in an array", `[{"page":1,"pages":6},[{"id":1},{"id":2}]]`, "", "", []string{"total_path: /0/pages", `records: /1`}, nil},
		{"page numbers of the address", `{"pages":6,"items":[{"id":1},{"id":2}]}`, "", "https://api.example.com/x?p=1", []string{"page_param: p, total_path: /pages"}, []string{`p: "1"`}},
		{"a large record", `[{"id":1,"text":"` + strings.Repeat("x", 1<<20) + `"}]`, "", "", []string{"limits: {record: 5MiB}"}, nil},
		{"a large value beside the records", `{"items":[{"id":1,"b":2},{"id":2,"b":2}],"text":"` + strings.Repeat("x", 1<<20) + `"}`, "", "", []string{"limits: {record: 5MiB}"}, nil},
		{"records of a usual size", `[{"id":1}]`, "", "", nil, []string{"limits:"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			p, err := Contract("trial", []byte(tc.sample), Options{URL: tc.url, Link: tc.link})
			if err != nil {
				t.Fatal(err)
			}
			for _, want := range tc.want {
				if !bytes.Contains(p.YAML, []byte(want)) {
					t.Errorf("it does not say %q:\n%s", want, p.YAML)
				}
			}
			for _, not := range tc.not {
				if bytes.Contains(p.YAML, []byte(not)) {
					t.Errorf("it says %q:\n%s", not, p.YAML)
				}
			}
		})
	}
}

// Credentials of an address go into auth by name, and their values nowhere.
func TestCredentials(t *testing.T) {
	for _, name := range []string{
		"api_key", "apikey", "apiKey", "key", "token", "access_token", "appid", "app_id", "client_secret", "subscription-key", "x-api-key", "auth", "signature",
		"api-token", "apitoken", "password", "pwd", "sessionid", "session_id", "jwt", "bearer", "license_key", "private_key", "app_key", "serviceKey", "authkey",
	} {
		t.Run(name, func(t *testing.T) {
			p, err := Contract("trial", []byte(`[{"id":1}]`), Options{URL: "https://api.example.com/x?units=metric&" + name + "=s3cr3t"})
			if err != nil {
				t.Fatal(err)
			}
			if bytes.Contains(p.YAML, []byte("s3cr3t")) || !bytes.Contains(p.YAML, []byte("in: query, name: "+quote(name)+",")) || !bytes.Contains(p.YAML, []byte("units: metric")) {
				t.Errorf("%s", p.YAML)
			}
		})
	}
}

// What will be rejected of the sample itself is told, and where else the records may be.
func TestTold(t *testing.T) {
	for _, tc := range []struct{ name, sample, want string }{
		{"as many as were asked for", `[{"id":1},{"id":2}]`, "the address asks for per_page=2 and as many came: there are further pages"},
		{"answers in an array", `[{"kind":"a","data":{"children":[{"id":1}]}},{"kind":"b","data":{"children":` + repeated("[", 9, `{"id":%d,"text":"x"}`, "]") + `}}]`, "/1/data/children, 9 objects: if those are the records, write that place in records"},
		{"more than came", `{"items":[{"id":1},{"id":2}],"has_more":true}`, "/has_more is true: there are further pages, and nothing says how to ask for them"},
		{"a count above the records", `{"items":[{"id":1},{"id":2}],"total":9}`, "/total is 9 and the answer has 2 records: there are further pages"},
		{"values that are no objects", `[{"id":1},null,5]`, "2 among them are no objects"},
		{"a member twice", `[{"id":1,"a":{"b":1,"b":2}}]`, "a member twice: b"},
		{"no UTF-8", "[{\"id\":\"caf\xe9\"}]", "not UTF-8 at byte 11"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			p, err := Contract("trial", []byte(tc.sample), Options{URL: "https://api.example.com/x?per_page=2"})
			if err != nil {
				t.Fatal(err)
			}
			if !slices.ContainsFunc(p.Notes, func(n Note) bool { return strings.Contains(n.Guess+n.Why, tc.want) && n.Sure == Guess }) {
				t.Errorf("%v do not say %q", p.Notes, tc.want)
			}
		})
	}
}
