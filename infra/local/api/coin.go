package api

import (
	"fmt"
	"math"
	"math/rand/v2"
	"strconv"
	"strings"
	"time"
)

// coinCount makes three pages of 250, the last of them not full.
const coinCount = 560

// The made-up coins are named by every pair of these words.
var (
	coinColours = strings.Fields("amber azure birch cedar cobalt coral copper crimson dune ember fern flint frost garnet " +
		"hazel indigo ivory jade larch maple moss ochre onyx opal pearl quartz russet sable")
	coinThings = strings.Fields("anchor beacon bridge brook canyon delta fjord geyser harbor island lagoon ledger " +
		"meadow orchard prairie reef river spring summit valley")
)

// oddNames are names as they stand in JSON text: raw UTF-8, \u escapes, a surrogate pair, quotes and slashes.
var oddNames = []string{
	`"海风币"`, `"Größe & Ærlig"`, `"Речная Монета"`, `"カワウソコイン"`, `"Otter 🦦"`, `"Żółta Łódź"`,
	`"Cr\u00e8me Coin"`, `"Reeds \u0026 Rushes"`, `"Duck \ud83e\udd86"`, `"The \"Other\" Coin"`, `"UP\/STREAM"`, `"Tab\tCoin"`,
}

// coins draws what /coins/markets answers: the same coins in every run, at the prices of the scheduled time.
func coins(seed uint64, at time.Time) []Record {
	at = at.UTC().Truncate(time.Second)
	drawn := make([]object, coinCount)
	for i := range drawn {
		drawn[i] = coin(i, seed, at)
	}
	records := make([]Record, coinCount)
	planted := plantCoins(drawn, draws(seed, uint64(at.Unix())))
	for i, o := range drawn {
		records[i] = Record{Text: o.String()}
		if p, ok := planted[i]; ok {
			records[i] = Record{Text: p.text, Plant: &Plant{Kind: p.kind, Violations: p.violations}}
		}
	}
	return records
}

// draws gives the same draws for the same seed and stream.
func draws(seed, stream uint64) *rand.Rand {
	return rand.New(rand.NewPCG(seed, stream)) //nolint:gosec // made-up records are no secret
}

// coin draws one coin. What belongs to the coin comes from the seed, what belongs to the hour from the time as well.
func coin(i int, seed uint64, at time.Time) object {
	own := draws(seed, uint64(i))
	now := draws(seed^uint64(at.Unix()), uint64(i))

	pick := i * 17 % (len(coinColours) * len(coinThings)) // 17 shares no factor with 560: each pair comes once
	colour, thing := coinColours[pick/len(coinThings)], coinThings[pick%len(coinThings)]
	name := quote(title(colour) + " " + title(thing))
	if own.Float64() < 0.04 {
		name = oddNames[own.IntN(len(oddNames))]
	}
	image := fmt.Sprintf("https://images.example.com/coins/%d/large/%s-%s.png?%d", i+1, colour, thing, 1696501400+own.IntN(50_000_000))

	circulating := math.Pow(10, 5+own.Float64()*9) // below 2^53
	wholeSupply := own.Float64() < 0.45
	total := circulating
	if own.Float64() < 0.6 {
		total = circulating * (1 + own.Float64())
	}
	most := "null"
	if own.Float64() < 0.47 {
		most = supply(total*1.5, true)
	}
	usual := 1.6e12 / math.Pow(float64(i+1), 1.35) / circulating
	ath := usual * (1.3 + 40*math.Pow(own.Float64(), 3))
	atl := usual * (0.0001 + 0.6*math.Pow(own.Float64(), 2))
	athDate, atlDate := moment(own), moment(own)
	if own.Float64() < 0.2 {
		atlDate = atlDate.Truncate(24 * time.Hour)
	}
	currency := []string{"btc", "usd", "eth"}[own.IntN(3)]
	hasROI, times := own.Float64() < 0.07, math.Pow(10, own.Float64()*4-1)

	current := usual * (0.9 + 0.2*now.Float64())
	high, low := current*(1+0.05*now.Float64()), current*(1-0.05*now.Float64())
	change := (now.Float64() - 0.55) * 0.2
	marketCap := current * circulating
	capChange := float(marketCap * change)
	if now.Float64() < 0.07 {
		capChange = integer(marketCap * change)
	}
	roi := "null"
	if hasROI {
		roi = object{{"times", float(times)}, {"currency", quote(currency)}, {"percentage", float(times * 100)}}.String()
	}
	updated := at.Add(-time.Duration(5000+now.IntN(60_000)) * time.Millisecond)

	return object{
		{"id", quote(colour + "-" + thing)},
		{"symbol", quote(colour[:2] + thing[:2])},
		{"name", name},
		{"image", quote(image)},
		{"current_price", price(current)},
		{"market_cap", integer(marketCap)},
		{"market_cap_rank", strconv.Itoa(i + 1)},
		{"fully_diluted_valuation", integer(current * total)},
		{"total_volume", integer(marketCap * now.Float64() * 0.3)},
		{"high_24h", price(high)},
		{"low_24h", price(low)},
		{"price_change_24h", float(current * change)},
		{"price_change_percentage_24h", float(rounded(change*100, 5))},
		{"market_cap_change_24h", capChange},
		{"market_cap_change_percentage_24h", float(rounded(change*103, 5))},
		{"circulating_supply", supply(circulating, wholeSupply)},
		{"total_supply", supply(total, wholeSupply)},
		{"max_supply", most},
		{"ath", price(ath)},
		{"ath_change_percentage", float(rounded((current/ath-1)*100, 5))},
		{"ath_date", quote(athDate.Format(coinTime))},
		{"atl", price(atl)},
		{"atl_change_percentage", float(rounded((current/atl-1)*100, 5))},
		{"atl_date", quote(atlDate.Format(coinTime))},
		{"roi", roi},
		{"last_updated", quote(updated.Format(coinTime))},
	}
}

const coinTime = "2006-01-02T15:04:05.000Z"

// moment draws a time of the ten years before 2024, to the millisecond.
func moment(r *rand.Rand) time.Time {
	return time.UnixMilli(1_388_534_400_000 + r.Int64N(315_532_800_000)).UTC()
}

// price prints as the real API does: 79847, 2004.13, 0.949312, 7.662e-05.
func price(v float64) string {
	switch {
	case v >= 10_000:
		return integer(v)
	case v >= 1:
		return float(rounded(v, 2))
	case v >= 0.01:
		return strconv.FormatFloat(v, 'g', 6, 64)
	default:
		return strconv.FormatFloat(v, 'g', 4, 64)
	}
}

// supply prints whole coins as a float (19832115.0) and parts of coins as they are.
func supply(v float64, whole bool) string {
	if whole {
		return integer(v) + ".0"
	}
	return float(v)
}

func rounded(v float64, places int) float64 {
	scale := math.Pow10(places)
	return math.Round(v*scale) / scale
}

func title(word string) string { return strings.ToUpper(word[:1]) + word[1:] }

// plantedCoin is a record with something planted into it.
type plantedCoin struct {
	kind       string
	text       string
	violations []Violation
}

// plantCoins plants every kind of dirt at places drawn from r, two records of each: below the threshold at which the
// contract holds a run back.
func plantCoins(drawn []object, r *rand.Rand) map[int]plantedCoin {
	const each = 2
	places := r.Perm(len(drawn) - 20) // the first twenty stay clean: a sample of the data begins with them
	next := func() int {
		place := places[0] + 20
		places = places[1:]
		return place
	}
	planted := map[int]plantedCoin{}
	for range each {
		for _, dirt := range coinDirt {
			i := next()
			planted[i] = plantedCoin{dirt.kind, dirt.spoil(drawn[i], r).String(), dirt.violations}
		}
	}
	// The later of two records with one id is rejected; the first of them lies on the first page and is clean.
	for first := range each {
		i := next()
		planted[i] = plantedCoin{
			"duplicate id", drawn[i].with("id", drawn[first].get("id")).String(), []Violation{{"/id", "unique"}},
		}
	}
	return planted
}

// coinDirt is what real answers have been seen to hold, and what the contract says to it.
var coinDirt = []struct {
	kind       string
	spoil      func(object, *rand.Rand) object
	violations []Violation
}{
	{"missing id", func(o object, _ *rand.Rand) object { return o.without("id") }, []Violation{{"/id", "required"}}},
	{"text in a number", func(o object, r *rand.Rand) object {
		return o.with("current_price", pick(r, `"n/a"`, `"unknown"`, `"-"`, `"1,234.5"`))
	}, []Violation{{"/current_price", "type"}}},
	{"object in a number", func(o object, _ *rand.Rand) object {
		return o.with("total_volume", `{"usd":1}`)
	}, []Violation{{"/total_volume", "type"}}},
	{"negative price", func(o object, _ *rand.Rand) object {
		return o.with("current_price", "-"+o.get("current_price"))
	}, []Violation{{"/current_price", "minimum"}}},
	{"high below low", func(o object, _ *rand.Rand) object {
		return o.with("high_24h", o.get("low_24h")).with("low_24h", integerAbove(o.get("high_24h")))
	}, []Violation{{"", "high-above-low"}}},
	{"bad timestamp", func(o object, r *rand.Rand) object {
		return o.with("last_updated", pick(r, `"2025-02-30T10:00:00.000Z"`, `"2025-13-01T00:00:00.000Z"`, `"yesterday"`, `""`))
	}, []Violation{{"/last_updated", "type"}}},
	{"number overflow", func(o object, _ *rand.Rand) object { return o.with("ath", "1e999") }, []Violation{{"/ath", "overflow"}}},
	{"rank that is no whole number", func(o object, _ *rand.Rand) object {
		return o.with("market_cap_rank", "12.5")
	}, []Violation{{"/market_cap_rank", "type"}}},
	{"three faults at once", func(o object, _ *rand.Rand) object {
		return o.with("symbol", "null").with("current_price", "-0.01").with("last_updated", `"soon"`)
	}, []Violation{{"/symbol", "required"}, {"/current_price", "minimum"}, {"/last_updated", "type"}}},
	{"number as text", func(o object, _ *rand.Rand) object {
		return o.with("current_price", quote(o.get("current_price")))
	}, nil},
	{"unknown member", func(o object, _ *rand.Rand) object { return o.with("preview_listing", "false") }, nil},
}

func pick(r *rand.Rand, texts ...string) string { return texts[r.IntN(len(texts))] }

// integerAbove is a whole number above the number of a JSON text.
func integerAbove(text string) string {
	v, err := strconv.ParseFloat(text, 64)
	if err != nil {
		return text
	}
	return integer(math.Floor(v) + 1)
}
