"""The settings: where they come from, and that everything wrong is told at once."""

import pytest

from scim_server.settings import SETTINGS, Settings, SettingsError, load


def problems(environ):
    with pytest.raises(SettingsError) as raised:
        load(environ)
    return str(raised.value)


def test_without_settings_the_data_is_in_the_working_directory(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    assert load({}) == Settings(database_url=f"sqlite:///{tmp_path}/scim.sqlite3")
    assert load({}).external_url == "http://127.0.0.1:8000"


def test_the_environment_sets_every_field(tmp_path):
    settings = load(
        {
            "SCIM_DATABASE_URL": "postgresql://u:p@h/d",
            "SCIM_REPLICA_URL": "postgresql://u:p@h2/d",
            "SCIM_EXTERNAL_URL": "https://scim.example.com/base",
            "SCIM_MAX_BODY_BYTES": "2048",
            "SCIM_MAX_PAGE": "200",
            "SCIM_DEFAULT_PAGE": "20",
            "SCIM_MAX_PATCH_OPERATIONS": "7",
            "SCIM_MAX_MEMBERS_PER_REQUEST": "8",
            "SCIM_MAX_BULK_OPERATIONS": "6",
            "SCIM_MAX_BULK_BYTES": "4096",
            "SCIM_MAX_FILTER_BYTES": "100",
            "SCIM_MAX_FILTER_TERMS": "9",
            "SCIM_MAX_NESTING": "10",
            "SCIM_REQUEST_SECONDS": "11",
            "SCIM_CREDENTIAL_SECONDS": "1",
            "SCIM_TLS_CLIENT_HEADER": "X-Client-Cert",
            "SCIM_SMTP_URL": "smtps://u:p@mail.example.com",
            "SCIM_MAIL_FROM": "Mail <no-reply@example.com>",
            "SCIM_PORTAL_URL": "https://portal.example.com/?lang=fr",
            "SCIM_EXTRA_SCHEMAS": str(tmp_path),
            "SCIM_RATE_LIMIT": "12",
            "SCIM_RATE_BURST": "13",
            "SCIM_BULK_AT_ONCE": "14",
            "SCIM_AUTH_FAILURES": "15",
            "SCIM_TRUSTED_PROXIES": "16",
            "SCIM_TLS_CERTIFICATE": str(tmp_path / "own.pem"),
            "SCIM_TLS_KEY": str(tmp_path / "own.key"),
            "SCIM_TLS_MINIMUM": "1.3",
            "PATH": "/bin",
        }
    )
    numbers = (2048, 200, 20, 7, 8, 6, 4096, 100, 9, 10, 11, 1)
    mail = ("smtps://u:p@mail.example.com", "Mail <no-reply@example.com>", "https://portal.example.com/?lang=fr")
    limits = (12, 13, 14, 15, 16)
    places = ("postgresql://u:p@h/d", "https://scim.example.com/base")
    limits = (*limits, "postgresql://u:p@h2/d")
    tls = (tmp_path / "own.pem", tmp_path / "own.key", "1.3")
    assert settings == Settings(*places, *numbers, "X-Client-Cert", *mail, tmp_path, *limits, *tls)


@pytest.mark.parametrize("text", ["off", " OFF "])
def test_a_limit_that_is_off_is_none(text):
    settings = load({"SCIM_RATE_LIMIT": text, "SCIM_AUTH_FAILURES": text})
    assert (settings.rate_limit, settings.auth_failures) == (None, None)


@pytest.mark.parametrize("text", ["0", "-1", "none", "", "1.5", "100001"])
def test_another_text_for_a_limit_is_refused_with_what_is_allowed(text):
    assert "must be a whole number from 1 to 100000, or 'off'." in problems({"SCIM_RATE_LIMIT": text})


def test_a_relative_sqlite_path_is_made_absolute(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    assert load({"SCIM_DATABASE_URL": "sqlite:///x/y.db"}).database_url == f"sqlite:///{tmp_path}/x/y.db"
    assert load({"SCIM_DATABASE_URL": "sqlite:////srv/y.db?timeout=5"}).database_url == "sqlite:////srv/y.db?timeout=5"


@pytest.mark.parametrize("url", ["postgresql://u@h/d", "postgresql+psycopg://h/d", "postgresql:///d?host=/run"])
def test_a_postgresql_url_is_kept(url):
    assert load({"SCIM_DATABASE_URL": url}).database_url == url


@pytest.mark.parametrize(
    "url",
    ["", "scim.db", "mysql://u@h/d", "postgres://u@h/d", "postgresql+psycopg2://h/d", "postgresql://h", "sqlite:///",
     "sqlite://", "sqlite:///:memory:", "postgresql://h:99999/d"],
)  # fmt: skip
def test_a_database_url_of_another_kind_is_refused(url):
    assert "SCIM_DATABASE_URL" in problems({"SCIM_DATABASE_URL": url})


def test_a_refused_database_url_is_not_repeated():
    assert "secret" not in problems({"SCIM_DATABASE_URL": "mysql://u:secret@h/d"})


@pytest.mark.parametrize(
    "url",
    ["", "scim.example.com", "ftp://h", "https://", "https://h/", "https://h?x", "https://h#x", "https://u@h",
     "https://h/a b", "https://hé", "https://h/scim/v2", "https://h:99999"],
)  # fmt: skip
def test_an_external_url_that_clients_cannot_use_is_refused(url):
    assert "SCIM_EXTERNAL_URL" in problems({"SCIM_EXTERNAL_URL": url})


@pytest.mark.parametrize("url", ["", "portal.example.com", "ftp://h", "https://", "https://u@h", "https://h/a b"])
def test_a_portal_url_that_nobody_can_open_is_refused(url):
    assert "SCIM_PORTAL_URL" in problems({"SCIM_PORTAL_URL": url})


@pytest.mark.parametrize("path", ["", "nowhere", "pyproject.toml"])
def test_what_is_no_directory_has_no_resource_types(path):
    assert f"SCIM_EXTRA_SCHEMAS: '{path}' is no directory." in problems({"SCIM_EXTRA_SCHEMAS": path})


def test_a_relative_directory_of_resource_types_is_made_absolute(monkeypatch, tmp_path):
    (tmp_path / "types").mkdir()
    monkeypatch.chdir(tmp_path)
    assert load({"SCIM_EXTRA_SCHEMAS": "types"}).extra_schemas == tmp_path / "types"


def test_a_refused_mail_server_is_told_without_its_password():
    told = problems({"SCIM_SMTP_URL": "smtp://u:secret@h", "SCIM_MAIL_FROM": "nobody"})
    assert "SCIM_SMTP_URL: must begin with smtps://" in told
    assert "SCIM_MAIL_FROM: must be an address" in told
    assert "secret" not in told


def test_a_mail_server_needs_a_sender():
    assert "SCIM_SMTP_URL: needs SCIM_MAIL_FROM" in problems({"SCIM_SMTP_URL": "smtp://h"})
    assert load({"SCIM_MAIL_FROM": "n@a.example"}).smtp_url is None


def test_settings_are_shown_without_the_passwords_of_the_databases():
    secretive = {"SCIM_DATABASE_URL": "postgresql://u:hunter2@h/d", "SCIM_REPLICA_URL": "postgresql://u:hunter2@i/d"}
    assert "hunter2" not in repr(load(secretive))


def test_settings_are_shown_without_the_password_of_the_mail_server():
    settings = load({"SCIM_SMTP_URL": "smtps://u:secret@h", "SCIM_MAIL_FROM": "n@a.example"})
    assert "secret" not in repr(settings)


@pytest.mark.parametrize("text", ["", "x", "0", "-1", "1.5", "1e3", "True", "999999999999"])
def test_a_number_that_is_not_within_bounds_is_refused(text):
    assert "SCIM_MAX_PAGE: must be a whole number from 1 to 100000." in problems({"SCIM_MAX_PAGE": text})


def test_everything_wrong_is_told_at_once():
    told = problems({"SCIM_MAX_PAGE": "x", "SCIM_EXTERNAL_URL": "x", "SCIM_DATABSE_URL": "x", "SCIM_FOO": "x"})
    assert [line.split(":")[0].strip() for line in told.splitlines()[1:]] == [
        "SCIM_DATABSE_URL",
        "SCIM_EXTERNAL_URL",
        "SCIM_FOO",
        "SCIM_MAX_PAGE",
    ]
    assert "Did you mean SCIM_DATABASE_URL" in told


def test_the_variables_of_the_tests_are_no_settings():
    load({"SCIM_TEST_DATABASE_URL": "x"})


def test_the_default_page_follows_a_smaller_largest_page():
    assert load({"SCIM_MAX_PAGE": "50"}).default_page == 50


def test_a_default_page_above_the_largest_page_is_refused():
    assert "SCIM_DEFAULT_PAGE: must not be more than max_page" in problems({"SCIM_DEFAULT_PAGE": "1001"})


def test_the_operations_of_a_bulk_request_follow_fewer_in_a_patch():
    assert load({"SCIM_MAX_PATCH_OPERATIONS": "50"}).max_bulk_operations == 50
    assert load({"SCIM_MAX_PATCH_OPERATIONS": "5000"}).max_bulk_operations == 1000
    told = problems({"SCIM_MAX_PATCH_OPERATIONS": "50", "SCIM_MAX_BULK_OPERATIONS": "51"})
    assert "SCIM_MAX_BULK_OPERATIONS: must not be more than max_patch_operations, which is 50." in told


def test_the_environment_wins_over_the_file_and_the_file_over_the_caller(tmp_path):
    file = tmp_path / "scim.toml"
    file.write_text('external_url = "https://file.example"\nmax_page = 10\ndefault_page = 10\n')
    settings = load(
        {"SCIM_SETTINGS_FILE": str(file), "SCIM_MAX_PAGE": "20"}, external_url="https://x", max_patch_operations="9"
    )
    assert (settings.external_url, settings.max_page, settings.max_patch_operations) == ("https://file.example", 20, 9)


@pytest.mark.parametrize("text", ["max_page = true", "max_page = 1.5", "max_page = [1]", "max_pages = 1", "[a]\nb = 1"])
def test_a_wrong_line_of_the_file_is_told_with_the_file(tmp_path, text):
    file = tmp_path / "scim.toml"
    file.write_text(text)
    assert f"in {file}: " in problems({"SCIM_SETTINGS_FILE": str(file)})


@pytest.mark.parametrize("content", [b"max_page = ", b"\xff"])
def test_a_file_that_is_not_toml_is_refused(tmp_path, content):
    file = tmp_path / "scim.toml"
    file.write_bytes(content)
    assert "is not a TOML file" in problems({"SCIM_SETTINGS_FILE": str(file)})


def test_a_file_that_is_not_there_is_refused(tmp_path):
    assert "cannot be read" in problems({"SCIM_SETTINGS_FILE": str(tmp_path / "no.toml")})


def test_every_setting_has_a_line_of_words():
    assert all(one.about.endswith(".") and one.default for one in SETTINGS)


@pytest.mark.parametrize("name", ["", "X", "X Client", "X-Client-Cert:", "X_Client", "X-Client\n"])
def test_what_can_be_no_header_is_refused(name):
    with pytest.raises(SettingsError, match="SCIM_TLS_CLIENT_HEADER"):
        load({"SCIM_TLS_CLIENT_HEADER": name})
