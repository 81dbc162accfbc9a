# METADATA
# title: Grants of a case
# description: >-
#   Decides which of the grants in a question belong to the case asked about and which of them are in
#   force at `now`. It must never look at a clock: the moment is part of the question, so that the same
#   question has the same answer for ever.
package gongshu.grants

now := time.parse_rfc3339_ns(input.now)

# METADATA
# description: A grant with a part missing or of a wrong type spoils the whole question; it is never read around.
well_formed(grant) if {
	every name in ["grant", "agreement", "scenario", "operator", "provider", "dataset", "valid_from", "valid_until"] {
		is_string(grant[name])
	}
	is_number(grant.version)
	is_boolean(grant.revoked)
	is_array(grant.columns)
	is_array(grant.output_kinds)
	is_object(grant.masks)
	is_object(grant.clauses)
	is_number(grant.quota.billable_bytes_per_day)
	is_number(grant.quota.statements_per_day)
	is_number(time.parse_rfc3339_ns(grant.valid_from))
	is_number(time.parse_rfc3339_ns(grant.valid_until))
	type_name(grant.row_filter) in {"null", "object"}
}

# Only grants of this scenario and of the asker's own organisation count, whatever else was sent.
of_case contains grant if {
	some grant in input.grants
	grant.scenario == input.scenario
	grant.operator == input.subject.organisation
}

in_force contains grant if {
	some grant in of_case
	grant.revoked == false
	time.parse_rfc3339_ns(grant.valid_from) <= now
	now < time.parse_rfc3339_ns(grant.valid_until)
}

# Why a grant of the case is not in force: code and the name of the clause that says so.
lapse(grant) := {"code": "revoked", "clause": "exit"} if {
	grant.revoked != false
} else := {"code": "term-not-begun", "clause": "term"} if {
	now < time.parse_rfc3339_ns(grant.valid_from)
} else := {"code": "term-over", "clause": "term"}

# METADATA
# description: A reason that cites a clause of the agreement behind a grant.
reason(code, grant, clause, dataset) := {
	"code": code,
	"clause": object.get(grant.clauses, clause, ""),
	"agreement": grant.agreement,
	"dataset": dataset,
}

# METADATA
# description: A reason that no agreement stands behind.
plain_reason(code, dataset) := {"code": code, "clause": "", "agreement": "", "dataset": dataset}
