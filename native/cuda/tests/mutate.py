#!/usr/bin/env python3
"""Every barrier of every kernel is needed, and its test knows it: takes one __syncthreads or __syncwarp away at a time,
builds the tests of that file and runs them, in every order of threads and then as real threads under ThreadSanitizer.

  mutate.py [--jobs N] [--list] [name ...]     only files whose name contains one of the names

A test is <folder>/tests/<name>_test.cc beside the kernels. It is built from itself and <folder>/<name>.cu, or from the files
that SOURCES below or a line "// Sources: a.cu ../b.cc" in it names, relative to <folder> ("none": a test of no kernel).
Which tests a file belongs to is what the compiler says they include; tests whose sources are not all there are left out. Prints a table; exit status 1 when a barrier can go unnoticed, 2 when a test fails as it is.
Barriers inside #ifdef __CUDACC__ never run here and are only listed.
"""
import argparse
import concurrent.futures
import os
import re
import shutil
import subprocess
import sys
import tempfile
import threading
import time

NATIVE = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
FOLDERS = ["cuda", "train/cuda"]
BARRIER = re.compile(r"\b__sync(threads|warp)(_or|_and|_count)?\s*\(")
COMMON = ["-std=c++20", "-g1", "-ffp-contract=off", "-fno-strict-aliasing", "-Wno-psabi", "-pthread"]
MODES = {"orders": ["-O1"], "tsan": ["-O1", "-fsanitize=thread"]}
RUN_SECONDS = 300
SOURCES = {
    "products_test": "product_rows.cu product_tensor.cu pack.cc ../src/tiles.cc",
    "sample_test": "sample.cu ../src/sampler.cc",
}


def kernel_files():
    for folder in FOLDERS:
        for path, inner, names in os.walk(os.path.join(NATIVE, folder)):
            inner[:] = [name for name in inner if name not in ("emu", "tests") and not name.startswith("build")]
            for name in sorted(names):
                if name.endswith((".cu", ".cuh", ".h")):
                    yield os.path.relpath(os.path.join(path, name), NATIVE)


def without_comments(text):
    """The same length, comments blank."""
    blank = lambda match: re.sub(r"[^\n]", " ", match.group(0))
    return re.sub(r"//[^\n]*|/\*.*?\*/", blank, text, flags=re.S)


def closing(text, opening):
    depth = 0
    for at in range(opening, len(text)):
        depth += {"(": 1, ")": -1}.get(text[at], 0)
        if depth == 0:
            return at
    raise ValueError("unbalanced brackets")


def device_only(code, at):
    """Whether the place is compiled by nvcc only."""
    stack = []
    for line in code[:at].split("\n"):
        word = re.match(r"\s*#\s*(if|ifdef|ifndef|elif|else|endif)\b(.*)", line)
        if not word:
            continue
        kind, rest = word.groups()
        if kind in ("if", "ifdef", "ifndef"):
            cuda = "__CUDACC__" in rest or "__CUDA_ARCH__" in rest
            stack.append((cuda, cuda and kind != "ifndef" and "!" not in rest))
        elif kind == "endif" and stack:
            stack.pop()
        elif stack:
            cuda, inside = stack[-1]
            stack[-1] = (cuda, cuda and not inside)
    return any(inside for _, inside in stack)


class Mutant:
    def __init__(self, file, text, match):
        code = without_comments(text)
        end = closing(code, match.end() - 1)
        argument = code[match.end():end].strip()
        self.file, self.line = file, code.count("\n", 0, match.start()) + 1
        self.barrier = code[match.start():end + 1]
        self.skipped = device_only(code, match.start())
        # A barrier that answers something leaves its own vote.
        self.text = text[:match.start()] + ("int(%s)" % argument if match.group(2) else "(void)0") + text[end + 1:]


def mutants_of(file):
    with open(os.path.join(NATIVE, file)) as source:
        text = source.read()
    return [Mutant(file, text, match) for match in BARRIER.finditer(without_comments(text))]


def dependencies(source):
    told = subprocess.run(["g++", *COMMON, "-Iinclude", "-MM", "-x", "c++", source], cwd=NATIVE, capture_output=True, text=True)
    return {os.path.normpath(word) for word in told.stdout.replace("\\\n", " ").split()[1:]}


class Test:
    def __init__(self, folder, source):
        self.name = os.path.splitext(os.path.basename(source))[0]
        self.sources = [source]
        with open(os.path.join(NATIVE, source)) as text:
            named = re.search(r"^// Sources: (.*)$", text.read(), re.M)
        parts = named.group(1) if named else SOURCES.get(self.name, self.name.removesuffix("_test") + ".cu")
        for part in parts.replace("none", "").split():
            self.sources.append(os.path.normpath(os.path.join(folder, part)))
        self.complete = all(os.path.exists(os.path.join(NATIVE, part)) for part in self.sources)
        self.kernels = len(self.sources) > 1
        # What each source reads, itself included.
        self.reads = {source: dependencies(source) for source in self.sources} if self.complete and self.kernels else {}

    def belongs_to(self, file):
        return any(file in read for read in self.reads.values())


def all_tests():
    for folder in FOLDERS:
        tests = os.path.join(NATIVE, folder, "tests")
        for name in sorted(os.listdir(tests)) if os.path.isdir(tests) else []:
            if name.endswith("_test.cc"):
                yield Test(folder, os.path.join(folder, "tests", name))


class Workshop:
    """A copy of the sources to break, and what was built from the whole ones."""

    def __init__(self, root, index):
        self.tree = os.path.join(root, "tree%d" % index)
        self.objects = os.path.join(root, "objects%d" % index)
        os.makedirs(self.objects)
        self.known = {}
        skip = shutil.ignore_patterns("build*", "*.so", "golden*.bin")
        for folder in ["cuda", "train", "src", "include", "tests"]:
            shutil.copytree(os.path.join(NATIVE, folder), os.path.join(self.tree, folder), ignore=skip)

    def object(self, source, mode, suffix=""):
        return os.path.join(self.objects, re.sub(r"[/.]", "_", source) + "." + mode + suffix + ".o")

    def compile(self, source, mode, suffix=""):
        target = self.object(source, mode, suffix)
        command = ["g++", *COMMON, *MODES[mode], "-Iinclude", "-c", "-x", "c++", source, "-o", target]
        done = subprocess.run(command, cwd=self.tree, capture_output=True, text=True)
        return target, done.stderr if done.returncode else ""

    def run(self, test, mode, broken=None):
        """Builds and runs: '' when it passes, else why not."""
        objects = []
        for source in test.sources:
            affected = broken in test.reads[source]
            kept = self.object(source, mode)
            if affected or not os.path.exists(kept):
                kept, wrong = self.compile(source, mode, ".broken" if affected else "")
                if wrong:
                    return "does not compile\n" + wrong
            objects.append(kept)
        program = os.path.join(self.objects, test.name + "." + mode)
        linked = subprocess.run(["g++", *MODES[mode], "-pthread", *objects, "-o", program], capture_output=True, text=True)
        if linked.returncode:
            return "does not link\n" + linked.stderr
        environment = {**os.environ, "TSAN_OPTIONS": "halt_on_error=1:exitcode=66"}
        try:
            done = subprocess.run([program], capture_output=True, text=True, errors="replace", timeout=RUN_SECONDS,
                                  env=environment, cwd=self.tree)
        except subprocess.TimeoutExpired:
            return "never ends"
        if done.returncode == 0:
            return ""
        if "ThreadSanitizer: data race" in done.stderr:
            return "data race"
        kind = "report" if re.search(r"\[kernel ", done.stderr) else "wrong result"
        return kind + "\n" + done.stdout[-2000:] + done.stderr[-2000:]

    def whole(self, test, file, text):
        """What the test says under ThreadSanitizer with the file as it is: asked only where something noticed."""
        with open(os.path.join(self.tree, file), "w") as source:
            source.write(text)
        if test.name not in self.known:
            self.known[test.name] = self.run(test, "tsan")
        return self.known[test.name]


def judge(shop, mutant, tests):
    """(what noticed it or None, seconds)"""
    started = time.monotonic()
    path = os.path.join(shop.tree, mutant.file)
    with open(path) as source:
        whole = source.read()
    with open(path, "w") as source:
        source.write(mutant.text)
    try:
        affected = [test for test in tests if test.belongs_to(mutant.file)]
        for mode in MODES:
            for test in affected:
                why = shop.run(test, mode, mutant.file)
                if why.startswith("does not"):
                    return "BROKEN: " + why, time.monotonic() - started
                if why and mode == "tsan" and shop.whole(test, mutant.file, whole):
                    return "BROKEN: %s fails as it is under ThreadSanitizer" % test.name, time.monotonic() - started
                if why:
                    return "%s: %s (%s)" % (test.name, why.split("\n")[0], mode), time.monotonic() - started
        return None, time.monotonic() - started
    finally:
        with open(path, "w") as source:
            source.write(whole)


def main():
    options = argparse.ArgumentParser()
    options.add_argument("--jobs", type=int, default=min(2, os.cpu_count() or 1))
    options.add_argument("--list", action="store_true")
    options.add_argument("names", nargs="*")
    asked = options.parse_args()
    mutants = [mutant for file in kernel_files() for mutant in mutants_of(file)
               if not asked.names or any(name in file for name in asked.names)]
    for mutant in mutants:
        if asked.list or mutant.skipped:
            print("%s:%d  %s%s" % (mutant.file, mutant.line, mutant.barrier, "  device only" if mutant.skipped else ""))
    mutants = [mutant for mutant in mutants if not mutant.skipped]
    if asked.list or not mutants:
        return 0
    tests = list(all_tests())
    tests = [test for test in tests if any(test.belongs_to(mutant.file) for mutant in mutants)]
    with tempfile.TemporaryDirectory(prefix="mutate-") as root:
        shops = [Workshop(root, index) for index in range(asked.jobs)]
        free, survivors, printing = list(shops), [], threading.Lock()
        for test in tests:
            why = shops[0].run(test, "orders")
            if why:
                print("%s fails as it is: %s" % (test.name, why), file=sys.stderr)
                return 2
        for shop in shops[1:]:
            shutil.copytree(shops[0].objects, shop.objects, dirs_exist_ok=True)

        def work(mutant):
            shop = free.pop()
            noticed, seconds = judge(shop, mutant, tests)
            free.append(shop)
            with printing:
                if noticed is None or noticed.startswith("BROKEN"):
                    survivors.append(mutant)
                print("%-34s %-16s %6.1f s  %s" % ("%s:%d" % (mutant.file, mutant.line), mutant.barrier, seconds,
                                                   noticed or "UNNOTICED"), flush=True)

        with concurrent.futures.ThreadPoolExecutor(asked.jobs) as pool:
            list(pool.map(work, mutants))
    print("%d barriers, %d unnoticed" % (len(mutants), len(survivors)))
    return 1 if survivors else 0


if __name__ == "__main__":
    sys.exit(main())
