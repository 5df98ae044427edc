from pathlib import Path

import pytest

from monitor.sources.build import BuildOptions, choose_python, explain, make_job
from monitor.sources.dsn import parse_dsn
from monitor.sources.environment import clean_environment
from monitor.sources.interpreter import Failed, Interpreter
from monitor.sources.shadow import Scratch

DSN, _ = parse_dsn("postgresql://builder:sh4dow-pass@127.0.0.1:5/anchorwatch_shadow_0")
SCRATCH = Scratch(
    database=DSN.database,
    builder="builder",
    dsn=DSN,
    admin=DSN,
    is_superuser=True,
    roles=(),
    stand_ins=(),
    major=18,
)
ENVIRONMENT = clean_environment(
    {
        "DATABASE_URL": "postgresql+asyncpg://me:hunter22@h/d",
        "STORE_URL": "postgresql+psycopg2://me:hunter22@h/d",
        "PGHOST": "h",
    }
)
INTERPRETER = Interpreter(
    python=Path("/venv/bin/python"), directory=Path("/"), environment=ENVIRONMENT
)


@pytest.mark.parametrize(
    ("code", "detail", "said"),
    [
        ("no_sqlalchemy", "", "--python PATH"),
        ("no_alembic", "", "has no Alembic"),
        ("no_driver", "", "pip install 'psycopg[binary]'"),
        ("refused", "postgresql://h:5/d", "--url-env NAME`. Not passed on: DATABASE_URL, PGHOST"),
        ("no_metadata", "int", "is a int, neither MetaData"),
        ("crashed", "Segmentation fault", "ended at once: Segmentation fault"),
        ("raised", "OSError: cannot reach sh4dow-pass at hunter22", "cannot reach *** at ***"),
        ("raised", 'X: extension "postgis" is not available', "does not have the extension"),
        ("raised", "X: ICU is not supported in this build", "was built with it: `--shadow URL`"),
    ],
)
def test_every_failure_has_a_next_step_and_no_secret(code: str, detail: str, said: str) -> None:
    failed = Failed(code=code, detail=detail, revision=None)
    error = explain(failed, INTERPRETER, SCRATCH, "alembic.ini: env.py")
    assert said in str(error)
    assert "hunter22" not in str(error)
    assert "sh4dow-pass" not in str(error)


def test_a_named_variable_tells_the_driver_first() -> None:
    options = BuildOptions(url_env=("STORE_URL",))
    job = make_job(SCRATCH, options, ENVIRONMENT, hint="psycopg")
    assert job["drivers"][:3] == ["psycopg2", "asyncpg", "psycopg"]
    assert job["named_drivers"] == {"DATABASE_URL": "asyncpg", "STORE_URL": "psycopg2"}


def test_the_link_of_a_virtual_environment_is_kept(tmp_path: Path) -> None:
    link = tmp_path / "python"
    link.symlink_to("/usr/bin/env")
    assert choose_python(BuildOptions(python=link)) == link
