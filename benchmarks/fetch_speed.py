"""Times `swinzoo fetch` of a 1 GB file side by side with `aria2c -x8 -s8 --checksum=sha-256=...` and `hf download`, all from one
nginx on loopback that answers as the hub does, and takes the most memory that each held.

Each round runs the three one after the other, each into an empty folder; medians are compared. swinzoo and aria2c check the
SHA-256; hf does not. None waits until the file has reached the disk. Nothing here is a test: timings belong to the machine they were taken on, which the table names.

usage: python3 benchmarks/fetch_speed.py [--rounds 5] [--megabytes 1000] [--folder DIR]
It wants nginx and aria2c (Debian's nginx-light and aria2) and hf (huggingface_hub, as in tests/peers/requirements.txt, beside this Python).
"""
import argparse, hashlib, json, os, pathlib, random, shutil, socket, statistics, subprocess, sys, tempfile, time

ROOT = pathlib.Path(__file__).resolve().parent.parent
SWINZOO = ROOT / "build/release/swinzoo"
REPO, NAME, COMMIT = "acme/big", "model.safetensors", "c" * 40

NGINX = """
daemon off; pid {folder}/pid; error_log {folder}/error.log; worker_processes 2;
events {{ worker_connections 256; }}
http {{
  access_log off; sendfile on; tcp_nopush on; keepalive_requests 100000;
  client_body_temp_path {folder}; proxy_temp_path {folder}; fastcgi_temp_path {folder}; uwsgi_temp_path {folder}; scgi_temp_path {folder};
  server {{
    listen 127.0.0.1:{port};
    location = /api/models/{repo}/revision/main {{ default_type application/json; return 200 '{{"id": "{repo}", "sha": "{commit}", "siblings": [{{"rfilename": "{name}"}}]}}'; }}
    location ~ ^/api/models/{repo}/(paths-info|tree)/ {{ default_type application/json; return 200 '[{{"type": "file", "path": "{name}", "oid": "{oid}", "size": {size}, "lfs": {{"oid": "{digest}", "size": {size}, "pointerSize": 135}}}}]'; }}
    location ~ ^/{repo}/resolve/[^/]+/{name}$ {{
      alias {folder}/{name}; etag off;
      add_header ETag '"{digest}"'; add_header X-Repo-Commit {commit}; add_header X-Linked-ETag '"{digest}"'; add_header X-Linked-Size {size};
    }}
  }}
}}
"""


def timed(command, env):
    """(wall seconds, processor seconds, most resident MB) of a command."""
    start = time.perf_counter()
    with tempfile.TemporaryFile() as log:
        process = subprocess.Popen([str(c) for c in command], env=os.environ | env, stdout=log, stderr=log)
        _, status, usage = os.wait4(process.pid, 0)
        seconds = time.perf_counter() - start
        log.seek(0)
        assert status == 0, log.read().decode()
    return seconds, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1000


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--rounds", type=int, default=5)
    p.add_argument("--megabytes", type=int, default=1000)
    p.add_argument("--folder", default=".", help="on the disk to download to")
    a = p.parse_args()
    m = json.loads(subprocess.run([SWINZOO, "env", "--json"], check=True, capture_output=True, text=True).stdout)["results"][0]
    size = a.megabytes * 1000 * 1000
    with tempfile.TemporaryDirectory(dir=a.folder) as scratch:
        folder = pathlib.Path(scratch).resolve()
        folder.chmod(0o755)
        made, digest = random.Random(7), hashlib.sha256()
        with open(folder / NAME, "wb") as out:
            for _ in range(a.megabytes):
                piece = made.randbytes(1000 * 1000)
                digest.update(piece)
                out.write(piece)
        digest = digest.hexdigest()
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        (folder / "nginx.conf").write_text(
            NGINX.format(folder=folder, port=port, repo=REPO, name=NAME, commit=COMMIT, oid="0" * 40, size=size, digest=digest)
        )
        server = subprocess.Popen(["nginx", "-c", folder / "nginx.conf", "-e", folder / "error.log"])
        hub, home = f"http://127.0.0.1:{port}", folder / "home"
        env = {"HF_ENDPOINT": hub, "HF_HOME": str(home), "NO_PROXY": "127.0.0.1", "HF_HUB_DISABLE_TELEMETRY": "1", "HF_HUB_DISABLE_XET": "1"}
        commands = {
            "swinzoo fetch": [SWINZOO, "-q", "fetch", "hf:" + REPO],
            "aria2c": ["aria2c", "-q", "-x8", "-s8", "--checksum=sha-256=" + digest, "-d", home, f"{hub}/{REPO}/resolve/main/{NAME}"],
            "hf download": [pathlib.Path(sys.executable).parent / "hf", "download", REPO, NAME],
        }
        runs = {name: [] for name in commands}
        try:
            time.sleep(0.5)
            for _ in range(a.rounds):
                for name, command in commands.items():
                    shutil.rmtree(home, ignore_errors=True)
                    home.mkdir()
                    runs[name].append(timed(command, env))
                    os.sync()
        finally:
            server.terminate()
            server.wait()
    print(f"{m['cpu']}, {m['available_cores']} cores, {m['os']}, swinzoo {m['commit']}, {size / 1e6:.0f} MB, "
          f"medians of {a.rounds} rounds; load average {os.getloadavg()[0]:.1f}\n")
    print("| | seconds | fastest | processor seconds | most memory, MB |\n|---|---|---|---|---|")
    for name, taken in runs.items():
        wall, processor, memory = zip(*taken)
        print(f"| {name} | {statistics.median(wall):.2f} | {min(wall):.2f} | {statistics.median(processor):.2f} | {max(memory):.0f} |")


if __name__ == "__main__":
    main()
