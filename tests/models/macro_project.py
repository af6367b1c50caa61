"""A dbt project of nothing but macros: what they render to, without the product's own models."""

from pathlib import Path

from dbt.cli.main import dbtRunner

_ROOT = Path(__file__).resolve().parents[2]

_PROJECT = """
name: macro_project
version: 1.0.0
config-version: 2
profile: macro_project
flags: {{send_anonymous_usage_stats: false}}
macro-paths: ['{macros}/experiments', '{macros}/engines']
"""

_PROFILE = """
macro_project:
  target: dev
  outputs:
    dev: {type: duckdb, path: ':memory:', threads: 1}
"""


def compile_queries(folder: Path, queries: dict[str, str]) -> dict[str, str]:
    """Renders queries by dbt itself, with the repository's macros.

    Args:
        folder: An empty folder to put the project in.
        queries: The text of each query, by name. They may use every macro, and tables that do not
            exist: nothing is run.

    Returns:
        The SQL each query compiles to, by name.
    """
    (folder / "models").mkdir()
    macros = (_ROOT / "macros").as_posix()
    (folder / "dbt_project.yml").write_text(_PROJECT.format(macros=macros))
    (folder / "profiles.yml").write_text(_PROFILE)
    for name, query in queries.items():
        (folder / "models" / f"{name}.sql").write_text(query)
    places = ["--project-dir", str(folder), "--profiles-dir", str(folder)]
    places += ["--target-path", str(folder / "target"), "--log-path", str(folder / "logs")]
    outcome = dbtRunner().invoke(["--quiet", "compile", "--no-introspect", *places])
    if not outcome.success:
        message = f"dbt could not compile the queries: {outcome.exception or outcome.result}"
        raise AssertionError(message)
    compiled = folder / "target" / "compiled" / "macro_project" / "models"
    return {name: (compiled / f"{name}.sql").read_text() for name in queries}
