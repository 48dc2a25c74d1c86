"""Where a deployment listens: wrong addresses are one sentence, a chosen port stays."""

from __future__ import annotations

import os
import signal
import socket

import pytest

from nbo.client import Client
from nbo.errors import BadInputError, NboError
from nbo.settings import Settings, parse_listen
from serving.supervisor import Deployment


@pytest.mark.parametrize("listen", ["foo", "127.0.0.1:99999", "::1:50551", "host:"])
def test_what_is_no_address_names_the_option(make_corner, listen):
    with pytest.raises(BadInputError, match="listen: must be host:port"):
        Deployment(Settings.load(make_corner()), listen)


@pytest.mark.parametrize("listen", ["no-such-host.invalid:1", f"{'x' * 70}:1", "192.0.2.1:50551"])
def test_an_address_that_is_not_ours_is_told_before_anything_starts(make_corner, listen):
    settings = Settings.load(make_corner())
    with pytest.raises(NboError, match="cannot listen on"), Deployment(settings, listen):
        pass
    assert [path.name for path in settings.state_dir.iterdir()] == ["deployment.lock"]


def test_brackets_of_an_ipv6_address_are_understood(make_corner):
    with socket.socket(socket.AF_INET6) as taken:
        try:
            taken.bind(("::1", 0))
        except OSError:
            pytest.skip("this machine has no IPv6")
        taken.listen()
        listen = f"[::1]:{taken.getsockname()[1]}"
        with pytest.raises(NboError, match="Address already in use"):
            Deployment(Settings.load(make_corner()), listen).__enter__()


def test_a_port_chosen_once_stays_when_the_server_is_restarted(make_corner):
    with Deployment(Settings.load(make_corner()), "127.0.0.1:0", quiet=True) as deployment:
        assert parse_listen(deployment.target).port > 0
        server = deployment.child("server")
        os.kill(server.pid, signal.SIGKILL)
        server.stop()
        server.start()
        assert server.wait_ready() == deployment.target
        with Client(deployment.target) as client:
            assert client.ready(timeout=5.0)
