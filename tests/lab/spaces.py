# SPDX-License-Identifier: GPL-2.0-or-later
"""Runs a lab's cases.py on several kinds of switch at the same time, each in network, mount and pid namespaces of its own."""
import argparse
import pathlib
import shutil
import subprocess
import sys
import tempfile
import threading

HERE = pathlib.Path(__file__).resolve().parent


def run(lab, kind, version, limit, options, outputs):
    """`version`: of the tree that this kind needs, or nothing."""
    tree = ''
    if version:
        tree = subprocess.run([HERE / 'tree', version], stdout=subprocess.PIPE, text=True).stdout.strip()
    work = pathlib.Path(tempfile.mkdtemp(prefix=f'sekisho-{lab.name}-{kind}-'))
    work.chmod(0o755)
    process = subprocess.Popen(['unshare', '--net', '--mount', '--pid', '--fork', '--kill-child', '--mount-proc', sys.executable,
                                lab / 'cases.py', kind, tree, pathlib.Path(options.build).resolve(), work, *options.case],
                               stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True)
    timer = threading.Timer(limit, process.kill)  # --kill-child: the namespace goes with it
    timer.start()
    out = process.communicate()[0].splitlines()
    timer.cancel()
    if process.returncode or options.keep:
        out.append(f'# {kind}: see {work}')
    else:
        shutil.rmtree(work)
    outputs[kind] = out


def main(lab, usage, kinds, limit):
    """`lab`: the folder of its cases.py; `kinds`: {kind: version of its tree}; `limit`: seconds for one kind."""
    parser = argparse.ArgumentParser(usage=usage)
    parser.add_argument('--keep', action='store_true')
    parser.add_argument('--case', action='append', default=[])
    parser.add_argument('build')
    parser.add_argument('kinds', nargs='*')
    options = parser.parse_args()
    wanted = options.kinds or list(kinds)
    outputs, n, failed = {}, 0, 0
    threads = [threading.Thread(target=run, args=(lab, kind, kinds[kind], limit, options, outputs)) for kind in wanted]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    print('TAP version 13')
    for kind in wanted:
        lines = outputs.get(kind, [])
        if not any(line.startswith('1..') for line in lines):
            lines.append(f'not ok 0 - {kind}: runs to its end')
        for line in lines:
            if line.startswith(('ok ', 'not ok ')):
                n += 1
                failed += line.startswith('not')
                line = f'{"not ok" if line.startswith("not") else "ok"} {n} - {line.partition(" - ")[2]}'
            if not line.startswith('1..'):
                print(line)
    print(f'1..{n}')
    return 1 if failed or not n else 0
