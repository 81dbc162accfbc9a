# METADATA
# title: Release
# description: >-
#   Decides what review an output needs (action `review`) and whether the votes that came in let it out
#   (action `release`). It must never let a machine's verdict count as a person, nor let the author, the
#   author's organisation or one person twice have a say.
# schemas:
#   - input: schema.release
package gongshu.release

import data.gongshu.grants
import data.gongshu.rules

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
	"reasons": [grants.plain_reason(ground, "")],
	"obligations": obligations,
	"limits": thresholds,
} if {
	well_formed
	count(refusals) == 0
}

decision := {
	"allow": false,
	"reasons": [reason | some reason in refusals],
	"obligations": {"review": "refused"},
	"limits": thresholds,
} if {
	well_formed
	count(refusals) > 0
}

well_formed if {
	is_string(input.subject.person)
	is_string(input.subject.organisation)
	is_string(input.scenario)
	is_boolean(input.state.frozen)
	is_string(input.tier)
	every grant in input.grants {
		grants.well_formed(grant)
	}
	is_number(grants.now)
	count(input.items) > 0
	every item in input.items {
		well_formed_item(item)
	}
	action_well_formed
}

well_formed_item(item) if {
	is_number(item.item)
	item.kind in {"table", "chart", "text", "model"}
	item.evidence in {"complete", "partial", "none"}
	item.level in {"L1", "L2", "L3", "L4"}
	is_number(item.cells)
	is_number(item.bytes)
	every check in item.checks {
		is_string(check.check)
		check.outcome in {"pass", "review", "fail"}
	}
}

action_well_formed if input.action == "review"

action_well_formed if {
	input.action == "release"
	every vote in input.votes {
		is_string(vote.reviewer)
		is_string(vote.organisation)
		vote.verdict in {"approve", "change", "reject"}
		is_number(vote.item)
		is_boolean(vote.override)
	}
}

obligations := {
	"review": review,
	"reviewers": reviewers,
	"excluded_people": [input.subject.person],
	"excluded_organisations": [input.subject.organisation],
	"override_items": [item.item | some item in input.items; has_failed_check(item)],
	"due_hours": rules.release.due_hours,
}

default review := "two-person"

review := "automatic" if automatic

reviewers := 0 if {
	automatic
} else := rules.release.reviewers

ground := "released" if input.action == "release"

ground := sprintf("review-%s", [review]) if input.action == "review"

# What the checks measure against; policy data with its source, never a constant in a program.
thresholds := {
	"entities_per_cell_min": rules.release.entities_per_cell_min,
	"dominance_contributors": rules.release.dominance_contributors,
	"dominance_percent_max": rules.release.dominance_percent_max,
	"p_percent_min": rules.release.p_percent_min,
}

automatic if {
	rules.release.automatic.enabled
	input.tier in rules.release.automatic.tiers
	every item in input.items {
		item.evidence == "complete"
		item.level in rules.release.automatic.levels
		item.cells <= rules.release.automatic.cells_max
		item.bytes <= rules.release.automatic.bytes_max
		count(item.checks) > 0
		every check in item.checks {
			check.outcome == "pass"
		}
	}
}

has_failed_check(item) if {
	some check in item.checks
	check.outcome == "fail"
}
