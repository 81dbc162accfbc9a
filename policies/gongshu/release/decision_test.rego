package gongshu.release_test

import data.gongshu.authorization_test
import data.gongshu.release

item := {
	"item": 1,
	"kind": "table",
	"evidence": "complete",
	"level": "L2",
	"cells": 42,
	"bytes": 4096,
	"checks": [{"check": "threshold", "outcome": "pass"}],
}

review := {
	"action": "review",
	"subject": {"person": "p-chen", "organisation": "operator-a", "roles": ["analyst"]},
	"scenario": "tourism-flow",
	"release": "R-2026-0001",
	"tier": "A",
	"items": [item],
	"grants": [authorization_test.grant],
	"state": {"frozen": false},
	"now": "2026-11-22T09:00:00.000000Z",
}

tang := {"reviewer": "p-tang", "organisation": "agency", "item": 1, "verdict": "approve", "override": false}

pan := object.union(tang, {"reviewer": "p-pan", "organisation": "expert"})

released := object.union(review, {"action": "release", "votes": [tang, pan]})

votes(second) := object.union(released, {"votes": [tang, object.union(pan, second)]})

failed := [object.union(item, {"checks": [{"check": "threshold", "outcome": "fail"}]})]

automatic := {"enabled": true, "tiers": ["A"], "levels": ["L1", "L2"], "cells_max": 500, "bytes_max": 1048576}

test_review_needs_two_people_of_other_organisations if {
	release.decision == {
		"allow": true,
		"reasons": [{"code": "review-two-person", "clause": "", "agreement": "", "dataset": ""}],
		"obligations": {
			"review": "two-person",
			"reviewers": 2,
			"excluded_people": ["p-chen"],
			"excluded_organisations": ["operator-a"],
			"override_items": [],
			"due_hours": 24,
		},
		"limits": {
			"entities_per_cell_min": 10,
			"dominance_contributors": 2,
			"dominance_percent_max": 90,
			"p_percent_min": 10,
		},
	} with input as review
}

table := [
	{"name": "kind agreed", "ok": review, "no": object.union(review, {"items": [object.union(item, {"kind": "model"})]}), "code": "output-kind"},
	{"name": "in force", "ok": review, "no": object.union(review, {"now": "2026-12-01T00:00:00.000000Z"}), "code": "term-over"},
	{"name": "grants", "ok": review, "no": object.union(review, {"grants": []}), "code": "no-agreement"},
	{"name": "frozen", "ok": review, "no": object.union(review, {"state": {"frozen": true}}), "code": "frozen"},
	{"name": "two different people", "ok": released, "no": votes({"reviewer": "p-tang"}), "code": "too-few-reviewers"},
	{"name": "one vote", "ok": released, "no": object.union(released, {"votes": [tang]}), "code": "too-few-reviewers"},
	{"name": "no vote", "ok": released, "no": object.union(released, {"votes": []}), "code": "too-few-reviewers"},
	{"name": "both agree", "ok": released, "no": votes({"verdict": "change"}), "code": "not-approved"},
	{"name": "author", "ok": released, "no": votes({"reviewer": "p-chen"}), "code": "own-request"},
	{"name": "author's organisation", "ok": released, "no": votes({"organisation": "operator-a"}), "code": "own-organisation"},
	{"name": "votes of another item", "ok": released, "no": votes({"item": 2}), "code": "too-few-reviewers"},
	{
		"name": "failed check overridden by both",
		"ok": object.union(released, {"items": failed, "votes": [object.union(tang, {"override": true}), object.union(pan, {"override": true})]}),
		"no": object.union(released, {"items": failed, "votes": [object.union(tang, {"override": true}), pan]}),
		"code": "check-failed",
	},
	{"name": "released in force", "ok": released, "no": object.union(released, {"grants": [object.union(authorization_test.grant, {"revoked": true})]}), "code": "revoked"},
]

test_every_allow_stands_beside_its_nearest_deny if {
	every line in table {
		allowed := release.decision with input as line.ok
		allowed.allow == true
		denied := release.decision with input as line.no
		denied.allow == false
		denied.obligations == {"review": "refused"}
		some reason in denied.reasons
		reason.code == line.code
	}
}

automatic_table := [
	{"name": "tier", "change": {"tier": "B"}},
	{"name": "no tier yet", "change": {"tier": "unrated"}},
	{"name": "evidence", "change": {"items": [object.union(item, {"evidence": "partial"})]}},
	{"name": "level", "change": {"items": [object.union(item, {"level": "L3"})]}},
	{"name": "size", "change": {"items": [object.union(item, {"cells": 501})]}},
	{"name": "a check for people", "change": {"items": [object.union(item, {"checks": [{"check": "threshold", "outcome": "review"}]})]}},
	{"name": "no check ran", "change": {"items": [object.union(item, {"checks": []})]}},
	{"name": "one item of two", "change": {"items": [item, object.union(item, {"item": 2, "evidence": "none"})]}},
]

test_automatic_release_only_where_every_condition_holds if {
	answer := release.decision with input as review with data.gongshu.rules.release.automatic as automatic
	answer.obligations.review == "automatic"
	every line in automatic_table {
		other := release.decision with input as object.union(review, line.change) with data.gongshu.rules.release.automatic as automatic
		other.obligations.review == "two-person"
	}
}

test_automatic_release_is_off_by_default if {
	answer := release.decision with input as review
	answer.obligations.review == "two-person"
}

test_malformed_questions_are_denied_by_default if {
	every question in [
		{},
		object.remove(review, ["items"]),
		object.union(review, {"items": []}),
		object.union(review, {"action": "approve"}),
		object.remove(released, ["votes"]),
		votes({"verdict": "maybe"}),
		object.remove(review, ["tier"]),
	] {
		answer := release.decision with input as question
		answer.allow == false
	}
}
