"""scripts/box.py: which sandboxes it finds, and its message if there is none."""

from pathlib import Path

import pytest

from scripts import box


@pytest.fixture
def programs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The only folder of programs on a machine that has none of them yet."""
    monkeypatch.setenv("PATH", str(tmp_path))
    return tmp_path


def install(folder: Path, name: str, script: str) -> None:
    """Put a shell script there as a program."""
    program = folder / name
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(0o755)


def test_a_missing_program_is_reported_without_a_crash(programs: Path) -> None:
    assert "bwrap" in (box.bubblewrap_complaint() or "")
    assert "docker" in (box.docker_complaint() or "")


def test_a_failing_programs_output_is_reported(programs: Path) -> None:
    install(programs, "bwrap", "echo 'setting up uid map: Permission denied' >&2; exit 1")
    install(programs, "docker", "exit 3")
    assert box.bubblewrap_complaint() == "setting up uid map: Permission denied"
    assert box.docker_complaint() == "docker ended with 3"


def test_a_machine_with_an_engine_is_not_changed(
    programs: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    install(programs, "docker", "exit 0")
    install(programs, "apt-get", f"echo called >> {programs}/called")
    monkeypatch.setattr("os.geteuid", lambda: 0)
    box.main()
    assert capsys.readouterr().out == ""
    assert not (programs / "called").exists()


def test_an_ordinary_user_is_told_exactly_what_to_install(
    programs: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    install(programs, "apt-get", f"echo called >> {programs}/called")
    monkeypatch.setattr("os.geteuid", lambda: 1000)
    box.main()
    assert "apt-get install bubblewrap" in capsys.readouterr().out
    assert not (programs / "called").exists()


def test_root_on_a_fresh_machine_gets_bubblewrap_after_its_package_lists(
    programs: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    # Stands in for Debian's: it installs nothing before its lists were fetched.
    install(
        programs,
        "apt-get",
        f'here={programs}\nif [ "$1" = update ]; then : > "$here/lists"; exit 0; fi\n'
        '[ -e "$here/lists" ] || { echo "Unable to locate package bubblewrap"; exit 100; }\n'
        'printf "#!/bin/sh\\nexit 0\\n" > "$here/bwrap"; /bin/chmod 755 "$here/bwrap"',
    )
    monkeypatch.setattr("os.geteuid", lambda: 0)
    assert box.ensure_bubblewrap() is None
    assert "Installing bubblewrap" in capsys.readouterr().out


def test_root_is_told_why_the_installation_failed(
    programs: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    install(programs, "apt-get", "echo 'Unable to locate package bubblewrap'; exit 100")
    monkeypatch.setattr("os.geteuid", lambda: 0)
    box.main()
    said = capsys.readouterr().out
    assert "Unable to locate package bubblewrap" in said
    assert "apt-get install bubblewrap" in said
