package record

import (
	"bytes"
	"os"
	"testing"

	"github.com/google/go-cmp/cmp"

	"tributary/shared/contract"
)

// The contracts that package contract is tested with, each with a page of its API: nesting, arrays, exact decimals, epoch
// times, records under a pointer, names with spaces, an envelope around it all. Package parquet goes on from here to files.
func TestContracts(t *testing.T) {
	for _, tt := range []struct {
		file string
		want outcome
	}{
		{
			file: "orders",
			want: outcome{
				Rows: []string{
					`order_id="123e4567-e89b-12d3-a456-426614174000" status="paid" ordered_at=2025-03-01T07:00:00.000Z due=2025-03-04 total=1234.50 vat_rate=0.19 paid=true ` +
						`customer={id:7 email:"a@example.com" address:{city:"Köln" postcode:"50667"}} ` +
						`lines=[{sku:"A" quantity:2 unit_price:0.1234567891 tags:["x" null]} {sku:"B" quantity:1 unit_price:99999999999999999999.0000000000 tags:[]}] ` +
						`coupons=["C1" "C2"] metadata={"any": [1, 2.0]} customer_id=7 net_share=0.81 ordered_on=2025-03-01 run_at=2025-03-04T14:45:00.000Z`,
					`order_id="123e4567-e89b-12d3-a456-426614174001" status="open" ordered_at=2025-03-01T08:00:00.000Z due=null total=0.00 vat_rate=null paid=null ` +
						`customer={id:8 email:null address:null} lines=[{sku:"C" quantity:1 unit_price:1.0000000000 tags:null}] ` +
						`coupons=null metadata=null customer_id=8 net_share=null ordered_on=2025-03-01 run_at=2025-03-04T14:45:00.000Z`,
				},
				Rejects: []string{
					"2 format /order_id", "2 enum /status", "2 minimum /ordered_at", "2 type /due", "2 exclusiveMaximum /total", "2 multipleOf /vat_rate",
					"2 minimum /customer/id", "2 format /customer/email", "2 minItems /lines", "2 uniqueItems /coupons",
					"3 precision /total", "3 minLength /lines/0/sku", "3 minimum /lines/0/quantity", "3 precision /lines/0/unitPrice", "3 required /lines/1", "3 due-after-order",
					"4 unique /order_id",
				},
			},
		},
		{
			file: "earthquakes",
			want: outcome{
				Rows: []string{
					`id="a1" magnitude=4.5 place="off \"X\"" occurred_at=2025-03-04T14:45:50.155Z felt=null detail="https://example.org/a1" coordinates=[-117.5 35.25 8] ` +
						`geometry={"type":"Point","coordinates":[-117.5,35.25,8]} matrix=[[1 2] [] null [null 3]] strong=false run_at=2025-03-04T14:45:00.000Z`,
					`id="a2" magnitude=6.5 place=null occurred_at=2025-03-04T14:45:50.155Z felt=0 detail=null coordinates=[1 2] ` +
						`geometry={"coordinates":[1,2]} matrix=null strong=true run_at=2025-03-04T14:45:00.000Z`,
				},
				Rejects: []string{
					"2 maximum /properties/mag", "2 type /properties/time", "2 required /geometry/coordinates/1", "2 type /geometry/coordinates/2", "2 maxItems /geometry/coordinates",
					"3 required /properties/time",
				},
			},
		},
		{
			file: "sensor_readings",
			want: outcome{
				Rows: []string{
					`station_id=1 measured_at=2025-03-04T14:45:50.000Z received_at=2025-03-04T14:46:00.250Z serviced=2025-07-01T10:00:00.000Z temperature_c=-0.5 pressure_hpa=1013.25 size=15 ` +
						`battery_percent=99 owner="Anna" position={lat:52.5 lon:13.4} flags=[true false null] ip="192.0.2.1" run_at=2025-03-04T14:45:00.000Z place="1:0" delay_s=10 late=false`,
					`station_id=1 measured_at=2025-03-04T14:45:50.500Z received_at=2025-03-04T14:48:20.000Z serviced=null temperature_c=20 pressure_hpa=null size=null ` +
						`battery_percent=null owner="Bo2" position=null flags=null ip=null run_at=2025-03-04T14:45:00.000Z place="1:1" delay_s=150 late=true`,
				},
				Rejects: []string{
					"2 type /Station ID", "2 exclusiveMinimum /Temperature (°C)", "2 maximum /Größe", "2 multipleOf /Größe", "2 minimum /battery~0level~1percent", "2 missingValues /owner",
					"2 maximum /position/lat", "2 type /position/lon", "2 type /flags/0", "2 format /ip", "2 received-after-measured",
					"3 unique",
				},
			},
		},
	} {
		t.Run(tt.file, func(t *testing.T) {
			c, err := contract.Load("../contract/testdata/" + tt.file + ".odcs.yaml")
			if err != nil {
				t.Fatal(err)
			}
			p, err := Compile(c)
			if err != nil {
				t.Fatal(err)
			}
			page, err := os.ReadFile("testdata/contracts/" + tt.file + ".json")
			if err != nil {
				t.Fatal(err)
			}
			got, s, err := run(t, p, bytes.NewReader(page))
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.want, got.outcome); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
			if n, err := Count(bytes.NewReader(page), &c.Source); err != nil || n != s.Records {
				t.Errorf("Count gives %d, %v; want %d", n, err, s.Records)
			}
		})
	}
}
