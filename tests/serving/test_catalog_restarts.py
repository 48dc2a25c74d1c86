"""What is in force outlives the servers: killed before they could switch, or started anew."""

from __future__ import annotations

import os
import signal
import time
from functools import partial

import pytest

from nbo.cli.demo import free_address
from nbo.client import Client
from nbo.ledger import catalogs
from nbo.ledger.engine import open_ledger
from nbo.settings import Settings
from serving.supervisor import Deployment


def test_a_server_killed_before_the_swap_starts_with_what_was_published(make_corner):
    settings = Settings.load(make_corner())
    text = settings.catalog_file.read_text().replace("value: 5\n", "value: 99\n")
    with Deployment(settings, listen=free_address(), quiet=True) as running:
        with Client(running.target) as client:
            before = client.catalog().publication.version
            version = client.validate_catalog([("catalog.yaml", text)]).version
        server = running.child("server")
        os.kill(server.pid, signal.SIGSTOP)  # else it might switch before it is killed
        ledger = open_ledger(running.stores.ledger_url)
        catalogs.publish(ledger, version, text, "Ada", "")
        ledger.dispose()
        os.kill(server.pid, signal.SIGKILL)
        while server.alive:
            time.sleep(0.01)
        server.start()
        server.wait_ready()
        with Client(running.target) as again:
            assert again.ready(10.0)
            assert again.catalog().publication.version == version != before


@pytest.mark.slow
def test_a_rollback_outlives_a_restart(make_corner):
    settings = Settings.load(make_corner())
    file = settings.catalog_file
    deploy = partial(Deployment, settings, listen=free_address(), quiet=True)
    with deploy() as first, Client(first.target) as client:
        good = client.publications(1)[0].version
        file.write_text(file.read_text().replace("value: 5\n", "value: 99\n"))
        client.publish_catalog([("catalog.yaml", file.read_text())], author="Ada")
        client.rollback_catalog(author="Bo")
    with deploy() as second, Client(second.target) as client:
        assert client.publications(1)[0].version == good
        assert client.catalog().publication.version == good
    file.write_text(file.read_text() + "# once more\n")
    with deploy() as third, Client(third.target) as client:
        assert client.publications(1)[0].version != good
