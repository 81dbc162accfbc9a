# METADATA
# title: Who may ask what of the policy server
# description: >-
#   Decides which HTTP requests OPA answers: the three decisions and the health check, nothing else.
#   Policies and data can never be written or listed over HTTP; a new bundle means a new start.
package system.authz

default allow := false

allow if {
	input.method == "POST"
	input.path in decisions
	known_parameters({"provenance"})
}

allow if {
	input.method == "GET"
	input.path == ["health"]
	known_parameters({"bundles", "plugins"})
}

decisions := {
	["v1", "data", "gongshu", "authorization", "decision"],
	["v1", "data", "gongshu", "release", "decision"],
	["v1", "data", "gongshu", "pricing", "decision"],
}

known_parameters(names) if {
	every name, _ in object.get(input, "params", {}) {
		name in names
	}
}
