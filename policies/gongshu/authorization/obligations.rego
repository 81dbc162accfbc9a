package gongshu.authorization

import data.gongshu.grants
import data.gongshu.rules

# METADATA
# description: What an allowed answer rests on - the clause of scope of each dataset, or the term for a bare session.
grounds contains grants.reason("granted", grant, "scope", resource.dataset) if {
	some resource in asked
	some grant in (grants_of(resource.dataset) & grants.in_force)
}

grounds contains grants.reason("granted", grant, "term", "") if {
	input.action in ({"spawn"} | statement_actions)
	object.get(input, "resources", []) == []
	some grant in grants.in_force
}

grounds contains grants.plain_reason("released", "") if input.action == "release-download"

# METADATA
# description: >-
#   Per dataset what the gateway must do - columns that may be seen, the row filter that always holds,
#   the masks by vocabulary, and the grant it comes from.
obligations[resource.dataset] := {
	"grant": grant.grant,
	"columns": [column | some column in grant.columns; column in resource.columns],
	"row_filter": grant.row_filter,
	"masks": {column: mask | some column, mask in grant.masks; column in grant.columns; column in resource.columns},
} if {
	some resource in asked
	some grant in (grants_of(resource.dataset) & grants.in_force)
}

default limits := {}

limits := {
	"billable_bytes_left": min({grant.quota.billable_bytes_per_day | some grant in grants.in_force}) - input.state.billable_bytes_today,
	"statements_left": min({grant.quota.statements_per_day | some grant in grants.in_force}) - input.state.statements_today,
	"result_rows_max": rules.statements.result_rows_max,
	"result_bytes_max": rules.statements.result_bytes_max,
	"duration_seconds_max": rules.statements.duration_seconds_max,
	"ends_at": min({grant.valid_until | some grant in grants.in_force}),
} if {
	input.action in statement_actions
	count(grants.in_force) > 0
}

# A sandbox may stay until the last grant of the scenario ends; every statement is decided by itself.
limits := {
	"billable_bytes_per_day": min({grant.quota.billable_bytes_per_day | some grant in grants.in_force}),
	"statements_per_day": min({grant.quota.statements_per_day | some grant in grants.in_force}),
	"ends_at": max({grant.valid_until | some grant in grants.in_force}),
} if {
	input.action == "spawn"
	count(grants.in_force) > 0
}
