"""A headless Chromium, driven over the pipe of its DevTools protocol: no port, no other package."""

import base64
import json
import os
import select
import shutil
import subprocess
import tempfile
import time


class Page:
    """One page, on a window of so many CSS pixels. Collects what its console says and what it asks for."""

    def __init__(self, width=1280, height=900, dark=False, phone=False):
        chromium = shutil.which("chromium")
        assert chromium, "chromium is missing: scripts/install-deps.sh --test installs it"
        self.profile = tempfile.TemporaryDirectory(prefix="swinzoo-chromium-", ignore_cleanup_errors=True)
        read_here, write_there = os.pipe()
        read_there, write_here = os.pipe()

        # It reads from 3 and writes to 4.
        self.browser = subprocess.Popen(
            ["bash", "-c", f"exec \"$@\" 3<&{read_there} 4>&{write_there}", "bash", chromium, "--headless", "--no-sandbox",
             "--disable-gpu", "--no-first-run", "--hide-scrollbars", "--disable-background-networking",
             f"--user-data-dir={self.profile.name}", "--remote-debugging-pipe", "about:blank"],
            pass_fds=(read_there, write_there), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        os.close(read_there)
        os.close(write_there)
        self.input, self.output = write_here, read_here
        self.buffer = b""
        self.number = 0
        self.events = []
        self.session = None
        target = next(t for t in self.call("Target.getTargets")["targetInfos"] if t["type"] == "page")
        self.session = self.call("Target.attachToTarget", targetId=target["targetId"], flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network"):
            self.call(domain + ".enable")
        self.call("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=phone)
        self.call("Emulation.setEmulatedMedia",
                  features=[{"name": "prefers-color-scheme", "value": "dark" if dark else "light"}])

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.session = None
        self.call("Browser.close")
        try:
            self.browser.wait(20)
        except subprocess.TimeoutExpired:
            self.browser.kill()
            self.browser.wait()
        os.close(self.input)
        os.close(self.output)
        self.profile.cleanup()

    def _next_message(self, until):
        while b"\0" not in self.buffer:
            ready, _, _ = select.select([self.output], [], [], max(0.0, until - time.monotonic()))
            assert ready, "chromium does not answer"
            piece = os.read(self.output, 1 << 20)
            assert piece, "chromium has ended"
            self.buffer += piece
        message, _, self.buffer = self.buffer.partition(b"\0")
        return json.loads(message)

    def call(self, method, **params):
        self.number += 1
        request = {"id": self.number, "method": method, "params": params}
        if self.session:
            request["sessionId"] = self.session
        message = json.dumps(request).encode() + b"\0"
        while message:
            message = message[os.write(self.input, message):]
        until = time.monotonic() + 60
        while True:
            answer = self._next_message(until)
            if answer.get("id") == self.number:
                assert "error" not in answer, (method, answer["error"])
                return answer["result"]
            self.events.append(answer)

    def open(self, path):
        """Returns when the page has loaded and its scripts have run."""
        self.call("Page.navigate", url=f"file://{path}")
        until = time.monotonic() + 60
        while not any(e.get("method") == "Page.loadEventFired" for e in self.events):
            self.events.append(self._next_message(until))
        self.evaluate("new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))")

    def evaluate(self, expression):
        result = self.call("Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True)
        assert "exceptionDetails" not in result, result["exceptionDetails"]
        return result["result"].get("value")

    def complaints(self):
        """What the console and the log say, and exceptions."""
        names = ("Runtime.exceptionThrown", "Runtime.consoleAPICalled", "Log.entryAdded")
        return [e["params"] for e in self.events if e.get("method") in names]

    def requests(self):
        """The addresses that were asked for."""
        return [e["params"]["request"]["url"] for e in self.events if e.get("method") == "Network.requestWillBeSent"]

    def screenshot(self, path):
        """The whole page as a PNG."""
        data = self.call("Page.captureScreenshot", captureBeyondViewport=True)["data"]
        with open(path, "wb") as file:
            file.write(base64.b64decode(data))
