package gongshu.release

import data.gongshu.grants

# METADATA
# description: Reasons why an output is not reviewed at all, or may not leave on these votes.
refusals contains grants.plain_reason("frozen", "") if input.state.frozen

refusals contains grants.plain_reason("no-agreement", "") if count(grants.of_case) == 0

refusals contains grants.reason(why.code, grant, why.clause, "") if {
	count(grants.in_force) == 0
	some grant in grants.of_case
	why := grants.lapse(grant)
}

# Every output rests on agreements that name its kind (clause of outputs).
refusals contains grants.reason("output-kind", grant, "output", grant.dataset) if {
	some item in input.items
	some grant in grants.in_force
	not item.kind in grant.output_kinds
}

refusals contains grants.plain_reason("own-request", "") if {
	some vote in deciding_votes
	vote.reviewer == input.subject.person
}

refusals contains grants.plain_reason("own-organisation", "") if {
	some vote in deciding_votes
	vote.organisation == input.subject.organisation
}

refusals contains grants.plain_reason("too-few-reviewers", "") if {
	input.action == "release"
	some item in input.items
	count({vote.reviewer | some vote in deciding_votes; vote.item == item.item; vote.verdict == "approve"}) < reviewers
}

refusals contains grants.plain_reason("not-approved", "") if {
	some vote in deciding_votes
	vote.verdict != "approve"
}

# A failed check stands until every approving reviewer has overridden it in writing.
refusals contains grants.plain_reason("check-failed", "") if {
	input.action == "release"
	some item in input.items
	has_failed_check(item)
	some vote in deciding_votes
	vote.item == item.item
	not vote.override
}

deciding_votes := [vote | some vote in input.votes] if input.action == "release"
