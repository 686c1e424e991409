"""What a page sends to a panel is heard as it was sent: in a real kernel, asked as JupyterLab asks it."""

from __future__ import annotations

from typing import Any

import pytest

PREPARE = """
import clipnb, ipywidgets, threading
panel = clipnb.tag_panel(["a cat, fur", "a dog, fur"])
display({shown})
field, button, heard = panel.inputs.lines, panel.inputs.use, []
field.observe(lambda _: heard.append(threading.get_ident()), "value")
button.on_click(lambda _: heard.append(threading.get_ident()))
"""
PATIENCE = 400  # seconds, where the machine is busy


class Page:
    """A front end of a kernel whose widgets' messages have a subshell."""

    def __init__(self, client: Any) -> None:
        self.client = client
        client.control_channel.send(client.session.msg("create_subshell_request"))
        self.subshell = client.get_control_msg(timeout=PATIENCE)["content"]["subshell_id"]

    def python(self, expression: str) -> str:
        asked = {"answer": expression}
        identity = self.client.execute("", silent=True, user_expressions=asked)
        while (reply := self.client.get_shell_msg(timeout=PATIENCE))["parent_header"].get("msg_id") != identity:
            pass
        return str(reply["content"]["user_expressions"]["answer"]["data"]["text/plain"])

    def send(self, widget: str, data: dict[str, object]) -> None:
        """Send a message to a widget, and wait until it was heard."""
        comm = self.python(f"{widget}.comm.comm_id").strip("'")
        message = self.client.session.msg("comm_msg", {"comm_id": comm, "data": data})
        message["header"]["subshell_id"] = self.subshell
        self.client.shell_channel.send(message)
        idle = (message["header"]["msg_id"], "idle")
        while True:
            said = self.client.get_iopub_msg(timeout=PATIENCE)
            if (said["parent_header"].get("msg_id"), said["content"].get("execution_state")) == idle:
                return


@pytest.mark.parametrize("shown", ["panel", "ipywidgets.Tab([panel])"])
def test_a_click_is_heard_in_the_thread_that_hears_what_was_typed_before(shown: str) -> None:
    """Of two threads one could overtake the other: the button would see the old text."""
    manager = pytest.importorskip("jupyter_client.manager")
    kernel, client = manager.start_new_kernel(startup_timeout=PATIENCE)
    try:
        client.kernel_info()
        reply = client.get_shell_msg(timeout=PATIENCE)
        if "kernel subshells" not in reply["content"].get("supported_features", ()):
            pytest.skip("this ipykernel has no subshells: all messages come in one thread")
        page = Page(client)
        client.execute_interactive(PREPARE.format(shown=shown), timeout=PATIENCE, output_hook=lambda _: None)
        for text in ("a cat", "a dog"):
            page.send("field", {"method": "update", "state": {"value": text}, "buffer_paths": []})
            page.send("button", {"method": "custom", "content": {"event": "click"}})
        assert page.python("len(heard), len(set(heard))") == "(4, 1)"
    finally:
        client.stop_channels()
        kernel.shutdown_kernel(now=True)
