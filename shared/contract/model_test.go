package contract

import (
	"fmt"
	"math/big"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

func load(t testing.TB, path string) *Contract {
	t.Helper()
	c, err := Load(path)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestLeavesAndGlueTypes(t *testing.T) {
	c := load(t, "testdata/orders.odcs.yaml")
	var leaves []string
	for _, l := range Leaves(c.Columns) {
		leaves = append(leaves, fmt.Sprintf("%d %s %d/%d %s", l.Top, strings.Join(l.Path, "."), l.MaxDef, l.MaxRep, l.Column.Type.Glue()))
	}
	want := []string{
		"0 order_id 1/0 string",
		"1 status 1/0 string",
		"2 ordered_at 1/0 timestamp",
		"3 due 1/0 date",
		"4 total 1/0 decimal(18,2)",
		"5 vat_rate 1/0 double",
		"6 paid 1/0 boolean",
		"7 customer.id 2/0 bigint",
		"7 customer.email 2/0 string",
		"7 customer.address.city 3/0 string",
		"7 customer.address.postcode 3/0 string",
		"8 lines.list.element.sku 4/1 string",
		"8 lines.list.element.quantity 4/1 bigint",
		"8 lines.list.element.unit_price 4/1 decimal(38,10)",
		"8 lines.list.element.tags.list.element 6/2 string",
		"9 coupons.list.element 3/1 string",
		"10 metadata 1/0 string",
		"11 customer_id 1/0 bigint",
		"12 net_share 1/0 double",
		"13 ordered_on 1/0 date",
		"14 run_at 1/0 timestamp",
	}
	if diff := cmp.Diff(want, leaves); diff != "" {
		t.Errorf("leaves (-want +got):\n%s", diff)
	}
	var types []string
	for _, column := range c.Columns {
		if k := column.Type.Kind; k == Struct || k == List || k == JSON {
			types = append(types, column.Type.Glue())
		}
	}
	want = []string{
		"struct<id:bigint,email:string,address:struct<city:string,postcode:string>>",
		"array<struct<sku:string,quantity:bigint,unit_price:decimal(38,10),tags:array<string>>>",
		"array<string>",
		"string",
	}
	if diff := cmp.Diff(want, types); diff != "" {
		t.Errorf("types (-want +got):\n%s", diff)
	}
}

func TestMaskingReachesWhatIsInside(t *testing.T) {
	got := map[string]bool{}
	for _, path := range []string{"testdata/orders.odcs.yaml", "testdata/sensor_readings.odcs.yaml"} {
		for _, l := range Leaves(load(t, path).Columns) {
			if l.Column.Masked() {
				got[strings.Join(l.Path, ".")] = true
			}
		}
	}
	want := map[string]bool{"customer.email": true, "owner": true, "position.lat": true, "position.lon": true}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("masked leaves (-want +got):\n%s", diff)
	}
}

// Rules that a record can break come from several places; each column has them all.
func TestRulesOfColumns(t *testing.T) {
	orders, sensors := load(t, "testdata/orders.odcs.yaml"), load(t, "testdata/sensor_readings.odcs.yaml")
	count := func(n int) *int { return &n }
	rat := func(text string) *big.Rat {
		r, _ := new(big.Rat).SetString(text)
		return r
	}
	berlin, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Fatal(err)
	}
	type rules struct {
		Required, Strict bool
		Path             []string
		Constraints      Constraints
		Time             TimeFormat
	}
	for _, tc := range []struct {
		name   string
		column *Column
		want   rules
	}{
		{"format and key", find(orders.Columns, "order_id"), rules{
			Required: true, Path: []string{"order_id"}, Constraints: Constraints{Format: "uuid"}}},
		{"valid values", find(orders.Columns, "status"), rules{
			Required: true, Path: []string{"status"}, Constraints: Constraints{Enum: []string{"open", "paid", "shipped", "cancelled"}}}},
		{"bound of a timestamp in milliseconds", find(orders.Columns, "ordered_at"), rules{
			Required: true, Path: []string{"ordered_at"}, Constraints: Constraints{Minimum: rat("1577836800000")}, Time: TimeFormat{Zone: time.UTC}}},
		{"bound of a date in days", find(orders.Columns, "due"), rules{
			Path: []string{"due"}, Constraints: Constraints{Minimum: rat("18262")}, Time: TimeFormat{Pattern: "dd.MM.yyyy", Layout: "02.01.2006", Zone: time.UTC}}},
		{"exact bounds of a decimal", find(orders.Columns, "total"), rules{
			Required: true, Path: []string{"total"}, Constraints: Constraints{Minimum: rat("0"), ExclusiveMaximum: rat("1000000")}}},
		{"exact step of a double", find(orders.Columns, "vat_rate"), rules{
			Path: []string{"vat_rate"}, Constraints: Constraints{Minimum: rat("0"), Maximum: rat("1"), MultipleOf: rat("5/1000")}}},
		{"width of an integer, member required by its object", &find(orders.Columns, "customer").Type.Fields[0], rules{
			Required: true, Path: []string{"customer", "id"}, Constraints: Constraints{Minimum: rat("1"), Maximum: rat("4294967295")}}},
		{"array", find(orders.Columns, "lines"), rules{
			Required: true, Path: []string{"lines"}, Constraints: Constraints{MinItems: count(1), MaxItems: count(500)}}},
		{"items of an array", find(orders.Columns, "lines").Type.Elem, rules{Required: true}},
		{"member of the items of an array", &find(orders.Columns, "lines").Type.Elem.Type.Fields[2], rules{
			Path: []string{"unitPrice"}}},
		{"read by a pointer", find(orders.Columns, "customer_id"), rules{Required: true, Path: []string{"customer", "id"}}},
		{"epoch in seconds", find(sensors.Columns, "measured_at"), rules{
			Required: true, Strict: true, Path: []string{"measured"}, Time: TimeFormat{Epoch: time.Second, Zone: time.UTC}}},
		{"local time", find(sensors.Columns, "serviced"), rules{
			Strict: true, Path: []string{"serviced"}, Time: TimeFormat{Pattern: "yyyy-MM-dd HH:mm:ss", Layout: "2006-01-02 15:04:05", Zone: berlin}}},
		{"strict taken back", find(sensors.Columns, "pressure_hpa"), rules{Path: []string{"Luftdruck hPa"}}},
		{"member with a slash and a tilde", find(sensors.Columns, "battery_percent"), rules{
			Strict: true, Path: []string{"battery~level/percent"}, Constraints: Constraints{Minimum: rat("0"), Maximum: rat("100")}}},
		{"missing values", find(sensors.Columns, "owner"), rules{
			Strict: true, Path: []string{"owner"}, Constraints: Constraints{Missing: []string{"", "n/a", "unknown"}}}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			c := tc.column
			got := rules{Required: c.Required, Strict: c.Strict, Path: c.Path, Constraints: c.Constraints, Time: c.Type.Time}
			sameRat := cmp.Comparer(func(a, b *big.Rat) bool { return (a == nil) == (b == nil) && (a == nil || a.Cmp(b) == 0) })
			sameZone := cmp.Comparer(func(a, b *time.Location) bool { return a.String() == b.String() && (a == nil) == (b == nil) })
			if diff := cmp.Diff(tc.want, got, sameRat, sameZone, cmpopts.EquateEmpty()); diff != "" {
				t.Errorf("rules (-want +got):\n%s", diff)
			}
		})
	}
}

func TestWhatTheRunIsJudgedBy(t *testing.T) {
	c := load(t, "testdata/sensor_readings.odcs.yaml")
	want := []string{
		"temperature_c-nullValues nullValues [temperature_c] mustBeLessThan [50] percent=true error",
		"owner-spelled invalidValues [owner] mustBeLessOrEqualTo [3] percent=false warning",
		"rowCount rowCount [] mustBeBetween [0 100001] percent=false error",
		"duplicateValues duplicateValues [station_id owner] mustNotBe [1] percent=false warning",
	}
	var got []string
	for _, m := range c.Metrics {
		got = append(got, fmt.Sprintf("%s %s %v %s %v percent=%t %s", m.ID, m.Name, m.Columns, m.Operator, m.Bounds, m.Percent, m.Severity))
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("metrics (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([][]string{{"measured_at", "station_id"}}, c.Uniques); diff != "" {
		t.Errorf("uniques (-want +got):\n%s", diff)
	}
}

func TestSourceOfAnEnvironment(t *testing.T) {
	orders := load(t, "testdata/orders.odcs.yaml")
	for _, tc := range []struct{ environment, want string }{
		{"prod", "https://shop.example.org/v2/orders"},
		{"dev", "https://shop.example.com/v2/orders"},
		{"", "https://shop.example.com/v2/orders"},
	} {
		if got, ok := orders.Source.URL(tc.environment); !ok || got != tc.want {
			t.Errorf("URL(%q) = %q, %t; want %q", tc.environment, got, ok, tc.want)
		}
	}
	none := Source{URLs: map[string]string{"prod": "https://example.com"}}
	if got, ok := none.URL("dev"); ok {
		t.Errorf("URL(dev) = %q, want none", got)
	}
}
