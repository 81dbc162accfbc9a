package gongshu.authorization_test

import data.gongshu.authorization

grant := {
	"grant": "G-2026-0001",
	"agreement": "示数授〔2026〕1号",
	"agreement_id": "A-2026-0001",
	"scenario": "tourism-flow",
	"operator": "operator-a",
	"provider": "tourism",
	"dataset": "tourism.stays",
	"version": 1,
	"purpose": "全域旅游客流分析",
	"use": "industry",
	"columns": ["stay_id", "guest_id_no", "nights"],
	"row_filter": {"column": "district", "op": "in", "values": ["440103", "440104"]},
	"masks": {"guest_id_no": {"kind": "sha-256-keyed"}},
	"output_kinds": ["table"],
	"quota": {"billable_bytes_per_day": 1000, "statements_per_day": 10},
	"price": "tourism-flow.bytes",
	"valid_from": "2026-11-01T00:00:00.000000Z",
	"valid_until": "2026-12-01T00:00:00.000000Z",
	"revoked": false,
	"clauses": {"scope": "第三条", "columns": "第四条", "quota": "第七条", "term": "第九条", "output": "第十二条", "exit": "第十三条"},
}

other_grant := object.union(grant, {"grant": "G-2026-0002", "dataset": "transit.trips", "columns": ["trip_id"], "masks": {}, "row_filter": null})

resource := {
	"dataset": "tourism.stays",
	"version": 1,
	"columns": ["stay_id", "guest_id_no", "district", "nights", "spend_yuan"],
	"registration_valid_until": "2027-03-01T00:00:00.000000Z",
}

query := {
	"action": "query",
	"subject": {"person": "p-chen", "organisation": "operator-a", "roles": ["analyst"]},
	"scenario": "tourism-flow",
	"resources": [resource],
	"grants": [grant],
	"state": {"frozen": false, "statements_today": 9, "billable_bytes_today": 900, "billable_bytes_wanted": 100},
	"now": "2026-11-22T09:00:00.000000Z",
}

spawn := object.union(
	object.remove(query, ["resources"]),
	{"action": "spawn", "state": {"frozen": false}},
)

download := object.union(spawn, {
	"action": "release-download",
	"grants": [],
	"release": {"release": "R-2026-0001", "operator": "operator-a", "state": "released", "recalled": false},
})

with_grant(change) := object.union(query, {"grants": [object.union(grant, change)]})

with_resource(change) := object.union(query, {"resources": [object.union(resource, change)]})

# The whole answer of the plain case, compared as one document.
test_allowed_query_carries_columns_filter_masks_and_limits if {
	authorization.decision == {
		"allow": true,
		"reasons": [{
			"code": "granted",
			"clause": "第三条",
			"agreement": "示数授〔2026〕1号",
			"dataset": "tourism.stays",
		}],
		"obligations": {"tourism.stays": {
			"grant": "G-2026-0001",
			"columns": ["stay_id", "guest_id_no", "nights"],
			"row_filter": {"column": "district", "op": "in", "values": ["440103", "440104"]},
			"masks": {"guest_id_no": {"kind": "sha-256-keyed"}},
		}},
		"limits": {
			"billable_bytes_left": 100,
			"statements_left": 1,
			"result_rows_max": data.gongshu.rules.statements.result_rows_max,
			"result_bytes_max": data.gongshu.rules.statements.result_bytes_max,
			"duration_seconds_max": data.gongshu.rules.statements.duration_seconds_max,
			"ends_at": "2026-12-01T00:00:00.000000Z",
		},
	} with input as query
}

# Each line: an allowed question, its nearest denied neighbour, and what the refusal says.
table := [
	{"name": "last moment of the term", "ok": object.union(query, {"now": "2026-11-30T23:59:59.999999Z"}), "no": object.union(query, {"now": "2026-12-01T00:00:00.000000Z"}), "code": "term-over", "clause": "第九条"},
	{"name": "first moment of the term", "ok": object.union(query, {"now": "2026-11-01T00:00:00.000000Z"}), "no": object.union(query, {"now": "2026-10-31T23:59:59.999999Z"}), "code": "term-not-begun", "clause": "第九条"},
	{"name": "revoked", "ok": query, "no": with_grant({"revoked": true}), "code": "revoked", "clause": "第十三条"},
	{"name": "another dataset", "ok": query, "no": with_resource({"dataset": "aviation.planes"}), "code": "not-granted", "clause": "第三条"},
	{"name": "another scenario's grant", "ok": query, "no": with_grant({"scenario": "business-climate"}), "code": "no-agreement", "clause": ""},
	{"name": "another company's grant", "ok": query, "no": with_grant({"operator": "operator-b"}), "code": "no-agreement", "clause": ""},
	{"name": "frozen", "ok": query, "no": object.union(query, {"state": {"frozen": true}}), "code": "frozen", "clause": ""},
	{"name": "no analyst", "ok": query, "no": object.union(query, {"subject": {"roles": ["manager"]}}), "code": "not-analyst", "clause": ""},
	{"name": "last statement of the day", "ok": query, "no": object.union(query, {"state": {"statements_today": 10}}), "code": "quota-statements", "clause": "第七条"},
	{"name": "last byte of the day", "ok": query, "no": object.union(query, {"state": {"billable_bytes_wanted": 101}}), "code": "quota-bytes", "clause": "第七条"},
	{"name": "registration", "ok": with_resource({"registration_valid_until": "2026-11-22T09:00:00.000001Z"}), "no": with_resource({"registration_valid_until": "2026-11-22T09:00:00.000000Z"}), "code": "registration-lapsed", "clause": "第三条"},
	{"name": "registration unknown", "ok": query, "no": with_resource({"registration_valid_until": ""}), "code": "registration-lapsed", "clause": "第三条"},
	{"name": "older version", "ok": with_resource({"version": 2}), "no": with_resource({"version": 0}), "code": "version-not-granted", "clause": "第三条"},
	{"name": "filter column gone", "ok": with_resource({"columns": ["stay_id", "district"]}), "no": with_resource({"columns": ["stay_id", "nights"]}), "code": "columns-gone", "clause": "第四条"},
	{"name": "all columns gone", "ok": query, "no": with_resource({"columns": ["district"]}), "code": "columns-gone", "clause": "第四条"},
	{"name": "two grants at once", "ok": query, "no": object.union(query, {"grants": [grant, object.union(grant, {"grant": "G-2026-0009"})]}), "code": "ambiguous-grant", "clause": "第三条"},
	{"name": "output kind", "ok": object.union(query, {"action": "release-table"}), "no": object.union(with_grant({"output_kinds": ["chart"]}), {"action": "release-table"}), "code": "output-kind", "clause": "第十二条"},
	{"name": "bare session in force", "ok": object.union(query, {"resources": []}), "no": object.union(with_grant({"valid_until": "2026-11-22T09:00:00.000000Z"}), {"resources": []}), "code": "term-over", "clause": "第九条"},
	{"name": "spawn in force", "ok": spawn, "no": object.union(spawn, {"grants": []}), "code": "no-agreement", "clause": ""},
	{"name": "spawn at the end of the term", "ok": spawn, "no": object.union(spawn, {"now": "2026-12-01T00:00:00.000000Z"}), "code": "term-over", "clause": "第九条"},
	{"name": "spawn while frozen", "ok": spawn, "no": object.union(spawn, {"state": {"frozen": true}}), "code": "frozen", "clause": ""},
	{"name": "download released", "ok": download, "no": object.union(download, {"release": {"state": "approved"}}), "code": "not-released", "clause": ""},
	{"name": "download recalled", "ok": download, "no": object.union(download, {"release": {"recalled": true}}), "code": "recalled", "clause": ""},
	{"name": "download of another company", "ok": download, "no": object.union(download, {"release": {"operator": "operator-b"}}), "code": "not-released", "clause": ""},
	{"name": "download by a reviewer", "ok": download, "no": object.union(download, {"subject": {"roles": ["reviewer"]}}), "code": "not-recipient", "clause": ""},
	{"name": "download while frozen", "ok": download, "no": object.union(download, {"state": {"frozen": true}}), "code": "frozen", "clause": ""},
]

test_every_allow_stands_beside_its_nearest_deny if {
	every line in table {
		allowed := authorization.decision with input as line.ok
		allowed.allow == true
		denied := authorization.decision with input as line.no
		denied.allow == false
		denied.obligations == {}
		denied.limits == {}
		some reason in denied.reasons
		reason.code == line.code
		reason.clause == line.clause
	}
}

# Absent and denied give the same reason: the policy is never told which it is.
test_one_denied_dataset_denies_the_whole_statement if {
	planes := object.union(resource, {"dataset": "aviation.planes"})
	answer := authorization.decision with input as object.union(query, {"resources": [resource, planes]})
	answer.allow == false
	[reason.dataset | some reason in answer.reasons] == ["aviation.planes"]
}

test_a_lapsed_grant_beside_a_live_one_cites_its_own_term if {
	lapsed := object.union(other_grant, {"valid_until": "2026-11-02T00:00:00.000000Z"})
	trips := object.union(resource, {"dataset": "transit.trips", "columns": ["trip_id"]})
	answer := authorization.decision with input as object.union(query, {"grants": [grant, lapsed], "resources": [trips]})
	answer.allow == false
	answer.reasons == [{"code": "term-over", "clause": "第九条", "agreement": "示数授〔2026〕1号", "dataset": "transit.trips"}]
}

test_a_renewed_agreement_takes_over_from_the_lapsed_one if {
	old := object.union(grant, {"grant": "G-2025-0001", "valid_until": "2026-11-02T00:00:00.000000Z"})
	answer := authorization.decision with input as object.union(query, {"grants": [old, grant]})
	answer.allow == true
	answer.obligations["tourism.stays"].grant == "G-2026-0001"
}

# Whatever is missing, mistyped or unknown is denied by the default.
malformed := [
	{},
	object.union(query, {"action": "drop-table"}),
	object.remove(query, ["state"]),
	object.remove(query, ["now"]),
	object.remove(query, ["subject"]),
	object.remove(query, ["grants"]),
	object.remove(query, ["resources"]),
	object.union(query, {"now": "yesterday"}),
	object.union(query, {"now": 1}),
	object.union(query, {"state": {"frozen": "no"}}),
	object.union(query, {"state": {"statements_today": -1}}),
	object.union(query, {"state": {"billable_bytes_wanted": "1"}}),
	object.union(query, {"resources": [resource, resource]}),
	object.union(query, {"resources": [object.remove(resource, ["columns"])]}),
	with_grant({"quota": {"billable_bytes_per_day": "lots"}}),
	with_grant({"valid_until": "2026-12-01"}),
	with_grant({"row_filter": "district = 1"}),
	object.union(query, {"grants": [object.remove(grant, ["revoked"])]}),
	object.union(query, {"grants": [object.remove(grant, ["quota"])]}),
]

test_malformed_questions_are_denied_by_default if {
	every question in malformed {
		answer := authorization.decision with input as question
		answer.allow == false
		answer.reasons[0].code == "question-malformed"
	}
}
