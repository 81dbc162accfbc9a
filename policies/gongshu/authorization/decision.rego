# METADATA
# title: Authorization
# description: >-
#   Decides spawn, statements (query, release-table) and downloads from one question that holds the
#   grants, the state and the moment. It must never allow what no refusal rule has looked at: an unknown
#   action, a missing field or a wrong type falls through to the default, which denies.
# schemas:
#   - input: schema.authorization
package gongshu.authorization

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
	"reasons": [reason | some reason in grounds],
	"obligations": obligations,
	"limits": limits,
} if {
	well_formed
	count(refusals) == 0
}

decision := {
	"allow": false,
	"reasons": [reason | some reason in refusals],
	"obligations": {},
	"limits": {},
} if {
	well_formed
	count(refusals) > 0
}

statement_actions := {"query", "release-table"}

well_formed if {
	is_string(input.subject.person)
	is_string(input.subject.organisation)
	is_array(input.subject.roles)
	is_string(input.scenario)
	is_boolean(input.state.frozen)
	is_array(input.grants)
	every grant in input.grants {
		grants.well_formed(grant)
	}
	is_number(grants.now)
	action_well_formed
}

action_well_formed if input.action == "spawn"

action_well_formed if {
	input.action in statement_actions
	every count_of in ["statements_today", "billable_bytes_today", "billable_bytes_wanted"] {
		is_number(input.state[count_of])
		input.state[count_of] >= 0
	}
	every resource in input.resources {
		is_string(resource.dataset)
		is_array(resource.columns)
		is_number(resource.version)
	}
	count({resource.dataset | some resource in input.resources}) == count(input.resources)
}

action_well_formed if {
	input.action == "release-download"
	is_string(input.release.operator)
	is_boolean(input.release.recalled)
	is_string(input.release.state)
}
