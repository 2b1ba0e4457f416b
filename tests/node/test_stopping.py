"""A node that is told to stop while applications and pages wait for it: it ends at once, and without a word."""

import threading
from http.client import HTTPConnection

from cluster import Cluster
from test_node_processes import pays

from folkmoot.node.client import Client, NotNow


def test_a_node_that_is_told_to_stop_lets_go_of_who_waits(tmp_path):
    with Cluster(tmp_path, 2, pays=pays, quick=True) as cluster:
        cluster.until(lambda: min(cluster.rounds()) >= 1)
        member, said, asks = cluster.members[0], [], threading.Event()

        def wait():
            with Client.of(member.folder, timeout=240) as client:
                while not said:
                    try:
                        asks.set()
                        client.decide(after=10**9)
                    except NotNow as error:
                        said.append(str(error))

        threads = [threading.Thread(target=wait) for _ in range(3)]
        for thread in threads:
            thread.start()
        assert asks.wait(240)
        page = HTTPConnection(member.folder.url.removeprefix("http://"), timeout=240)
        page.request("GET", "/events")
        assert page.getresponse().read(5) == b"data:"
        before = member.words()
        assert member.stop() == 0
        for thread in threads:
            thread.join(240)
        after = member.words().removeprefix(before)
        assert "Traceback" not in after, after
        assert "Cancel" not in after, after
        assert said
        page.close()
