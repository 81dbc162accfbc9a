package gongshu.authorization

import data.gongshu.grants

# METADATA
# description: >-
#   Every reason to refuse, each citing its clause. A dataset that does not exist and one that was not
#   granted give the same reason.
refusals contains grants.plain_reason("frozen", "") if input.state.frozen

refusals contains grants.plain_reason("not-analyst", "") if {
	input.action in ({"spawn"} | statement_actions)
	not "analyst" in input.subject.roles
}

# Nothing in force at all: say why for each agreement of the case, or that there is none.
refusals contains grants.reason(why.code, grant, why.clause, "") if {
	input.action in ({"spawn"} | statement_actions)
	count(grants.in_force) == 0
	some grant in grants.of_case
	why := grants.lapse(grant)
}

refusals contains grants.plain_reason("no-agreement", "") if {
	input.action in ({"spawn"} | statement_actions)
	count(grants.of_case) == 0
}

refusals contains refusal_of_resource[dataset][_] if some dataset, _ in refusal_of_resource

refusal_of_resource[resource.dataset] contains grants.reason("not-granted", any_grant, "scope", resource.dataset) if {
	some resource in asked
	count(grants_of(resource.dataset)) == 0
}

refusal_of_resource[resource.dataset] contains grants.reason(why.code, grant, why.clause, resource.dataset) if {
	some resource in asked
	count(grants_of(resource.dataset) & grants.in_force) == 0
	some grant in grants_of(resource.dataset)
	why := grants.lapse(grant)
}

# Two grants for one dataset at one time cannot be signed; if they are sent all the same, neither counts.
refusal_of_resource[resource.dataset] contains grants.reason("ambiguous-grant", grant, "scope", resource.dataset) if {
	some resource in asked
	count(grants_of(resource.dataset) & grants.in_force) > 1
	some grant in (grants_of(resource.dataset) & grants.in_force)
}

refusal_of_resource[resource.dataset] contains grants.reason("registration-lapsed", grant, "scope", resource.dataset) if {
	some resource in asked
	some grant in (grants_of(resource.dataset) & grants.in_force)
	not registered(resource)
}

refusal_of_resource[resource.dataset] contains grants.reason("version-not-granted", grant, "scope", resource.dataset) if {
	some resource in asked
	some grant in (grants_of(resource.dataset) & grants.in_force)
	resource.version < grant.version
}

refusal_of_resource[resource.dataset] contains grants.reason("columns-gone", grant, "columns", resource.dataset) if {
	some resource in asked
	some grant in (grants_of(resource.dataset) & grants.in_force)
	not columns_present(resource, grant)
}

refusal_of_resource[resource.dataset] contains grants.reason("output-kind", grant, "output", resource.dataset) if {
	input.action == "release-table"
	some resource in asked
	some grant in (grants_of(resource.dataset) & grants.in_force)
	not "table" in grant.output_kinds
}

refusals contains grants.reason("quota-statements", grant, "quota", "") if {
	input.action in statement_actions
	some grant in grants.in_force
	input.state.statements_today >= grant.quota.statements_per_day
}

refusals contains grants.reason("quota-bytes", grant, "quota", "") if {
	input.action in statement_actions
	some grant in grants.in_force
	input.state.billable_bytes_today + input.state.billable_bytes_wanted > grant.quota.billable_bytes_per_day
}

refusals contains grants.plain_reason("not-released", "") if {
	input.action == "release-download"
	input.release.state != "released"
}

refusals contains grants.plain_reason("recalled", "") if {
	input.action == "release-download"
	input.release.recalled
}

# Another organisation's release reads like one that does not exist.
refusals contains grants.plain_reason("not-released", "") if {
	input.action == "release-download"
	input.release.operator != input.subject.organisation
}

refusals contains grants.plain_reason("not-recipient", "") if {
	input.action == "release-download"
	count({role | some role in input.subject.roles} & {"analyst", "manager"}) == 0
}

# Datasets are looked at one by one only when something of the case is in force.
asked contains resource if {
	input.action in statement_actions
	count(grants.in_force) > 0
	some resource in input.resources
}

grants_of(dataset) := {grant | some grant in grants.of_case; grant.dataset == dataset}

# For reasons that no grant of the dataset can carry: the first agreement in force speaks.
any_grant := [grant | some grant in grants.in_force][0]

registered(resource) if grants.now < time.parse_rfc3339_ns(resource.registration_valid_until)

# The row filter may use a column that the analyst cannot see; it must still exist in the version read.
columns_present(resource, grant) if {
	some column in grant.columns
	column in resource.columns
	every needed in columns_of_filter(grant) {
		needed in resource.columns
	}
}

columns_of_filter(grant) := {node.column | walk(grant.row_filter, [_, node]); is_object(node)}
