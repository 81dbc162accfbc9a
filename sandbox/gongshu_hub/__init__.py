"""What runs beside the sandboxes: Hub configuration, authenticator, spawner, keeper, doors, preflight.

It imports nothing of `gongshu`; it speaks to the portal's internal socket and holds no data, storage
or signing key.

Parts (each reads the JSON file named by ``GONGSHU_HUB_SETTINGS``, see `gongshu_hub.settings`)::

    keeper   python -m gongshu_hub.keeper       root when root; the parent of every bubblewrap; start it first
    doors    python -m gongshu_hub.doors        unprivileged; all filters of all sandboxes in one process
    hub      jupyterhub -f sandbox/gongshu_hub/config.py
    proxy    configurable-http-proxy, started by the supervisor (the Hub never starts it)

Life of a sandbox
    1. The portal's page ``/sandboxes`` (or anybody's link) points at ``<public_host>/hub/sandbox/<scenario>``.
       The Hub asks the portal ``POST /internal/spawn {"person", "scenario"}``. 403/404: a page with the
       sentence, the clause and the next step. 200: the Hub makes sure that a Hub user
       ``<person>--<scenario>`` exists in the group ``sandboxes-of-<person>``, which the person's role may
       start and enter, and shows the start page ``/hub/spawn/<person>--<scenario>`` (scenario, purpose,
       term, quota, one button).
    2. The button: the spawner asks the portal once more (that decision is the one that counts), then tells
       the keeper; the keeper numbers the sandbox, makes home and sockets, tells the doors, and starts
       bubblewrap as uid 200000 + number.
    3. The browser reaches ``http://<person>--<scenario>.<host>/user/<person>--<scenario>/lab`` through the
       inbound door. One origin for each person and scenario.

What others must know
    * Name of a sandbox = Hub user of its token = ``<person>--<scenario>``: split at the first ``--``.
      Persons and scenario codes never hold ``--``. `gongshu_hub.naming` is the rule.
    * ``POST /internal/spawn`` on the portal's internal socket: 200 ``{"scenario", "title": {zh,en}|text,
      "purpose", "agreement", "ends_at", "quota": {..}}``; a refusal is the error envelope with
      ``details.clause`` where there is one.
    * ``POST /internal/sandboxes {"sandboxes": [{"person", "scenario"}]}`` → ``{"closed": [{"person",
      "scenario", "reason": {zh,en}}]}``: the doors ask it every second; whatever is named is closed and
      stopped. Unanswered for 15 s: the inbound doors pause (503) until it answers again.
    * ``POST /internal/event {"type", "public", "private"}`` takes the doors' refusals and the Hub's own events.
"""
