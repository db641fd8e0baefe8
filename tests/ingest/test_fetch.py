import gzip
import socket
import threading
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

import ingest.fetch
from ingest.fetch import AGENT, Fetched, Fetcher, is_public
from rag.errors import FetchError

PUBLIC = "93.184.216.34"


@dataclass
class Site:
    """What a local server answers: path -> (status, headers, body) or a function of the handler; and what was asked."""

    port: int = 0
    pages: dict = field(default_factory=lambda: {"/": (200, {"Content-Type": "text/html"}, b"<p>Home</p>")})
    asked: list = field(default_factory=list)
    agents: set = field(default_factory=set)
    closing: threading.Event = field(default_factory=threading.Event)

    def url(self, path="/", host="127.0.0.1"):
        return f"http://{host}:{self.port}{path}"

    def redirect(self, path, to, status=302):
        self.pages[path] = (status, {"Location": to}, b"moved")

    def robots(self, text, status=200):
        self.pages["/robots.txt"] = (status, {"Content-Type": "text/plain"}, text.encode())

    def asked_pages(self):
        return [path for path in self.asked if path != "/robots.txt"]


class QuietServer(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request, client_address):
        pass


@pytest.fixture
def site():
    site = Site()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            site.asked.append(self.path)
            site.agents.add(self.headers["User-Agent"])
            page = site.pages.get(self.path, (404, {}, b"none"))
            if callable(page):
                page(self)
                return
            status, headers, body = page
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_):
            pass

    server = QuietServer(("127.0.0.1", 0), Handler)
    site.port = server.server_address[1]
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield site
    site.closing.set()
    server.shutdown()
    thread.join()
    server.server_close()


@dataclass
class Names:
    """Made-up hosts -> what each look-up of them answers, the last one from then on; and the addresses reached."""

    answers: dict = field(default_factory=dict)
    reached: list = field(default_factory=list)


@pytest.fixture
def names(site, monkeypatch):
    """A network of names: whatever address a connection goes to, the local site is there."""
    names = Names()
    look_up, connect = socket.getaddrinfo, socket.create_connection

    def answered(host, port, *args, **kwargs):
        known = names.answers.get(host if isinstance(host, str) else host.decode())
        if known is None:
            return look_up(host, port, *args, **kwargs)
        addresses = known.pop(0) if len(known) > 1 else known[0]
        return [
            (socket.AF_INET6 if ":" in address else socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port))
            for address in addresses
        ]

    def connected(address, *args, **kwargs):
        names.reached.append(address[0])
        return connect(("127.0.0.1", site.port), *args, **kwargs)

    monkeypatch.setattr(socket, "getaddrinfo", answered)
    monkeypatch.setattr(socket, "create_connection", connected)
    return names


def fetch(url, *, allow_private=True):
    with Fetcher(allow_private=allow_private) as fetcher:
        return fetcher.fetch(url)


def test_page_comes_with_its_address_body_and_media_type(site):
    site.pages["/a"] = (200, {"Content-Type": "Text/HTML; charset=utf-8"}, b"<p>A</p>")
    assert fetch(site.url("/a#c")) == Fetched(site.url("/a#c"), b"<p>A</p>", "text/html")


def test_media_type_that_is_not_given_is_empty(site):
    site.pages["/a"] = (200, {}, b"A")
    assert fetch(site.url("/a")).media_type == ""


def test_query_is_sent(site):
    site.pages["/a?b=1&c=%20"] = (200, {}, b"A")
    assert fetch(site.url("/a?b=1&c=%20")).body == b"A"


def test_user_agent_is_sent_with_each_request(site):
    fetch(site.url())
    assert site.asked == ["/robots.txt", "/"]
    assert site.agents == {AGENT}


@pytest.mark.parametrize("status", [204, 403, 404, 410, 500, 503])
def test_status_other_than_200_is_refused_and_named(site, status):
    site.pages["/a"] = (status, {}, b"")
    with pytest.raises(FetchError, match=str(status)):
        fetch(site.url("/a"))


# -- private addresses ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1", "localhost", "[::1]", "10.0.0.1", "172.16.3.4", "192.168.1.1", "169.254.169.254", "100.64.0.1",
        "[::ffff:127.0.0.1]", "[::ffff:a00:1]", "0.0.0.0", "[::]", "[fe80::1]", "[fd00::1]", "224.0.0.1",
        "[64:ff9b::7f00:1]", "[2002:a00:1::]", "127.1", "2130706433", "0x7f000001", "0177.0.0.1",
    ],
)  # fmt: skip
def test_private_host_is_refused_unasked(site, host):
    with pytest.raises(FetchError, match=r"no public address: --allow-private"):
        fetch(site.url("/", host), allow_private=False)
    assert site.asked == []


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1", "127.255.255.254", "10.0.0.1", "172.31.255.255", "192.168.1.1", "169.254.169.254", "100.64.0.1",
        "0.0.0.0", "0.1.2.3", "198.18.0.1", "192.0.2.1", "224.0.0.1", "239.1.2.3", "240.0.0.1", "255.255.255.255",
        "::", "::1", "fe80::1", "fe80::1%eth0", "fc00::1", "fd12:3456::1", "ff02::1", "ff0e::1", "100::1",
        "2001:db8::1", "::ffff:127.0.0.1", "::ffff:10.0.0.1", "::ffff:169.254.169.254",
        "64:ff9b::7f00:1", "64:ff9b::a00:1", "64:ff9b::a9fe:a9fe", "64:ff9b::c0a8:101",
        "2002:7f00:1::", "2002:a00:1::1", "2002:c0a8:101::5", "2002:a9fe:a9fe::",
        "2001:0:0:0:0:0:f5ff:fffe",
    ],
)  # fmt: skip
def test_address_that_is_not_of_the_public_network(address):
    assert not is_public(address)


@pytest.mark.parametrize("address", ["::127.0.0.1", "::10.0.0.1", "fec0::1", "64:ff9b:1::a00:1", "4000::1"])
def test_reserved_and_site_local_addresses_are_not_public(address):
    assert not is_public(address)


@pytest.mark.parametrize(
    "address",
    [
        PUBLIC, "8.8.8.8", "100.63.255.255", "100.128.0.1", "172.32.0.1", "192.167.1.1", "2606:2800:220:1::1",
        "::ffff:93.184.216.34", "64:ff9b::5db8:d822", "2002:5db8:d822::1",
    ],
)  # fmt: skip
def test_address_of_the_public_network(address):
    assert is_public(address)


def test_public_host_is_fetched(site, names):
    names.answers["news.example"] = [[PUBLIC]]
    assert fetch("http://news.example/", allow_private=False).body == b"<p>Home</p>"
    assert set(names.reached) == {PUBLIC}


@pytest.mark.parametrize("addresses", [[PUBLIC, "10.0.0.1"], ["10.0.0.1", PUBLIC], [PUBLIC, "::1"]])
def test_name_with_a_public_and_a_private_address_is_refused(site, names, addresses):
    names.answers["both.example"] = [addresses]
    with pytest.raises(FetchError, match="no public address"):
        fetch("http://both.example/", allow_private=False)
    assert names.reached == []


def test_name_that_turns_private_between_robots_and_page_is_refused(site, names):
    names.answers["turns.example"] = [[PUBLIC], ["127.0.0.1"]]
    with pytest.raises(FetchError, match="no public address"):
        fetch("http://turns.example/", allow_private=False)
    assert names.reached == [PUBLIC]


def test_connection_goes_to_the_address_that_was_checked(site, names):
    names.answers["turns.example"] = [[PUBLIC], [PUBLIC], ["127.0.0.1"]]
    assert fetch("http://turns.example/", allow_private=False).body == b"<p>Home</p>"
    assert names.reached == [PUBLIC, PUBLIC]


@pytest.mark.parametrize(
    "to", ["http://127.0.0.1/secret", "http://[::ffff:10.0.0.1]/secret", "//169.254.169.254/secret"]
)
def test_redirect_to_a_private_address_is_refused_unasked(site, names, to):
    names.answers["news.example"] = [[PUBLIC]]
    site.redirect("/", to)
    site.pages["/secret"] = (200, {}, b"secret")
    with pytest.raises(FetchError, match="no public address"):
        fetch("http://news.example/", allow_private=False)
    assert site.asked == ["/robots.txt", "/"]
    assert set(names.reached) == {PUBLIC}


def test_redirect_to_a_name_of_a_private_address_is_refused(site, names):
    names.answers |= {"news.example": [[PUBLIC]], "inside.example": [["192.168.1.1"]]}
    site.redirect("/", "http://inside.example/")
    with pytest.raises(FetchError, match=r"inside\.example leads to 192\.168\.1\.1"):
        fetch("http://news.example/", allow_private=False)


def test_second_address_is_tried_when_the_first_does_not_answer(site, monkeypatch):
    look_up = socket.getaddrinfo

    def two(host, port, *args, **kwargs):
        if host != "two.example":
            return look_up(host, port, *args, **kwargs)
        kinds = ((socket.AF_INET6, "::1"), (socket.AF_INET, "127.0.0.1"))
        return [(kind, socket.SOCK_STREAM, 6, "", (address, port)) for kind, address in kinds]

    monkeypatch.setattr(socket, "getaddrinfo", two)
    assert fetch(site.url("/", "two.example")).body == b"<p>Home</p>"


# -- addresses that are none ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    "url",
    [
        "file:///etc/passwd", "ftp://127.0.0.1/a", "javascript:alert(1)", "data:text/html,A", "gopher://127.0.0.1/",
        "http:///a", "//127.0.0.1/", "news.example", "",
    ],
)  # fmt: skip
def test_only_web_addresses_are_fetched(url):
    with pytest.raises(FetchError, match=r"begins with http:// or https://"):
        fetch(url)


@pytest.mark.parametrize("url", ["http://[", "http://[::1", "http://[zz]/", "http://127.0.0.1:99999/", "http://a:b/"])
def test_malformed_address_is_a_fetch_error(url):
    with pytest.raises(FetchError):
        fetch(url)


@pytest.mark.parametrize("to", ["http://[", "http://[zz]/", "http://127.0.0.1:99999/", "/a b", "http://a:b/"])
def test_redirect_to_a_malformed_address_is_a_fetch_error(site, to):
    site.redirect("/", to)
    with pytest.raises(FetchError):
        fetch(site.url())


@pytest.mark.parametrize("to", ["file:///etc/passwd", "ftp://127.0.0.1/a", "javascript:alert(1)"])
def test_redirect_to_another_scheme_is_refused(site, to):
    site.redirect("/", to)
    with pytest.raises(FetchError, match=r"begins with http:// or https://"):
        fetch(site.url())


def test_unknown_host_is_named(monkeypatch):
    def unknown(*_, **__):
        raise socket.gaierror(-2, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    with pytest.raises(FetchError, match=r"the host nowhere\.example is not known"):
        fetch("http://nowhere.example/")


def test_host_name_that_no_resolver_takes_is_a_fetch_error():
    with pytest.raises(FetchError, match="is not known"):
        fetch(f"http://{'a' * 70}.example/")


def test_server_that_does_not_answer_is_a_fetch_error():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    with pytest.raises(FetchError, match="cannot be reached"):
        fetch(f"http://127.0.0.1:{port}/")


def test_server_that_speaks_no_http_is_a_fetch_error(site):
    site.pages["/a"] = lambda handler: handler.wfile.write(b"220 mail.example ESMTP\r\n")
    with pytest.raises(FetchError):
        fetch(site.url("/a"))


def test_body_that_breaks_off_is_a_fetch_error(site):
    def broken(handler):
        handler.wfile.write(b"HTTP/1.0 200 OK\r\nContent-Length: 100\r\n\r\nhalf")

    site.pages["/a"] = broken
    with pytest.raises(FetchError):
        fetch(site.url("/a"))


def test_letters_beyond_ascii_in_a_path_are_encoded(site):
    site.pages["/stra%C3%9Fe?ort=k%C3%B6ln"] = (200, {}, b"A")
    assert fetch(site.url("/straße?ort=köln")).body == b"A"


def test_letters_beyond_ascii_in_a_redirect_are_encoded(site):
    site.redirect("/", "/stra\xc3\x9fe")
    site.pages["/stra%C3%9Fe"] = (200, {}, b"A")
    assert fetch(site.url()).body == b"A"


def test_host_name_beyond_ascii_is_encoded(site, names):
    names.answers["xn--bcher-kva.example"] = [[PUBLIC]]
    assert fetch("http://bücher.example/", allow_private=False).body == b"<p>Home</p>"


# -- redirects -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
@pytest.mark.parametrize(("to", "there"), [("/b/c", "/b/c"), ("c", "/a/c"), ("../c", "/c"), ("?d=1", "/a/b?d=1")])
def test_redirect_is_followed_from_where_it_stands(site, status, to, there):
    site.redirect("/a/b", to, status)
    site.pages[there] = (200, {"Content-Type": "text/plain"}, b"there")
    assert fetch(site.url("/a/b")) == Fetched(site.url(there), b"there", "text/plain")


def test_five_redirects_are_followed_and_six_are_not(site):
    for number in range(6):
        site.redirect(f"/{number}", f"/{number + 1}")
    site.pages["/6"] = (200, {}, b"end")
    assert fetch(site.url("/1")).body == b"end"
    with pytest.raises(FetchError, match="redirected over 5 times"):
        fetch(site.url("/0"))


def test_redirects_in_a_circle_end(site):
    site.redirect("/a", "/b")
    site.redirect("/b", "/a")
    with pytest.raises(FetchError, match="redirected"):
        fetch(site.url("/a"))
    assert len(site.asked_pages()) == 6


def test_redirect_that_names_no_place_is_refused(site):
    site.pages["/"] = (302, {}, b"")
    with pytest.raises(FetchError, match="302"):
        fetch(site.url())


# -- bounds --------------------------------------------------------------------------------------------


def test_body_of_the_most_bytes_is_taken_and_one_more_is_not(site, monkeypatch):
    monkeypatch.setattr(ingest.fetch, "MAX_BYTES", 1000)
    site.pages |= {"/a": (200, {}, b"x" * 1000), "/b": (200, {}, b"x" * 1001)}
    assert len(fetch(site.url("/a")).body) == 1000
    with pytest.raises(FetchError, match="save it and ingest the file"):
        fetch(site.url("/b"))


def test_endless_body_is_given_up(site, monkeypatch):
    monkeypatch.setattr(ingest.fetch, "MAX_BYTES", 100_000)

    def endless(handler):
        handler.wfile.write(b"HTTP/1.0 200 OK\r\n\r\n")
        while not site.closing.is_set():
            handler.wfile.write(b"x" * 10_000)

    site.pages["/a"] = endless
    with pytest.raises(FetchError, match="save it and ingest the file"):
        fetch(site.url("/a"))


def test_body_that_takes_too_long_is_given_up(site, monkeypatch):
    monkeypatch.setattr(ingest.fetch, "MAX_SECONDS", 0)
    with pytest.raises(FetchError, match="took over 0 seconds"):
        fetch(site.url())


def test_headers_that_take_too_long_are_given_up(site, monkeypatch):
    monkeypatch.setattr(ingest.fetch, "MAX_SECONDS", 0.2)
    sent = []

    def drip(handler):
        handler.wfile.write(b"HTTP/1.0 200 OK\r\n")
        for number in range(100):
            handler.wfile.write(b"X-Drip: 1\r\n")
            sent.append(number)
            if site.closing.wait(0.02):
                return
        handler.wfile.write(b"\r\nA")

    site.pages["/a"] = drip
    with pytest.raises(FetchError, match="took over"):
        fetch(site.url("/a"))
    assert len(sent) < 100


def test_body_that_comes_packed_unasked_is_unpacked_or_refused(site):
    page = b"<p>The harbour council voted on Tuesday.</p>"
    site.pages["/a"] = (200, {"Content-Type": "text/html", "Content-Encoding": "gzip"}, gzip.compress(page))
    try:
        body = fetch(site.url("/a")).body
    except FetchError:
        return
    assert body == page


# -- robots.txt ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "rules",
    [
        "User-agent: *\nDisallow: /private/\n",
        "User-agent: Pressmark\nDisallow: /private/\n\nUser-agent: *\nAllow: /\n",
        "user-agent: pressmark\ndisallow: /private/\n",
        "\ufeffUser-agent: *\r\nDisallow: /private/\r\n",
        "User-agent: *\nDisallow: /\nAllow: /open/\n",
    ],
)
def test_page_that_robots_txt_forbids_is_not_asked_for(site, rules):
    site.robots(rules)
    site.pages |= {"/private/a": (200, {}, b"A"), "/open/a": (200, {}, b"B")}
    with pytest.raises(FetchError, match=r"robots\.txt does not allow it: save the page by hand"):
        fetch(site.url("/private/a"))
    assert fetch(site.url("/open/a")).body == b"B"
    assert site.asked_pages() == ["/open/a"]


@pytest.mark.parametrize(
    ("rules", "status"),
    [
        ("User-agent: *\nDisallow: /", 404),
        ("User-agent: *\nDisallow: /", 403),
        ("", 200),
        ("User-agent: *\nDisallow:", 200),
        ("User-agent: OtherBot\nDisallow: /", 200),
        ("<html><body>Disallow: /</body></html>", 200),
        ("User-agent: Pressmark\nAllow: /\n\nUser-agent: *\nDisallow: /", 200),
    ],
)
def test_robots_txt_that_is_missing_or_speaks_of_others_allows_all(site, rules, status):
    site.robots(rules, status)
    assert fetch(site.url()).body == b"<p>Home</p>"


@pytest.mark.parametrize("status", [500, 502, 503])
def test_robots_txt_that_the_server_cannot_give_forbids_all(site, status):
    site.robots("", status)
    with pytest.raises(FetchError, match=rf"robots\.txt cannot be read \({status}\): try again later"):
        fetch(site.url())
    assert site.asked_pages() == []


def test_robots_txt_behind_a_redirect_is_obeyed(site):
    site.redirect("/robots.txt", "/rules/robots.txt", 301)
    site.pages["/rules/robots.txt"] = (200, {}, b"User-agent: *\nDisallow: /")
    with pytest.raises(FetchError, match=r"robots\.txt does not allow it"):
        fetch(site.url())


def test_robots_txt_is_asked_for_once_a_host(site):
    with Fetcher(allow_private=True) as fetcher:
        fetcher.fetch(site.url())
        fetcher.fetch(site.url())
    assert site.asked == ["/robots.txt", "/", "/"]


def test_robots_txt_of_each_host_on_the_way_is_asked(site, names):
    names.answers |= {"one.example": [[PUBLIC]], "two.example": [["8.8.8.8"]]}
    site.redirect("/", "http://two.example/there")
    site.pages["/there"] = (200, {}, b"there")
    assert fetch("http://one.example/", allow_private=False).body == b"there"
    assert site.asked == ["/robots.txt", "/", "/robots.txt", "/there"]


def test_page_that_robots_txt_forbids_is_not_reached_by_a_redirect(site):
    site.robots("User-agent: *\nDisallow: /private")
    site.redirect("/", "/private")
    with pytest.raises(FetchError, match=r"robots\.txt does not allow it"):
        fetch(site.url())
    assert site.asked_pages() == ["/"]


def test_overlong_robots_txt_is_obeyed_as_far_as_it_is_read(site):
    site.robots("User-agent: *\nDisallow: /private\n" + "# much more\n" * 60_000)
    site.pages["/private"] = (200, {}, b"A")
    with pytest.raises(FetchError, match=r"robots\.txt does not allow it"):
        fetch(site.url("/private"))
    assert fetch(site.url()).body == b"<p>Home</p>"


@pytest.fixture
def waits(monkeypatch):
    waits = []
    monkeypatch.setattr(ingest.fetch.time, "sleep", waits.append)
    return waits


@pytest.mark.parametrize(("asked", "least", "most"), [(7, 0, 7), (600, 7, 10)])
def test_crawl_delay_is_kept_between_pages_up_to_a_limit(site, waits, asked, least, most):
    site.robots(f"User-agent: *\nCrawl-delay: {asked}\n")
    with Fetcher(allow_private=True) as fetcher:
        fetcher.fetch(site.url())
        assert waits == []
        fetcher.fetch(site.url())
    (wait,) = waits
    assert least < wait <= most


@pytest.mark.parametrize("delay", ["", "Crawl-delay: 0", "Crawl-delay: soon", "Crawl-delay: -5", "Crawl-delay: nan"])
def test_nothing_waits_without_a_usable_crawl_delay(site, waits, delay):
    site.robots(f"User-agent: *\nDisallow: /private\n{delay}\n")
    with Fetcher(allow_private=True) as fetcher:
        fetcher.fetch(site.url())
        fetcher.fetch(site.url())
    assert waits == []
