# METADATA
# title: Pricing
# description: >-
#   Decides whether a price may be activated under its ceiling and whether an invoice may be issued.
#   It must never let a price pass for which no ceiling is in force, nor charge public-interest use.
# schemas:
#   - input: schema.pricing
package gongshu.pricing

import data.gongshu.grants

# METADATA
# description: The whole answer; the only rule that is asked for.
# entrypoint: true
# scope: document
default decision := {
	"allow": false,
	"reasons": [{"code": "question-malformed", "clause": "", "agreement": "", "dataset": ""}],
	"obligations": {},
	"limits": {},
}

decision := {
	"allow": true,
	"reasons": [grants.plain_reason("within-ceiling", "")],
	"obligations": {},
	"limits": limits,
} if {
	well_formed
	count(refusals) == 0
}

decision := {
	"allow": false,
	"reasons": [reason | some reason in refusals],
	"obligations": {},
	"limits": limits,
} if {
	well_formed
	count(refusals) > 0
}

# `activate-price`: one price against the ceiling of its meter. `issue-invoice`: each line's unit prices
# against the ceiling that was in force at service time; the lines come as prices with their ceilings.
well_formed if {
	input.action in {"activate-price", "issue-invoice"}
	is_number(grants.now)
	count(input.prices) > 0
	every price in input.prices {
		well_formed_price(price)
	}
}

well_formed_price(price) if {
	is_string(price.price)
	is_string(price.meter)
	price.use in {"industry", "public-interest"}
	price.kind in {"unit", "graduated", "zero-rated"}
	every amount in price.unit_prices_microfen {
		is_number(amount)
	}
	well_formed_ceiling(price.ceiling)
}

well_formed_ceiling(ceiling) if ceiling == null

well_formed_ceiling(ceiling) if {
	is_string(ceiling.meter)
	is_number(ceiling.unit_price_microfen_max)
	is_number(time.parse_rfc3339_ns(ceiling.valid_from))
	is_number(time.parse_rfc3339_ns(ceiling.valid_until))
}

limits := {price.price: price.ceiling.unit_price_microfen_max |
	some price in input.prices
	price.ceiling != null
}

reason(code, price) := {"code": code, "clause": price.price, "agreement": "", "dataset": ""}

refusals contains reason("price-negative", price) if {
	some price in input.prices
	some amount in price.unit_prices_microfen
	amount < 0
}

refusals contains reason("price-missing", price) if {
	some price in input.prices
	count(price.unit_prices_microfen) == 0
}

refusals contains reason("public-interest-charged", price) if {
	some price in input.prices
	"public-interest" == price.use
	some amount in price.unit_prices_microfen
	amount != 0
}

refusals contains reason("zero-rate-charged", price) if {
	some price in input.prices
	price.kind == "zero-rated"
	some amount in price.unit_prices_microfen
	amount != 0
}

# What costs nothing needs no ceiling; everything else stands under one that is in force.
refusals contains reason("no-ceiling", price) if {
	some price in charged
	not ceiling_in_force(price)
}

refusals contains reason("over-ceiling", price) if {
	some price in charged
	some amount in price.unit_prices_microfen
	amount > price.ceiling.unit_price_microfen_max
}

charged := [price |
	some price in input.prices
	some amount in price.unit_prices_microfen
	amount > 0
]

ceiling_in_force(price) if {
	price.ceiling.meter == price.meter
	time.parse_rfc3339_ns(price.ceiling.valid_from) <= grants.now
	grants.now < time.parse_rfc3339_ns(price.ceiling.valid_until)
}
