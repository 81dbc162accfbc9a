"""Read by every kernel of the sandbox (installed to <venv>/etc/ipython): names, %%sql, calm refusals."""

c = get_config()  # noqa: F821 - given by traitlets
c.InteractiveShellApp.extensions = ["gongshu_sandbox.kernel"]
c.HistoryManager.enabled = True
