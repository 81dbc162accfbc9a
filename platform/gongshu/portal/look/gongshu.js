/* Small comforts only: every page works without this file. It never writes HTML and never submits a form. */
(() => {
  "use strict";
  const quiet = document.documentElement.dataset.shortcuts === "off";
  const inField = (node) => node.closest("input, textarea, select, [contenteditable]");

  /* A double click on a submit button is one act. */
  document.addEventListener("submit", (event) => {
    const form = event.target;
    if (form.dataset.sent) { event.preventDefault(); return; }
    if (form.method === "post") {
      form.dataset.sent = "1";
      const button = event.submitter;
      if (button) setTimeout(() => { button.setAttribute("aria-busy", "true"); }, 0);
    }
  });
  addEventListener("pageshow", () => {
    for (const form of document.querySelectorAll("form[data-sent]")) delete form.dataset.sent;
    for (const busy of document.querySelectorAll("[aria-busy=true]")) busy.removeAttribute("aria-busy");
  });

  /* Filter the rows of a table on the page: <input data-filters="table-id">. */
  for (const box of document.querySelectorAll("[data-filters]")) {
    const table = document.getElementById(box.dataset.filters);
    const count = document.getElementById(box.dataset.filters + "-count");
    if (!table) continue;
    box.closest("[data-needs-script]")?.removeAttribute("hidden");
    box.addEventListener("input", () => {
      const wanted = box.value.trim().toLowerCase();
      let shown = 0;
      for (const row of table.tBodies[0].rows) {
        row.hidden = !row.textContent.toLowerCase().includes(wanted);
        if (!row.hidden) shown += 1;
      }
      if (count) count.textContent = String(shown);
    });
  }

  /* Tick all or none of a group: <button type=button data-ticks="name" data-to="1">. */
  for (const button of document.querySelectorAll("button[data-ticks]")) {
    button.hidden = false;
    button.addEventListener("click", () => {
      for (const box of document.querySelectorAll(`input[name="${button.dataset.ticks}"]`)) {
        if (!button.dataset.only || box.dataset.kind === button.dataset.only) box.checked = button.dataset.to === "1";
      }
    });
  }

  /* Print buttons exist only where a script can print. */
  for (const button of document.querySelectorAll("button[data-print]")) {
    button.hidden = false;
    button.addEventListener("click", () => print());
  }

  /* The error summary takes the focus, so that it is read first. */
  document.querySelector(".ds-error-summary")?.focus();

  /* Keys: / search, g h home, j k through marked rows. */
  if (quiet) return;
  let before = "";
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || inField(event.target)) return;
    const key = event.key;
    if (key === "/") {
      const search = document.querySelector("[data-search], [data-filters]");
      if (search) { event.preventDefault(); search.focus(); }
    } else if (before === "g" && key === "h") {
      document.querySelector("[data-home]")?.click();
    } else if (key === "j" || key === "k") {
      const rows = [...document.querySelectorAll("[data-row]")].filter((row) => row.offsetParent !== null);
      const at = rows.findIndex((row) => row.contains(document.activeElement));
      const next = rows[key === "j" ? Math.min(at + 1, rows.length - 1) : Math.max(at - 1, 0)];
      (next?.querySelector("a, button") || next)?.focus();
    }
    before = key;
  });
})();
