"""Files that are written: whole or not at all, through links, with their permissions, by many threads at once."""

from __future__ import annotations

import errno
import os
import re
import socket
import stat
import threading
from collections.abc import Callable
from pathlib import Path

import child
import numpy as np
import pytest
from PIL import Image

import pyneural as pn
from pyneural.arguments.paths import write_whole
from pyneural.commands.command_line import main


def model() -> pn.Sequential:
    made = pn.Sequential(pn.Dense(2))
    made.build((3,))
    return made


def history() -> pn.History:
    made = pn.History()
    made.append(loss=0.5)
    return made


@pytest.fixture(params=["model", "history"])
def write(request: pytest.FixtureRequest) -> Callable[[Path], object]:
    """Writes a model, or a history, to a path."""
    if request.param == "model":
        return lambda path: pn.save(model(), path)
    return lambda path: history().to_csv(path)


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_threads_that_write_to_one_path_leave_one_whole_file(tmp_path: Path) -> None:
    target, troubles, start = tmp_path / "x.bin", [], threading.Barrier(8)

    def work(number: int) -> None:
        start.wait()
        try:
            for _ in range(20):
                write_whole("save", target, bytes([number]) * (1000 + number))
                found = target.read_bytes()
                assert found == bytes([found[0]]) * (1000 + found[0])
        except BaseException as error:
            troubles.append(error)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert troubles == []
    assert list(tmp_path.iterdir()) == [target]


@pytest.mark.parametrize("moment", range(1, 9))
def test_a_file_that_appears_meanwhile_is_replaced_not_overwritten(tmp_path: Path, monkeypatch, moment: int) -> None:
    """A reader of the file that another process has just made must never see it half written."""
    target = tmp_path / "x.bin"
    look = Path.stat
    looks = []
    made = []

    def appears(self: Path, **options):
        try:
            return look(self, **options)
        finally:
            looks.append(self)
            if len(looks) == moment and not target.exists():
                target.write_bytes(b"other")
                made.append(look(target).st_ino)

    monkeypatch.setattr(Path, "stat", appears)
    write_whole("save", target, b"ours")
    monkeypatch.undo()
    assert target.read_bytes() == b"ours"
    assert target.stat().st_ino not in made


def test_threads_that_save_one_model_to_one_path_leave_a_model(tmp_path: Path) -> None:
    target, troubles, start = tmp_path / "x.safetensors", [], threading.Barrier(4)
    made = model()

    def work() -> None:
        start.wait()
        try:
            for _ in range(10):
                pn.save(made, target)
                assert pn.load(target).fingerprint() == made.fingerprint()
        except BaseException as error:
            troubles.append(error)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert troubles == []
    assert list(tmp_path.iterdir()) == [target]


@pytest.mark.parametrize("exists", [True, False])
def test_a_link_stays_a_link(tmp_path: Path, write: Callable[[Path], object], exists: bool) -> None:
    (tmp_path / "store").mkdir()
    real, link = tmp_path / "store" / "real.safetensors", tmp_path / "link.safetensors"
    if exists:
        real.write_bytes(b"old")
    link.symlink_to(Path("store") / "real.safetensors")
    write(link)
    assert link.is_symlink()
    assert real.is_file()
    assert real.stat().st_size > 3
    assert sorted(path.name for path in tmp_path.rglob("*")) == ["link.safetensors", "real.safetensors", "store"]


@pytest.mark.parametrize("permissions", [0o600, 0o664, 0o644])
def test_an_existing_file_keeps_its_permissions(
    tmp_path: Path, write: Callable[[Path], object], permissions: int
) -> None:
    target = tmp_path / "x.safetensors"
    target.write_bytes(b"old")
    target.chmod(permissions)
    write(target)
    assert mode(target) == permissions


@pytest.mark.parametrize("umask", [0o022, 0o077, 0o002])
def test_a_new_file_gets_the_permissions_of_the_umask(
    tmp_path: Path, write: Callable[[Path], object], umask: int
) -> None:
    before = os.umask(umask)
    try:
        write(tmp_path / "x.safetensors")
    finally:
        os.umask(before)
    assert mode(tmp_path / "x.safetensors") == 0o666 & ~umask


def test_a_name_may_be_as_long_as_the_file_system_allows(tmp_path: Path, write: Callable[[Path], object]) -> None:
    write(tmp_path / ("x" * 243 + ".safetensors"))


def fill_the_disk(folder: str) -> None:
    """A limit on the size of files stands for a full disk: the write fails in its middle."""
    import errno
    import resource
    import signal
    from pathlib import Path

    import pyneural as pn

    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    model = pn.Sequential(pn.Dense(1000))
    model.build((1000,))
    history = pn.History()
    for _ in range(200_000):
        history.append(loss=0.123456789)
    old = Path(folder) / "old.safetensors"
    old.write_bytes(b"old")
    resource.setrlimit(resource.RLIMIT_FSIZE, (1_000_000, resource.RLIM_INFINITY))
    for write, who in ((lambda path: pn.save(model, path), "save"), (history.to_csv, "to_csv")):
        for target in (old, Path(folder) / "new.safetensors"):
            try:
                write(target)
            except OSError as error:
                found = (error.errno, str(error))
            else:
                raise AssertionError("it was written")
            text = f"{who}: {target} cannot be written (File too large); no file was changed"
            assert found == (errno.EFBIG, text), found
    assert old.read_bytes() == b"old"
    print([path.name for path in Path(folder).iterdir()])


def test_a_disk_that_is_full_leaves_what_was_there(tmp_path: Path) -> None:
    assert child.run(fill_the_disk, str(tmp_path)) == "['old.safetensors']\n"


def write_as_nobody(folder: str) -> None:
    """Root may write anywhere, so for the question whether it may the program becomes somebody else."""
    import os
    from pathlib import Path

    import pyneural as pn

    model = pn.Sequential(pn.Dense(1))
    model.build((1,))
    history = pn.History()
    history.append(loss=0.5)
    if os.geteuid() == 0:
        os.setreuid(65534, 0)
    for place in ("locked/x.safetensors", "open/kept.safetensors"):
        for write in (lambda path: pn.save(model, path), history.to_csv):
            try:
                write(Path(folder) / place)
            except PermissionError as error:
                print(str(error).replace(folder, ""))


def test_a_folder_and_a_file_that_are_not_writable_are_refused(tmp_path: Path) -> None:
    for name, permissions in (("locked", 0o555), ("open", 0o777)):
        (tmp_path / name).mkdir()
        (tmp_path / name / "kept.safetensors").write_bytes(b"old")
        (tmp_path / name / "kept.safetensors").chmod(0o444)
        (tmp_path / name).chmod(permissions)
    for folder in (tmp_path, tmp_path.parent, tmp_path.parent.parent):
        folder.chmod(0o755)  # pytest's own are closed to others
    printed = child.run(write_as_nobody, str(tmp_path))
    assert printed.splitlines() == [
        "save: the folder /locked is not writable: give another",
        "to_csv: the folder /locked is not writable: give another",
        "save: the file /open/kept.safetensors is not writable: give another path, or change its permissions",
        "to_csv: the file /open/kept.safetensors is not writable: give another path, or change its permissions",
    ]
    assert (tmp_path / "open" / "kept.safetensors").read_bytes() == b"old"
    (tmp_path / "locked").chmod(0o755)


def test_what_is_not_a_regular_file_is_written_to_as_it_is(tmp_path: Path) -> None:
    pipe, found = tmp_path / "pipe", []
    os.mkfifo(pipe)
    reader = threading.Thread(target=lambda: found.append(pipe.read_text()))
    reader.start()
    text = history().to_csv(pipe)
    reader.join()
    assert found == [text]
    assert stat.S_ISFIFO(pipe.stat().st_mode)


def test_a_device_that_is_full_is_named() -> None:
    with pytest.raises(OSError, match=r"^to_csv: /dev/full cannot be written \(No space left on device\)"):
        history().to_csv("/dev/full")
    assert stat.S_ISCHR(Path("/dev/full").stat().st_mode)


@pytest.mark.parametrize("path", [None, 3, b"x.safetensors", ["x.safetensors"]])
def test_what_is_not_a_path_is_named(path: object) -> None:
    with pytest.raises(TypeError, match=r"^save: path is .*: give the path of a file, a str or a pathlib.Path$"):
        pn.save(model(), path)  # type: ignore[arg-type]


@pytest.mark.parametrize("path", ["/", "x", "x.pt", ".safetensors", "x.safetensors.gz"])
def test_another_ending_is_refused(path: str) -> None:
    with pytest.raises(ValueError, match=r"^save: .*: models are .safetensors files: give '.+\.safetensors'$"):
        pn.save(model(), path)


# ---- paths as users give them, wherever one is taken


TAKERS = {
    "load": pn.load,
    "save": lambda path: pn.save(model(), path),
    "to_csv": lambda path: history().to_csv(path),
    "folder": pn.datasets.folder,
    "mnist": pn.datasets.mnist,
    "mnist: extra": lambda path: pn.datasets.mnist("sample", extra=path),
}


@pytest.mark.parametrize("who", TAKERS)
@pytest.mark.parametrize("path", [3, b"m.safetensors", ["m.safetensors"], 1.5])
def test_what_is_not_a_path_is_refused_by_name(who, path):
    with pytest.raises(TypeError, match=rf"^{who}: path is {re.escape(repr(path))}: give the path of a (file|folder)"):
        TAKERS[who](path)


@pytest.mark.parametrize("who", [*TAKERS, "prepare_digit"])
@pytest.mark.parametrize("path", ["", "a\0b.safetensors"])
def test_a_path_that_no_file_can_have_is_refused_by_name(who, path):
    with pytest.raises(ValueError, match=rf"^{who}: path is {re.escape(repr(path))}: give the path of a"):
        (TAKERS | {"prepare_digit": pn.prepare_digit})[who](path)


@pytest.mark.parametrize("who", [*TAKERS, "prepare_digit"])
def test_a_name_that_is_too_long_is_refused_by_name(who, tmp_path):
    with pytest.raises(OSError, match=rf"{who}: File name too long") as caught:
        (TAKERS | {"prepare_digit": pn.prepare_digit})[who](tmp_path / ("x" * 300 + ".safetensors"))
    assert caught.value.errno == errno.ENAMETOOLONG


def test_a_tilde_is_the_home_folder_for_all(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    saved = pn.save(model(), "~/m.safetensors")
    assert saved == tmp_path / "m.safetensors"
    assert pn.load("~/m.safetensors").fingerprint() == pn.load(saved).fingerprint()
    history().to_csv("~/h.csv")
    assert (tmp_path / "h.csv").exists()
    Image.fromarray(np.pad(np.eye(30, dtype=np.uint8) * 255, 3)).save(tmp_path / "one.png")
    assert pn.prepare_digit("~/one.png").shape == (28, 28, 1)
    with pytest.raises(FileNotFoundError, match=str(tmp_path / "pictures")):
        pn.datasets.folder("~/pictures")


def test_a_tilde_that_the_shell_left_is_the_home_folder_for_the_commands(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("HOME", str(tmp_path))
    made, random = pn.Sequential(pn.Flatten(), pn.Dense(2)), np.random.default_rng(0)
    pn.fit(made, (random.integers(0, 256, (8, 4, 4, 1), np.uint8), ["cat", "dog"] * 4), validation=None, verbose=0)
    pn.save(made, "~/m.safetensors")
    for name in ("cat", "dog"):
        (tmp_path / "pictures" / name).mkdir(parents=True)
        Image.new("L", (4, 4)).save(tmp_path / "pictures" / name / "1.png")
    assert main(["info", "~/m.safetensors"]) == 0
    assert main(["predict", "~/m.safetensors", "~/pictures/cat/1.png"]) == 0
    assert main(["evaluate", "~/m.safetensors", "~/pictures"]) == 0
    assert "n = 2" in capsys.readouterr().out


def read_special_files(folder: str) -> None:
    """The alarm ends a program that waits for a pipe's writer, or for a device's end."""
    import signal

    import pyneural as pn
    from pyneural.commands.command_line import main
    from pyneural.datasets.idx import read_idx

    signal.alarm(60)
    readers = {
        "load": pn.load,
        "prepare_digit": pn.prepare_digit,
        "mnist: extra": lambda path: pn.datasets.mnist("sample", extra=path),
        "read_idx": read_idx,
    }
    for who, read in readers.items():
        for name in ("pipe", "link", "socket", "/dev/zero", "gone", "loop", "a folder", "file/below"):
            path = name if name[0] == "/" else f"{folder}/{name}"
            try:
                read(path)
            except OSError as error:
                kind = type(error).__name__
                print(f"{kind} {str(error).replace(f'{folder}/', '').removeprefix(f'{who}: ').partition(': ')[0]}")
    for take in (pn.datasets.folder, pn.datasets.mnist, lambda path: pn.fit(pn.Sequential(pn.Dense(1)), path)):
        try:
            take(f"{folder}/pipe")
        except (FileNotFoundError, ValueError) as error:
            print(f"{type(error).__name__}", "give a folder" in str(error) or "the data is not there" in str(error))
    for command in (["info"], ["evaluate"], ["predict", f"{folder}/pipe"]):
        print(main([command[0], "/dev/zero", *command[1:]]))


def test_only_regular_files_are_read(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "link").symlink_to("pipe")
    (tmp_path / "loop").symlink_to("loop")
    (tmp_path / "a folder").mkdir()
    (tmp_path / "file").touch()
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(os.path.relpath(tmp_path / "socket"))
        program = child.start(read_special_files, str(tmp_path))
        printed, errors = program.communicate(timeout=child.SECONDS)
    special = [
        f"OSError '{name}' is a {kind}, which may have no end"
        for name, kind in (("pipe", "pipe"), ("link", "pipe"), ("socket", "socket"), ("/dev/zero", "device"))
    ]
    absent = [f"FileNotFoundError there is no file '{name}'" for name in ("gone", "loop", "file/below")]
    each = [*special, *absent[:2], "IsADirectoryError 'a folder' is a folder", absent[2]]
    taken = ["FileNotFoundError True", "FileNotFoundError True", "FileNotFoundError True"]
    assert printed.splitlines() == [*each * 4, *taken, "1", "1", "1"], errors
    assert (
        errors.splitlines()
        == [
            "pyneural: load: '/dev/zero' is a device, which may have no end: give a .safetensors file that pn.save "
            "wrote, copied to a regular file"
        ]
        * 3
    )


def read_as_nobody(path: str) -> None:
    import os

    import pyneural as pn

    if os.geteuid() == 0:
        os.setreuid(65534, 0)
    try:
        pn.load(path)
    except PermissionError as error:
        print(str(error).replace(path, "PATH"))


def test_a_file_that_is_not_readable_is_refused(tmp_path: Path) -> None:
    path = pn.save(model(), tmp_path / "closed.safetensors")
    path.chmod(0)
    for folder in (tmp_path, tmp_path.parent, tmp_path.parent.parent):
        folder.chmod(0o755)
    assert child.run(read_as_nobody, str(path)) == "load: the file 'PATH' is not readable: change its permissions\n"


@pytest.mark.parametrize("image", [None, 3, 1.5, np.float32(2)])
def test_a_number_is_not_an_image(image):
    with pytest.raises((TypeError, ValueError), match=r"^prepare_digit: the image"):
        pn.prepare_digit(image)
