"""Run the tests that need a site, on a bench that has this app installed; leave a stamp of what ran.

    python tests/run_site_tests.py --bench ~/frappe-bench --site test.localhost

Starts MariaDB and the bench's two Redis servers if they are down, migrates the site, runs the app's bench tests and the
browser test, and writes .cache/site-tests.json with commit, versions and result. Exits 1 if anything failed.
"""

import argparse
import json
import os
import re
import shutil
import socket
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path
from urllib.request import urlopen

REPO = Path(__file__).resolve().parent.parent
APP = "erp_forecast_addon"
BROWSER_TEST = f"{APP}.tests.browser.follow_one_item"


def main() -> int:
    cli = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    cli.add_argument("--bench", type=Path, required=True)
    cli.add_argument("--site", required=True)
    cli.add_argument("--module", help="one module only; leaves no stamp")
    args = cli.parse_args()
    bench = args.bench.expanduser().resolve()
    # The bench's commands run in other folders, so the data's folder is named from the root.
    os.environ["FORECAST_DATA"] = str((REPO / os.environ.get("FORECAST_DATA", "../shared/data")).resolve())
    # Tests start dozens of processes of the bench; without compiled modules each needs three seconds more of the core.
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    os.environ.setdefault("PYTHONPYCACHEPREFIX", str(REPO / ".cache" / "pycache"))
    if not (bench / "sites" / args.site).is_dir():
        raise SystemExit(f"{bench} has no site {args.site}: name one with BENCH=… SITE=…")
    start_services(bench)
    if APP not in output(bench, args.site, "list-apps"):
        raise SystemExit(f"{APP} is not installed on {args.site}: bench --site {args.site} install-app {APP}")
    if not args.module:
        check_playwright(bench)
    started = time.monotonic()
    if not run(bench, args.site, "migrate"):
        raise SystemExit(f"bench --site {args.site} migrate failed: nothing was tested")
    results = {"bench": bench_tests(bench, args.site, args.module)}
    if not args.module:
        results["browser"] = browser_test(bench, args.site)
        write_stamp(bench, args.site, results, time.monotonic() - started)
    return 0 if all(results.values()) else 1


def start_services(bench: Path) -> None:
    """Start what is down; wait until each answers."""
    config = json.loads((bench / "sites" / "common_site_config.json").read_text())
    for name in ("redis_cache", "redis_queue"):
        port = int(re.search(r":(\d+)", config[name]).group(1))
        if not listens(port):
            subprocess.Popen(
                ["redis-server", str(bench / "config" / f"{name}.conf")],
                cwd=bench,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                start_new_session=True,
            )
            wait_for(port, name)
    database_port = int(config.get("db_port", 3306))
    if config.get("db_host", "127.0.0.1") in ("127.0.0.1", "localhost") and not listens(database_port):
        subprocess.run(["service", "mariadb", "start"], check=True)
        wait_for(database_port, "MariaDB")


def listens(port: int) -> bool:
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex(("127.0.0.1", port)) == 0


def wait_for(port: int, name: str, seconds: float = 60) -> None:
    until = time.monotonic() + seconds
    while not listens(port):
        if time.monotonic() > until:
            raise SystemExit(f"{name} does not answer on port {port}; start it and try again")
        time.sleep(0.2)


def check_playwright(bench: Path) -> None:
    python = bench / "env" / "bin" / "python"
    if subprocess.run([python, "-c", "import playwright"], capture_output=True).returncode:
        raise SystemExit(f"the browser test needs Playwright: {python} -m pip install playwright")


def bench_command(site: str, *words: str) -> list[str]:
    return [shutil.which("bench") or "bench", "--site", site, *words]


def run(bench: Path, site: str, *words: str, **environment: str) -> bool:
    print("$ bench --site", site, *words, flush=True)
    return subprocess.run(bench_command(site, *words), cwd=bench, env={**os.environ, **environment}).returncode == 0


def output(bench: Path, site: str, *words: str) -> str:
    return subprocess.run(bench_command(site, *words), cwd=bench, capture_output=True, text=True).stdout


def bench_tests(bench: Path, site: str, module: str | None) -> bool:
    run(bench, site, "set-config", "allow_tests", "true")
    # Only with CI set does Frappe's runner say by its exit code that a test failed.
    return run(bench, site, "run-tests", "--app", APP, *(["--module", module] if module else []), CI="1")


def browser_test(bench: Path, site: str) -> bool:
    with served(bench, site) as url:
        command = [str(bench / "env" / "bin" / "python"), "-m", BROWSER_TEST, "--url", url, "--site", site]
        print("$", *command, flush=True)
        return subprocess.run(command, cwd=bench / "sites").returncode == 0


@contextmanager
def served(bench: Path, site: str):
    """The site on a free port of this machine, for as long as the block lasts."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    log = open(bench / "logs" / "site-tests-web.log", "w")  # noqa: SIM115 (handed to the server)
    server = subprocess.Popen(
        bench_command(site, "serve", "--port", str(port), "--noreload"),
        cwd=bench,
        stdout=log,
        stderr=subprocess.STDOUT,
        start_new_session=True,
    )
    try:
        wait_for(port, "the web server")
        with urlopen(f"http://127.0.0.1:{port}/api/method/ping", timeout=60):
            pass
        yield f"http://127.0.0.1:{port}"
    finally:
        os.killpg(server.pid, 15)
        server.wait(timeout=30)
        log.close()


def write_stamp(bench: Path, site: str, results: dict[str, bool], seconds: float) -> None:
    def git(*words: str) -> str:
        return subprocess.run(["git", *words], cwd=REPO, capture_output=True, text=True).stdout.strip()

    changed = git("status", "--porcelain", "--", APP, "tests")
    stamp = {
        "commit": git("rev-parse", "HEAD") + ("+changes" if changed else ""),
        "result": {name: "passed" if passed else "FAILED" for name, passed in results.items()},
        "seconds": round(seconds),
        "site": site,
        "versions": output(bench, site, "version").split("\n"),
    }
    target = REPO / ".cache" / "site-tests.json"
    target.parent.mkdir(exist_ok=True)
    target.write_text(json.dumps(stamp, indent=1) + "\n")
    print(target.read_text())


if __name__ == "__main__":
    sys.exit(main())
