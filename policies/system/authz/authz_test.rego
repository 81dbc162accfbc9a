package system.authz_test

import data.system.authz

ask(area) := {"method": "POST", "path": ["v1", "data", "gongshu", area, "decision"], "params": {"provenance": ["true"]}}

table := [
	{"ok": ask("authorization"), "no": object.union(ask("authorization"), {"method": "PUT"})},
	{"ok": ask("release"), "no": object.union(ask("release"), {"path": ["v1", "data", "gongshu", "release"]})},
	{"ok": ask("pricing"), "no": object.union(ask("pricing"), {"params": {"explain": ["full"]}})},
	{"ok": {"method": "GET", "path": ["health"]}, "no": {"method": "GET", "path": ["v1", "policies"]}},
	{"ok": ask("pricing"), "no": {"method": "PATCH", "path": ["v1", "data"]}},
	{"ok": ask("pricing"), "no": {"method": "POST", "path": ["v1", "query"]}},
	{"ok": ask("pricing"), "no": {}},
]

test_every_allow_stands_beside_its_nearest_deny if {
	every line in table {
		authz.allow with input as line.ok
		not authz.allow with input as line.no
	}
}
