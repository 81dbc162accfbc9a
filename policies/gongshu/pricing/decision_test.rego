package gongshu.pricing_test

import data.gongshu.pricing

price := {
	"price": "tourism-flow.bytes",
	"meter": "billable-bytes",
	"use": "industry",
	"kind": "graduated",
	"unit_prices_microfen": [120, 90],
	"ceiling": {
		"meter": "billable-bytes",
		"unit_price_microfen_max": 120,
		"valid_from": "2026-01-01T00:00:00.000000Z",
		"valid_until": "2027-01-01T00:00:00.000000Z",
	},
}

free := object.union(price, {"use": "public-interest", "kind": "zero-rated", "unit_prices_microfen": [0], "ceiling": null})

activate(prices) := {"action": "activate-price", "prices": prices, "now": "2026-11-22T09:00:00.000000Z"}

changed(change) := activate([object.union(price, change)])

table := [
	{"name": "at the ceiling", "ok": activate([price]), "no": changed({"unit_prices_microfen": [121, 90]}), "code": "over-ceiling"},
	{"name": "ceiling there", "ok": activate([price]), "no": changed({"ceiling": null}), "code": "no-ceiling"},
	{"name": "ceiling of the meter", "ok": activate([price]), "no": changed({"meter": "released-cells"}), "code": "no-ceiling"},
	{"name": "ceiling in force", "ok": activate([price]), "no": object.union(activate([price]), {"now": "2027-01-01T00:00:00.000000Z"}), "code": "no-ceiling"},
	{"name": "not negative", "ok": activate([price]), "no": changed({"unit_prices_microfen": [-1]}), "code": "price-negative"},
	{"name": "a price", "ok": activate([price]), "no": changed({"unit_prices_microfen": []}), "code": "price-missing"},
	{"name": "free", "ok": activate([free]), "no": activate([object.union(free, {"unit_prices_microfen": [1]})]), "code": "public-interest-charged"},
	{"name": "zero-rated", "ok": activate([object.union(free, {"use": "industry"})]), "no": changed({"kind": "zero-rated"}), "code": "zero-rate-charged"},
	{"name": "one of many", "ok": activate([price, free]), "no": activate([price, object.union(price, {"unit_prices_microfen": [500]})]), "code": "over-ceiling"},
]

test_every_allow_stands_beside_its_nearest_deny if {
	every line in table {
		allowed := pricing.decision with input as line.ok
		allowed.allow == true
		denied := pricing.decision with input as line.no
		denied.allow == false
		some reason in denied.reasons
		reason.code == line.code
	}
}

test_malformed_questions_are_denied_by_default if {
	every question in [{}, activate([]), object.union(activate([price]), {"action": "sell"}), changed({"kind": "discount"})] {
		answer := pricing.decision with input as question
		answer.allow == false
		answer.reasons[0].code == "question-malformed"
	}
}
